"""CSV tables whose cells are text, whatever they look like."""

import io
import os
import warnings

import numpy as np
import pandas as pd

__all__ = ["parse_text_table", "read_text_table", "what_is_wrong"]


def read_text_table(
    path: str | os.PathLike[str],
    *,
    mark_empty: bool = False,
    content: bytes | None = None,
) -> pd.DataFrame:
    """Return a CSV table as text: a class may be called "NA", "01" or "1e3".

    Parameters
    ----------
    path : str or path-like
    mark_empty : bool, default=False
        Whether an empty cell is NaN, not an empty text.
    content : bytes, default=None
        What is in the file, where it has been read. Default: it is read now.

    Raises
    ------
    ValueError
        If the file is no such table, by its name; if a row has more cells than the
        header. Empty ones at the end don't count.
    """
    try:
        return parse_text_table(path, mark_empty=mark_empty, content=content)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{os.fspath(path)} cannot be read as a CSV table: {what_is_wrong(error)}."
        ) from error


def parse_text_table(
    path: str | os.PathLike[str],
    *,
    mark_empty: bool = False,
    content: bytes | None = None,
) -> pd.DataFrame:
    """Return what `read_text_table` does; errors don't name the file."""
    options = {
        "dtype": str,
        "keep_default_na": False,
        "na_values": [""] if mark_empty else None,
    }

    def source() -> str | os.PathLike[str] | io.BytesIO:
        return path if content is None else io.BytesIO(content)

    table = pd.read_csv(source(), **options)
    if isinstance(table.index, pd.RangeIndex):
        return table
    # pandas took the first cells of each row for its name, and shifted the others.
    more, named = table.index.nlevels, table.shape[1]
    cells = table.reset_index().iloc[:, named:]
    full = np.flatnonzero((cells.notna() & cells.ne("")).any(axis=1))
    if len(full):
        raise ValueError(
            f"row {full[0] + 1} has {named + more} cells, and the header {named} (row "
            "1 comes after the header)"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        return pd.read_csv(source(), index_col=False, **options)


def what_is_wrong(error: Exception) -> str:
    """Return what an error says of a table, in one line without path and end."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. ")
    return text.removeprefix("C error: ").rstrip(".") or type(error).__name__
