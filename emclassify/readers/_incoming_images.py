"""The images in a folder, also those that are still to come."""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emclassify.readers._formats import SINGLE_SUFFIXES, SUFFIXES, format_named
from emclassify.readers._image_file import finish_image, read_images
from emclassify.readers._image_listing import find_files, natural_key
from emclassify.readers._image_stack import ImageStack
from emclassify.readers._pixel_size import PixelSize

__all__ = ["IncomingImages", "ReadAs"]

# Looks at an unchanged file that can't be read, before it is given up.
_PATIENCE = 5
# Of a stack, read at a time.
_BYTES_PER_READ = 2**25


@dataclass(frozen=True)
class ReadAs:
    """How files are read: the parameters of `read_image`."""

    page: int | None = None
    format: str | None = None
    dataset: str | None = None
    axes: str | None = None
    orient: bool = True
    as_gray: bool = False


class IncomingImages:
    """Iterate over the images in a folder: pairs (file, index), image.

    Where the folder is watched, a file is read when it has not changed between two
    looks. One that can't be read then is tried again at the next looks, because a
    writer may have paused, and once more whenever it changes. Stacks may grow, between
    openings by their writer.

    Parameters
    ----------
    folder : Path
    read_as : ReadAs
        How files are read.
    done : dict of str to set of int
        Which images of a file are done, by index. The iterator adds to it.
    interval : float or None
        Seconds between looks; None looks once, and takes all files as they are.
    report : callable
        Called with (file, error) of a file that is given up.
    fits : callable, default=None
        Called with an array of images; returns why they can't be taken, or nothing.
        Without it, all must have the type of number of the first.

    Attributes
    ----------
    pixel_size : PixelSize or None
        Of the image that was given out last.
    """

    def __init__(
        self,
        folder: Path,
        read_as: ReadAs,
        done: dict[str, set[int]],
        interval: float | None,
        report: Callable[[str, Exception], Any],
        fits: Callable[[np.ndarray], str] | None = None,
    ) -> None:
        self.folder = folder
        self.read_as = read_as
        self.pixel_size: PixelSize | None = None
        # Type of number of the first image, and the file that it was in.
        self._type: tuple[np.dtype, str] | None = None
        self.done = done
        self.interval = interval
        self.report = report
        self.fits = fits
        # File: size and time of its last change, as of the last look.
        self._seen = {}
        # Stack that was read, or file that was given up: the same of that time.
        self._finished = {}
        # File that can't be read: the same, and for how many looks.
        self._failures = {}
        # Folders that may not be read, and files whose names are none.
        self._closed = set()

    def __iter__(self) -> Iterator[tuple[tuple[str, int], np.ndarray] | None]:
        """Yield ((file, index), image), and None when there is nothing more for now."""
        while True:
            start = time.monotonic()
            for file, state in self._ready_files():
                yield from self._read(file, state)
            yield None
            if self.interval is None:
                return
            time.sleep(max(0.0, start + self.interval - time.monotonic()))

    def _ready_files(self) -> list[tuple[str, tuple[int, int]]]:
        """Return (file, state) of the files to read now, in natural order."""
        ready, changing = [], {}
        for file in find_files(
            self.folder, self._suffixes(), leave_out=self._leave_out
        ):
            if not self._may_grow(file) and self._index() in self.done.get(file, ()):
                continue
            try:
                status = os.stat(self.folder / file)
                state = status.st_size, status.st_mtime_ns
            except OSError:
                if self._is_gone(file):
                    continue
                # To read it says what is wrong.
                state = 0, 0
            if self._finished.get(file) == state:
                continue
            if self.interval is None or self._seen.get(file) == state:
                ready.append((file, state))
            changing[file] = state
        self._seen = changing
        self._failures = {f: n for f, n in self._failures.items() if f in changing}
        return sorted(ready, key=lambda pair: natural_key(pair[0]))

    def _leave_out(self, name: str, error: Exception) -> None:
        """Report what `find_files` leaves out, once."""
        gone = self.interval is not None and isinstance(error, FileNotFoundError)
        if name not in self._closed and not gone:
            self._closed.add(name)
            self.report(name, error)

    def _read(
        self, file: str, state: tuple[int, int]
    ) -> Iterator[tuple[tuple[str, int], np.ndarray]]:
        """Yield the images of a file that are not done."""
        try:
            yield from self._images(file)
        except MemoryError:
            raise
        except Exception as error:
            # Decoders of damaged files raise errors of any kind.
            if self._is_gone(file) or not self._give_up(file, state, error):
                return
            self._finished[file] = state
            self.report(file, error)
        else:
            if self._may_grow(file):
                self._finished[file] = state

    def _is_gone(self, name: str) -> bool:
        """Whether nothing is left of a file that was there; only a watch may miss it.

        A link to nothing is left.
        """
        if self.interval is None:
            return False
        try:
            os.lstat(self.folder / name)
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False

    def _give_up(self, file: str, state: tuple[int, int], error: Exception) -> bool:
        """Count a failure; return whether it was the last that is waited for."""
        if self.interval is None or isinstance(error, ImportError):
            return True
        before, times = self._failures.get(file, (None, 0))
        times = times + 1 if before == state else 1
        self._failures[file] = state, times
        return times >= _PATIENCE

    def _suffixes(self) -> tuple[str, ...]:
        name = self.read_as.format
        return SUFFIXES if name is None else format_named(name).suffixes

    def _may_grow(self, file: str) -> bool:
        return self.read_as.page is None and not file.lower().endswith(SINGLE_SUFFIXES)

    def _index(self) -> int:
        """Return which image of a file is taken where it is one alone."""
        return self.read_as.page or 0

    def _images(self, file: str) -> Iterator[tuple[tuple[str, int], np.ndarray]]:
        if "\n" in file or "\r" in file:
            raise ValueError("its name has a line break, and a row has one line")
        path, options = self.folder / file, self.read_as
        if not self._may_grow(file):
            ((image, size),) = read_images(path, **vars(options))
            self._compare(image[np.newaxis], file)
            self.done.setdefault(file, set()).add(self._index())
            self.pixel_size = size
            yield (file, self._index()), image
            return
        with ImageStack(
            path, options.dataset, options.axes, options.format, options.orient
        ) as stack:
            size = max(1, int(np.prod(stack.shape[1:])) * stack.dtype.itemsize)
            step = max(1, _BYTES_PER_READ // size)
            done = self.done.setdefault(file, set())
            start = next(i for i in itertools.count() if i not in done)
            for first in range(start, len(stack), step):
                images = stack[first : first + step]
                if options.as_gray:
                    grey = [
                        finish_image(image, as_gray=True, image_shape=None)
                        for image in images
                    ]
                    images = np.stack(grey)
                self._compare(images, file)
                for index, image in enumerate(images, first):
                    if index in done:
                        continue
                    done.add(index)
                    self.pixel_size = stack.stated_pixel_size
                    yield (file, index), image

    def _compare(self, images: np.ndarray, file: str) -> None:
        """Raise unless greys are on the scale that is asked for."""
        if self.fits is not None:
            if why := self.fits(images):
                raise ValueError(why)
            return
        if self._type is None:
            self._type = (images.dtype, file)
        known, first = self._type
        if images.dtype != known:
            raise ValueError(
                f"its pixels are {images.dtype}, those of {first} {known}: their grey "
                "values are not on one scale"
            )
