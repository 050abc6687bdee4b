"""The eight symmetries of the square: quarter turns and mirrors.

`training` has the same, by the same numbers, for tensors on a device.
"""

import numpy as np

__all__ = ["TRANSFORMS", "turn"]

# By number: bit 0 transposes, bit 1 mirrors left and right, bit 2 top and bottom.
TRANSFORMS = (
    "none",
    "transposed",
    "mirrored left-right",
    "rotated by 270°",
    "mirrored top-bottom",
    "rotated by 90°",
    "rotated by 180°",
    "anti-transposed",
)


def turn(images: np.ndarray, element: int) -> np.ndarray:
    """Apply one of the eight symmetries of the square to images (n, h, w, ...)."""
    if element & 1:
        images = images.swapaxes(1, 2)
    if element & 2:
        images = images[:, :, ::-1]
    return images[:, ::-1] if element & 4 else images
