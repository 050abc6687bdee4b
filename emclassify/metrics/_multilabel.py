"""Counts of samples that have several labels: an indicator matrix."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, multilabel_confusion_matrix

from emclassify.metrics._confusion import figures_from_counts, nan_average
from emclassify.metrics._targets import dense, refuse_other_values

__all__ = ["label_counts", "sample_average", "subset_hits"]


def label_counts(
    y_true: NDArray[np.intp],
    y_pred: NDArray[np.intp],
    *,
    columns: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return (tp, fp, fn, tn), each (n_labels,), of two indicator matrices.

    Raises
    ------
    ValueError
        If the matrices differ in shape, `columns` names others than theirs, or
        `y_pred` holds other values than 0 and 1.
    """
    refuse_other_values(y_pred, "y_pred")
    return _four(
        multilabel_confusion_matrix(
            y_true, y_pred, labels=columns, sample_weight=sample_weight
        )
    )


def sample_average(
    y_true: NDArray[np.intp],
    y_pred: NDArray[np.intp],
    *,
    sample_weight: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = 0,
) -> NDArray[np.float64]:
    """Return the figures (n_figures,) of samples' own labels, averaged over them."""
    # By hand: scikit-learn takes a matrix of one column for labels (n,).
    has, said = dense(y_true).astype(bool), dense(y_pred).astype(bool)
    cells = has & said, ~has & said, has & ~said, ~has & ~said
    counts = (cell.sum(axis=1) for cell in cells)
    figures = figures_from_counts(*counts, zero_division)
    return nan_average(figures.T, sample_weight)


def subset_hits(
    y_true: NDArray[np.intp],
    y_pred: NDArray[np.intp],
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the number, or weight, of samples with every label right."""
    return accuracy_score(y_true, y_pred, normalize=False, sample_weight=sample_weight)


def _four(confusions):
    """Split scikit-learn's stack of 2×2 matrices."""
    tn, fp, fn, tp = np.reshape(confusions, (-1, 4)).T
    return tp, fp, fn, tn
