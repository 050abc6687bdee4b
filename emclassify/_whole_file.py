"""Files that are written as a whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["whole_file", "whole_folder", "whole_path"]


@contextmanager
def whole_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path beside another; what is written there takes its place at the end.

    If something is raised, what was written is removed, and `path` is as it was.

    Parameters
    ----------
    path : str or path-like

    Yields
    ------
    Path
        In the same folder. There is no file yet.

    Raises
    ------
    FileExistsError
        If `path` is a device, pipe or socket, whose place no file may take.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise FileExistsError(f"{path} is no regular file: name another.")
    beside = _beside(path)
    # Of a killed process that had the same number.
    beside.unlink(missing_ok=True)
    try:
        yield beside
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder beside another; what is written there is moved at the end.

    If something is raised, what was written is removed, and `path` is as it was.

    Parameters
    ----------
    path : str or path-like
        Its files stay where it is there, but those of the same name.

    Yields
    ------
    Path
        In the same folder, and empty.
    """
    path = Path(path).absolute()
    beside = _beside(path)
    # Of a killed process that had the same number.
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        if not path.exists():
            beside.rename(path)
            return
        for file in [file for file in beside.rglob("*") if file.is_file()]:
            place = path / file.relative_to(beside)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, place)
        shutil.rmtree(beside)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for bytes that takes its place, or another's, when it is complete.

    Parameters
    ----------
    path : str or path-like

    Yields
    ------
    file
        Open for writing bytes.
    """
    with whole_path(path) as beside, open(beside, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _beside(path: Path) -> Path:
    """Return where something is written until it is complete."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")
