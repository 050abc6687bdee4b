"""The images in a folder, also those that are still to come."""

import os
import time

from emclassify.readers import open_image_stack
from emclassify.readers._image_file import SUFFIXES, read_image
from emclassify.readers._image_listing import find_files, natural_key

__all__ = ["STACK_SUFFIXES", "IncomingImages"]

STACK_SUFFIXES = (".h5", ".hdf5", ".cxi")
# Looks at an unchanged file that can't be read, before it is given up.
_PATIENCE = 5
# Of a stack, read at a time.
_BYTES_PER_READ = 2**25


class IncomingImages:
    """Iterate over the images in a folder: pairs (file, index), image.

    Where the folder is watched, a file is read when it has not changed between two
    looks. One that can't be read then is tried again at the next looks, because a
    writer may have paused, and once more whenever it changes. Stacks may grow, between
    openings by their writer.

    Parameters
    ----------
    folder : Path
    dataset : str
        Name of the stack in HDF5 files.
    next_index : dict of str to int
        How many images of a file are done. The iterator changes it.
    interval : float or None
        Seconds between looks; None looks once, and takes all files as they are.
    report : callable
        Called with (file, reason) of a file that is given up.
    """

    def __init__(self, folder, dataset, next_index, interval, report):
        self.folder = folder
        self.dataset = dataset
        self.next_index = next_index
        self.interval = interval
        self.report = report
        # File: size and time of its last change, as of the last look.
        self._seen = {}
        # Stack that was read, or file that was given up: the same of that time.
        self._finished = {}
        # File that can't be read: the same, and for how many looks.
        self._failures = {}

    def __iter__(self):
        """Yield ((file, index), image), and None when there is nothing more for now."""
        while True:
            start = time.monotonic()
            for file, state in self._ready_files():
                yield from self._read(file, state)
            yield None
            if self.interval is None:
                return
            time.sleep(max(0.0, start + self.interval - time.monotonic()))

    def _ready_files(self):
        """Return (file, state) of the files to read now, in natural order."""
        ready, changing = [], {}
        for file in find_files(self.folder, (*SUFFIXES, *STACK_SUFFIXES)):
            if file in self.next_index and not _is_stack(file):
                continue
            try:
                status = os.stat(self.folder / file)
            except FileNotFoundError:
                continue
            state = status.st_size, status.st_mtime_ns
            if self._finished.get(file) == state:
                continue
            if self.interval is None or self._seen.get(file) == state:
                ready.append((file, state))
            changing[file] = state
        self._seen = changing
        self._failures = {f: n for f, n in self._failures.items() if f in changing}
        return sorted(ready, key=lambda pair: natural_key(pair[0]))

    def _read(self, file, state):
        """Yield the images of a file that are not done."""
        try:
            yield from self._images(file)
        except (ImportError, MemoryError):
            raise
        except Exception as error:
            # Decoders of damaged files raise errors of any kind.
            if not (self.folder / file).exists() or not self._give_up(file, state):
                return
            self._finished[file] = state
            self.report(file, str(error) or type(error).__name__)
        else:
            if _is_stack(file):
                self._finished[file] = state

    def _give_up(self, file, state):
        """Count a failure; return whether it was the last that is waited for."""
        if self.interval is None:
            return True
        before, times = self._failures.get(file, (None, 0))
        times = times + 1 if before == state else 1
        self._failures[file] = state, times
        return times >= _PATIENCE

    def _images(self, file):
        if "\n" in file or "\r" in file:
            raise ValueError("its name has a line break, and a row has one line")
        path = self.folder / file
        if not _is_stack(file):
            image = read_image(path, as_gray=False, image_shape=None)
            self.next_index[file] = 1
            yield (file, 0), image
            return
        with open_image_stack(path, self.dataset) as stack:
            size = max(1, int(stack.dtype.itemsize * stack.shape[1] * stack.shape[2]))
            step = max(1, _BYTES_PER_READ // size)
            start = self.next_index.get(file, 0)
            for first in range(start, len(stack), step):
                for index, image in enumerate(stack[first : first + step], first):
                    self.next_index[file] = index + 1
                    yield (file, index), image


def _is_stack(file):
    return file.lower().endswith(STACK_SUFFIXES)
