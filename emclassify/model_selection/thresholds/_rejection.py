"""From out-of-fold confidences to thresholds below which answers are rejected."""

import numpy as np

from emclassify.metrics import coverage_risk_curve
from emclassify.metrics._proportion import proportion_interval
from emclassify.model_selection.thresholds._threshold import middle_of_gap

# Bounds are met to rounding: 1 of 20 is an error of 0.05.
_ROUNDING = 1e-12


def error_threshold(
    true, predicted, confidence, weight, groups, *, max_error, confidence_level
):
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
    wrong = true != predicted
    for i in np.flatnonzero(risk <= bound)[::-1]:
        if confidence_level is not None:
            accepted = confidence >= thresholds[i]
            some = None if groups is None else groups[accepted]
            # The interval has two ends; only the upper one counts here.
            level = 2 * confidence_level - 1
            _, upper = proportion_interval(wrong[accepted], some, level)
            if not upper <= bound:  # nan where one group is all there is
                continue
        if i == len(risk) - 1:
            return -np.inf
        return between(confidence, thresholds[i])
    return np.inf


def share_threshold(scores, weight, max_share):
    """Return a threshold with at most `max_share` of the scores below it."""
    order = np.argsort(scores)
    below = np.cumsum(weight[order]) / weight.sum()
    first = np.searchsorted(below, max_share + _ROUNDING, side="right")
    if first == len(scores):
        return np.inf
    return between(scores, scores[order][first])


def between(scores, lowest):
    """Return a threshold halfway from `lowest`, the last accepted, to the next."""
    return middle_of_gap(scores, lowest, np.nan, exclusive=False)
