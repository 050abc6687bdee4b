"""What a reader of a format says of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from emclassify.readers._image_series import ImageFile

__all__ = ["Format"]


@dataclass(frozen=True)
class Format:
    """How one format is found and opened.

    Parameters
    ----------
    name : str
        In lower case; what the parameter `format` takes.
    suffixes : tuple of str
        Of file names, in lower case, by which folders are searched.
    recognises : callable
        Tells by (first bytes, path) whether a file is of this format.
    open : callable
        Makes an `ImageFile` of (path, file, dataset, axes). The file is open at its
        start, or None for a folder; whoever keeps it closes it.
    stacks : bool
        Whether a file may hold more than one image, and may grow.
    takes : tuple of str
        Which of the parameters dataset and axes mean something here.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes, Path], bool]
    open: Callable[[Path, BinaryIO | None, str | None, str | None], ImageFile]
    stacks: bool = True
    takes: tuple[str, ...] = ()
