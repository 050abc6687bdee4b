"""An image of a data set as a picture on a page, with its scale bar."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emclassify._thumbnails import thumbnail
from emclassify.display._scale_bar import length_in_words, round_length


def image_at(images: NDArray[Any], index: int) -> NDArray[Any] | None:
    """Return image `index` as an array (h, w) or (h, w, c), or None for a flat row."""
    item = images.iloc[index] if hasattr(images, "iloc") else images[index]
    if isinstance(item, str | os.PathLike):
        from emclassify.readers._image_file import read_image

        item = read_image(Path(item), as_gray=False, image_shape=None)
    item = np.asarray(item)
    return item if item.ndim in (2, 3) and item.dtype.kind in "biuf" else None


def picture_of(image: NDArray[Any] | None, pixel_width: float | None) -> dict[str, Any]:
    """Return an image for the page, with the length of its scale bar.

    Returns
    -------
    dict
        source: of the picture, None without one. bar: length of the scale bar in words,
        None without one. bar_share: its length in per cent of the side of a square that
        the picture fits.
    """
    if image is None:
        return {"source": None, "bar": None}
    if pixel_width is None:
        return {"source": thumbnail(image), "bar": None}
    height, width = image.shape[:2]
    length = round_length(width * pixel_width)
    return {
        "source": thumbnail(image),
        "bar": length_in_words(length),
        "bar_share": f"{100 * length / (pixel_width * max(height, width)):.4g}",
    }
