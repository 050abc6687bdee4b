"""Images that stay in their files until they are asked for: zarr, HDF5, paths."""

from collections.abc import Callable, Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from emclassify.readers._pixel_size import PixelSize

__all__ = [
    "StoredImages",
    "holds_paths",
    "is_stored",
    "stated_pixel_sizes",
    "take_rows",
]

# Read at a time where all images are passed through, at most.
_BYTES_PER_READ = 2**25
_IMAGE_STACK = "emclassify.readers._image_stack"


def holds_paths(X: object) -> bool:
    """Whether X is a list or 1-D array of paths of files."""
    if isinstance(X, np.ndarray):
        if X.ndim != 1 or X.dtype.kind not in "UO":
            return False
    elif not isinstance(X, list | tuple):
        return False
    return len(X) > 0 and all(isinstance(path, str | PathLike) for path in X)


def is_stored(X: object) -> bool:
    """Whether X is an array of zarr or h5py, an `ImageStack`, or holds paths."""
    # By the module's name: none of them need be imported.
    module = type(X).__module__
    by_rows = module.partition(".")[0] in ("zarr", "h5py") or module == _IMAGE_STACK
    return (by_rows and hasattr(X, "shape")) or holds_paths(X)


class StoredImages:
    """A stack of images that are read by rows, and never all at once.

    Parameters
    ----------
    X : zarr.Array, h5py.Dataset, ImageStack, or list or 1-D array of paths
    check : callable
        Turns what was read, an array, into images (n, height, width, channels), or
        raises ValueError.

    Attributes
    ----------
    shape : tuple of 4 int
        (n, height, width, channels), by the first image.
    dtype : numpy dtype
        Of the first image.
    """

    def __init__(self, X: Any, check: Callable[[np.ndarray], np.ndarray]) -> None:
        self.paths = [fspath(path) for path in X] if holds_paths(X) else None
        self._source = X
        self._check = check
        first = self._images_at(np.arange(1))
        n = X.shape[0] if self.paths is None else len(self.paths)
        self.shape = (n, *first.shape[1:])
        self.dtype = first.dtype
        self.ndim = 4

    def __len__(self) -> int:
        """Count the images."""
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Read (k, height, width, channels) at a slice or an array of rows."""
        if isinstance(rows, int | np.integer):
            return self[np.array([rows])][0]
        if isinstance(rows, slice):
            rows = np.arange(len(self))[rows]
        if not len(rows):
            return np.empty((0, *self.shape[1:]), self.dtype)
        # Each image once, in the order of the storage, which is what it is quick at.
        rows, where = np.unique(np.asarray(rows), return_inverse=True)
        images = self._images_at(rows)
        self._compare(rows[0], images[0], slice(None))
        return images if np.array_equal(where, np.arange(len(rows))) else images[where]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read all images, a few at a time; those in files may differ in size."""
        if self.paths is not None:
            for row in range(len(self)):
                image = self._images_at(np.array([row]))[0]
                self._compare(row, image, slice(2, None))
                yield image
            return
        size = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        step = max(1, _BYTES_PER_READ // size)
        for start in range(0, len(self), step):
            yield from self[start : start + step]

    def _images_at(self, rows: np.ndarray) -> np.ndarray:
        """Read the images at `rows`, which rise, and check them."""
        if self.paths is None:
            images = _rising_rows(self._source, rows)
        else:
            read = [self._read(row) for row in rows]
            for row, image in zip(rows, read, strict=True):
                if (image.shape, image.dtype) != (read[0].shape, read[0].dtype):
                    raise self._differ(row, image, rows[0], read[0])
            images = np.stack(read)
        self._refuse_non_finite(rows, images)
        return self._check(images)

    def _refuse_non_finite(self, rows: np.ndarray, images: np.ndarray) -> None:
        """Raise by the number among all images, not among those read at a time."""
        if images.dtype.kind != "f" or np.isfinite(images).all():
            return
        for row, image in zip(rows, images, strict=True):
            for what, found in (("NaN", np.isnan), ("infinity", np.isinf)):
                if found(image).any():
                    raise ValueError(
                        f"{self._name(row)} contains {what}. Mend this image, or leave "
                        "it out of X and y."
                    )

    def _compare(self, row: int, image: np.ndarray, axes: slice) -> None:
        """Raise unless an image has the type of the first and its sizes along axes."""
        if image.shape[axes] != self.shape[1:][axes] or image.dtype != self.dtype:
            raise self._differ(row, image, 0, self[0])

    def _differ(
        self, row: int, image: np.ndarray, other_row: int, other: np.ndarray
    ) -> ValueError:
        advice = "Channels must be the same."
        if image.dtype != other.dtype:
            advice = (
                "Their grey values are not on one scale: convert the files to one type."
            )
        elif image.shape[2:] == other.shape[2:]:
            advice = (
                "Bring images of different sizes to one with "
                "emclassify.preprocessing.ResizeImages, or to one pixel size with "
                "PixelSizeScaler."
            )
        return ValueError(
            f"{self._name(row)} has shape {image.shape} and type {image.dtype}; "
            f"{self._name(other_row)} has {other.shape} and {other.dtype}. {advice}"
        )

    def _read(self, row: int) -> np.ndarray:
        # Not above: readers are slow to import, and most images come as arrays.
        from emclassify.readers._formats import open_image_file
        from emclassify.readers._read_errors import UnclearFileError, reason_of

        path = Path(self.paths[row])
        try:
            with open_image_file(path) as file:
                return np.array(file.read())
        except ImportError as error:
            raise ImportError(f"{self._name(row)}: {error}") from error
        except UnclearFileError as error:
            raise ValueError(
                f"{self._name(row)} can't be read as an image: {error.fact}. Here a "
                "file has to hold one image, and to say so: read one with "
                "emclassify.readers.read_image, or all with "
                "emclassify.open_image_stack, and pass these."
            ) from error
        except Exception as error:
            # Readers raise many things; each is a file that can't be had.
            reason = reason_of(error, path)
            raise ValueError(
                f"{self._name(row)} can't be read as an image: {reason}. Leave it out "
                "of X and y, or mend it."
            ) from error

    def _name(self, row: int) -> str:
        return f"X[{row}]" if self.paths is None else f"X[{row}] ({self.paths[row]})"


def take_rows(X: Any, rows: np.ndarray) -> np.ndarray:
    """Return rows of an array of zarr or h5py, in any order.

    They themselves want rising ones.

    Parameters
    ----------
    X : zarr.Array, h5py.Dataset or ImageStack
    rows : ndarray of int, or of bool of shape (n,)
    """
    rows = np.asarray(rows)
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    if not len(rows):
        return np.empty((0, *X.shape[1:]), X.dtype)
    rows, where = np.unique(rows, return_inverse=True)
    return _rising_rows(X, rows)[where]


def _rising_rows(X, rows):
    """Return rows that rise, of what is read quickest in one piece."""
    if rows[-1] - rows[0] == len(rows) - 1:
        return np.asarray(X[int(rows[0]) : int(rows[-1]) + 1])
    return np.asarray(getattr(X, "oindex", X)[rows])


def stated_pixel_sizes(X: Any) -> "list[PixelSize | None] | None":
    """Return a `PixelSize` or None for each of the images that X stands for.

    None alone where X is neither paths nor an `ImageStack`.
    """
    if holds_paths(X):
        from emclassify.readers._formats import open_image_file

        sizes = []
        for path in X:
            with open_image_file(Path(path)) as file:
                sizes.append(file.locate(None)[0].oriented_pixel_size())
        return sizes
    if hasattr(X, "stated_pixel_size"):
        return [X.stated_pixel_size] * len(X)
    return None
