"""Which labels go with which: confusion of samples that have several."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import StrOptions, validate_params
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from emclassify._incoming import plain_labels

__all__ = ["label_confusion_matrix"]


@validate_params(
    {
        "y_true": ["array-like", "sparse matrix"],
        "y_pred": ["array-like", "sparse matrix"],
        "kind": [StrOptions({"cooccurrence", "mistakes"})],
        "normalize": [StrOptions({"true", "pred"}), None],
        "sample_weight": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def label_confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    kind: Literal["cooccurrence", "mistakes"] = "cooccurrence",
    normalize: Literal["true", "pred"] | None = None,
    sample_weight: ArrayLike | None = None,
) -> NDArray[Any]:
    """Count which true labels go with which predicted ones: one matrix for all labels.

    :func:`sklearn.metrics.multilabel_confusion_matrix` has a matrix of 2×2 for each
    label; this has a row for each true label and a column for each predicted one.

    Parameters
    ----------
    y_true : {array-like, sparse matrix} of shape (n_samples, n_labels)
        Indicator matrix: 1 where a sample has a label.
    y_pred : {array-like, sparse matrix} of shape (n_samples, n_labels)
        Indicator matrix of the predicted labels.
    kind : {"cooccurrence", "mistakes"}, default="cooccurrence"
        - "cooccurrence": the samples that have label i and are given label j. A sample
          counts in as many cells as it has true labels times predicted ones. The
          diagonal is what is found, and off it are mistakes *and* labels that go
          together in truth: compare with ``label_confusion_matrix(y_true, y_true)``.
        - "mistakes": the multi-label confusion matrix of [1]_, with a row "no true
          label" and a column "no predicted label" after the others. Each label that is
          true and predicted counts on the diagonal. Of what is left of a sample: missed
          labels go to the last column if no predicted label is wrong; if some are,
          each missed one is confused with each wrong one; if none is missed, each wrong
          one counts in the row of each true label, or in the last row if there is
          none. A sample without labels, true or predicted, counts in the last cell.
    normalize : {"true", "pred"}, default=None
        Divide rows ("true") or columns ("pred") by the samples that have, or are
        given, the label; with "mistakes" by the sum of the row or column. What has
        none is 0.
    sample_weight : array-like of shape (n_samples,), default=None
        What each sample counts.

    Returns
    -------
    ndarray of shape (n_labels, n_labels), or (n_labels + 1, n_labels + 1)
        Of int if neither weighted nor normalised, else of float. Rows are true labels,
        columns predicted ones.

    Raises
    ------
    ValueError
        If either is no indicator matrix, or they differ in shape.

    See Also
    --------
    emclassify.display.LabelConfusionDisplay : The matrix as a picture.
    per_class_scores : The figures of each label.

    Notes
    -----
    With one label a sample, both kinds are the ordinary confusion matrix ("mistakes"
    with an empty row and column). Row i of "cooccurrence", normalised by "true", is the
    share of samples with label i that are given each label; its rows may sum to more
    or less than 1.

    References
    ----------
    .. [1] M. Heydarian, T. E. Doyle and R. Samavi, "MLCM: Multi-Label Confusion
       Matrix", IEEE Access 10:19083-19095, 2022.
       https://doi.org/10.1109/ACCESS.2022.3151048

    Examples
    --------
    >>> from emclassify.metrics import label_confusion_matrix
    >>> truth = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]]
    >>> found = [[1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 0, 0]]
    >>> label_confusion_matrix(truth, found)
    array([[2, 0, 1],
           [1, 0, 2],
           [0, 0, 0]])
    >>> label_confusion_matrix(truth, found, kind="mistakes")
    array([[2, 0, 0, 0],
           [0, 0, 2, 0],
           [0, 0, 0, 1],
           [0, 0, 0, 0]])
    """
    true, predicted = _indicator(y_true, "y_true"), _indicator(y_pred, "y_pred")
    check_consistent_length(true, predicted)
    if true.shape[1] != predicted.shape[1]:
        raise ValueError(
            f"y_true has {true.shape[1]} labels and y_pred {predicted.shape[1]}; both "
            "need a column for each label, in the same order."
        )
    weight = np.ones(len(true), dtype=np.int64)
    if sample_weight is not None:
        weight = _check_sample_weight(sample_weight, true, ensure_non_negative=True)
    if kind == "mistakes":
        matrix = _mistakes(true, predicted, weight)
        sums = matrix.sum(axis=1), matrix.sum(axis=0)
    else:
        matrix = (true.T * weight) @ predicted
        sums = weight @ true, weight @ predicted
    if normalize is None:
        return matrix
    of = sums[0][:, np.newaxis] if normalize == "true" else sums[1][np.newaxis]
    matrix = matrix.astype(np.float64)
    return np.divide(matrix, of, out=np.zeros_like(matrix), where=of > 0)


def _indicator(y, name):
    """Return an indicator matrix of int, or raise."""
    y = plain_labels(y.toarray() if hasattr(y, "toarray") else y, name)
    if y.ndim != 2 or not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"{name} must be an indicator matrix (n_samples, n_labels) of 0 and 1; got "
            f"shape {y.shape}. For one label a sample see "
            "sklearn.metrics.confusion_matrix."
        )
    return y.astype(np.int64)


def _mistakes(true, predicted, weight):
    """Count as Heydarian, Doyle and Samavi do; all samples at once."""
    n_labels = true.shape[1]
    found, missed = true & predicted, true & ~predicted
    wrong = predicted & ~true
    some_missed, some_wrong = missed.any(axis=1), wrong.any(axis=1)
    labelled = true.any(axis=1)
    matrix = np.zeros((n_labels + 1, n_labels + 1), dtype=weight.dtype)
    inner = matrix[:-1, :-1]
    inner[np.diag_indices(n_labels)] = weight @ found
    both = weight * (some_missed & some_wrong)
    inner += (missed.T * both) @ wrong
    # Nothing is missed: the wrong ones come on top of all true ones.
    beside = weight * (some_wrong & ~some_missed & labelled)
    inner += (true.T * beside) @ wrong
    matrix[-1, :-1] = (weight * (some_wrong & ~labelled)) @ wrong
    matrix[:-1, -1] = (weight * (some_missed & ~some_wrong)) @ missed
    matrix[-1, -1] = weight @ ~(labelled | some_wrong)
    return matrix
