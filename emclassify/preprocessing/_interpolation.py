"""Resizing of one image, bilinear and free of aliasing, with its mask two-valued."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["HALF", "as_whole", "resize_image"]

# Of a mask's pixel; what is half but for rounding counts as half.
HALF = 0.5 - 1e-6


def resize_image(
    image: NDArray[Any],
    size: tuple[int, int],
    *,
    has_mask: bool,
    box: tuple[float, float, float, float] | None = None,
) -> NDArray[Any]:
    """Resize an image (height, width, channels) to `size`, a (height, width).

    `box` is the part to resize, (top, left, bottom, right) in px, not necessarily
    whole; all of the image by default.
    """
    if box is not None and box == (0, 0, *image.shape[:2]):
        box = None
    channels = image.shape[-1]
    out = np.empty((*size, channels), image.dtype)
    for c in range(channels):
        if has_mask and c == channels - 1:
            out[..., c] = _resize_mask(image[..., c], size, box)
        else:
            out[..., c] = _resize_plane(image[..., c], size, box, out.dtype)
    return out


def _resize_plane(plane, size, box, dtype):
    """Resize one channel (height, width)."""
    if plane.shape == size and box is None:
        return plane
    height, width = size
    if box is not None:
        top, left, bottom, right = box
        box = left, top, right, bottom
    # Pillow computes in float32, which ends at 3e38.
    largest = abs(plane).max() if dtype.kind == "f" else 1
    scale = largest if largest > 1e37 else 1
    scaled = plane if scale == 1 else plane / scale
    resized = np.asarray(
        Image.fromarray(scaled.astype(np.float32)).resize(
            (width, height), Image.Resampling.BILINEAR, box=box
        )
    )
    if dtype.kind in "iu":
        return as_whole(resized, dtype)
    return resized if scale == 1 else resized.astype(dtype) * scale


def as_whole(values: NDArray[Any], dtype: np.dtype) -> NDArray[Any]:
    """Round floats to a type of integers, at most its largest and smallest number."""
    limits = np.iinfo(dtype)
    rounded = np.clip(np.rint(values), limits.min, limits.max)
    # The largest number of 32 or 64 bits is rounded up in floats, and would overflow.
    full = rounded >= limits.max
    whole = np.where(full, 0, rounded).astype(dtype)
    whole[full] = limits.max
    return whole


def _resize_mask(plane, size, box):
    """Resize a mask, which keeps its value inside and zero outside."""
    dtype = np.dtype(np.float32)
    inside = _resize_plane((plane != 0).astype(dtype), size, box, dtype)
    return np.where(inside >= HALF, plane.max(), 0)
