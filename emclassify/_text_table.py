"""CSV tables whose cells are text, whatever they look like."""

import bz2
import csv
import gzip
import io
import lzma
import os
from collections.abc import Iterator

import pandas as pd

__all__ = ["parse_text_table", "read_text_table", "what_is_wrong"]

_COMPRESSED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


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
        If the file is no such table, by its name; if a row has more or fewer cells than
        the header, by its line. More that are empty, at the end, don't count.
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
    if content is None:
        opened = _COMPRESSED.get(os.path.splitext(path)[1].lower(), open)
        with opened(path, "rb") as file:
            content = file.read()
    rows = _rows(content)
    _, header = next(rows, (0, []))
    table = pd.read_csv(
        io.BytesIO(content),
        dtype=str,
        keep_default_na=False,
        na_values=[""] if mark_empty else None,
        # Else pandas takes the first cells of longer rows for their name.
        index_col=False,
        usecols=range(len(header)) if header else None,
    )
    for line, row in rows:
        n = len(row)
        while n > len(header) and not row[n - 1]:
            n -= 1
        if n != len(header):
            # pandas would fill up shorter rows, and cut longer ones.
            raise ValueError(
                f"line {line} has {n} cell{'s' * (n != 1)} and the header "
                f"{len(header)}: {','.join(row)!r:.80}. Give each row as many, with "
                "nothing between commas where a cell is empty, and quotes round a cell "
                "that holds a comma"
            )
    return table


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the line where a row begins, from 1, and its cells; of the header too."""
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    line = 1
    try:
        for row in rows:
            if row and (len(row) > 1 or row[0].strip()):
                yield line, row
            line = rows.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {line}: {error}") from error


def what_is_wrong(error: Exception) -> str:
    """Return what an error says of a table, in one line without path and end."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. ")
    return text.removeprefix("C error: ").rstrip(".") or type(error).__name__
