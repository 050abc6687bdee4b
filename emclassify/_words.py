"""Numbers and lists, in words that people read."""

from collections.abc import Iterable

import numpy as np

__all__ = ["name_some", "number", "p_value"]


def number(value: float, digits: int = 3) -> str:
    """Return a number as text, with a true minus sign; a dash for NaN."""
    if not np.isfinite(value):
        return "–"
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def p_value(p: float) -> str:
    """Return "p = 0.012", or "p < 0.001"; "no test" for NaN."""
    if np.isnan(p):
        return "no test"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def name_some(values: Iterable, limit: int = 5) -> str:
    """Return "a, b, c and 4 more", at most `limit` values by name."""
    values = [str(value) for value in values]
    more = len(values) - limit
    return ", ".join(values[:limit]) + (f" and {more} more" if more > 0 else "")
