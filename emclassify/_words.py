"""Numbers, names of metrics and lists, in words that people read."""

import numpy as np

__all__ = ["metric_name", "number", "p_value"]


def metric_name(metric):
    """Return "macro F1" for "F1_macro", "TPR of full" for "TPR_full"."""
    if "_" not in metric or metric.split("_")[0] not in (
        "TPR",
        "TNR",
        "PPV",
        "NPV",
        "F1",
    ):
        return metric.replace("_", " ")
    figure, what = metric.split("_", 1)
    if what in ("macro", "weighted"):
        return f"{what} {figure}"
    return f"micro {figure}" if what == "micro" else f"{figure} of {what}"


def number(value, digits=3):
    """Return a number as text, with a true minus sign; a dash for NaN."""
    if not np.isfinite(value):
        return "–"
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def p_value(p):
    """Return "p = 0.012", or "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
