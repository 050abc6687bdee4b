"""Files that are written as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["whole_file", "whole_path"]


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
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    # Of a killed process that had the same number.
    beside.unlink(missing_ok=True)
    try:
        yield beside
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
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
