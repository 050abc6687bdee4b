"""Whether two sets of numbers come from one distribution, whole groups exchanged."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special, stats
from sklearn.metrics.pairwise import rbf_kernel

from emclassify.metrics._proportion import clopper_pearson, effective_units

__all__ = [
    "auc_interval",
    "cross_validated_auc",
    "draw_folds",
    "exceedance",
    "feature_aucs",
    "ks_distances",
    "placements",
    "relabel",
    "standardised_differences",
]

# Strength of the ridge, where every sample's similarity to itself is 1.
_ALPHA = 0.1
# A spread below this share of the largest value is rounding.
_ROUNDING = 1e-10


def draw_folds(
    rng: np.random.Generator,
    second: NDArray[np.bool_],
    units: NDArray[np.intp],
    n_folds: int,
) -> NDArray[np.intp]:
    """Return the fold of each sample; units stay whole, both sets in every fold.

    Parameters
    ----------
    rng : numpy.random.Generator
    second : ndarray of bool of shape (n,)
        Which samples are of the second set.
    units : ndarray of int of shape (n,)
        Independent unit of each sample, counted from 0; of one set each.
    n_folds : int
        At most. Fewer if a set has not two units a fold, but at least 2.

    Returns
    -------
    ndarray of int of shape (n,)
    """
    of_second = np.zeros(units.max() + 1, dtype=bool)
    of_second[units] = second
    counts = np.bincount(of_second, minlength=2)
    n_folds = int(np.clip(counts.min() // 2, 2, n_folds))
    fold_of = np.empty(len(of_second), dtype=np.intp)
    for own in (of_second, ~of_second):
        where = rng.permutation(np.flatnonzero(own))
        fold_of[where] = np.arange(len(where)) % n_folds
    return fold_of[units]


def relabel(
    rng: np.random.Generator,
    second: NDArray[np.bool_],
    units: NDArray[np.intp],
    folds: NDArray[np.intp],
    n_permutations: int,
) -> NDArray[np.bool_]:
    """Exchange whole units between the sets, within each fold.

    Returns
    -------
    ndarray of bool of shape (n, 1 + n_permutations)
        Which samples are of the second set: in truth (column 0), and as drawn.
    """
    first_row = np.unique(units, return_index=True)[1]
    of_second, fold_of = second[first_row], folds[first_row]
    drawn = np.repeat(of_second[:, np.newaxis], 1 + n_permutations, axis=1)
    for fold in np.unique(fold_of):
        own = np.flatnonzero(fold_of == fold)
        drawn[own, 1:] = rng.permuted(drawn[own, 1:], axis=0)
    return drawn[units]


def cross_validated_auc(
    values: NDArray[np.float64],
    labels: NDArray[np.bool_],
    folds: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tell the sets apart by kernel ridge regression, for many labellings at once.

    Its out-of-fold scores are linear in the labels, so that one decomposition a fold
    serves all labellings.

    Parameters
    ----------
    values : ndarray of shape (n, n_features)
        Scaled, their variances adding up to 1.
    labels : ndarray of bool of shape (n, m)
    folds : ndarray of int of shape (n,)

    Returns
    -------
    auc : ndarray of shape (m,)
        Share of pairs of a fold that are in the right order.
    scores : ndarray of shape (n,)
        Out-of-fold scores by the first labelling; high is like the second set.
    """
    kernel = rbf_kernel(values, gamma=0.3)
    won = pairs = 0.0
    scores = np.empty(len(values))
    for fold in np.unique(folds):
        test = folds == fold
        known = kernel[np.ix_(~test, ~test)]
        known.flat[:: len(known) + 1] += _ALPHA
        weights = linalg.solve(known, kernel[np.ix_(~test, test)], assume_a="pos")
        learnt = labels[~test] - labels[~test].mean(axis=0)
        predicted = weights.T @ learnt
        scores[test] = predicted[:, 0]
        in_order, of = _pairs_in_order(predicted, labels[test])
        won, pairs = won + in_order, pairs + of
    with np.errstate(invalid="ignore"):
        return won / pairs, scores


def _pairs_in_order(values, labels):
    """Return how many pairs, one of each set, are in order, and of how many."""
    ranks = stats.rankdata(values, axis=0)
    n_second = labels.sum(axis=0)
    in_order = (ranks * labels).sum(axis=0) - n_second * (n_second + 1) / 2
    return in_order, n_second * (len(labels) - n_second)


def placements(
    scores: NDArray[np.float64],
    second: NDArray[np.bool_],
    folds: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return, for each sample, the share of the other set that lies on its right side.

    Only samples of the same fold are compared. Ties count half.
    """
    placed = np.empty(len(scores))
    for fold in np.unique(folds):
        for own in (second, ~second):
            mine, other = own & (folds == fold), ~own & (folds == fold)
            below = np.searchsorted(np.sort(scores[other]), scores[mine], "left")
            upto = np.searchsorted(np.sort(scores[other]), scores[mine], "right")
            share = (below + upto) / 2 / other.sum()
            placed[mine] = share if own is second else 1 - share
    return placed


def auc_interval(
    scores: NDArray[np.float64],
    second: NDArray[np.bool_],
    units: NDArray[np.intp],
    folds: NDArray[np.intp],
    confidence_level: float,
) -> tuple[float, float]:
    """Return the interval of a cross-validated AUC, from what units contribute.

    The variance is that of placements summed within units (N. A. Obuchowski,
    Biometrics 53, 567-578, 1997); the limits are those of a share with this variance,
    and at least as wide as units unlike all that were seen allow, as in
    `proportion_limits`.
    """
    placed = placements(scores, second, folds)
    n_folds = folds.max() + 1
    pairs = np.bincount(folds, second, n_folds) * np.bincount(folds, ~second, n_folds)
    weight = (pairs / pairs.sum())[folds]
    auc = float(np.sum((weight * placed / _count_in_fold(second, folds))[second]))
    variance, n_alike = 0.0, np.inf
    for own in (second, ~second):
        codes = np.unique(units[own], return_inverse=True)[1]
        part = weight * (placed - auc) / _count_in_fold(own, folds)
        sums = np.bincount(codes, part[own])
        variance += len(sums) / max(len(sums) - 1, 1) * np.sum(sums**2)
        n_alike = min(n_alike, effective_units(np.bincount(codes).astype(float))[1])
    tail = (1 - confidence_level) / 2
    trials = float(len(scores))
    if variance > _ROUNDING**2:
        student = special.ndtri(tail) / special.stdtrit(n_alike - 1, tail)
        trials = min(trials, auc * (1 - auc) / variance * student**2)
    low, high = clopper_pearson(auc * trials, trials, tail)
    unseen = tail ** (1 / n_alike)
    return float(min(low, auc * unseen)), float(max(high, 1 - (1 - auc) * unseen))


def _count_in_fold(own, folds):
    """Return, for each sample, how many of a set are in its fold."""
    return np.bincount(folds, own)[folds]


def exceedance(statistics: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values of several statistics together, by their largest one.

    The chance that under equal sets any of them is as large (P. H. Westfall and S. S.
    Young, "Resampling-Based Multiple Testing", 1993).

    Parameters
    ----------
    statistics : ndarray of shape (k, 1 + n_permutations)
        In truth (column 0), and as relabelled; large where sets differ.
    """
    statistics = np.nan_to_num(statistics, nan=0.0)
    largest = statistics[:, 1:].max(axis=0)
    # What rounding makes of equal numbers is no less than they are.
    reached = largest >= statistics[:, :1] - 1e-9
    return (1 + reached.sum(axis=1)) / statistics.shape[1]


def feature_aucs(
    values: NDArray[np.float64], labels: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the AUC of each feature by itself for each labelling.

    Returns
    -------
    ndarray of shape (n_features, m)
        Above 0.5 where the second set has the higher values.
    """
    ranks = stats.rankdata(values, axis=0)
    n_second = labels.sum(axis=0).astype(np.float64)
    in_order = ranks.T @ labels - n_second * (n_second + 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return in_order / (n_second * (len(labels) - n_second))


def ks_distances(
    values: NDArray[np.float64], second: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the Kolmogorov-Smirnov distance of the two sets in each feature."""
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    step = np.where(second, 1 / second.sum(), -1 / (~second).sum())[order]
    gap = np.abs(np.cumsum(step, axis=0))
    # Between equal values the two distributions cannot be compared.
    gap[:-1][ordered[1:] == ordered[:-1]] = 0
    return gap.max(axis=0)


def standardised_differences(
    values: NDArray[np.float64], second: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return (mean of the second less that of the first) / pooled deviation.

    0 where no value differs; infinite where the two sets are constant, and differ.
    """
    sides: Sequence[NDArray[np.float64]] = (values[second], values[~second])
    difference = sides[0].mean(axis=0) - sides[1].mean(axis=0)
    deviation = np.sqrt(np.mean([side.var(axis=0) for side in sides], axis=0))
    rounding = _ROUNDING * np.abs(values).max(axis=0)
    difference[np.abs(difference) <= rounding] = 0
    deviation[deviation <= rounding] = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / deviation)
