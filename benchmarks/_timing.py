"""What the speed scripts share: timing by turns, and a line for each ratio."""

from statistics import median
from time import perf_counter


def seconds(function):
    """Return the time of one call."""
    start = perf_counter()
    function()
    return perf_counter() - start


def by_turns(*functions, runs=5):
    """Return the median time of each function, called by turns.

    So that other load on the machine falls on all of them.
    """
    times = [[seconds(function) for function in functions] for _ in range(runs)]
    return [median(column) for column in zip(*times, strict=True)]


def report(name, ours, opponent, theirs, *, unit, goal=None):
    """Print both rates and their ratio."""
    wanted = "" if goal is None else f" (goal {goal:g})"
    print(
        f"{name}: {ours:,.0f} {unit}; {opponent}: {theirs:,.0f} {unit}; "
        f"ratio {ours / theirs:.2f}{wanted}",
        flush=True,
    )
