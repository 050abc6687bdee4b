"""The statistics of a comparison: paired test, bootstrap over groups, Holm."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

__all__ = ["CorrectedTTestResult", "corrected_resampled_ttest"]


class CorrectedTTestResult(NamedTuple):
    """Result of :func:`corrected_resampled_ttest`."""

    difference: float
    standard_error: float
    statistic: float
    pvalue: float
    low: float
    high: float
    n_folds: int


def corrected_resampled_ttest(
    scores_a, scores_b, *, test_train_ratio, confidence_level=0.95
):
    """Test whether two models differ by more than the noise between folds.

    The folds of a cross-validation share training samples, so their scores are not
    independent, and an ordinary paired t-test finds differences that are not there.
    Nadeau and Bengio widen the variance of the mean difference d over J folds from
    s²/J to s² (1/J + n_test/n_train). Bouckaert and Frank recommend the same for
    repeated cross-validation.

    Parameters
    ----------
    scores_a, scores_b : array-like of shape (n_folds,)
        Scores of the two models on the same folds. Folds where either is NaN are
        left out.
    test_train_ratio : float
        Number of test samples over number of training samples in a fold.
    confidence_level : float, default=0.95
        Coverage of the interval of the difference.

    Returns
    -------
    CorrectedTTestResult
        Named tuple: difference (mean of a − b), standard_error (corrected),
        statistic (t), pvalue (two-sided, n_folds − 1 degrees of freedom), low and
        high (interval of the difference), n_folds. With fewer than two folds there
        is no test, and all but the difference are NaN.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
    Learning 52, 239-281 (2003). https://doi.org/10.1023/A:1024068626366

    R. R. Bouckaert and E. Frank, "Evaluating the replicability of significance
    tests for comparing learning algorithms", PAKDD 2004, 3-12.

    Examples
    --------
    >>> from emclassify.model_selection import corrected_resampled_ttest
    >>> result = corrected_resampled_ttest(
    ...     [0.91, 0.89, 0.92, 0.90], [0.88, 0.85, 0.90, 0.87], test_train_ratio=1 / 3
    ... )
    >>> round(result.difference, 4), round(result.pvalue, 4)
    (0.03, 0.0171)
    """
    a = np.asarray(scores_a, dtype=np.float64)
    b = np.asarray(scores_b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(
            "scores_a and scores_b must be one-dimensional and of one length; got "
            f"shapes {a.shape} and {b.shape}."
        )
    if not test_train_ratio > 0:
        raise ValueError(f"test_train_ratio must be above 0; got {test_train_ratio}.")
    check_level(confidence_level)
    differences = a - b
    differences = differences[np.isfinite(differences)]
    n = len(differences)
    nan = float("nan")
    if n < 2:
        mean = float(differences.mean()) if n else nan
        return CorrectedTTestResult(mean, nan, nan, nan, nan, nan, n)
    mean = float(differences.mean())
    error = float(np.sqrt(differences.var(ddof=1) * (1 / n + test_train_ratio)))
    # Rounding alone must not pass for a spread between folds.
    if error <= 1e-14:
        error = 0.0
    if error > 0:
        statistic = mean / error
    else:
        statistic = 0.0 if abs(mean) <= 1e-14 else float(np.copysign(np.inf, mean))
    pvalue = float(2 * stats.t.sf(abs(statistic), n - 1))
    half = float(stats.t.ppf(0.5 + confidence_level / 2, n - 1)) * error
    return CorrectedTTestResult(
        mean, error, statistic, pvalue, mean - half, mean + half, n
    )


def check_level(confidence_level):
    """Raise unless `confidence_level` is between 0 and 1."""
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"confidence_level must be between 0 and 1; got {confidence_level!r}."
        )


def holm(pvalues):
    """Return p values adjusted for their number (Holm 1979); NaN stay NaN."""
    pvalues = np.asarray(pvalues, dtype=np.float64)
    adjusted = np.full(pvalues.shape, np.nan)
    known = np.flatnonzero(~np.isnan(pvalues))
    order = known[np.argsort(pvalues[known], kind="stable")]
    steps = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps * pvalues[order]))
    return adjusted


def pooled_confusion(y_true, y_pred, n_classes):
    """Return the confusion matrix (k, k) of class codes."""
    cells = np.bincount(y_true * n_classes + y_pred, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


def bootstrap_scores(predictions, *, n_units, target, n_bootstrap, seed):
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


def percentile_interval(replicates, confidence_level):
    """Return (low, high), the middle share of the replicates, leaving NaN out."""
    known = replicates[~np.isnan(replicates)]
    if len(known) == 0:
        return float("nan"), float("nan")
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)
