"""Intervals of proportions of samples that come in groups."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

__all__ = [
    "clopper_pearson",
    "effective_units",
    "proportion_interval",
    "proportion_limits",
    "share_limits",
]


def clopper_pearson(
    hits: ArrayLike, trials: ArrayLike, tail: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact limits of a share; neither number need be whole.

    Parameters
    ----------
    hits, trials : array-like of the same shape
    tail : float
        Chance of a miss at each end.

    Returns
    -------
    low, high : ndarray
        0 without hits, 1 without misses.
    """
    hits = np.asarray(hits, dtype=np.float64)
    misses = np.asarray(trials, dtype=np.float64) - hits
    low = np.zeros(np.shape(hits))
    high = np.ones(np.shape(hits))
    special.betaincinv(hits, misses + 1, tail, out=low, where=hits > 0)
    special.betaincinv(hits + 1, misses, 1 - tail, out=high, where=misses > 0)
    return low, high


def proportion_limits(
    hits: np.ndarray, sizes: np.ndarray, confidence_level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of shares of hits, from counts in independent units.

    Where no unit counts more than once, Clopper and Pearson's exact limits. Else the
    wider, at each end, of two:

    - theirs for the effective number of samples: as many as would have the variance
      that is found between units, and no more than there are. The variance is the
      jackknife's, and allows for the degrees of freedom of units by Student's t
      (E. L. Korn and B. I. Graubard, Survey Methodology 24, 193-201, 1998).
    - those that units unlike all that were seen allow. Of units that are hits
      altogether, a share of 1 - tail^(1/n) may be there though none of n was seen, so
      the upper limit is at least 1 - (1 - share) tail^(1/n). Without any hit this is
      the exact limit of a share of units.

    Units of unlike sizes count as (sum of sizes)² / (sum of their squares) of equal
    ones (L. Kish, Survey Sampling, 1965).

    Parameters
    ----------
    hits, sizes : ndarray of shape (n_units, ...)
        How often each unit was a hit, and how often it counted. A unit of size 0 is
        none.
    confidence_level : float
        Of the interval of both limits. A limit alone has
        ``(1 + confidence_level) / 2``.

    Returns
    -------
    low, high : ndarray of shape (...)
        NaN where nothing counted, or all in a single unit, more than once.
    """
    hits = np.asarray(hits, dtype=np.float64)
    sizes = np.asarray(sizes, dtype=np.float64)
    total, n_units = sizes.sum(axis=0), (sizes > 0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = hits.sum(axis=0) / total
        excess = (hits - share * sizes) / total / (1 - sizes / total)
        variance = (n_units - 1) / n_units * (excess**2).sum(axis=0)
    single = sizes.max(axis=0, initial=0.0) <= 1
    exact = clopper_pearson(share * total, total, (1 - confidence_level) / 2)
    grouped = share_limits(share, variance, sizes, confidence_level)
    low, high = np.where(single, exact, grouped)
    unknown = total == 0
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def share_limits(
    share: np.ndarray, variance: np.ndarray, sizes: np.ndarray, confidence_level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of shares whose variance between units is known.

    Parameters
    ----------
    share, variance : ndarray of shape (...)
        From 0 to 1, and the variance of that estimate.
    sizes : ndarray of shape (n_units, ...)
        How often each unit counted.
    confidence_level : float

    Returns
    -------
    low, high : ndarray of shape (...)
        NaN where there are fewer than two units, or the variance is not known.
    """
    tail = (1 - confidence_level) / 2
    total = sizes.sum(axis=0)
    n_units, alike = effective_units(sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        student = special.stdtrit(total - 1, tail) / special.stdtrit(alike - 1, tail)
        trials = share * (1 - share) / variance * student**2
        # Rounding leaves some variance where all units have the same share.
        trials = np.where(variance > 1e-20, np.minimum(trials, total), total)
        unseen = tail ** (1 / alike)
    low, high = clopper_pearson(share * trials, trials, tail)
    low = np.minimum(low, share * unseen)
    high = np.maximum(high, 1 - (1 - share) * unseen)
    unknown = (n_units < 2) | np.isnan(variance)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def effective_units(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many units counted, and how many of equal size they are worth."""
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = sizes.sum(axis=0) ** 2 / (sizes**2).sum(axis=0)
    return (sizes > 0).sum(axis=0), alike


def proportion_interval(
    hits: np.ndarray, groups: np.ndarray | None, confidence_level: float
) -> tuple[float, float]:
    """Return the interval of the share of hits among samples.

    Parameters
    ----------
    hits : ndarray of bool of shape (n,)
    groups : ndarray of shape (n,) or None
        Samples of a group may be alike; without groups, none are.
    confidence_level : float

    Returns
    -------
    low, high : float
        As from `proportion_limits`; NaN without samples, and from a single group of
        several.
    """
    n = len(hits)
    if n == 0:
        return float("nan"), float("nan")
    labels = np.arange(n) if groups is None else groups
    units = np.unique(labels, return_inverse=True)[1]
    low, high = proportion_limits(
        np.bincount(units, weights=hits), np.bincount(units), confidence_level
    )
    return float(low), float(high)
