"""read_image: one image out of a file of any format."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from emclassify.readers._formats import open_image_file
from emclassify.readers._image_series import refuse_implausible
from emclassify.readers._pixel_size import PixelSize
from emclassify.readers._read_errors import reason_of

__all__ = ["finish_image", "read_image", "read_images"]

# Luminance as ITU-R BT.601 has it, in thousandths.
_LUMINANCE = np.array([299, 587, 114])


def read_image(
    path: str | PathLike,
    *,
    page: int | None = None,
    as_gray: bool = False,
    image_shape: Sequence[int] | None = None,
    orient: bool = True,
    format: str | None = None,
    dataset: str | None = None,
    axes: str | None = None,
) -> np.ndarray:
    """Read one image, in its own type of number.

    Parameters
    ----------
    path : str or path-like
        File of any format that is read (:doc:`/user_guide/formats`).
    page : int, default=None
        Which image to read from a file that holds several, from 0. Without it, such a
        file is refused.
    as_gray : bool, default=False
        Whether to make colours grey, by their luminance.
    image_shape : (int, int), default=None
        Height and width that the image must have. Default: any.
    orient : bool, default=True
        Whether to turn the image upright, as its EXIF data or TIFF tag say.
    format : str, default=None
        Format to read it as. Default: by what is in the file.
    dataset, axes : str, default=None
        As `open_image_stack` has them, for HDF5 and zarr.

    Returns
    -------
    ndarray of shape (height, width) or (height, width, channels)
        All channels but alpha.

    Raises
    ------
    OSError
        If there is no such file.
    ImportError
        If its format or compression needs a package that is missing. The message names
        the extra to install.
    ValueError
        If it holds several images, and no `page` is given; if it is no image, damaged,
        or of a kind that would be damaged by reading.

    See Also
    --------
    load_image_folder : Many files, with labels.
    open_image_stack : All images of a file, read by rows.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import tifffile
    >>> from emclassify.readers import read_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "series.tif"
    ...     tifffile.imwrite(path, np.zeros((5, 32, 40), np.uint16))
    ...     read_image(path, page=2).shape
    (32, 40)
    """
    path = Path(path)
    try:
        with open_image_file(path, format=format, dataset=dataset, axes=axes) as file:
            image = np.array(file.read(page, orient=orient))
        return finish_image(image, as_gray=as_gray, image_shape=image_shape)
    except (MemoryError, FileNotFoundError):
        raise
    except ImportError as error:
        raise ImportError(f"{path} can't be read: {error}") from error
    except Exception as error:
        # Decoders of damaged files raise errors of any kind, SyntaxError included.
        raise ValueError(
            f"{path} can't be read as an image: {reason_of(error, path)}."
        ) from error


def read_images(
    path: Path,
    *,
    page: int | str | None = None,
    as_gray: bool = False,
    image_shape: Sequence[int] | None = None,
    orient: bool = True,
    format: str | None = None,
    dataset: str | None = None,
    axes: str | None = None,
) -> list[tuple[np.ndarray, PixelSize | None]]:
    """Return the image of a file, or with ``page="all"`` all, with their pixel sizes.

    Parameters and errors are those of `read_image`; NaN and infinity are refused too.
    """
    with open_image_file(path, format=format, dataset=dataset, axes=axes) as file:
        if page == "all":
            for one in file.series:
                refuse_implausible(one.images.shape, one.images.dtype, path)
        pages = range(len(file)) if page == "all" else [page]
        found = []
        for number in pages:
            image = np.array(file.read(number, orient=orient))
            image = finish_image(image, as_gray=as_gray, image_shape=image_shape)
            _refuse_non_finite(image, number)
            series, _ = file.locate(number)
            found.append((image, series.oriented_pixel_size(orient)))
    if not found:
        raise ValueError("it holds no image")
    return found


def _refuse_non_finite(image: np.ndarray, page: int | None) -> None:
    if image.dtype.kind != "f" or np.isfinite(image).all():
        return
    bad = np.argwhere(~np.isfinite(image))
    row, column = bad[0][:2]
    what = "NaN" if np.isnan(image).any() else "infinity"
    where = f" in image {page}" if page else ""
    raise ValueError(
        f"it contains {what}{where}: {len(bad)} value{'s' * (len(bad) > 1)}, the first "
        f"in row {row}, column {column}"
    )


def finish_image(
    image: np.ndarray, *, as_gray: bool, image_shape: Sequence[int] | None
) -> np.ndarray:
    """Make an image grey if asked for, and check its height and width."""
    if as_gray and image.ndim == 3:
        if image.shape[2] != 3:
            raise ValueError(
                f"it has {image.shape[2]} channels, which are no colours that could be "
                "made grey"
            )
        if image.dtype.kind == "f":
            image = (image @ (_LUMINANCE / 1000)).astype(image.dtype)
        else:
            wide = image.astype(np.int64) @ _LUMINANCE
            image = ((wide + 500) // 1000).astype(image.dtype)
    if image_shape is not None and image.shape[:2] != tuple(image_shape):
        raise ValueError(
            f"its size is {image.shape[:2]}, not image_shape={tuple(image_shape)}"
        )
    return image
