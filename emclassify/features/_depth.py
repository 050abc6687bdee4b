"""Squared Euclidean distance to the outside, for every mask of a stack at once."""

import numpy as np


def squared_depth(masks: np.ndarray) -> np.ndarray:
    """Squared distance of each pixel of masks (n, h, w) to the nearest one outside.

    What lies beyond the image is outside. 0 outside; int32 (n, h, w). Exact, as
    `scipy.ndimage.distance_transform_edt`, which takes one image at a time.

    Distances along columns come first, by counting; the nearest pixel of another
    column, k columns away, then adds k².
    """
    n, height, width = masks.shape
    # Columns lie first, so that a step from one to the next is one long row of memory.
    inside = np.ascontiguousarray(masks.transpose(0, 2, 1)).view(np.uint8)
    inside = inside.astype(np.int32)
    column = np.empty_like(inside)
    count = np.zeros((n, width), dtype=np.int32)
    for row in range(height):
        count += 1
        count *= inside[:, :, row]
        column[:, :, row] = count
    count[:] = 0
    for row in reversed(range(height)):
        count += 1
        count *= inside[:, :, row]
        np.minimum(column[:, :, row], count, out=column[:, :, row])
    column *= column
    edge = np.minimum(np.arange(width) + 1, width - np.arange(width)) ** 2
    depth = np.minimum(column, edge[:, None].astype(np.int32))
    shift = 1
    while shift < width and shift**2 < depth.max(initial=0):
        away = column + np.int32(shift**2)
        np.minimum(depth[:, shift:], away[:, :-shift], out=depth[:, shift:])
        np.minimum(depth[:, :-shift], away[:, shift:], out=depth[:, :-shift])
        shift += 1
    return depth.transpose(0, 2, 1)
