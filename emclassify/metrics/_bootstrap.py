"""Intervals by bootstrap: units drawn with replacement, all models alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from emclassify.metrics._targets import OneLabel, SeveralLabels

__all__ = [
    "bootstrap_scores",
    "check_level",
    "pooled_confusion",
]


def check_level(confidence_level: float) -> None:
    """Raise unless `confidence_level` is between 0 and 1."""
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"confidence_level must be between 0 and 1; got {confidence_level!r}."
        )


def pooled_confusion(
    y_true: NDArray[np.intp], y_pred: NDArray[np.intp], n_classes: int
) -> NDArray[np.intp]:
    """Return the confusion matrix (k, k) of class codes."""
    cells = np.bincount(y_true * n_classes + y_pred, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


def bootstrap_scores(
    predictions: Mapping[
        str, tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
    ],
    *,
    n_units: int,
    target: OneLabel | SeveralLabels,
    n_bootstrap: int,
    seed: int,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Draw units with replacement; return every score of every replicate.

    All models see the same draws, so that the scores of two models are paired.

    Parameters
    ----------
    predictions : dict of str to (y_true, y_pred, units)
        Codes of every out-of-fold prediction of a model, and the unit that it
        belongs to: its group, or the sample itself.
    n_units : int
    target : OneLabel or SeveralLabels
        What the codes are of.
    n_bootstrap, seed : int

    Returns
    -------
    dict of str to dict of str to ndarray of shape (n_bootstrap,)
        Scores by model and name. NaN where a replicate lacks the class.
    """
    cells = {
        model: target.cells(y_true, y_pred, units, n_units).T.tocsr()
        for model, (y_true, y_pred, units) in predictions.items()
    }
    rng = np.random.default_rng(seed)
    chunk = int(np.clip(4_000_000 // max(n_units, target.n_cells), 1, 250))
    parts = {model: [] for model in predictions}
    for start in range(0, n_bootstrap, chunk):
        size = min(chunk, n_bootstrap - start)
        draws = rng.integers(n_units, size=(size, n_units))
        draws += np.arange(size)[:, np.newaxis] * n_units
        times = np.bincount(draws.ravel(), minlength=size * n_units)
        times = times.reshape(size, n_units).T.astype(np.float64)
        for model, unit_cells in cells.items():
            parts[model].append(target.scores((unit_cells @ times).T))
    return {
        model: {
            score: np.concatenate([part[score] for part in chunks])
            for score in chunks[0]
        }
        for model, chunks in parts.items()
    }
