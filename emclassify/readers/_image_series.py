"""What an image file holds, read or still to be read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from emclassify.readers._pixel_size import PixelSize
from emclassify.readers._read_errors import UnclearFileError

__all__ = [
    "ImageFile",
    "Rows",
    "Series",
    "orient_image",
    "refuse_implausible",
    "rows_of",
]

# Above this, what a file claims to hold is compared with its size.
_LARGE = 2**30
_MOST_COMPRESSED = 10_000


class Rows:
    """Images of one shape and type that are read one by one when asked for.

    Parameters
    ----------
    shape : tuple of int
        (n, height, width) or (n, height, width, channels).
    dtype : numpy dtype
    read : callable
        Returns image number i.
    """

    def __init__(
        self,
        shape: Sequence[int],
        dtype: Any,
        read: Callable[[int], np.ndarray],
    ) -> None:
        self.shape = tuple(int(side) for side in shape)
        self.dtype = np.dtype(dtype)
        self._read = read

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        if isinstance(rows, int | np.integer):
            return self._read(range(len(self))[rows])
        rows = np.arange(len(self))[rows]
        images = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for i, row in enumerate(rows):
            images[i] = self._read(int(row))
        return images


@dataclass(frozen=True)
class Series:
    """Images of one shape and type in a file.

    Parameters
    ----------
    images : array or lazy array
        (n, height, width) or (n, height, width, channels): an ndarray, a memmap, an
        array of h5py or zarr, or `Rows`.
    name : str
        What the file calls it.
    pixel_size : PixelSize or None
        As the file states it, before the image is turned.
    orientation : int
        How to turn the images, 1 to 8 as EXIF and TIFF have it.
    channels : tuple of str
        Names of the channels, where the file has them.
    """

    images: Any
    name: str = ""
    pixel_size: PixelSize | None = None
    orientation: int = 1
    channels: tuple[str, ...] = ()

    def oriented_pixel_size(self, orient: bool = True) -> PixelSize | None:
        """Return the pixel size of the images as they are given out."""
        turned = orient and self.orientation >= 5 and self.pixel_size is not None
        return self.pixel_size.turned() if turned else self.pixel_size

    def oriented_shape(self, orient: bool = True) -> tuple[int, ...]:
        """Return the shape of one image as it is given out."""
        height, width, *rest = self.images.shape[1:]
        turned = orient and self.orientation >= 5
        return (width, height, *rest) if turned else (height, width, *rest)


@dataclass
class ImageFile:
    """An open file of images.

    Parameters
    ----------
    path : Path
    format : str
        Name of its format.
    series : list of Series
    close : callable
        Closes the file.
    """

    path: Path
    format: str
    series: list[Series]
    close: Callable[[], None] = field(default=lambda: None)

    def __len__(self) -> int:
        return sum(series.images.shape[0] for series in self.series)

    def __enter__(self) -> "ImageFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def describe(self) -> str:
        """Return '2 images of 64×64 uint16 and 1 of 8×8×3 uint8'."""
        counts: dict[str, int] = {}
        for series in self.series:
            shape = "×".join(map(str, series.images.shape[1:]))
            kind = f"{shape} {series.images.dtype}"
            counts[kind] = counts.get(kind, 0) + series.images.shape[0]
        (first, n), *others = counts.items()
        parts = [f"{n} image{'s' * (n > 1)} of {first}"]
        parts += [f"{n} of {kind}" for kind, n in others]
        return " and ".join(parts)

    def locate(self, page: int | None) -> tuple[Series, int]:
        """Return the series that image number `page` is in, and its number there.

        Raises
        ------
        ValueError
            If the file has none such; if it has several and `page` is None.
        """
        n = len(self)
        if n == 0:
            raise ValueError("it holds no image")
        if page is None:
            if n > 1:
                raise UnclearFileError(
                    f"it holds {self.describe()}",
                    f"say which one with page=0 to {n - 1}",
                )
            page = 0
        if not 0 <= page < n:
            raise ValueError(f"page={page} is not in it: it holds {self.describe()}")
        for series in self.series:
            if page < series.images.shape[0]:
                break
            page -= series.images.shape[0]
        return series, page

    def read(self, page: int | None = None, *, orient: bool = True) -> np.ndarray:
        """Return image number `page`, (height, width) or (height, width, channels)."""
        series, row = self.locate(page)
        refuse_implausible(series.images.shape[1:], series.images.dtype, self.path)
        return plain_image(series.images[row], series.orientation if orient else 1)

    def stack(self, pages: Sequence[int] | None = None) -> Series:
        """Return one series of the images of these numbers; of all by default.

        Raises
        ------
        ValueError
            If there is no such image, or they are not of one shape and type.
        """
        if len(self) == 0:
            raise ValueError("it holds no image")
        whole = pages is None
        pages = range(len(self)) if whole else list(pages)
        used = self.series
        if not whole:
            found = [self.locate(page)[0] for page in pages]
            used = [s for s in self.series if any(s is one for one in found)]
        first = used[0]
        for series in used:
            refuse_implausible(series.images.shape[1:], series.images.dtype, self.path)
        if whole and len(used) == 1:
            return first
        kinds = {(s.oriented_shape(), s.images.dtype, s.orientation) for s in used}
        if len(kinds) > 1:
            raise UnclearFileError(
                f"it holds {self.describe()}, which are no stack",
                f"say which to take, all of one kind, with page=0 to {len(self) - 1}",
            )

        def read(row: int) -> np.ndarray:
            series, row = self.locate(pages[row])
            return series.images[row]

        rows = Rows((len(pages), *first.images.shape[1:]), first.images.dtype, read)
        sizes = {s.pixel_size for s in used}
        size = first.pixel_size if len(sizes) == 1 else None
        return Series(rows, first.name, size, first.orientation, first.channels)


def plain_image(image: Any, orientation: int = 1) -> np.ndarray:
    """Return an image of real numbers in this machine's byte order, turned upright."""
    image = np.asarray(image)
    if image.dtype == bool:
        image = image.astype(np.uint8) * np.uint8(255)
    if image.dtype.kind not in "uif":
        raise ValueError(f"its pixels are {image.dtype}; expected real numbers")
    if not image.dtype.isnative:
        image = image.astype(image.dtype.newbyteorder("="))
    return orient_image(image, orientation)


def orient_image(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an image (height, width, ...) upright, by its EXIF or TIFF orientation."""
    if orientation >= 5:
        image = image.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image


def refuse_implausible(shape: Sequence[int], dtype: Any, path: Path) -> None:
    """Raise ValueError if a file claims far more than it can hold."""
    # Python's integers: numpy's would overflow.
    claimed = int(np.dtype(dtype).itemsize)
    for side in shape:
        claimed *= int(side)
    if claimed <= _LARGE or path.is_dir():
        return
    size = path.stat().st_size
    if claimed > _MOST_COMPRESSED * size:
        raise ValueError(
            f"its {size} bytes claim an image of {'×'.join(map(str, shape))} "
            f"{np.dtype(dtype)} ({claimed / 2**30:,.0f} GiB): the header is damaged"
        )


def rows_of(array: Any, axes: str) -> Any:
    """Return an array with its images along the first axis, without reading it.

    Parameters
    ----------
    array : array or lazy array
        Has `shape` and `dtype`, and is indexed by integers and slices.
    axes : str
        A letter for each axis: "y" and "x" are rows and columns of an image, "c" or
        "s" its channels; any other letter counts images.

    Returns
    -------
    array or Rows
        (n, height, width) or (n, height, width, channels).
    """
    axes, shape = axes.lower().replace("s", "c"), tuple(array.shape)
    if len(axes) != len(shape) or axes.count("y") != 1 or axes.count("x") != 1:
        raise ValueError(
            f"axes={axes!r} does not fit the shape {shape}: give a letter for each "
            'axis, "y" and "x" once, "c" for channels, any other to count images'
        )
    y, x = axes.index("y"), axes.index("x")
    channels = [i for i, a in enumerate(axes) if a == "c" and shape[i] > 1]
    if len(channels) > 1:
        raise ValueError(f"it has channels along two axes, {axes} of {shape}")
    counted = [i for i in range(len(shape)) if i not in (y, x, *channels)]
    image_axes = [y, x, *channels]
    lengths = [shape[i] for i in counted]
    in_place = [*counted[:1], *image_axes] == list(range(len(shape)))
    if counted and in_place:
        return array
    if not counted and isinstance(array, np.ndarray):
        return np.transpose(array, image_axes)[np.newaxis]
    left = [i for i in range(len(shape)) if i in image_axes]
    order = [left.index(i) for i in image_axes]

    def read(row: int) -> np.ndarray:
        key: list[Any] = [slice(None)] * len(shape)
        for axis, where in zip(counted, _unravel(row, lengths), strict=True):
            key[axis] = where
        return np.transpose(np.asarray(array[tuple(key)]), order)

    n = int(np.prod(lengths, dtype=np.int64))
    return Rows((n, *(shape[i] for i in image_axes)), array.dtype, read)


def _unravel(row: int, lengths: Iterable[int]) -> list[int]:
    return [int(where) for where in np.unravel_index(row, tuple(lengths))]
