"""CSV tables whose cells are text, whatever they look like."""

import bz2
import csv
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

__all__ = [
    "TABLE_SUFFIXES",
    "parse_text_table",
    "read_text_table",
    "refuse_packed",
    "table_bytes",
    "table_stem",
    "what_is_wrong",
]

_UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
_PACKED = (*_UNPACK, ".zip", ".zst")
# Of the files that are read.
TABLE_SUFFIXES = (".csv", *(f".csv{packed}" for packed in _UNPACK))
# What files begin with that are no text in UTF-8.
_NO_TEXT = {
    b"PK\x03\x04": "a zip archive or a workbook",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard",
    b"\x1f\x8b": "packed with gzip",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_OTHER_COMMAS = {";": "semicolons", "\t": "tabs"}


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
        What `table_bytes` has returned. Default: it is read now.

    Raises
    ------
    ValueError
        If the file is no such table, by its name; if two columns have one name; if a
        row has more or fewer cells than the header, by its line. More that are empty,
        at the end, don't count.
    """
    try:
        return parse_text_table(path, mark_empty=mark_empty, content=content)
    except ValueError as error:
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
        content = _unpacked(path)
    rows = _rows(content)
    _, header = next(rows, (0, []))
    _check_header(header)
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


def table_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return what is in the file of a table, unpacked if its name says it is packed."""
    try:
        return _unpacked(path)
    except ValueError as error:
        raise ValueError(
            f"{os.fspath(path)} cannot be read as a CSV table: {what_is_wrong(error)}."
        ) from error


def _unpacked(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        content = file.read()
    suffix = os.path.splitext(path)[1].lower()
    if suffix not in _UNPACK:
        return content
    try:
        return _UNPACK[suffix](content)
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise ValueError(
            f"it can't be unpacked as {suffix}, which its name says: {error}"
        ) from error


def table_stem(path: Path) -> str:
    """Return the name of a table's file without what says its kind, ann of ann.csv.gz.

    Parameters
    ----------
    path : Path
    """
    return path.stem.removesuffix(".csv")


def refuse_packed(path: str | os.PathLike[str]) -> None:
    """Raise ValueError if a table that is to be written is named as a packed one."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in _PACKED:
        raise ValueError(
            f"{os.fspath(path)}: tables are written as plain text, which nobody could "
            f"unpack as {suffix}. Give a name that ends in .csv."
        )


def _check_header(header: list[str]) -> None:
    for name in filter(None, header):
        if header.count(name) > 1:
            raise ValueError(
                f"it has more than one column {name!r}: rename them, or remove all but "
                "one"
            )
    for mark, words in _OTHER_COMMAS.items():
        if len(header) == 1 and mark in header[0]:
            raise ValueError(
                f"its header has {words} and no comma: {header[0]!r:.80}. Save it with "
                "commas between cells"
            )


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the line where a row begins, from 1, and its cells; of the header too."""
    rows = csv.reader(io.StringIO(_decoded(content), newline=""))
    line = 1
    try:
        for row in rows:
            if row and (len(row) > 1 or row[0].strip()):
                yield line, row
            line = rows.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {line}: {error}") from error


def _decoded(content: bytes) -> str:
    for start, kind in _NO_TEXT.items():
        if content.startswith(start):
            raise ValueError(f"it is {kind}: save it as CSV in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"line {line} is not in UTF-8: save it as CSV in UTF-8"
        ) from error


def what_is_wrong(error: Exception) -> str:
    """Return what an error says of a table, in one line without path and end."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. ")
    return text.removeprefix("C error: ").rstrip(".") or type(error).__name__
