"""Which file a micrograph in a table is, and which table belongs to a micrograph."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from emclassify._spelling import composed
from emclassify._words import name_some
from emclassify.readers._formats import SUFFIXES, format_named
from emclassify.readers._image_listing import LeaveOut, list_files, may_be_there

__all__ = ["Located", "Micrographs", "list_tables", "read_each"]

_TABLES = (".star", ".cs", ".box", ".csv")
# cryoSPARC's number of an imported file.
_NUMBER = re.compile(r"^\d{6,}_")


@dataclass
class Located:
    """Where the micrographs of a table's rows are.

    Parameters
    ----------
    of_row : dict
        File of each row.
    rows : dict
        Rows of each file.
    missing : dict
        Why a name was not found.
    """

    of_row: dict[int, Path] = field(default_factory=dict)
    rows: dict[Path, list[int]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[str, str] = field(default_factory=dict)


class Micrographs:
    """Files of micrographs, to be found by what tables call them.

    Parameters
    ----------
    given : path or sequence of paths
        A folder, a file or files.
    format : str or None
        Only files named so are searched.
    leave_out : callable, default=None
        As `find_files` has it.
    """

    def __init__(
        self, given: Any, format: str | None, leave_out: LeaveOut | None = None
    ) -> None:
        self.folder: Path | None = None
        if isinstance(given, str | os.PathLike):
            path = Path(given)
            if not may_be_there(path):
                raise FileNotFoundError(f"micrographs={str(path)!r}: no such file.")
            if os.path.isdir(path) and path.suffix.lower() != ".zarr":
                suffixes = SUFFIXES if format is None else format_named(format).suffixes
                self.folder = path
                names = list_files(path, suffixes, leave_out=leave_out)
                self.files = [path / name for name in names]
            else:
                self.files = [path]
        else:
            self.files = [Path(path) for path in given]
        if not self.files:
            raise ValueError(f"micrographs={str(given)!r} holds no image.")
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for file in self.files:
            self._by_name[composed(file.name)].append(file)
            self._by_stem[_stem(file.name)].append(file)

    def name(self, file: Path) -> str:
        """Return the path below the folder, or the name."""
        if self.folder is not None and file.is_relative_to(self.folder):
            return file.relative_to(self.folder).as_posix()
        return file.name

    def find(self, name: str) -> Path:
        """Return the file that a table calls so.

        Raises
        ------
        FileNotFoundError
            If there is none.
        ValueError
            If there are several.
        """
        given = PurePosixPath(name.replace("\\", "/"))
        if self.folder is not None:
            place = self.folder / given
            if may_be_there(place) and not os.path.isdir(place):
                return place
        if Path(name) in self.files:
            return Path(name)
        own = composed(given.name)
        plain = _NUMBER.sub("", own)
        for key, known in (
            (own, self._by_name),
            (plain, self._by_name),
            (_stem(own), self._by_stem),
            (_stem(plain), self._by_stem),
        ):
            found = known.get(key, [])
            if len(found) == 1:
                return found[0]
            # Parts of the path may tell them apart.
            tail = composed(f"/{given}")
            tails = [f for f in found if composed(f.as_posix()).endswith(tail)]
            if len(tails) == 1:
                return tails[0]
            if found:
                raise ValueError(
                    f"The micrograph {name} of the table may be any of "
                    f"{name_some([str(file) for file in found], 3)}."
                )
        raise FileNotFoundError(
            f"The micrograph {name} of the table is not among the "
            f"{len(self.files)} of {self.folder or self.files[0].parent}."
        )

    def of_table(self, path: Path, n_tables: int) -> Path:
        """Return the micrograph that a table or a label mask is named after."""
        stem = _stem(path.name)
        fitting = [
            file
            for file in self.files
            if stem == _stem(file.name) or stem.startswith(f"{_stem(file.name)}_")
        ]
        if fitting:
            longest = max(len(_stem(file.name)) for file in fitting)
            fitting = [f for f in fitting if len(_stem(f.name)) == longest]
        if len(fitting) == 1:
            return fitting[0]
        if n_tables == len(self.files) == 1:
            return self.files[0]
        raise ValueError(
            f"{path} names no micrograph, and its own name is that of "
            f"{len(fitting) or 'none'} of them: name it as its micrograph."
        )

    def locate_all(self, names: Sequence[Any], on_error: str) -> Located:
        """Return the files of all rows."""
        located = Located()
        known: dict[str, Path | None] = {}
        for row, name in enumerate(names):
            if name is None or pd.isna(name):
                if len(self.files) > 1:
                    raise ValueError(
                        "The table has no column of micrographs, and there are "
                        f"{len(self.files)}: give one, or micrograph_column."
                    )
                name = str(self.files[0])
            name = str(name)
            if name not in known:
                try:
                    known[name] = self.find(name)
                except (FileNotFoundError, ValueError) as error:
                    if on_error == "raise":
                        raise
                    known[name] = None
                    located.missing[name] = str(error)
            file = known[name]
            if file is not None:
                located.of_row[row] = file
                located.rows[file].append(row)
        return located


def list_tables(
    particles: Any, leave_out: LeaveOut | None = None
) -> tuple[list[Path], list[Path]]:
    """Return (tables, label masks) of what a user calls particles.

    Folders that can't be read are `find_files`' errors, or `leave_out` is told.
    """
    if isinstance(particles, str | os.PathLike):
        path = Path(particles)
        if os.path.isdir(path) and path.suffix.lower() != ".zarr":
            names = list_files(path, (*_TABLES, *SUFFIXES), leave_out=leave_out)
            paths = [path / name for name in names]
        else:
            paths = [path]
    else:
        paths = [Path(path) for path in particles]
    tables = [path for path in paths if path.suffix.lower() in _TABLES]
    masks = [path for path in paths if path.suffix.lower() not in _TABLES]
    if not paths:
        raise ValueError(
            f"particles={str(particles)!r} holds neither tables nor masks."
        )
    if tables and masks:
        raise ValueError(
            f"particles mixes tables ({tables[0].name}) and label masks "
            f"({masks[0].name}): give one kind."
        )
    return tables, masks


def read_each(
    paths: Sequence[Path],
    read: Callable[[Path], Any],
    leave_out: LeaveOut | None,
) -> list[Any]:
    """Return what is read of each path.

    `leave_out` is told of (path, error) of those that can't be read, unless all of them
    can't; without it, that is an error.
    """
    found, refused = [], []
    for path in paths:
        try:
            found.append(read(path))
        except (OSError, ValueError) as error:
            if leave_out is None:
                raise
            refused.append((path, error))
    if refused and not found:
        raise refused[0][1]
    for path, error in refused:
        leave_out(str(path), error)
    return found


def _stem(name: str) -> str:
    """Return a name without its suffix, that of OME included, accents composed."""
    return composed(PurePosixPath(name).stem).removesuffix(".ome")
