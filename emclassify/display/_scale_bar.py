"""A bar of a round length on a picture whose pixel size is known."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from emclassify._typing import ImagesLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emclassify.readers._pixel_size import PixelSize

__all__ = ["PixelWidths", "draw_scale_bar", "length_in_words", "round_length"]

# Of the width of a picture, at most.
_SHARE = 0.4
_MICROMETRE = 1000.0


def round_length(width: float) -> float:
    """Return the longest of 1, 2 and 5 times a power of ten that fits well.

    Parameters
    ----------
    width : float
        Of the picture, in nm.

    Returns
    -------
    float
        At most two fifths of it.
    """
    longest = _SHARE * width
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest))


class PixelWidths:
    """How wide the pixels of each image are: as given, or as its file states.

    Parameters
    ----------
    pixel_size : float, or array-like of shape (n,) or (n, 2), or None
        In nm, NaN or None where unknown; pairs are (row, column). None alone: what the
        files say where images are paths or an `ImageStack`, but not what is doubtful in
        it, such as 1 Å exactly.
    images : sequence of n images
    n : int
    """

    def __init__(
        self, pixel_size: float | ArrayLike | None, images: ImagesLike, n: int
    ) -> None:
        self._images = images
        self._given = None
        if pixel_size is None:
            return
        try:
            sizes = np.asarray(pixel_size, float)
        except (TypeError, ValueError):
            raise ValueError(
                "pixel_size must be a number of nm, or one for each image; got "
                f"{pixel_size!r}."
            ) from None
        shapes = ((), (n,), (n, 2))
        if sizes.shape not in shapes or (sizes <= 0).any() or np.isinf(sizes).any():
            raise ValueError(
                "pixel_size must be above 0: a number, or one or a pair (row, column) "
                f"for each of the {n} images; got the shape {sizes.shape}."
            )
        columns = sizes[:, 1] if sizes.ndim == 2 else sizes
        self._given = np.broadcast_to(columns, n)

    def __getitem__(self, index: int) -> float | None:
        """Return the width of a pixel of image `index` in nm, None if unknown."""
        if self._given is not None:
            width = float(self._given[index])
            return None if np.isnan(width) else width
        stated = self._stated(index)
        trusted = stated is not None and stated.known
        # Doubtful ones have been warned about where they were read, and a bar of a
        # wrong length stays in a page for good.
        return stated.column if trusted and not stated.doubt else None

    def _stated(self, index: int) -> "PixelSize | None":
        images = self._images
        if hasattr(images, "stated_pixel_size"):
            return images.stated_pixel_size
        item = images.iloc[index] if hasattr(images, "iloc") else images[index]
        if not isinstance(item, str | os.PathLike):
            return None
        from emclassify.readers._formats import open_image_file

        try:
            with open_image_file(Path(item)) as file:
                return file.locate(None)[0].oriented_pixel_size()
        except Exception:
            # Whoever shows the picture says why it can't be read.
            return None


def length_in_words(length: float) -> str:
    """Return "50 nm" or "2 µm"."""
    if length >= _MICROMETRE:
        return f"{length / _MICROMETRE:g} µm"
    return f"{length:g} nm"


def draw_scale_bar(
    ax: "Axes", shape: tuple[int, ...], pixel_size: float, *, size: float = 5.5
) -> None:
    """Draw a bar with its length into the lower left corner of a picture.

    Parameters
    ----------
    ax : matplotlib Axes
        Shows the picture with `imshow`.
    shape : tuple of int
        (height, width, ...) of the picture, in px.
    pixel_size : float
        Of columns, in nm.
    size : float, default=5.5
        Of the text, in points.
    """
    from matplotlib.patheffects import withStroke

    height, width = shape[:2]
    length = round_length(width * pixel_size)
    left, bottom = 0.05 * width - 0.5, 0.93 * height - 0.5
    edge = [withStroke(linewidth=3, foreground="black")]
    ax.plot(
        [left, left + length / pixel_size],
        [bottom, bottom],
        color="white",
        linewidth=1.5,
        solid_capstyle="butt",
        path_effects=edge,
        scalex=False,
        scaley=False,
    )
    ax.text(
        left,
        bottom - 0.03 * height,
        length_in_words(length),
        color="white",
        size=size,
        va="bottom",
        path_effects=[withStroke(linewidth=1, foreground="black")],
    )
