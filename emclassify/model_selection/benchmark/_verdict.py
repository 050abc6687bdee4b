"""A comparison put in words."""

import pandas as pd

from emclassify._words import number, p_value
from emclassify.metrics._figures import metric_name


def _interval(row, level):
    """Return "95 % interval 0.010 to 0.054"."""
    return f"{level:g} % interval {number(row.low)} to {number(row.high)}"


def _oriented(comparison, best):
    """Return the rows of `best` against each other model, best minus other."""
    rows = []
    for row in comparison.itertuples():
        if best not in (row.model_a, row.model_b):
            continue
        sign = 1 if row.model_a == best else -1
        low, high = sorted((sign * row.low, sign * row.high))
        rows.append(
            {
                "other": row.model_b if sign == 1 else row.model_a,
                "difference": sign * row.difference,
                "low": low,
                "high": high,
                "p": row.p_adjusted,
            }
        )
    return pd.DataFrame(rows).sort_values("difference", kind="stable")


def verdict_sentence(means, comparison, metric, confidence_level):
    """Say which model wins, by how much, and whether that is more than noise.

    `means` is a Series of the mean score over folds by model, `comparison` the table
    of `BenchmarkResult.compare`.
    """
    label, level = metric_name(metric), 100 * confidence_level
    known = means.dropna()
    if known.empty:
        return f"No model has a score for {label}."
    best = known.idxmax()
    top = number(known[best])
    if len(means) == 1:
        return f"{best} reaches a {label} of {top}, the mean over folds."
    if len(known) == 1:
        return f"Only {best} has a score for {label}: {top}."
    against = _oriented(comparison, best).dropna(subset=["difference"])
    if against["p"].isna().all():
        return (
            f"{best} has the highest {label}, {top}; one fold alone allows no test "
            "of the differences."
        )
    if len(means) == 2:
        return _between_two(
            best, known, against.iloc[0], label, level, confidence_level
        )
    clear = against["p"] < 1 - confidence_level
    parts = [f"{best} has the highest {label}, {top}."]
    for rows, words in (
        (against[clear], "More than noise is its lead over"),
        (against[~clear], "Not more than noise is its lead over"),
    ):
        if len(rows):
            others = "; ".join(
                f"{row.other} ({number(row.difference)}, {p_value(row.p)})"
                for row in rows.itertuples()
            )
            parts.append(f"{words} {others}.")
    parts.append("The p values allow for the number of pairs.")
    return " ".join(parts)


def _between_two(best, means, row, label, level, confidence_level):
    """Return the sentence for two models."""
    if row.difference == 0:
        return f"{best} and {row.other} are level: {label} {number(means[best])} each."
    figures = (
        f"{label} {number(means[best])} against {number(means[row.other])}, a "
        f"difference of {number(row.difference)} ({_interval(row, level)}, "
        f"{p_value(row.p)})"
    )
    if row.p < 1 - confidence_level:
        return f"{best} is better than {row.other} by more than noise: {figures}."
    return f"{best} is ahead of {row.other}, but not by more than noise: {figures}."
