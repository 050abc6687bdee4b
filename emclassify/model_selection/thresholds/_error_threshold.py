"""The lowest threshold that keeps an error rate, or the share that is rejected."""

import numpy as np

from emclassify.metrics import coverage_risk_curve
from emclassify.metrics._proportion import clopper_pearson, proportion_limits
from emclassify.model_selection.thresholds._out_of_fold import middle_of_gap

__all__ = ["error_threshold", "share_threshold"]

# Bounds are met to rounding: 1 of 20 is an error of 0.05.
_ROUNDING = 1e-12
# Counts of groups at a time, where limits are sought.
_CELLS_PER_PIECE = 500_000


def error_threshold(
    true: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    weight: np.ndarray | None,
    groups: np.ndarray | None,
    *,
    max_error: float,
    confidence_level: float | None,
) -> float:
    """Return the lowest threshold that keeps the bound.

    -inf if all may be accepted, inf if nothing may. `groups` may be None, and so may
    `confidence_level`: the error itself is bounded then, not its upper limit.
    """
    if len(true) == 0:
        return -np.inf if max_error >= 1 else np.inf
    _, risk, thresholds = coverage_risk_curve(
        true, predicted, confidence, sample_weight=weight
    )
    bound = max_error + _ROUNDING
    kept = np.flatnonzero(risk <= bound)
    if confidence_level is not None and len(kept):
        order = np.argsort(-confidence, kind="stable")
        n_accepted = np.searchsorted(-confidence[order], -thresholds, side="right")
        limits = _upper_limits(
            (true != predicted)[order],
            np.arange(len(true)) if groups is None else groups[order],
            n_accepted[kept],
            confidence_level,
        )
        kept = kept[limits <= bound]  # nan where one group is all there is
    if len(kept) == 0:
        return np.inf
    if kept[-1] == len(risk) - 1:
        return -np.inf
    return _between(confidence, thresholds[kept[-1]])


def _upper_limits(wrong, groups, n_accepted, confidence_level):
    """Return the upper limit of the error among the first so many samples.

    Parameters
    ----------
    wrong : ndarray of bool of shape (n,)
    groups : ndarray of shape (n,)
    n_accepted : ndarray of int of shape (n_limits,)
        Rising, each at least 1.
    confidence_level : float
        Of the upper limit alone.
    """
    # The interval has two ends; only the upper one counts here.
    level = 2 * confidence_level - 1
    codes = np.unique(groups, return_inverse=True)[1]
    n_groups = codes.max() + 1
    if n_groups == len(groups):
        n_wrong = np.cumsum(wrong)[n_accepted - 1]
        return clopper_pearson(n_wrong, n_accepted, 1 - confidence_level)[1]
    limits = np.empty(len(n_accepted))
    # Counts by group, of the samples before a piece and then of each limit in it.
    step = max(1, _CELLS_PER_PIECE // n_groups)
    hits, sizes, start = np.zeros(n_groups), np.zeros(n_groups), 0
    for first in range(0, len(n_accepted), step):
        ends = n_accepted[first : first + step]
        piece = np.arange(start, ends[-1])
        of_limit = np.searchsorted(ends, piece, side="right")
        cell = codes[piece], of_limit
        added = np.zeros((2, n_groups, len(ends)))
        np.add.at(added[0], cell, wrong[piece])
        np.add.at(added[1], cell, 1)
        added = added.cumsum(axis=-1)
        of_hits, of_sizes = (
            hits[:, np.newaxis] + added[0],
            sizes[:, np.newaxis] + added[1],
        )
        limits[first : first + step] = proportion_limits(of_hits, of_sizes, level)[1]
        hits, sizes, start = of_hits[:, -1], of_sizes[:, -1], ends[-1]
    return limits


def share_threshold(scores: np.ndarray, weight: np.ndarray, max_share: float) -> float:
    """Return a threshold with at most `max_share` of the scores below it."""
    order = np.argsort(scores)
    below = np.cumsum(weight[order]) / weight.sum()
    first = np.searchsorted(below, max_share + _ROUNDING, side="right")
    if first == len(scores):
        return np.inf
    return _between(scores, scores[order][first])


def _between(scores: np.ndarray, lowest: float) -> float:
    """Return a threshold halfway from `lowest`, the last accepted, to the next."""
    return middle_of_gap(scores, lowest, np.nan, exclusive=False)
