"""The form of a stack of images: channel axis, mask channel, different sizes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emclassify._images import is_sequence_of_images, number_of_axes
from emclassify._incoming import plain_images

__all__ = ["has_channel_axis", "object_array", "resolve_mask_channel"]


def has_channel_axis(X: Any) -> bool:
    """Whether the images of X have three axes."""
    X = plain_images(X)
    if is_sequence_of_images(X):
        return X[0].ndim == 3
    return number_of_axes(X) == 4


def object_array(images: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return a 1-D object array of images, whatever their shapes."""
    out = np.empty(len(images), dtype=object)
    for i, image in enumerate(images):
        out[i] = image
    return out


def resolve_mask_channel(
    mask: str | None, n_channels: int, estimator_name: str
) -> bool:
    """Whether the last of `n_channels` is a mask, for `mask` "auto", "last" or None."""
    if mask == "last" and n_channels < 2:
        raise ValueError(
            f'{estimator_name}(mask="last") takes the last channel as the mask, but '
            f"X has images of {n_channels} channel: give images (n, height, width, 2) "
            'or mask="auto".'
        )
    return mask == "last" or (mask == "auto" and n_channels == 2)
