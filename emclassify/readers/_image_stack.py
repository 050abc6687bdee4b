"""Stacks of images in one file, read by rows."""

from collections.abc import Iterator, Sequence
from numbers import Integral
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from emclassify.readers._formats import open_image_file
from emclassify.readers._image_listing import may_be_there
from emclassify.readers._image_series import Rows, orient_image
from emclassify.readers._read_errors import reason_of

__all__ = ["ImageStack", "open_image_stack"]


@validate_params(
    {
        "path": [str, PathLike],
        "dataset": [str, None],
        "axes": [str, None],
        "format": [str, None],
        "orient": ["boolean"],
        "page": [Interval(Integral, 0, None, closed="left"), "array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def open_image_stack(
    path: str | PathLike,
    dataset: str | None = None,
    *,
    axes: str | None = None,
    format: str | None = None,
    orient: bool = True,
    page: int | Sequence[int] | None = None,
) -> "ImageStack":
    """Open the images of one file as a stack, without reading them.

    Files of all formats in :doc:`/user_guide/formats` are opened: MRC stacks, TIFF of
    several pages, HDF5, CXI, NeXus, zarr and more.

    What comes back is an X for every estimator here. Networks, `FeatureExtractor`,
    `BackboneExtractor`, `ResizeImages`, `CenterCrop`, `PixelSizeScaler` and
    `PixelStandardizer` read it a batch at a time; the others read it whole.

    Parameters
    ----------
    path : str or path-like
        The file; of zarr, the folder.
    dataset : str, default=None
        Name of the array in HDF5 and zarr files. Default: the one that the file
        itself points to, in CXI files "/entry_1/data_1/data" [1]_; else the only one.
    axes : str, default=None
        What the axes of that array are, a letter each: "y" and "x" rows and columns,
        "c" channels, any other letter counts images. Default: what the file's own
        metadata say. It is never guessed.
    format : str, default=None
        Format to read the file as, such as "mrc". Default: by what is in it.
    orient : bool, default=True
        Whether to turn images upright, as EXIF data or a TIFF tag say.
    page : int or sequence of int, default=None
        Which images of the file to take, from 0, in this order: ``range(1, 20)`` leaves
        out a thumbnail that comes first. Default: all.

    Returns
    -------
    ImageStack
        Has `shape` (n, height, width) or (n, height, width, channels), `dtype`,
        `ndim`, ``len`` and `pixel_size` (nm, a pair where rows and columns differ, None
        if unknown) with its `pixel_size_source`, and gives arrays when indexed: by a
        row, a slice, or rows in any order. ``close()`` or a ``with`` block closes the
        file. It can be pickled, and opens the file again where it arrives, so that
        worker processes read by themselves.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If a package that the format needs is missing. The message names the extra.
    ValueError
        If the file is of no known format or damaged; if its images differ in shape or
        type; if an image or the data set is not in it, or nothing says what its axes
        are. The message lists what there is.

    See Also
    --------
    load_image_folder : Images with a file each.

    Notes
    -----
    While a file is being written, HDF5 refuses to open it.

    References
    ----------
    .. [1] F. R. N. C. Maia, "The Coherent X-ray Imaging Data Bank", Nat. Methods
       9:854-855, 2012.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import h5py
    >>> import numpy as np
    >>> from emclassify.readers import open_image_stack
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run7.cxi"
    ...     with h5py.File(path, "w") as file:
    ...         file["entry_1/data_1/data"] = np.zeros((50, 8, 8), np.uint16)
    ...     with open_image_stack(path) as stack:
    ...         stack.shape, stack.dtype, stack[[7, 3]].shape
    ((50, 8, 8), dtype('uint16'), (2, 8, 8))
    """
    return ImageStack(path, dataset, axes, format, orient, page)


class ImageStack:
    """The images of one file, read by rows.

    Parameters
    ----------
    path : str or path-like
    dataset, axes, format : str or None
    orient : bool
    page : int, sequence of int or None
        As in `open_image_stack`.

    Attributes
    ----------
    path : Path
    shape : tuple of 3 or 4 int
    dtype : numpy dtype
    pixel_size : float, (float, float) or None
        In nm.
    pixel_size_source : str
    """

    def __init__(
        self,
        path: str | PathLike,
        dataset: str | None = None,
        axes: str | None = None,
        format: str | None = None,
        orient: bool = True,
        page: int | Sequence[int] | None = None,
    ) -> None:
        self.path = Path(fspath(path))
        pages = _checked_pages(page)
        self._options = (dataset, axes, format, orient, pages)
        self._closed = False
        if not may_be_there(self.path):
            raise FileNotFoundError(f"There is no file {self.path}.")
        try:
            self._file = open_image_file(
                self.path, format=format, dataset=dataset, axes=axes
            )
        except ImportError as error:
            raise ImportError(f"{self.path} can't be opened: {error}") from error
        except Exception as error:
            # Readers raise many things for damaged files.
            reason = reason_of(error, self.path)
            raise ValueError(f"{self.path} can't be opened: {reason}.") from error
        try:
            self._series = self._file.stack(pages)
        except ValueError as error:
            self._file.close()
            raise ValueError(f"{self.path} can't be opened: {error}.") from error
        self._orientation = self._series.orientation if orient else 1
        self._source = self._series.images
        dtype = np.dtype(self._source.dtype)
        if dtype.kind not in "buif":
            self._file.close()
            raise ValueError(f"{self.path} holds {dtype}, not real numbers.")
        # As everywhere: black and white are 0 and 255.
        self.dtype = (
            np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")
        )
        self.shape = (self._source.shape[0], *self._series.oriented_shape(orient))
        self.ndim = len(self.shape)
        size = self._series.oriented_pixel_size(orient)
        known = size is not None and size.known
        self.pixel_size_source = size.source if known else ""
        self.pixel_size = None
        if known:
            self.pixel_size = size.row if size.square else (size.row, size.column)

    @property
    def stated_pixel_size(self) -> Any:
        """The `PixelSize` that the file states, or None."""
        return self._series.oriented_pixel_size(self._options[3])

    def __len__(self) -> int:
        """Count the images."""
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read images at a row, a slice or an array of rows, in any order."""
        if self._closed:
            raise ValueError(f"{self.path} has been closed: open it again.")
        rows, *rest = self._expanded(key if isinstance(key, tuple) else (key,))
        if isinstance(rows, int | np.integer):
            return self._read(np.array([range(len(self))[rows]]), [])[0][tuple(rest)]
        if isinstance(rows, slice) and (rows.step or 1) > 0:
            return self._read(rows, rest)
        rows = np.arange(len(self))[rows]
        # Stores read rows that rise, each once.
        rows, where = np.unique(rows, return_inverse=True)
        return self._read(rows, rest)[where]

    def _expanded(self, key: tuple) -> tuple:
        """Return an index with slices where it has an ellipsis, and a first one."""
        places = [i for i, one in enumerate(key) if one is Ellipsis]
        if len(places) > 1:
            raise IndexError(f"an index has one ellipsis (...) at most; got {key!r}.")
        if places:
            n = max(0, self.ndim - len(key) + 1)
            key = (*key[: places[0]], *[slice(None)] * n, *key[places[0] + 1 :])
        return key or (slice(None),)

    def _read(self, rows: Any, rest: list) -> np.ndarray:
        later = bool(rest) and (
            self._orientation != 1 or isinstance(self._source, Rows)
        )
        source = self._source
        if isinstance(rows, np.ndarray):
            source = getattr(source, "oindex", source)
        key = (rows, *rest) if rest and not later else rows
        images = self._from(source, key)
        if self._orientation != 1:
            turned = [orient_image(image, self._orientation) for image in images]
            images = (
                np.stack(turned)
                if turned
                else np.empty((0, *self.shape[1:]), self.dtype)
            )
        images = images[:, *rest] if later else images
        if images.dtype == bool:
            return images.astype(self.dtype) * self.dtype.type(255)
        return images.astype(self.dtype, copy=False)

    def _from(self, source: Any, key: Any) -> np.ndarray:
        """Return what is there, or raise by the file's name."""
        try:
            return np.asarray(source[key])
        except (MemoryError, IndexError):
            raise
        except Exception as error:
            # Decoders of damaged files raise errors of any kind.
            if str(error).startswith(str(self.path)):
                raise
            kind = ImportError if isinstance(error, ImportError) else ValueError
            reason = reason_of(error, self.path)
            raise kind(f"{self.path} can't be read: {reason}.") from error

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read the images one by one."""
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        """Say where it is and how large."""
        where = f"{self.path}{f':{self._options[0]}' if self._options[0] else ''}"
        return f"<ImageStack {self.shape}, {self.dtype}: {where}>"

    def __enter__(self) -> "ImageStack":
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the file."""
        self.close()

    def __reduce__(self) -> tuple:
        """Pickle the names alone."""
        return type(self), (self.path, *self._options)

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        self._file.close()


def _checked_pages(page: Any) -> list[int] | None:
    if page is None:
        return None
    pages = np.atleast_1d(np.asarray(page))
    if pages.ndim != 1 or not len(pages) or pages.dtype.kind not in "iu":
        raise ValueError(
            "page must be the number of an image, from 0, or several numbers; got "
            f"{page!r}."
        )
    return pages.tolist()
