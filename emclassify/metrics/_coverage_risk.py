"""How often a classifier is wrong where it is sure enough to answer."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import validate_params
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    column_or_1d,
)

from emclassify._incoming import plain_labels, plain_numbers

__all__ = ["area_under_coverage_risk", "coverage_risk_curve"]

_PARAMETERS = {
    "y_true": ["array-like"],
    "y_pred": ["array-like"],
    "confidence": ["array-like"],
    "sample_weight": ["array-like", None],
}


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def coverage_risk_curve(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    confidence: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[Any]]:
    """Return the error rate among the most confident predictions, for each share.

    A prediction is accepted if its confidence is at least the threshold. Coverage is
    the share of samples accepted, risk the share of wrong labels among them [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    confidence : array-like of shape (n,)
        How sure the classifier is of `y_pred`: the probability of the predicted class,
        or any other number that is larger where it is surer.
    sample_weight : array-like of shape (n,), default=None
        Weight of each sample, 0 or more.

    Returns
    -------
    coverage : ndarray of shape (n_thresholds,)
        Increasing; the last is 1.
    risk : ndarray of shape (n_thresholds,)
        The last is the error rate of all samples.
    thresholds : ndarray of shape (n_thresholds,)
        The distinct values of `confidence`, decreasing. Samples that are equally
        confident are accepted together.

    Raises
    ------
    ValueError
        If lengths differ, `confidence` isn't finite, labels are strings on one side and
        numbers on the other, or there are no samples or none with weight.

    See Also
    --------
    area_under_coverage_risk : The curve in one number.
    emclassify.display.CoverageRiskDisplay : The curve drawn.

    References
    ----------
    .. [1] R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective
       classification", Journal of Machine Learning Research 11, 1605-1641 (2010).

    Examples
    --------
    >>> from emclassify.metrics import coverage_risk_curve
    >>> y_true = ["full", "full", "empty", "empty"]
    >>> y_pred = ["full", "full", "full", "empty"]
    >>> coverage, risk, _ = coverage_risk_curve(y_true, y_pred, [0.9, 0.8, 0.7, 0.6])
    >>> coverage
    array([0.25, 0.5 , 0.75, 1.  ])
    >>> risk.round(2)
    array([0.  , 0.  , 0.33, 0.25])
    """
    y_true = column_or_1d(plain_labels(y_true, "y_true"))
    y_pred = column_or_1d(plain_labels(y_pred, "y_pred"))
    confidence = column_or_1d(plain_numbers(confidence, "confidence"))
    check_consistent_length(y_true, y_pred, confidence)
    if len(confidence) == 0:
        raise ValueError("y_true, y_pred and confidence hold no samples.")
    weight = _check_sample_weight(
        sample_weight, confidence, dtype=np.float64, ensure_non_negative=True
    )
    unique_labels(y_true, y_pred)  # refuses strings beside numbers
    kept = weight > 0
    if not kept.any():  # which scikit-learn 1.8 lets pass
        raise ValueError("sample_weight must have at least one non-zero number.")
    order = np.flatnonzero(kept)[np.argsort(-confidence[kept], kind="stable")]
    confidence, weight = confidence[order], weight[order]
    wrong = weight * (y_true[order] != y_pred[order])
    last = np.flatnonzero(np.append(np.diff(confidence) != 0, True))
    accepted = np.cumsum(weight)[last]
    risk = np.cumsum(wrong)[last] / accepted
    return accepted / accepted[-1], risk, confidence[last]


def area_under_coverage_risk(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    confidence: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean risk over all coverages; lower is better.

    0 if nothing is wrong. With samples of distinct confidence and no weights it is the
    mean of the risks among the 1, 2, ..., n most confident samples, AURC in [1]_. It
    is low for few mistakes as well as for an order that puts them last.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Labels.
    y_pred : array-like of shape (n,)
        Predicted labels.
    confidence : array-like of shape (n,)
        How sure the classifier is of `y_pred`. Equally confident samples are accepted
        together, so all of them count with the risk among them and those before.
    sample_weight : array-like of shape (n,), default=None
        Weight of each sample, 0 or more.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        As in `coverage_risk_curve`.

    References
    ----------
    .. [1] Y. Geifman, G. Uziel and R. El-Yaniv, "Bias-reduced uncertainty estimation
       for deep neural classifiers", ICLR 2019.

    Examples
    --------
    The mistake comes third among four: (0 + 0 + 1/3 + 1/4) / 4.

    >>> from emclassify.metrics import area_under_coverage_risk
    >>> area = area_under_coverage_risk(
    ...     [1, 1, 0, 0], [1, 1, 1, 0], [0.9, 0.8, 0.7, 0.6]
    ... )
    >>> round(area, 4)
    0.1458
    """
    coverage, risk, _ = coverage_risk_curve(
        y_true, y_pred, confidence, sample_weight=sample_weight
    )
    return area_under_steps(coverage, risk)


def area_under_steps(coverage: NDArray[np.float64], risk: NDArray[np.float64]) -> float:
    """Return the area under the curve; each risk holds since the last coverage."""
    return float(np.diff(coverage, prepend=0.0) @ risk)
