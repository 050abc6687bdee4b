"""Which images to read: from class folders, or from a table of labels."""

import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emclassify._spelling import as_stored, composed
from emclassify._text_table import read_text_table
from emclassify._words import name_some
from emclassify.readers._formats import SUFFIXES

# What archives and file systems leave behind, and never a class.
_LITTER = {
    "__macosx",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "thumbs.db",
    "desktop.ini",
}
# Recordings of TVIPS in several files, which are read with the first.
_PART = re.compile(r"(.*_)(\d{3})(\.tvips)", re.IGNORECASE)
# Folders that are arrays.
_ZARR = ".zarr"
# Told of a path and why what is there can't be read.
LeaveOut = Callable[[str, Exception], None]


def may_be_there(path: str | os.PathLike[str]) -> bool:
    """Whether something has this path, or nobody may look whether it has."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        # No permission, a loop of links, too long a name: to read it says which.
        return True
    return True


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key that puts image2 before image10."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), p) if p.isdecimal() else (-1, p) for p in parts]


def find_files(
    folder: Path,
    suffixes: Sequence[str],
    others: Counter | None = None,
    leave_out: LeaveOut | None = None,
) -> Iterator[str]:
    """Yield paths of the files below `folder` that are named so, relative to it.

    Hidden files and folders, and the litter of archives, are left alone.

    Parameters
    ----------
    folder : Path
    suffixes : sequence of str
        In lower case. A folder named .zarr counts as a file.
    others : Counter, default=None
        Counts files in folders below `folder` that are named otherwise, by suffix.
    leave_out : callable, default=None
        Called with (path, error) of a folder below `folder` that can't be read, such as
        one that its owner has closed or that is gone since its parent was looked at,
        and of a file whose path is not UTF-8. Default: the error is raised.
    """
    suffixes, seen = tuple(suffixes), set()

    def refuse(error: OSError) -> None:
        closed = Path(error.filename)
        reason = type(error)(f"the folder can't be read: {error.strerror}")
        if leave_out is None or closed == folder:
            raise type(error)(f"{closed} can't be read: {error.strerror}.") from error
        leave_out(closed.relative_to(folder).as_posix(), reason)

    for root, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        # A link to a folder above would go round for ever.
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if _is_wanted(name))
        arrays = [name for name in folders if name.lower().endswith(_ZARR)]
        if arrays:
            folders[:] = [name for name in folders if name not in arrays]
        inner = Path(root) != folder
        start = f"{Path(root).relative_to(folder).as_posix()}/" if inner else ""
        for name in [*files, *arrays]:
            if not _is_wanted(name):
                continue
            if name.lower().endswith(suffixes):
                if _goes_on(name, files):
                    continue
                shown = _printable(start + name)
                if shown == start + name:
                    yield shown
                    continue
                # Neither tables nor models nor pages can hold it.
                reason = "its name is not UTF-8: rename it"
                if leave_out is None:
                    raise ValueError(f"{folder / shown} can't be read: {reason}.")
                leave_out(shown, ValueError(reason))
            elif others is not None and inner:
                others[os.path.splitext(name)[1].lower() or "no suffix"] += 1


def _goes_on(name: str, files: Sequence[str]) -> bool:
    """Whether a file is a later part of a recording whose first part is there."""
    found = _PART.fullmatch(name)
    return bool(found) and int(found[2]) > 0 and f"{found[1]}000{found[3]}" in files


def _printable(path: str) -> str:
    """Return a path with an escape for each byte that is not UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _is_wanted(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in _LITTER


def list_files(
    folder: Path,
    suffixes: Sequence[str] = SUFFIXES,
    others: Counter | None = None,
    leave_out: LeaveOut | None = None,
) -> list[str]:
    """Return what `find_files` yields in natural order.

    Where that is nothing, and something can't be read, the first of it is an error.
    `leave_out` gets paths of folders that end in a slash.
    """
    refused: list[tuple[str, Exception]] = []
    skip = None if leave_out is None else lambda *one: refused.append(one)
    files = sorted(find_files(folder, suffixes, others, skip), key=natural_key)
    if refused and not files:
        name, error = refused[0]
        raise type(error)(f"{folder / name}: {error}.") from error
    for name, error in refused:
        leave_out(f"{name}/" if isinstance(error, OSError) else name, error)
    return files


def list_class_folders(
    path: Path,
    suffixes: Sequence[str] = SUFFIXES,
    *,
    leave_out: LeaveOut | None = None,
    stacklevel: int = 2,
) -> pd.DataFrame:
    """Return a frame (file, path, label) of the images in the folders of `path`.

    Warns of files that are passed over, by suffix. Folders that can't be read are
    `find_files`' errors, or `leave_out` is told.
    """
    others: Counter = Counter()
    files = list_files(path, suffixes, others, leave_out)
    counted = sorted(others.items(), key=lambda pair: (-pair[1], pair[0]))
    passed = ", ".join(f"{n} {suffix}" for suffix, n in counted)
    if not files:
        raise ValueError(
            f"{path} holds no images: no files named {', '.join(suffixes)} in it or in "
            f"folders below it{f' (there are {passed})' if passed else ''}."
        )
    loose = [name for name in files if "/" not in name]
    if loose:
        raise ValueError(
            f"{path} holds {len(loose)} images outside class folders, which have no "
            f"label: {name_some(loose, 3)}. Move them to {path}/<class>/, or give "
            "labels='labels.csv', a table of files and their labels."
        )
    named = {name.split("/")[0] for name in files}
    empty = [
        folder.name
        for folder in sorted(path.iterdir())
        # A link may lead to a folder seen before, or to none.
        if (not os.path.exists(folder) if folder.is_symlink() else folder.is_dir())
        and _is_wanted(folder.name)
        and folder.name not in named
    ]
    if empty:
        warnings.warn(
            f"No image in {name_some(empty)} of {path}: there is no such class.",
            stacklevel=stacklevel + 1,
        )
    if others:
        warnings.warn(
            f"{others.total()} file{'s' * (others.total() > 1)} in class folders of "
            f"{path} are not images by their names, and were passed over: {passed}.",
            stacklevel=stacklevel + 1,
        )
    return pd.DataFrame(
        {
            "file": files,
            "path": [path / name for name in files],
            "label": [composed(name.split("/")[0]) for name in files],
        }
    )


def _read_labels(labels: Any, path: Path) -> tuple[pd.DataFrame, str, Path]:
    """Return the label table, what to call it, and the folder it lies in."""
    if isinstance(labels, pd.DataFrame):
        return labels.reset_index(drop=True), "labels", path
    given = Path(labels)
    csv = given if given.is_file() else path / given
    if not csv.is_file():
        raise FileNotFoundError(f"labels={str(labels)!r}: no such file, nor {csv}.")
    return read_text_table(csv, mark_empty=True), str(csv), csv.parent


def locate(files: Sequence[str], folder: Path, beside: Path) -> list[Path]:
    """Return where the files of a table are: in a folder, or beside the table.

    One that is in neither is said to be in the folder.
    """
    paths = as_stored(folder / file for file in files)
    if beside.resolve() == folder.resolve():
        return paths
    return [
        other if may_be_there(other) and not may_be_there(path) else path
        for path, other in zip(
            paths, as_stored(beside / file for file in files), strict=True
        )
    ]


def refuse_twice(
    name: str | os.PathLike[str], files: Sequence[str], paths: Sequence[Path]
) -> None:
    """Raise ValueError if a table names a file twice.

    Parameters
    ----------
    name : str or path-like
        What to call the table.
    files : list of str
        As the table has them.
    paths : list of Path
        Where they are.
    """
    real = pd.Series([os.path.realpath(found) for found in paths], dtype=object)
    again = np.flatnonzero(real.duplicated())
    if len(again):
        first = np.flatnonzero(real == real[again[0]])[0]
        raise ValueError(
            f"{name} lists {len(again)} file{'s' * (len(again) > 1)} more than once, "
            f"first {files[again[0]]!r} in rows {first + 1} and {again[0] + 1}. Images "
            "must not be in a data set twice: remove one."
        )


def refuse_empty(name: str, column: str, empty: pd.Series) -> None:
    """Raise ValueError if rows of a table have nothing in a column.

    Parameters
    ----------
    name : str
        Of the table, for the message.
    column : str
    empty : Series of bool
        Whether the cell of each row is empty.
    """
    if empty.any():
        rows = [str(row) for row in np.flatnonzero(empty) + 1]
        raise ValueError(
            f"{name} has no {column!r} in row {name_some(rows, 3)} (row 1 comes "
            "after the header). Fill these cells or remove the rows."
        )


def list_table(
    path: Path,
    labels: Any,
    file_column: str,
    label_column: str,
    group_column: str | None,
) -> pd.DataFrame:
    """Return a frame (file, path, label, group) of a table's images, in its order."""
    table, name, folder = _read_labels(labels, path)
    parameters = {
        "file_column": file_column,
        "label_column": label_column,
        "group_column": group_column,
    }
    for parameter, column in parameters.items():
        if column is None:
            continue
        if column not in table.columns:
            raise ValueError(
                f"{name} has no column {column!r} ({parameter}). Its columns are "
                f"{', '.join(map(repr, table.columns))}."
            )
        refuse_empty(name, column, table[column].isna())
    if table.empty:
        raise ValueError(f"{name} lists no images: it has no rows.")
    files = table[file_column].astype(str).tolist()
    paths = locate(files, path, folder)
    refuse_twice(name, files, paths)
    columns = {"file": files, "path": paths}
    for column, name in (("label", label_column), ("group", group_column)):
        if name is not None:
            columns[column] = table[name].map(composed).to_numpy()
    return pd.DataFrame(columns)
