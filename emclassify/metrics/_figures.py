"""The figures of a class: what each is a ratio of, and what people call it.

A new figure of the tables is a line of `RATIOS`, one for scorers alone of `ASKED`.
"""

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["ASKED", "AVERAGES", "FIGURES", "RATIOS", "metric_name"]


class Ratio(NamedTuple):
    """One figure, from the counts of a class against the rest."""

    parts: Callable  # of TP, FP, FN, TN: what is divided, and by what
    lacking: str  # what isn't there where it is 0/0


def _harmonic_mean_of_rates(tp, fp, fn, tn):
    """Return parts of 2 TPR TNR / (TPR + TNR): 0 where both are 0, and not 0/0."""
    true, rest = tp + fn, tn + fp
    bottom = tp * rest + tn * true
    return 2 * tp * tn, bottom + ((bottom == 0) & (true > 0) & (rest > 0))


RATIOS = {
    "TPR": Ratio(lambda tp, fp, fn, tn: (tp, tp + fn), "no true samples"),
    "TNR": Ratio(
        lambda tp, fp, fn, tn: (tn, tn + fp), "no true samples of another class"
    ),
    "PPV": Ratio(lambda tp, fp, fn, tn: (tp, tp + fp), "no predicted samples"),
    "NPV": Ratio(
        lambda tp, fp, fn, tn: (tn, tn + fn), "no samples predicted as another class"
    ),
    "F1": Ratio(
        lambda tp, fp, fn, tn: (2 * tp, 2 * tp + fp + fn),
        "neither true nor predicted samples",
    ),
}
FIGURES = tuple(RATIOS)
# Figures that only those have who ask for them.
ASKED = {
    **RATIOS,
    "F1TNR": Ratio(_harmonic_mean_of_rates, "no true samples, or none of the rest"),
}
AVERAGES = ("macro", "weighted", "micro")


def metric_name(metric: str) -> str:
    """Return "macro F1" for "F1_macro", "TPR of full" for "TPR_full"."""
    figure, _, what = metric.partition("_")
    if figure == "F1TNR":
        figure = "F1 of TPR and TNR"
        return f"{what} {figure}" if what in AVERAGES else f"{figure}: {what}"
    if not what or figure not in FIGURES:
        return metric.replace("_", " ")
    return f"{what} {figure}" if what in AVERAGES else f"{figure} of {what}"
