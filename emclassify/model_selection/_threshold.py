"""From out-of-fold scores to a threshold that keeps a bound."""

from __future__ import annotations

import numpy as np

from ..metrics import operating_point


def find_point(truth, score, weight, pos_label, bound):
    """Return the best point that keeps the bound and calls something positive."""
    if len(np.unique(truth)) < 2:
        raise ValueError("The test sides of cv, taken together, hold one class only.")
    settings = {"pos_label": pos_label, "sample_weight": weight}
    point = operating_point(truth, score, **bound, **settings)
    if np.isinf(point.threshold):
        ((name, value),) = bound.items()
        # Any recall above 0.
        best = operating_point(truth, score, min_recall=1e-9, **settings)
        raise ValueError(
            f"No threshold keeps {name}={value} out of fold and calls any of the "
            f"{len(truth)} samples {pos_label!r}. Within reach is a precision of "
            f"{best.precision:.3g} at a recall of {best.recall:.3g} and a "
            f"false-positive rate of {best.fpr:.3g}. Loosen the bound, or improve the "
            "estimator."
        )
    return point


def middle_of_gap(score, upper, default, *, exclusive):
    """Return a threshold that splits the scores from `upper` up from those below.

    `exclusive` says whether a score equal to the threshold is called negative.
    """
    below = score[score < upper]
    lower = below.max() if len(below) else -np.inf
    if lower < default < upper:
        return default
    if np.isinf(lower):
        return float(np.nextafter(upper, -np.inf))
    middle = lower + (upper - lower) / 2
    if not lower < middle < upper:  # neighbouring floats
        middle = lower if exclusive else upper
    return float(middle)
