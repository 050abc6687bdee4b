"""An image of any kind as a small PNG that a page can hold."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["thumbnail", "to_8_bit", "visible_channels"]

LARGEST_SIDE = 128


def visible_channels(image: NDArray[Any]) -> NDArray[Any]:
    """Return what a picture can show: (h, w) or (h, w, 3).

    Three channels, or three and a mask, are taken for red, green and blue. Of two
    the second is a mask; of more, the first stands for all.
    """
    if image.ndim == 2:
        return image
    if image.shape[2] in (3, 4):
        return image[..., :3]
    return image[..., 0]


def to_8_bit(image: NDArray[Any]) -> NDArray[Any]:
    """Scale grey values so that all but the extreme half per cent fit 0 to 255.

    Colour images of 8 bits stay as they are.
    """
    if image.ndim == 3 and image.dtype == np.uint8:
        return image
    values = image.astype(np.float64)
    known = values[np.isfinite(values)]
    if known.size == 0:
        return np.zeros(image.shape, dtype=np.uint8)
    low, high = np.percentile(known, [0.5, 99.5])
    if high <= low:
        low, high = known.min(), known.max()
    if high <= low:
        return np.full(image.shape, 128, dtype=np.uint8)
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled = np.clip((values - low) / (high - low), 0, 1)
    return np.round(255 * scaled).astype(np.uint8)


def thumbnail(image: NDArray[Any]) -> str:
    """Return `image` as a data URI of a PNG, at most 128 pixels a side."""
    picture = Image.fromarray(to_8_bit(visible_channels(image)))
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
