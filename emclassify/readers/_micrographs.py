"""Which file a micrograph in a table is, and which table belongs to a micrograph."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from emclassify._words import name_some
from emclassify.readers._formats import SUFFIXES, format_named
from emclassify.readers._image_listing import find_files, natural_key

__all__ = ["Located", "Micrographs", "list_tables"]

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
    """

    def __init__(self, given: Any, format: str | None) -> None:
        self.folder: Path | None = None
        if isinstance(given, str | os.PathLike):
            path = Path(given)
            if not path.exists():
                raise FileNotFoundError(f"micrographs={str(path)!r}: no such file.")
            if path.is_dir() and path.suffix.lower() != ".zarr":
                suffixes = SUFFIXES if format is None else format_named(format).suffixes
                self.folder = path
                names = sorted(find_files(path, suffixes), key=natural_key)
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
            self._by_name[file.name].append(file)
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
        if self.folder is not None and (self.folder / given).is_file():
            return self.folder / given
        if Path(name) in self.files:
            return Path(name)
        plain = _NUMBER.sub("", given.name)
        for key, known in (
            (given.name, self._by_name),
            (plain, self._by_name),
            (_stem(given.name), self._by_stem),
            (_stem(plain), self._by_stem),
        ):
            found = known.get(key, [])
            if len(found) == 1:
                return found[0]
            # Parts of the path may tell them apart.
            tails = [f for f in found if f.as_posix().endswith(f"/{given}")]
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


def list_tables(particles: Any) -> tuple[list[Path], list[Path]]:
    """Return (tables, label masks) of what a user calls particles."""
    if isinstance(particles, str | os.PathLike):
        path = Path(particles)
        if path.is_dir() and path.suffix.lower() != ".zarr":
            names = sorted(find_files(path, (*_TABLES, *SUFFIXES)), key=natural_key)
            paths = [path / name for name in names]
        else:
            paths = [path]
    else:
        paths = [Path(path) for path in particles]
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"particles={str(path)!r}: no such file.")
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


def _stem(name: str) -> str:
    """Return a name without its suffix, that of OME included."""
    return PurePosixPath(name).stem.removesuffix(".ome")
