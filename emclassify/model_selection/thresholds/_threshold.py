"""From out-of-fold scores to a threshold."""

import numpy as np

from emclassify.metrics import operating_point


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


def best_f_threshold(truth, score, weight, beta, *, default):
    """Return the threshold from which on calling samples positive gives the best F.

    With w the weights, F-beta is (1 + β²) TP / (called + β² positives).

    Parameters
    ----------
    truth : ndarray of bool of shape (n,)
    score : ndarray of shape (n,)
        At least 0. A score of 0 is never called positive.
    weight : ndarray of shape (n,)
    beta : float
    default : float
        Returned where no threshold is better, such as without positives.
    """
    positives = weight[truth].sum()
    order = np.argsort(-score, kind="stable")
    ranked, weight, hits = score[order], weight[order], (weight * truth)[order]
    last = np.append(ranked[1:] != ranked[:-1], True) & (ranked > 0)
    if positives == 0 or not last.any():
        return default

    def f(hits, called):
        return (1 + beta**2) * hits / (called + beta**2 * positives)

    found = f(hits.cumsum(), weight.cumsum())[last]
    called = ranked >= default
    best = found.max() * (1 - 1e-12)  # sums of weights are rounded
    if f(hits[called].sum(), weight[called].sum()) >= best:
        return default
    uppers = ranked[last][found >= best]
    upper = uppers[np.abs(uppers - default).argmin()]
    return middle_of_gap(np.append(score, 0.0), upper, default, exclusive=False)


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
