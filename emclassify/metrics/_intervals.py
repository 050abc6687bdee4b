"""Intervals of pooled scores: per-class figures as shares, averages by bootstrap."""

import numpy as np
from scipy import sparse, special

from emclassify.metrics._figures import FIGURES, RATIOS
from emclassify.metrics._proportion import (
    effective_units,
    proportion_limits,
    share_limits,
)
from emclassify.metrics._targets import OneLabel, SeveralLabels

__all__ = ["difference_limits", "score_limits"]

# F1 is 2J / (1 + J), where J is the share of TP among TP, FP and FN: a share of
# samples, whose limits those of F1 follow.
_SHARES = {
    **{figure: ratio.parts for figure, ratio in RATIOS.items()},
    "F1": lambda tp, fp, fn, tn: (tp, tp + fp + fn),
}
_FROM_SHARE = {"F1": lambda share: 2 * share / (1 + share)}


def score_limits(
    cells: sparse.csr_array,
    target: OneLabel | SeveralLabels,
    replicates: dict[str, np.ndarray],
    confidence_level: float,
) -> dict[str, tuple[float, float]]:
    """Return (low, high) of every score of pooled predictions.

    The figures of a class, micro averages and accuracy are shares of samples: see
    `proportion_limits`. Macro and weighted averages have the standard error of the
    bootstrap, with the quantiles of Student's t; their limits are at least as wide as
    those of the classes allow, taken as independent (G. Y. Zou and A. Donner,
    Statistics in Medicine 27, 1693-1702, 2008).

    Parameters
    ----------
    cells : sparse array of shape (n_units, n_cells)
        Counts of each independent unit, from `target`.
    target : OneLabel or SeveralLabels
    replicates : dict of str to ndarray of shape (n_bootstrap,)
        From `bootstrap_scores`.
    confidence_level : float

    Returns
    -------
    dict of str to (float, float)
        NaN where a single unit is all there is, or nothing is.
    """
    counts, hits, total = target.counts(cells)
    limits = {}
    low, high = proportion_limits(hits, total, confidence_level)
    limits["accuracy"] = float(low), float(high)
    tp, _, fn, _ = (count.sum(axis=0) for count in counts)
    support = tp + fn
    pooled = target.scores(np.asarray(cells.sum(axis=0)))
    spread, of_names = {}, {}
    for figure in FIGURES:
        top, bottom = _SHARES[figure](*counts)
        convert = _FROM_SHARE.get(figure, np.asarray)
        of_classes = np.stack(proportion_limits(top, bottom, confidence_level))
        of_classes = convert(of_classes)
        micro = proportion_limits(top.sum(axis=1), bottom.sum(axis=1), confidence_level)
        limits[f"{figure}_micro"] = tuple(float(convert(end)) for end in micro)
        for name, ends in zip(target.names, of_classes.T, strict=True):
            of_names[f"{figure}_{name}"] = tuple(ends.tolist())
        values = np.array([pooled[f"{figure}_{name}"] for name in target.names])
        # A class of which nothing is known may have any value.
        of_classes = np.where(np.isnan(of_classes), [[0.0], [1.0]], of_classes)
        for average, weights in (
            ("macro", (support > 0).astype(np.float64)),
            ("weighted", support),
        ):
            distance = np.nan_to_num(np.abs(of_classes - values)) * weights
            spread[f"{figure}_{average}"] = (
                np.sqrt((distance**2).sum(axis=1)) / weights.sum()
            )
    spread["balanced_accuracy"] = spread["TPR_macro"]
    for score, (below, above) in spread.items():
        value = pooled[score]
        low, high = share_limits(
            value,
            _variance(replicates[score], len(total)),
            total,
            confidence_level,
        )
        ends = np.minimum(low, value - below), np.maximum(high, value + above)
        limits[score] = tuple(np.clip(ends, 0, 1).tolist())
    return limits | of_names  # a class may have the name of an average


def difference_limits(
    difference: float,
    replicates: np.ndarray,
    sizes: np.ndarray,
    confidence_level: float,
) -> tuple[float, float]:
    """Return (low, high) of the difference of two models' scores.

    From the standard error of paired replicates and the quantiles of Student's t.
    Where no replicate differs from another, from what units unlike all that were seen
    allow.

    Parameters
    ----------
    difference : float
    replicates : ndarray of shape (n_bootstrap,)
        Differences of the two scores, paired.
    sizes : ndarray of shape (n_units,)
        Predictions of each unit.
    confidence_level : float

    Returns
    -------
    low, high : float
        From -1 to 1; NaN where a single unit is all there is.
    """
    n_units, alike = effective_units(sizes)
    tail = (1 - confidence_level) / 2
    variance = _variance(replicates, n_units)
    if n_units < 2 or np.isnan(variance):
        return float("nan"), float("nan")
    half = -special.stdtrit(alike - 1, tail) * np.sqrt(variance)
    if variance <= 1e-20:
        half = 1 - tail ** (1 / alike)
    return float(max(-1.0, difference - half)), float(min(1.0, difference + half))


def _variance(replicates, n_units):
    """Return the variance of a score, free of the bias of drawing from few units."""
    known = replicates[~np.isnan(replicates)]
    if len(known) < 2 or n_units < 2:
        return np.nan
    return known.var(ddof=1) * n_units / (n_units - 1)
