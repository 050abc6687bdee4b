"""The arithmetic behind every per-class figure: one confusion matrix in, figures out.

All functions take stacks (..., n_classes, n_classes), so that thousands of bootstrap
replicates are one call. Rows are true classes, columns predicted ones.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning

from emclassify.metrics._figures import ASKED, AVERAGES, FIGURES


def check_zero_division(zero_division: Literal["warn"] | float) -> float:
    """Return the number that stands for 0/0, or raise ValueError."""
    if isinstance(zero_division, str):
        if zero_division == "warn":
            return 0.0
    elif zero_division in (0, 1) or zero_division != zero_division:
        return float(zero_division)
    raise ValueError(
        f'zero_division must be "warn", 0, 1 or np.nan; got {zero_division!r}.'
    )


def check_confusion_matrix(confusion: ArrayLike) -> NDArray[Any]:
    """Return `confusion` as an array (k, k) of non-negative numbers, or raise."""
    confusion = np.asarray(confusion)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise ValueError(
            "confusion_matrix must be square, (n_classes, n_classes); got shape "
            f"{confusion.shape}."
        )
    if confusion.size == 0 or confusion.dtype.kind not in "biuf":
        raise ValueError(
            "confusion_matrix must hold at least one class and only numbers; got "
            f"shape {confusion.shape} and dtype {confusion.dtype}."
        )
    if not (np.isfinite(confusion).all() and (confusion >= 0).all()):
        raise ValueError("confusion_matrix must hold finite counts of at least 0.")
    return confusion


def one_vs_rest_counts(
    confusion: NDArray[Any],
) -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]
]:
    """Return (tp, fp, fn, tn), each (..., n_classes), of a confusion matrix."""
    confusion = np.asarray(confusion, dtype=np.float64)
    tp = np.diagonal(confusion, axis1=-2, axis2=-1)
    # Sums without the diagonal, not differences with it: a class without mistakes
    # has exactly zero of them also where sample weights are fractions.
    off = confusion * ~np.eye(confusion.shape[-1], dtype=bool)
    fp = off.sum(axis=-2)
    fn = off.sum(axis=-1)
    total = confusion.sum(axis=(-2, -1))[..., np.newaxis]
    tn = total - tp - fp - fn
    tn = np.where(tn > 1e-12 * total, tn, 0.0)
    return tp, fp, fn, tn


def figures_from_counts(
    tp: ArrayLike,
    fp: ArrayLike,
    fn: ArrayLike,
    tn: ArrayLike,
    zero_division: Literal["warn"] | float = 0,
    figures: Sequence[str] = FIGURES,
) -> NDArray[np.float64]:
    """Return figures (..., n_figures) in the order given, 0/0 as asked."""
    fill = check_zero_division(zero_division)
    parts = [ASKED[figure].parts(tp, fp, fn, tn) for figure in figures]
    return np.stack(
        [
            np.divide(
                top, bottom, out=np.full(np.shape(bottom), fill), where=bottom > 0
            )
            for top, bottom in parts
        ],
        axis=-1,
    )


def nan_average(
    values: NDArray[np.float64], weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Average over the last axis, leaving NaN out; NaN where nothing is left."""
    known = ~np.isnan(values)
    plain = known.astype(np.float64)
    if weights is None:
        weights = plain
    else:
        weights = np.where(known, weights, 0.0)
        # As scikit-learn: where no class has any weight, all count alike.
        weights = np.where(weights.sum(-1, keepdims=True) > 0, weights, plain)
    total = weights.sum(-1)
    top = (np.where(known, values, 0.0) * weights).sum(-1)
    return np.divide(top, total, out=np.full(total.shape, np.nan), where=total > 0)


def combine_counts(
    tp: NDArray[Any],
    fp: NDArray[Any],
    fn: NDArray[Any],
    tn: NDArray[Any],
    *,
    zero_division: Literal["warn"] | float = 0,
    absent_is_nan: bool = False,
    asked: Sequence[str] = FIGURES,
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Return every figure of every class, and the averages.

    Parameters
    ----------
    tp, fp, fn, tn : ndarray of shape (..., n_classes)
        As from `one_vs_rest_counts`.
    zero_division : {"warn", 0, 1, np.nan}
    absent_is_nan : bool
        Whether a class without true samples has no figures (NaN) and stays out of
        the macro average, whatever `zero_division` is.
    asked : sequence of str
        Which figures.

    Returns
    -------
    figures : ndarray of shape (..., n_classes, n_figures)
    averages : dict of str to ndarray of shape (..., n_figures)
    support : ndarray of shape (..., n_classes)
    """
    support = tp + fn
    figures = figures_from_counts(tp, fp, fn, tn, zero_division, asked)
    if absent_is_nan:
        figures = np.where(support[..., np.newaxis] > 0, figures, np.nan)
    by_figure = np.swapaxes(figures, -1, -2)
    averages = {
        "macro": nan_average(by_figure),
        "weighted": nan_average(by_figure, support[..., np.newaxis, :]),
        "micro": figures_from_counts(
            *(count.sum(-1) for count in (tp, fp, fn, tn)), zero_division, asked
        ),
    }
    return figures, averages, support


def score_arrays(
    confusion: NDArray[Any],
    names: Sequence[str],
    *,
    averages: Sequence[str] = AVERAGES,
    zero_division: Literal["warn"] | float = 0,
    absent_is_nan: bool = False,
    asked: Sequence[str] = FIGURES,
) -> dict[str, NDArray[np.float64]]:
    """Return {"accuracy": ..., "balanced_accuracy": ..., "TPR_<class>": ..., ...}.

    Values have the shape of the leading axes of `confusion`.
    """
    return scores_from_counts(
        one_vs_rest_counts(confusion),
        np.trace(confusion, axis1=-2, axis2=-1).astype(np.float64),
        np.sum(confusion, axis=(-2, -1), dtype=np.float64),
        names,
        averages=averages,
        zero_division=zero_division,
        absent_is_nan=absent_is_nan,
        asked=asked,
    )


def scores_from_counts(
    counts: Sequence[NDArray[Any]],
    hits: ArrayLike,
    total: ArrayLike,
    names: Sequence[str],
    *,
    averages: Sequence[str],
    zero_division: Literal["warn"] | float = 0,
    absent_is_nan: bool = False,
    asked: Sequence[str] = FIGURES,
) -> dict[str, NDArray[np.float64]]:
    """Return what `score_arrays` does, for one label a sample or several.

    Parameters
    ----------
    counts : tuple of 4 ndarray of shape (..., n_classes)
        True and false positives, false and true negatives.
    hits, total : ndarray of shape (...)
        Number, or weight, of samples with nothing wrong, and of all.
    """
    figures, means, support = combine_counts(
        *counts,
        zero_division=zero_division,
        absent_is_nan=absent_is_nan,
        asked=["TPR", *asked],
    )
    recall = np.where(support > 0, figures[..., 0], np.nan)
    scores = {
        "accuracy": np.divide(
            hits, total, out=np.full(np.shape(total), np.nan), where=total > 0
        ),
        "balanced_accuracy": nan_average(recall),
    }
    for average in averages:
        for f, figure in enumerate(asked, start=1):
            scores[f"{figure}_{average}"] = means[average][..., f]
    for c, name in enumerate(names):
        for f, figure in enumerate(asked, start=1):
            scores[f"{figure}_{name}"] = figures[..., c, f]
    return scores


def warn_undefined(
    tp: NDArray[Any],
    fp: NDArray[Any],
    fn: NDArray[Any],
    tn: NDArray[Any],
    names: Sequence[str],
    figures: Sequence[str] = FIGURES,
    stacklevel: int = 3,
) -> None:
    """Warn once for each of `figures` that is 0/0 for some class, naming the class."""
    undefined = np.isnan(figures_from_counts(tp, fp, fn, tn, np.nan, figures))
    for f, figure in enumerate(figures):
        lacking = [str(n) for n, bad in zip(names, undefined[:, f], strict=True) if bad]
        if lacking:
            warnings.warn(
                f"{figure} is ill-defined and set to 0.0 for class "
                f"{', '.join(lacking)}: {ASKED[figure].lacking}. Set zero_division to "
                "control this.",
                UndefinedMetricWarning,
                stacklevel=stacklevel,
            )
