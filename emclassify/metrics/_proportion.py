"""Intervals of proportions of samples that come in groups."""

import numpy as np
from scipy import stats


def proportion_interval(hits, groups, confidence_level):
    """Return the exact interval of the share of hits, widened for likeness in groups.

    Clopper and Pearson's; with groups, for as many independent samples as would have
    the variance found between groups (E. L. Korn and B. I. Graubard, Survey
    Methodology 24, 193-201, 1998), at most as many as there are. With no hit or no
    miss that variance can't be told, and samples count as independent.

    Parameters
    ----------
    hits : ndarray of bool of shape (n,)
    groups : ndarray of shape (n,) or None
    confidence_level : float

    Returns
    -------
    low, high : float
        NaN without samples, and with a single group.
    """
    n, k = len(hits), int(hits.sum())
    if groups is not None:
        codes = np.unique(groups, return_inverse=True)[1]
        n_groups = codes.max(initial=-1) + 1
        if n_groups == 1:
            n = 0
        elif 0 < k < n:
            share = k / n
            excess = np.bincount(codes, weights=hits - share)
            variance = n_groups / (n_groups - 1) * (excess**2).sum() / n**2
            if variance > 0:
                n = min(n, share * (1 - share) / variance)
                k = share * n
    if n == 0:
        return float("nan"), float("nan")
    tail = (1 - confidence_level) / 2
    low = stats.beta.ppf(tail, k, n - k + 1) if k > 0 else 0.0
    high = stats.beta.isf(tail, k + 1, n - k) if k < n else 1.0
    return float(low), float(high)
