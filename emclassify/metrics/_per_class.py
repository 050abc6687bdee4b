"""Per-class figures as functions of labels, and as one table."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix
from sklearn.utils.multiclass import unique_labels

from emclassify._incoming import plain_labels, plain_numbers
from emclassify.metrics._confusion import (
    check_confusion_matrix,
    check_zero_division,
    combine_counts,
    one_vs_rest_counts,
    warn_undefined,
)
from emclassify.metrics._figures import AVERAGES, FIGURES
from emclassify.metrics._multilabel import label_counts, sample_average
from emclassify.metrics._targets import is_indicator

__all__ = [
    "negative_predictive_value_score",
    "per_class_scores",
    "per_class_scores_from_confusion_matrix",
    "tpr_tnr_f1_score",
]


def labels_present(y_true: ArrayLike, *others: ArrayLike) -> NDArray[Any]:
    """Return the sorted labels, or raise where they can't be sorted."""
    try:
        return unique_labels(y_true, *others)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            "y_true and y_pred must be labels of one kind, all numbers or all strings: "
            f"{error}"
        ) from error


def check_labels(labels: ArrayLike) -> NDArray[Any]:
    """Return `labels` as an array without repeats, or raise ValueError."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(
            "labels must be a non-empty one-dimensional sequence; got shape "
            f"{labels.shape}."
        )
    try:
        values, counts = np.unique(labels, return_counts=True)
    except TypeError:
        raise ValueError(
            f"labels must be all text or all numbers; got {labels.tolist()}."
        ) from None
    if (counts > 1).any():
        raise ValueError(f"labels holds {values[counts > 1][0]} more than once.")
    return labels


def check_names(target_names: Sequence[str] | None, labels: NDArray[Any]) -> list[str]:
    """Return the name of each row, or raise ValueError."""
    if target_names is None:
        names = list(labels.tolist())
    else:
        names = [str(name) for name in target_names]
        if len(names) != len(labels):
            raise ValueError(
                f"target_names holds {len(names)} names for {len(labels)} classes."
            )
    if len(set(names)) < len(names):
        raise ValueError(f"Class names must differ from each other; got {names}.")
    clash = {*AVERAGES, "samples"}.intersection(names)
    if clash:
        raise ValueError(
            f"A class is called {clash.pop()!r}, the name of an average. Give "
            "target_names that differ from macro, weighted, micro and samples."
        )
    return names


def plain_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return both in containers that scikit-learn knows, or raise if one is missing."""
    return plain_labels(y_true, "y_true"), plain_labels(y_pred, "y_pred")


def _counts(y_true, y_pred, labels, sample_weight):
    """Return labels and the four one-against-rest counts of each of them."""
    if sample_weight is not None:
        sample_weight = plain_numbers(sample_weight, "sample_weight")
    if is_indicator(y_true):
        columns = np.arange(np.shape(y_true)[1])
        labels = columns if labels is None else check_labels(labels)
        return labels, label_counts(
            y_true, y_pred, columns=labels, sample_weight=sample_weight
        )
    present = labels_present(y_true, y_pred)
    if labels is None:
        labels = everything = present
    else:
        labels = check_labels(labels)
        # Samples of other classes still are false or true negatives of these.
        everything = np.concatenate([labels, np.setdiff1d(present, labels)])
    confusion = sklearn_confusion_matrix(
        y_true, y_pred, labels=everything, sample_weight=sample_weight
    )
    counts = one_vs_rest_counts(confusion)
    return labels, [count[: len(labels)] for count in counts]


def negative_predictive_value_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    average: Literal[None, "macro", "weighted", "micro"] = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
) -> NDArray[np.float64] | float:
    """Negative predictive value: how far "not this class" can be trusted.

    For each class, TN / (TN + FN): the share of the samples predicted as any other
    class that indeed are of another class. The remaining figures of a class have
    their functions already: :func:`sklearn.metrics.recall_score` (TPR),
    :func:`sklearn.metrics.precision_score` (PPV), :func:`sklearn.metrics.f1_score`
    and :func:`imblearn.metrics.specificity_score` (TNR).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        True and predicted labels, or indicator matrices.
    labels : array-like, default=None
        Classes to report, in this order. Others still count as "the rest". All
        classes found in `y_true` or `y_pred` by default, sorted.
    average : {None, "macro", "weighted", "micro"}, default="macro"
        None returns one value for each class; "macro" their mean; "weighted" their
        mean weighted by the number of true samples; "micro" the ratio of the sums.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.
    zero_division : {"warn", 0, 1, np.nan}, default="warn"
        Value where all samples are predicted as the class. "warn" is 0 with a
        warning; NaN is left out of the averages.

    Returns
    -------
    float or ndarray of shape (n_classes,)

    Examples
    --------
    >>> from emclassify.metrics import negative_predictive_value_score
    >>> y_true = ["full", "full", "empty", "empty", "empty"]
    >>> y_pred = ["full", "empty", "empty", "empty", "full"]
    >>> negative_predictive_value_score(
    ...     y_true, y_pred, labels=["full", "empty"], average=None
    ... ).round(3)
    array([0.667, 0.5  ])
    """
    return _figure_score(
        "NPV", y_true, y_pred, labels, average, sample_weight, zero_division
    )


def tpr_tnr_f1_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    average: Literal[None, "macro", "weighted", "micro"] = "macro",
    sample_weight: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
) -> NDArray[np.float64] | float:
    """Harmonic mean of TPR and TNR, which some call F1 too.

    For each class against the rest, 2 TPR TNR / (TPR + TNR). F1 as
    :func:`sklearn.metrics.f1_score` has it is the harmonic mean of TPR and PPV. For a
    rare class they are far apart: PPV falls with every false positive among the many
    others, TNR hardly does. Both have been called F1 in talks on one and the same work.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        True and predicted labels, or indicator matrices.
    labels : array-like, default=None
        Classes to report, in this order. Others still count as "the rest". All
        classes found in `y_true` or `y_pred` by default, sorted.
    average : {None, "macro", "weighted", "micro"}, default="macro"
        None returns one value for each class; "macro" their mean; "weighted" their
        mean weighted by the number of true samples; "micro" the figure of the summed
        counts.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.
    zero_division : {"warn", 0, 1, np.nan}, default="warn"
        Value where a class has no true samples, or all samples. "warn" is 0 with a
        warning; NaN is left out of the averages.

    Returns
    -------
    float or ndarray of shape (n_classes,)

    See Also
    --------
    per_class_scorers : As a scorer: ``figures=["F1", "F1TNR"]``.

    Examples
    --------
    Of 100 liposomes 2 are empty; both are found, with 8 others:

    >>> import numpy as np
    >>> from sklearn.metrics import f1_score
    >>> from emclassify.metrics import tpr_tnr_f1_score
    >>> y_true, y_pred = np.arange(100) < 2, np.arange(100) < 10
    >>> round(tpr_tnr_f1_score(y_true, y_pred, labels=[True]), 2)
    0.96
    >>> round(float(f1_score(y_true, y_pred)), 2)
    0.33
    """
    return _figure_score(
        "F1TNR", y_true, y_pred, labels, average, sample_weight, zero_division
    )


def _figure_score(
    figure, y_true, y_pred, labels, average, sample_weight, zero_division
):
    """Return one figure of each class, or an average of it."""
    if average is not None and average not in AVERAGES:
        raise ValueError(
            f'average must be None, "macro", "weighted" or "micro"; got {average!r}.'
        )
    check_zero_division(zero_division)
    y_true, y_pred = plain_pair(y_true, y_pred)
    labels, counts = _counts(y_true, y_pred, labels, sample_weight)
    if isinstance(zero_division, str):
        warn_undefined(*counts, labels, figures=(figure,), stacklevel=4)
    figures, averages, _ = combine_counts(
        *counts, zero_division=zero_division, asked=(figure,)
    )
    return figures[:, 0] if average is None else float(averages[average][0])


def per_class_scores(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    target_names: Sequence[str] | None = None,
    sample_weight: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
) -> pd.DataFrame:
    """Table of TPR, TNR, PPV, NPV and F1 of each class, and their averages.

    All figures come from one confusion matrix, each class against the rest.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_labels)
        True and predicted labels, or indicator matrices.
    labels : array-like, default=None
        Classes to report, in this order; columns of indicator matrices. Others still
        count as "the rest". All classes found in `y_true` or `y_pred` by default,
        sorted.
    target_names : list of str, default=None
        Names of the rows, in the order of `labels`.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.
    zero_division : {"warn", 0, 1, np.nan}, default="warn"
        Value of a figure whose denominator is 0. "warn" is 0 with a warning; NaN
        is left out of the averages.

    Returns
    -------
    DataFrame
        One row for each class, then "macro", "weighted" and "micro"; for indicator
        matrices, "samples" too: figures of each sample's own labels, averaged.
        Columns TPR (recall, sensitivity), TNR (specificity), PPV (precision), NPV, F1
        and support (the number, or weight, of true samples).

    See Also
    --------
    per_class_scores_from_confusion_matrix : The same from counts.
    per_class_scorers : The same figures for cross-validation and grid search.

    Examples
    --------
    >>> from emclassify.metrics import per_class_scores
    >>> y_true = ["full", "full", "empty", "empty", "empty"]
    >>> y_pred = ["full", "empty", "empty", "empty", "full"]
    >>> per_class_scores(y_true, y_pred).round(2)
               TPR   TNR   PPV   NPV    F1  support
    empty     0.67  0.50  0.67  0.50  0.67        3
    full      0.50  0.67  0.50  0.67  0.50        2
    macro     0.58  0.58  0.58  0.58  0.58        5
    weighted  0.60  0.57  0.60  0.57  0.60        5
    micro     0.60  0.60  0.60  0.60  0.60        5
    """
    check_zero_division(zero_division)
    y_true, y_pred = plain_pair(y_true, y_pred)
    labels, counts = _counts(y_true, y_pred, labels, sample_weight)
    names = check_names(target_names, labels)
    table = _table(counts, names, zero_division, whole=sample_weight is None)
    if is_indicator(y_true):
        y_true, y_pred = (_columns(y, labels) for y in (y_true, y_pred))
        figures = sample_average(
            y_true,
            y_pred,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
        table.loc["samples"] = [*figures, table.loc["micro", "support"]]
        table["support"] = table["support"].astype(counts[0].dtype)
    return table


def _columns(y, labels):
    """Return columns of an indicator matrix, dense or sparse."""
    return (y.tocsc() if sparse.issparse(y) else y)[:, labels]


def per_class_scores_from_confusion_matrix(
    confusion_matrix: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    zero_division: Literal["warn"] | float = "warn",
) -> pd.DataFrame:
    """Table of TPR, TNR, PPV, NPV and F1 of each class from a confusion matrix.

    Parameters
    ----------
    confusion_matrix : array-like of shape (n_classes, n_classes)
        Counts, or weights, of true class (row) and predicted class (column).
    labels : array-like of length n_classes, default=None
        Names of the classes. The columns of a DataFrame, or 0, 1, ..., by default.
    zero_division : {"warn", 0, 1, np.nan}, default="warn"
        Value of a figure whose denominator is 0.

    Returns
    -------
    DataFrame
        As from :func:`per_class_scores`.

    Examples
    --------
    >>> from emclassify.metrics import per_class_scores_from_confusion_matrix
    >>> table = per_class_scores_from_confusion_matrix(
    ...     [[8, 2], [1, 9]], labels=["uni", "multi"]
    ... )
    >>> table.loc["uni", ["TPR", "TNR"]].tolist()
    [0.8, 0.9]
    """
    check_zero_division(zero_division)
    if labels is None and isinstance(confusion_matrix, pd.DataFrame):
        labels = confusion_matrix.columns
    confusion = check_confusion_matrix(confusion_matrix)
    labels = check_labels(np.arange(len(confusion)) if labels is None else labels)
    if len(labels) != len(confusion):
        raise ValueError(
            f"labels holds {len(labels)} names, but confusion_matrix has shape "
            f"{confusion.shape}."
        )
    names = check_names(None, labels)
    whole = confusion.dtype.kind in "biu"
    return _table(one_vs_rest_counts(confusion), names, zero_division, whole=whole)


def _table(counts, names, zero_division, *, whole):
    """Build the DataFrame of figures from one-against-rest counts."""
    if isinstance(zero_division, str):
        warn_undefined(*counts, names, stacklevel=4)
    figures, averages, support = combine_counts(*counts, zero_division=zero_division)
    values = np.vstack([figures, *(averages[a] for a in AVERAGES)])
    table = pd.DataFrame(values, index=[*names, *AVERAGES], columns=list(FIGURES))
    support = np.append(support, [support.sum()] * len(AVERAGES))
    table["support"] = support.astype(np.int64) if whole else support
    return table
