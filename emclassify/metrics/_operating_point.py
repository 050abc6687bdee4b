"""Figures at the best threshold that keeps a bound, such as precision at a recall."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import (
    _check_pos_label_consistency,
    _check_sample_weight,
    check_consistent_length,
    column_or_1d,
)

from emclassify._incoming import plain_labels, plain_numbers

__all__ = [
    "OperatingPoint",
    "operating_point",
    "precision_at_recall",
    "recall_at_fpr",
    "recall_at_precision",
]

_PARAMETERS = {
    "y_true": ["array-like"],
    "y_score": ["array-like"],
    "pos_label": [Real, str, "boolean", None],
    "sample_weight": ["array-like", None],
}
_SHARE = Interval(Real, 0, 1, closed="both")
# Bounds are met to rounding: 8 of 10 is a recall of 0.8.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and what it gives; scores from the threshold up are positive.

    Parameters
    ----------
    threshold : float
        inf where nothing is to be called positive.
    precision : float
        nan where nothing is called positive.
    recall, fpr : float
        True- and false-positive rate.

    Examples
    --------
    >>> from emclassify.metrics import operating_point
    >>> operating_point([0, 1, 1], [0.3, 0.2, 0.8], max_fpr=0.5).threshold
    0.8
    """

    threshold: float
    precision: float
    recall: float
    fpr: float


def operating_point(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    min_recall: float | None = None,
    min_precision: float | None = None,
    max_fpr: float | None = None,
    pos_label: float | str | None = None,
    sample_weight: ArrayLike | None = None,
) -> OperatingPoint:
    """Return the best threshold that keeps one bound.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels of two classes.
    y_score : array-like of shape (n,)
        Higher means more likely positive.
    min_recall : float, default=None
        Take the highest precision with at least this recall.
    min_precision : float, default=None
        Take the highest recall with at least this precision.
    max_fpr : float, default=None
        Take the highest recall with at most this false-positive rate.
    pos_label : int, str or None, default=None
        The positive class; None is 1 for labels in {0, 1} or {-1, 1}.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    OperatingPoint
        Of several that are as good, that with the better other figure. Nothing called
        positive keeps `max_fpr`, and `min_precision` where no threshold does.

    Raises
    ------
    ValueError
        Unless exactly one bound is given, and both classes are there.

    Examples
    --------
    >>> from emclassify.metrics import operating_point
    >>> truth, score = [0, 0, 1, 1, 1], [0.1, 0.6, 0.5, 0.7, 0.9]
    >>> operating_point(truth, score, max_fpr=0.0)
    OperatingPoint(threshold=0.7, precision=1.0, recall=0.6666666666666666, fpr=0.0)
    """
    bounds = {
        "min_recall": min_recall,
        "min_precision": min_precision,
        "max_fpr": max_fpr,
    }
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if len(given) != 1:
        raise ValueError(
            f"Give exactly one of {', '.join(bounds)}; got {given or 'none'}."
        )
    ((name, bound),) = given.items()
    if not isinstance(bound, Real) or not 0 <= bound <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1; got {bound!r}.")
    thresholds, precision, recall, fpr = _curve(
        y_true, y_score, pos_label, sample_weight
    )
    # In order of falling thresholds; the first calls nothing positive.
    whole = np.nan_to_num(precision, nan=1.0)
    if name == "min_recall":
        keeps, better, then = recall >= bound - _ROUNDING, whole, recall
    elif name == "min_precision":
        keeps, better, then = whole >= bound - _ROUNDING, recall, whole
    else:
        keeps, better, then = fpr <= bound + _ROUNDING, recall, -fpr
    rows = np.flatnonzero(keeps)
    best = rows[np.lexsort((then[rows], better[rows]))[-1]]
    return OperatingPoint(
        *(float(values[best]) for values in (thresholds, precision, recall, fpr))
    )


def _curve(y_true, y_score, pos_label, sample_weight):
    """Return thresholds, precisions, recalls and false-positive rates."""
    y_true = column_or_1d(plain_labels(y_true, "y_true"))
    y_score = column_or_1d(plain_numbers(y_score, "y_score"))
    check_consistent_length(y_true, y_score, sample_weight)
    kind = type_of_target(y_true, input_name="y_true")
    if kind not in ("binary", "multiclass"):
        raise ValueError(f"y_true must hold labels of two classes; it is {kind}.")
    classes = np.unique(y_true)
    if len(classes) != 2:
        raise ValueError(
            "y_true must hold labels of two classes; it holds "
            f"{len(classes)}: {classes[:5].tolist()}."
        )
    pos_label = _check_pos_label_consistency(pos_label, y_true)
    if pos_label not in classes:
        raise ValueError(
            f"pos_label={pos_label!r} is not a label of y_true: {classes.tolist()}."
        )
    weight = _check_sample_weight(sample_weight, y_true, ensure_non_negative=True)
    positive = y_true == pos_label
    n_positive, n_negative = weight[positive].sum(), weight[~positive].sum()
    if min(n_positive, n_negative) <= 0:
        raise ValueError("sample_weight leaves one of the two classes without weight.")
    fpr, recall, thresholds = roc_curve(
        positive, y_score, sample_weight=weight, drop_intermediate=False
    )
    hits, called = recall * n_positive, recall * n_positive + fpr * n_negative
    precision = np.full(len(hits), np.nan)
    np.divide(hits, called, out=precision, where=called > 0)
    return thresholds, precision, recall, fpr


@validate_params(
    {**_PARAMETERS, "min_recall": [_SHARE]}, prefer_skip_nested_validation=True
)
def precision_at_recall(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    min_recall: float = 0.8,
    pos_label: float | str | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the highest precision of any threshold with at least some recall.

    `operating_point_scorers` has it as a scorer.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels of two classes.
    y_score : array-like of shape (n,)
        Higher means more likely positive.
    min_recall : float, default=0.8
        Least recall, 0 to 1.
    pos_label : int, str or None, default=None
        The positive class; None is 1 for labels in {0, 1} or {-1, 1}.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `y_true` does not hold two classes.

    Examples
    --------
    >>> from emclassify.metrics import precision_at_recall
    >>> truth, score = [0, 0, 1, 1, 1], [0.1, 0.6, 0.5, 0.7, 0.9]
    >>> precision_at_recall(truth, score, min_recall=0.6)
    1.0
    >>> precision_at_recall(truth, score, min_recall=0.8)
    0.75
    """
    point = operating_point(
        y_true,
        y_score,
        min_recall=min_recall,
        pos_label=pos_label,
        sample_weight=sample_weight,
    )
    # With a least recall of 0, nothing called positive is never wrong.
    return 1.0 if np.isnan(point.precision) else point.precision


@validate_params(
    {**_PARAMETERS, "min_precision": [_SHARE]}, prefer_skip_nested_validation=True
)
def recall_at_precision(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    min_precision: float = 0.9,
    pos_label: float | str | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the highest recall of any threshold with at least some precision.

    `operating_point_scorers` has it as a scorer.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels of two classes.
    y_score : array-like of shape (n,)
        Higher means more likely positive.
    min_precision : float, default=0.9
        Least precision, 0 to 1.
    pos_label : int, str or None, default=None
        The positive class; None is 1 for labels in {0, 1} or {-1, 1}.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    float
        0 if no threshold has that precision.

    Raises
    ------
    ValueError
        If `y_true` does not hold two classes.

    Examples
    --------
    >>> from emclassify.metrics import recall_at_precision
    >>> truth, score = [0, 0, 1, 1], [0.1, 0.6, 0.5, 0.7]
    >>> recall_at_precision(truth, score, min_precision=0.9)
    0.5
    """
    return operating_point(
        y_true,
        y_score,
        min_precision=min_precision,
        pos_label=pos_label,
        sample_weight=sample_weight,
    ).recall


@validate_params(
    {**_PARAMETERS, "max_fpr": [_SHARE]}, prefer_skip_nested_validation=True
)
def recall_at_fpr(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    max_fpr: float = 0.001,
    pos_label: float | str | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the highest recall of any threshold with few false positives.

    `operating_point_scorers` has it as a scorer.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels of two classes.
    y_score : array-like of shape (n,)
        Higher means more likely positive.
    max_fpr : float, default=0.001
        Largest share of the negatives that may be called positive, 0 to 1.
    pos_label : int, str or None, default=None
        The positive class; None is 1 for labels in {0, 1} or {-1, 1}.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `y_true` does not hold two classes.

    Examples
    --------
    >>> from emclassify.metrics import recall_at_fpr
    >>> truth, score = [0, 0, 1, 1], [0.1, 0.6, 0.5, 0.7]
    >>> recall_at_fpr(truth, score, max_fpr=0.1)
    0.5
    """
    return operating_point(
        y_true,
        y_score,
        max_fpr=max_fpr,
        pos_label=pos_label,
        sample_weight=sample_weight,
    ).recall
