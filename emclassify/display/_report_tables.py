"""What the report's tables hold, ready to print."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emclassify._words import name_some, number
from emclassify.display._confusion_matrices import predicting, row_shares
from emclassify.display._duplicate_pairs import describe_pair, turn_as_first
from emclassify.display._mistakes import find_mistakes
from emclassify.display._scale_bar import PixelWidths
from emclassify.display._thumbnails import image_at, picture_of
from emclassify.metrics._figures import AVERAGES, FIGURES, RATIOS, metric_name
from emclassify.metrics._targets import presence

if TYPE_CHECKING:
    from emclassify.model_selection.benchmark._result import BenchmarkResult

_GROUPS_NAMED = 12


def _span(low, high, digits=3):
    """Return "0.81–0.89", or with "to" where a sign could confuse; "" for NaN."""
    if not np.isfinite([low, high]).all():
        return ""
    dash = " to " if low < 0 else "–"
    return f"{number(low, digits)}{dash}{number(high, digits)}"


def mean_scores(result: BenchmarkResult, metric: str) -> pd.DataFrame:
    """Return the main scores of each model, `metric` first, as `means` has them."""
    table = result.means([metric])
    others = result.means()
    return table.join(others.drop(columns=table.columns, errors="ignore"))


def overview_rows(result: BenchmarkResult, metric: str) -> dict[str, Any]:
    """Return the names of the scores, and one row for each model."""
    table = mean_scores(result, metric)
    columns = [c[: -len("_sd")] for c in table.columns if c.endswith("_sd")]
    best = result.leader(metric)
    trainings = result.trainings
    rows = []
    for name, row in table.iterrows():
        training = trainings.get(name)
        rows.append(
            {
                "name": name,
                "best": name == best,
                "cells": [_mean_cell(row, c) for c in columns],
                "training": "–" if training is None else training.in_short(),
            }
        )
    return {
        "columns": [metric_name(c) for c in columns],
        "rows": rows,
        "trained": bool(trainings),
    }


def _mean_cell(row, score, digits=3):
    """Return mean, deviation and interval of a score in a row of `means`."""
    sd = row[f"{score}_sd"]
    return {
        "value": number(row[score], digits),
        "sd": number(sd, digits) if np.isfinite(sd) else None,
        "span": _span(row[f"{score}_low"], row[f"{score}_high"], digits),
    }


def comparison_rows(result: BenchmarkResult, metric: str) -> list[dict[str, Any]]:
    """Return one row for each pair of models, the better one first."""
    trainings = result.trainings
    rows = []
    for row in result.compare(metric).itertuples():
        turned = row.difference < 0
        a, b = (row.model_b, row.model_a) if turned else (row.model_a, row.model_b)
        sign = -1 if turned else 1
        ends = sorted((sign * row.low, sign * row.high))
        rows.append(
            {
                "better": a,
                "other": b,
                "difference": number(sign * row.difference),
                "span": _span(*ends),
                "p": None if np.isnan(row.p_adjusted) else row.p_adjusted,
                "beyond_noise": row.p_adjusted < 1 - result.confidence_level,
                "doubt": trainings[b].still_learning if b in trainings else None,
            }
        )
    return rows


def class_rows(result: BenchmarkResult, name: str) -> list[dict[str, Any]]:
    """Return one row for each class and average of model `name`.

    Classes are of the pooled predictions, averages are means over folds.
    """
    known = result.known_figures(name)
    rows = []
    for what, row in result.shown_figures(name).iterrows():
        average = what in AVERAGES
        cells = []
        for figure in FIGURES:
            lacks = not average and not known.loc[what, figure]
            cells.append(
                {
                    "value": number(row[figure], 2),
                    "span": _span(row[f"{figure}_low"], row[f"{figure}_high"], 2),
                    "lacking": RATIOS[figure].lacking if lacks else None,
                }
            )
        support = int(row["support"])
        rows.append(
            {"name": what, "average": average, "support": support, "cells": cells}
        )
    return rows


def _shade(share):
    """Return (background, text) colours that keep a contrast above 4.5."""
    end = np.array([0, 114, 178])
    colour = np.round(255 + share * (end - 255)).astype(int)
    linear = np.where(
        colour / 255 <= 0.04045,
        colour / 255 / 12.92,
        ((colour / 255 + 0.055) / 1.055) ** 2.4,
    )
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    on_white, on_black = 1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05
    text = "#fff" if on_white > on_black else "#000"
    return "#{:02x}{:02x}{:02x}".format(*colour), text


def confusion_rows(result: BenchmarkResult, name: str) -> list[dict[str, Any]]:
    """Return the rows of the confusion matrix, with shades."""
    counts = result.confusion_matrix(name).to_numpy()
    shares, sums = row_shares(counts), counts.sum(axis=1)
    rows = []
    for i, target in enumerate(result.target_names):
        cells = []
        for j in range(len(counts)):
            background, text = _shade(shares[i, j])
            cells.append(
                {
                    "count": int(counts[i, j]),
                    "share": f"{100 * shares[i, j]:.0f} %" if sums[i] else "–",
                    "background": background,
                    "text": text,
                    "right": i == j,
                }
            )
        rows.append({"name": target, "cells": cells})
    return rows


def mistake_kinds(
    result: BenchmarkResult,
    name: str,
    images: NDArray[Any],
    names: Sequence[str],
    widths: PixelWidths,
    *,
    n_examples: int,
    max_kinds: int,
) -> dict[str, Any] | None:
    """Return the kinds of mistakes with their pictures, and what is left out."""
    mistakes = find_mistakes(result, name, n_examples=n_examples)
    shown, rest = mistakes[:max_kinds], mistakes[max_kinds:]
    _, kind = result.class_scores(name)
    kinds = []
    for mistake in shown:
        pictures = []
        for example in mistake.examples:
            image = image_at(images, example.sample)
            group = None if result.groups is None else result.groups[example.sample]
            pictures.append(
                {
                    **picture_of(image, widths[example.sample]),
                    "sample": example.sample,
                    "group": group,
                    "path": None if names is None else names[example.sample],
                    "said": _score(example.score),
                    "true": _score(example.true_score),
                }
            )
        kinds.append(
            {
                "true": mistake.true,
                "predicted": mistake.predicted,
                "count": mistake.count,
                "support": mistake.support,
                "percent": number(100 * mistake.count / mistake.support, 1),
                "pictures": pictures,
            }
        )
    pictures = [picture for kind in kinds for picture in kind["pictures"]]
    return {
        "kinds": kinds,
        "score_kind": kind,
        "total": sum(mistake.count for mistake in mistakes),
        "rest": len(rest),
        "rest_count": sum(mistake.count for mistake in rest),
        "images_missing": any(picture["source"] is None for picture in pictures),
    }


def worst_groups(
    result: BenchmarkResult, name: str, *, n: int = 10
) -> dict[str, Any] | None:
    """Return the worst groups of model `name` by accuracy, and how all of them do."""
    if result.groups is None:
        return None
    table = result.by_group(name)
    rows = [
        {
            "group": group,
            "n": int(row["n"]),
            "cells": [number(v, 2) for v in row.iloc[1:]],
        }
        for group, row in table.head(n).iterrows()
    ]
    return {
        "columns": [metric_name(column) for column in table.columns[1:]],
        "rows": rows,
        "n_groups": len(table),
        "median": number(table["accuracy"].median(), 2),
    }


def _score(score):
    """Return a score as text, or None."""
    return None if score is None else number(score, 2)


def common_folder(names: Sequence[str] | None) -> str:
    """Return the folder that all files lie in, with a slash; "" if there is none.

    Examples
    --------
    >>> from emclassify.display._report_tables import common_folder
    >>> common_folder(["grids/a/1.tif", "grids/b/2.tif"])
    'grids/'
    >>> common_folder(["1.tif", "2.tif"])
    ''
    """
    try:
        folder = os.path.commonpath([os.path.dirname(name) for name in names or [""]])
    except ValueError:  # absolute and relative ones
        return ""
    return folder.rstrip(os.sep) + os.sep if folder else ""


def data_facts(
    result: BenchmarkResult,
) -> (
    dict[str, int | list[dict] | tuple[int, int] | None]
    | dict[str, int | list[dict] | tuple[int] | None]
    | dict[str, int | list[dict] | tuple[int, int]]
    | dict[str, int | list[dict] | tuple[int]]
):
    """Return how many samples and groups there are, in all and by class."""
    present = presence(result.y, result.classes)
    classes = []
    for of_class, target in zip(present.T, result.target_names, strict=True):
        groups = None
        if result.groups is not None:
            groups = len(np.unique(result.groups[of_class]))
        count = int(of_class.sum())
        percent = number(100 * count / len(present), 1)
        classes.append(
            {"name": target, "count": count, "percent": percent, "groups": groups}
        )
    shape = getattr(result.X, "shape", None)
    tested = np.concatenate([test for _, test in result.folds])
    return {
        "n": len(present),
        "n_groups": None if result.groups is None else len(np.unique(result.groups)),
        "classes": classes,
        "shape": None if shape is None or len(shape) < 2 else tuple(shape[1:]),
        "dtype": str(getattr(result.X, "dtype", "")),
        "n_untested": len(present) - len(np.unique(tested)),
        "times_tested": int(np.bincount(tested).max()),
    }


def fold_rows(result: BenchmarkResult) -> list[dict[str, Any]]:
    """Return what the test side of each fold holds."""
    present = presence(result.y, result.classes)
    rows = []
    for fold, (train, test) in enumerate(result.folds):
        groups = None
        if result.groups is not None:
            groups = name_some(np.unique(result.groups[test]), _GROUPS_NAMED)
        rows.append(
            {
                "fold": fold,
                "n_train": len(train),
                "n_test": len(test),
                "counts": present[test].sum(axis=0).tolist(),
                "groups": groups,
            }
        )
    return rows


def run_facts(result: BenchmarkResult, command: str | None) -> list[Sequence[str]]:
    """Return date, seeds, times and versions as (what, value) pairs."""
    settings = result.settings
    frame = result.to_frame()
    facts = [] if command is None else [("Command", command)]
    facts += [
        ("Date", settings["started"].replace("T", " ")),
        ("Took", f"{settings['seconds']:.1f} s in all"),
        ("Folds from", settings["cv"]),
        ("Repeats of all folds", str(settings["n_repeats"])),
        ("random_state", repr(settings["random_state"])),
        (
            "Bootstrap",
            f"{settings['n_bootstrap']} replicates, seed {settings['bootstrap_seed']}",
        ),
    ]
    for name in predicting(result):
        rows = frame[frame["estimator"] == name]
        per_image = 1000 * rows["predict_time"].sum() / rows["n_test"].sum()
        facts.append(
            (
                f"Time of {name}",
                f"fit {rows['fit_time'].mean():.2f} s a fold, predict "
                f"{per_image:.3g} ms an image",
            )
        )
    versions = settings["versions"]
    facts.append(("Versions", ", ".join(f"{k} {v}" for k, v in versions.items())))
    return facts


def copy_rows(
    result: BenchmarkResult,
    images: NDArray[Any],
    names: Sequence[str],
    widths: PixelWidths,
    *,
    n_pairs: int = 6,
) -> Any:
    """Return the most similar pairs of images that a fold parts, as pictures."""
    if result.audit is None:
        return []
    pairs = result.audit.pairs
    rows = []
    for pair in pairs[pairs["folds"] != ""].head(n_pairs).itertuples():
        row = {"how": describe_pair(pair), "folds": pair.folds}
        for which, index in (("first", pair.first), ("second", pair.second)):
            image = image_at(images, index)
            if image is not None and which == "second":
                image = turn_as_first(image, pair)
            row[which] = picture_of(image, widths[index])
            row[f"{which}_name"] = f"sample {index}" if names is None else names[index]
        rows.append(row)
    return rows
