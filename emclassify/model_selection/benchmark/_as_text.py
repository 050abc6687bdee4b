"""A comparison put in words, and all tables as plain text."""

import textwrap

import pandas as pd

from emclassify._words import number, p_value
from emclassify.metrics._figures import FIGURES, metric_name


def _interval(row, level):
    """Return "95 % interval 0.010 to 0.054"."""
    return f"{level:g} % interval {number(row.low)} to {number(row.high)}"


def _oriented(comparison, best):
    """Return the rows of `best` against each other model, best minus other."""
    rows = []
    for row in comparison.itertuples():
        if best not in (row.model_a, row.model_b):
            continue
        sign = 1 if row.model_a == best else -1
        low, high = sorted((sign * row.low, sign * row.high))
        rows.append(
            {
                "other": row.model_b if sign == 1 else row.model_a,
                "difference": sign * row.difference,
                "low": low,
                "high": high,
                "p": row.p_adjusted,
            }
        )
    return pd.DataFrame(rows).sort_values("difference", kind="stable")


def verdict_sentence(
    means: pd.Series, comparison: pd.DataFrame, metric: str, confidence_level: float
) -> str:
    """Say which model wins, by how much, and whether that is more than noise.

    `means` is a Series of the mean score over folds by model, `comparison` the table
    of `BenchmarkResult.compare`.
    """
    label, level = metric_name(metric), 100 * confidence_level
    known = means.dropna()
    if known.empty:
        return f"No model has a score for {label}."
    best = known.idxmax()
    top = number(known[best])
    if len(means) == 1:
        return f"{best} reaches a {label} of {top}, the mean over folds."
    if len(known) == 1:
        return f"Only {best} has a score for {label}: {top}."
    against = _oriented(comparison, best).dropna(subset=["difference"])
    if against["p"].isna().all():
        return (
            f"{best} has the highest {label}, {top}; one fold alone allows no test "
            "of the differences."
        )
    if len(means) == 2:
        return _between_two(
            best, known, against.iloc[0], label, level, confidence_level
        )
    clear = against["p"] < 1 - confidence_level
    parts = [f"{best} has the highest {label}, {top}."]
    for rows, words in (
        (against[clear], "More than noise is its lead over"),
        (against[~clear], "Not more than noise is its lead over"),
    ):
        if len(rows):
            others = "; ".join(
                f"{row.other} ({number(row.difference)}, {p_value(row.p)})"
                for row in rows.itertuples()
            )
            parts.append(f"{words} {others}.")
    parts.append("The p values allow for the number of pairs.")
    return " ".join(parts)


def _between_two(best, means, row, label, level, confidence_level):
    """Return the sentence for two models."""
    if row.difference == 0:
        return f"{best} and {row.other} are level: {label} {number(means[best])} each."
    figures = (
        f"{label} {number(means[best])} against {number(means[row.other])}, a "
        f"difference of {number(row.difference)} ({_interval(row, level)}, "
        f"{p_value(row.p)})"
    )
    if row.p < 1 - confidence_level:
        return f"{best} is better than {row.other} by more than noise: {figures}."
    return f"{best} is ahead of {row.other}, but not by more than noise: {figures}."


def _with_interval(row, figure):
    """Return "0.93 (0.90–0.95)"."""
    low, high = row[f"{figure}_low"], row[f"{figure}_high"]
    interval = "" if pd.isna(low) else f" ({number(low, 2)}–{number(high, 2)})"
    return number(row[figure], 2) + interval


def tables_as_text(
    verdict: str,
    overview: pd.DataFrame,
    summary: pd.DataFrame,
    *,
    n_folds: int,
    confidence_level: float,
    units: str,
) -> str:
    """Return verdict, overview and the table of classes, for a terminal.

    `units` says what the bootstrap draws, such as "12 groups".
    """
    scores = [c[: -len("_sd")] for c in overview.columns if c.endswith("_sd")]
    top = pd.DataFrame(index=overview.index.rename("model"))
    for score in scores:
        top[metric_name(score)] = [
            f"{number(mean)} ± {number(sd)}"
            for mean, sd in zip(overview[score], overview[f"{score}_sd"], strict=True)
        ]
    top["fit s"] = [number(seconds, 1) for seconds in overview["fit_time"]]
    top["predict s"] = [number(seconds, 2) for seconds in overview["predict_time"]]
    summary = summary.rename_axis(index=["model", "class"])
    classes = pd.DataFrame(
        {f: [_with_interval(row, f) for _, row in summary.iterrows()] for f in FIGURES},
        index=summary.index,
    )
    classes["n"] = summary["support"]
    level = f"{100 * confidence_level:g} %"
    return "\n".join(
        [
            textwrap.fill(verdict, 88),
            "",
            f"Mean ± standard deviation over {n_folds} folds:",
            top.to_string(),
            "",
            f"Pooled out-of-fold predictions, {level} intervals (over {units}):",
            classes.to_string(),
        ]
    )
