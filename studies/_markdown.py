"""Pages of paragraphs and tables, as Markdown."""

from collections.abc import Iterable
from math import isnan
from typing import Any

import pandas as pd

__all__ = ["as_markdown", "numbers_as_text", "run_line", "table_as_markdown"]


def as_markdown(blocks: Iterable[tuple[str, Any]]) -> str:
    """Return blocks as Markdown.

    Parameters
    ----------
    blocks : iterable of (kind, content)
        Kinds are "h1", "h2" and "p", with text, and "table", with a DataFrame of text.
    """
    heads = {"h1": "# ", "h2": "## ", "p": ""}
    return (
        "\n\n".join(
            table_as_markdown(content) if kind == "table" else heads[kind] + content
            for kind, content in blocks
        )
        + "\n"
    )


def table_as_markdown(table: pd.DataFrame) -> str:
    """Return a table of text, without its index."""
    rows = [table.columns, ["---"] * table.shape[1], *table.to_numpy()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def numbers_as_text(table: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """Return a table of numbers as text, its index first; NaN is a fit that failed.

    A tuple is a value with the limits of its interval, which are left out if NaN.
    """

    def as_text(cell: float | tuple[float, float, float]) -> str:
        value, *ends = cell if isinstance(cell, tuple) else (cell,)
        if isnan(value):
            return "failed"
        shown, *limits = (f"{number:.{digits}f}" for number in (value, *ends))
        known = limits and not any(isnan(end) for end in ends)
        return f"{shown} [{', '.join(limits)}]" if known else shown

    text = table.map(as_text)
    text.insert(0, "", [str(name) for name in table.index])
    return text


def run_line(record: dict[str, Any]) -> str:
    """Return how and where something was run."""
    versions = ", ".join(f"{name} {v}" for name, v in record["versions"].items())
    return (
        f"Run as `{record['command']}` on {record['machine']}, "
        f"{record['started']}, {record['seconds']:,.0f} s. {versions}."
    )
