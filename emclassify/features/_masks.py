"""Where the particle is: from a channel, by Otsu's threshold, or everywhere."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

OTSU_BINS = 256
# Neighbours above, below, left and right; none in the image before or after.
WITHIN_IMAGE = np.zeros((3, 3, 3), dtype=bool)
WITHIN_IMAGE[1] = ndimage.generate_binary_structure(2, 1)


def resolve_mask(mask: str, image_shape: Sequence[int], estimator_name: str) -> str:
    """Return "last", "otsu" or "full" for `mask` and images of `image_shape`."""
    n_channels = image_shape[2]
    if mask == "auto":
        return "last" if n_channels == 2 else "full"
    if mask == "last" and n_channels < 2:
        raise ValueError(
            f'{estimator_name}(mask="last") takes the last channel as the mask, but '
            f"X has images of shape {image_shape} (height, width, channels): give "
            'images (n, height, width, 2), or mask="otsu" or mask="full".'
        )
    return mask


def masks_of(
    channels: list[NDArray[Any]], mask: str, particle: str
) -> NDArray[np.bool_] | None:
    """Masks (n, h, w) from a list of channels (n, h, w), or None: all is particle."""
    if mask == "last":
        return channels[-1] != 0
    if mask == "otsu":
        return otsu_masks(channels[0], particle)
    return None


def otsu_thresholds(images: NDArray[Any]) -> NDArray[np.float64]:
    """Otsu's threshold of each image (n, h, w), over 256 bins from min to max."""
    n = len(images)
    rows = images.reshape(n, -1).astype(np.float64)
    low = rows.min(axis=1)
    step = (rows.max(axis=1) - low) / OTSU_BINS
    # Also where numbers are too small to be divided into bins.
    step = np.where(step > 0, step, 1.0)
    index = ((rows - low[:, None]) / step[:, None]).astype(np.intp)
    np.minimum(index, OTSU_BINS - 1, out=index)
    index += np.arange(n)[:, None] * OTSU_BINS
    counts = np.bincount(index.ravel(), minlength=n * OTSU_BINS).reshape(n, OTSU_BINS)
    bins = np.arange(OTSU_BINS) + 0.5
    below = counts.cumsum(axis=1)[:, :-1]
    above = rows.shape[1] - below
    total_below = (counts * bins).cumsum(axis=1)
    total_above = total_below[:, -1:] - total_below[:, :-1]
    gap = total_below[:, :-1] / np.maximum(below, 1)
    gap -= total_above / np.maximum(above, 1)
    best = np.argmax(below * above.astype(np.float64) * gap**2, axis=1)
    return low + step * bins[best]


def otsu_masks(images: NDArray[Any], particle: str) -> NDArray[np.bool_]:
    """Largest connected part of the pixels on the particle's side of the threshold."""
    bright = images > otsu_thresholds(images)[:, None, None]
    if particle == "bright":
        masks = bright
    elif particle == "dark":
        masks = ~bright
    else:
        # The border shows the surroundings: the particle is what it shows less of.
        border = np.ones(images.shape[1:], dtype=bool)
        border[1:-1, 1:-1] = False
        masks = bright ^ (bright[:, border].mean(axis=1) > 0.5)[:, None, None]
    flat = images.reshape(len(images), -1)
    masks &= (flat.min(axis=1) < flat.max(axis=1))[:, None, None]
    return largest_components(masks)


def largest_components(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest 4-connected part of each mask (n, h, w); the first of equals."""
    labels, n_labels = ndimage.label(masks, structure=WITHIN_IMAGE)
    if n_labels == 0:
        return masks
    sizes = np.bincount(labels.ravel(), minlength=n_labels + 1)
    # Labels count upwards through the stack, so each image owns a run of them.
    owner = np.zeros(n_labels + 1, dtype=np.intp)
    image, row, column = np.nonzero(masks)
    owner[labels[image, row, column]] = image
    order = np.lexsort((np.arange(1, n_labels + 1), -sizes[1:], owner[1:])) + 1
    first = np.r_[True, owner[order][1:] != owner[order][:-1]]
    keep = np.zeros(n_labels + 1, dtype=bool)
    keep[order[first]] = True
    return keep[labels]
