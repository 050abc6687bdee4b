"""An array that lies in a file as in memory, read by rows.

A memory map would do the same, but what is read through one counts as memory of the
process until it is closed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["ArrayInFile"]


class ArrayInFile:
    """Images of one shape and type, one after the other in a file.

    Parameters
    ----------
    path : Path
    offset : int
        Byte at which the first one begins.
    shape : sequence of int
    dtype : numpy dtype
    """

    def __init__(
        self, path: Path, offset: int, shape: Sequence[int], dtype: Any
    ) -> None:
        self.shape, self.dtype = tuple(int(side) for side in shape), np.dtype(dtype)
        self.ndim = len(self.shape)
        self._path, self._offset = path, int(offset)
        self._size = int(np.prod(self.shape[1:], dtype=np.int64))
        end = self._offset + self._size * self.shape[0] * self.dtype.itemsize
        if path.stat().st_size < end:
            raise ValueError(
                f"it has {path.stat().st_size} bytes, and its header speaks of {end}: "
                "it is cut short"
            )

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        rows, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(rows, int | np.integer):
            images = self._read(range(len(self))[rows], 1)[0]
            return images[tuple(rest)] if rest else images
        numbers = np.arange(len(self))[rows]
        # Runs of neighbours are read at once.
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
        if len(numbers) and not len(breaks):
            images = self._read(int(numbers[0]), len(numbers))
            return images[(slice(None), *rest)] if rest else images
        images = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        for run in np.split(np.arange(len(numbers)), breaks):
            if len(run):
                images[run[0] : run[-1] + 1] = self._read(
                    int(numbers[run[0]]), len(run)
                )
        return images[(slice(None), *rest)] if rest else images

    def _read(self, start: int, n: int) -> np.ndarray:
        offset = self._offset + start * self._size * self.dtype.itemsize
        values = np.fromfile(self._path, self.dtype, n * self._size, offset=offset)
        if len(values) < n * self._size:
            raise ValueError(f"{self._path} was cut short while it was read.")
        return values.reshape(n, *self.shape[1:])
