"""A benchmark's result as plain text, for a terminal."""

import textwrap

import pandas as pd

from emclassify._words import number
from emclassify.metrics._figures import FIGURES, metric_name


def _with_interval(row, figure):
    """Return "0.93 (0.90–0.95)"."""
    low, high = row[f"{figure}_low"], row[f"{figure}_high"]
    interval = "" if pd.isna(low) else f" ({number(low, 2)}–{number(high, 2)})"
    return number(row[figure], 2) + interval


def result_as_text(result):
    """Return verdict, overview and the table of classes."""
    overview = result.overview()
    scores = [c[: -len("_sd")] for c in overview.columns if c.endswith("_sd")]
    top = pd.DataFrame(index=overview.index.rename("model"))
    for score in scores:
        top[metric_name(score)] = [
            f"{number(mean)} ± {number(sd)}"
            for mean, sd in zip(overview[score], overview[f"{score}_sd"], strict=True)
        ]
    top["fit s"] = [number(seconds, 1) for seconds in overview["fit_time"]]
    top["predict s"] = [number(seconds, 2) for seconds in overview["predict_time"]]
    summary = result.summary().rename_axis(index=["model", "class"])
    classes = pd.DataFrame(
        {f: [_with_interval(row, f) for _, row in summary.iterrows()] for f in FIGURES},
        index=summary.index,
    )
    classes["n"] = summary["support"]
    level = f"{100 * result.confidence_level:g} %"
    unit = "samples" if result.groups is None else "groups"
    return "\n".join(
        [
            textwrap.fill(result.verdict(), 88),
            "",
            f"Mean ± standard deviation over {len(result.folds)} folds:",
            top.to_string(),
            "",
            f"Pooled out-of-fold predictions, {level} intervals (bootstrap over "
            f"{result.pooled.n_units} {unit}):",
            classes.to_string(),
        ]
    )
