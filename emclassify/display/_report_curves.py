"""ROC, precision-recall and calibration of each class, from out-of-fold scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from emclassify._words import number
from emclassify.display._report_figures import LINES, SOFT, drawing, to_svg

if TYPE_CHECKING:
    from emclassify.model_selection.benchmark._out_of_fold import OutOfFold

__all__ = ["ClassCurves", "class_curves"]

_POINTS = 200  # of a curve in the page; more can't be seen
_PER_BIN = 20  # predictions in a bin of the calibration, at least
_BINS = 10

_AXES = {
    "ROC": ("1 − TNR", "TPR"),
    "precision-recall": ("TPR (recall)", "PPV (precision)"),
    "calibration": ("mean probability", "share of the class"),
}


@dataclass
class ClassCurves:
    """What the scores of a model are worth, class by class.

    Attributes
    ----------
    kind : {"probability", "decision"}
    table : DataFrame
        One row for each class: n, share, roc_auc, average_precision, and brier for
        probabilities. NaN where a class has no true predictions, or only such.
    curves : dict of str to list of (x, y) or None
        "ROC", "precision-recall" and, for probabilities, "calibration"; one a class.
    """

    kind: str
    table: pd.DataFrame
    curves: dict[str, list[Any]] = field(default_factory=dict)

    def points(self) -> pd.DataFrame:
        """Return all curves as one table: curve, class, x, y."""
        parts = [
            pd.DataFrame({"curve": kind, "class": name, "x": xy[0], "y": xy[1]})
            for kind, of_classes in self.curves.items()
            for name, xy in zip(self.table["class"], of_classes, strict=True)
            if xy is not None
        ]
        if not parts:
            return pd.DataFrame(columns=["curve", "class", "x", "y"])
        return pd.concat(parts, ignore_index=True)

    def rows(self) -> list[dict[str, Any]]:
        """Return the table ready to print, each class with the line that it has."""
        rows = []
        for i, row in enumerate(self.table.to_dict("records")):
            colour, dashes = LINES[i % len(LINES)]
            cells = [number(row[c], 3) for c in list(self.table)[3:]]
            rows.append(
                {
                    "name": row["class"],
                    "n": row["n"],
                    "share": number(row["share"], 3),
                    "cells": cells,
                    "colour": colour,
                    "dashes": " ".join(map(str, dashes)) or "none",
                }
            )
        return rows

    def figures(self, prefix: str, model: str) -> list[dict[str, str]]:
        """Return the figures, {"title", "svg"}.

        Parameters
        ----------
        prefix : str
            Put before the ids in the figures.
        model : str
            For those who hear what the figure shows.
        """
        return [
            {
                "title": "ROC" if kind == "ROC" else kind.capitalize(),
                "svg": _draw(kind, of_classes, f"{prefix}-{kind}", model),
            }
            for kind, of_classes in self.curves.items()
        ]


def class_curves(result: OutOfFold, name: str) -> ClassCurves | None:
    """Return the curves of model `name`, or None where it gave no scores.

    Parameters
    ----------
    result : OutOfFold
    name : str

    Returns
    -------
    ClassCurves or None
    """
    scores, kind = result.class_scores(name)
    if scores is None:
        return None
    _, true, _ = result.codes(name)
    present = result.target.presence(true)
    rows = []
    curves: dict[str, list[Any]] = {"ROC": [], "precision-recall": []}
    if kind == "probability":
        curves["calibration"] = []
    for target, of_class, score in zip(
        result.target_names, present.T, scores.T, strict=True
    ):
        known = np.isfinite(score)
        y, score = of_class[known], score[known]
        row = {
            "class": target,
            "n": int(y.sum()),
            "share": y.mean() if len(y) else np.nan,
        }
        both = 0 < y.sum() < len(y)
        row["roc_auc"] = roc_auc_score(y, score) if both else np.nan
        row["average_precision"] = average_precision_score(y, score) if both else np.nan
        if kind == "probability":
            score = np.clip(score, 0, 1)
            row["brier"] = brier_score_loss(y, score) if both else np.nan
        rows.append(row)
        for which, of_classes in curves.items():
            of_classes.append(_curve(which, y, score) if both else None)
    return ClassCurves(kind, pd.DataFrame(rows), curves)


def _curve(kind, y, score):
    """Return (x, y) of one curve of one class, in at most `_POINTS` points."""
    if kind == "ROC":
        xs, ys, _ = roc_curve(y, score)
    elif kind == "precision-recall":
        ys, xs, _ = precision_recall_curve(y, score, drop_intermediate=True)
    else:
        bins = int(np.clip(len(y) // _PER_BIN, 2, _BINS))
        ys, xs = calibration_curve(y, score, n_bins=bins, strategy="quantile")
    return _thin(xs, ys)


def _thin(
    xs: NDArray[np.float64], ys: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points evenly taken, both ends among them."""
    if len(xs) > _POINTS:
        keep = np.linspace(0, len(xs) - 1, _POINTS).round().astype(int)
        xs, ys = xs[keep], ys[keep]
    return xs, ys


def _draw(kind, of_classes, name, model):
    """Return one figure with a line for each class."""
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=(3.2, 3.1), layout="constrained")
        ax = figure.subplots()
        if kind != "precision-recall":
            ax.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=":")
        for i, xy in enumerate(of_classes):
            if xy is None:
                continue
            colour, dashes = LINES[i % len(LINES)]
            style = (0, dashes) if dashes else "-"
            marker = "o" if kind == "calibration" else None
            ax.plot(*xy, color=colour, ls=style, lw=1.6, marker=marker, markersize=3.5)
        x_label, y_label = _AXES[kind]
        ax.set(xlabel=x_label, ylabel=y_label, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        ax.set_aspect("equal")
        ax.grid()
        ax.spines[["top", "right"]].set_visible(False)
        return to_svg(figure, name, f"{kind} curve of each class, {model}")
