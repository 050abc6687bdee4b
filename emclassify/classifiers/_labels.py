"""One label an image, or several: an indicator matrix."""

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import type_of_target

__all__ = ["check_indicator", "choose_labels", "is_multilabel"]


def is_multilabel(y):
    """Whether y is an indicator matrix: several labels a sample.

    Raises
    ------
    ValueError
        If y has several columns and is none.
    """
    y = y if sparse.issparse(y) else np.asarray(y)
    if y.ndim != 2 or y.shape[1] == 1:
        return False
    kind = type_of_target(y, input_name="y")
    if kind != "multilabel-indicator":
        raise ValueError(
            f"y has shape {y.shape} and is {kind}; expected labels (n,), or an "
            "indicator matrix (n, n_labels) of 0 and 1 for several labels an image."
        )
    return True


def check_indicator(y, n_samples, classes=None):
    """Return an indicator matrix as int8.

    Parameters
    ----------
    y : array-like or sparse matrix of shape (n, n_labels)
    n_samples : int
        Number of images.
    classes : array-like of int, default=None
        The numbers of the columns that there must be.

    Raises
    ------
    ValueError
        If y has other rows or columns.
    """
    y = (y.toarray() if sparse.issparse(y) else np.asarray(y)).astype(np.int8)
    if len(y) != n_samples:
        raise ValueError(f"y has {len(y)} rows for {n_samples} images.")
    if classes is not None and not np.array_equal(classes, np.arange(y.shape[1])):
        raise ValueError(
            f"y has {y.shape[1]} columns, one a label; expected the labels "
            f"{np.asarray(classes).tolist()}."
        )
    return y


def choose_labels(proba, classes, multilabel):
    """Return the most probable labels, or the indicator matrix of those from 0.5 on."""
    if multilabel:
        return (proba >= 0.5).astype(np.int64)
    return classes[proba.argmax(axis=1)]
