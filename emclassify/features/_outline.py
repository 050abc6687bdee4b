"""The particle's longest axis and its extent across, from the ends of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from emclassify.features._particles import ParticleMasks


def length(masks: ParticleMasks) -> NDArray[np.float64]:
    """Largest distance of two outline points, (n,) px; 0 for an empty mask."""
    longest = masks.squared_lengths.max(axis=(1, 2)).astype(np.float64)
    return np.broadcast_to(np.sqrt(longest), (masks.n,))


def maximum_width(masks: ParticleMasks) -> NDArray[np.float64]:
    """Extent across the longest axis, (n,) px; the largest where axes tie."""
    squared = masks.squared_lengths
    first, last, used = masks.row_ends
    longest = squared.max(axis=(1, 2))
    ties = squared == np.where(longest > 0, longest, -1)[:, None, None]
    image, i, k = np.unravel_index(np.flatnonzero(ties), ties.shape)
    along, across = i - k, last[image, i] - first[image, k]
    # Both diagonal neighbours of a tie between the axes are axes as well.
    both = np.abs(along) == np.abs(across)
    outward_along = np.abs(along) > np.abs(across)
    image = np.r_[image, image[both]]
    outward_along = np.r_[outward_along, np.ones(both.sum(), dtype=bool)]
    along, across = np.r_[along, along[both]], np.r_[across, across[both]]
    along = along + np.where(outward_along, np.where(along < 0, -1, 1), 0)
    across = across + np.where(outward_along, 0, np.where(across < 0, -1, 1))
    norm = np.sqrt(along**2 + across**2)
    # The unit vector across the axis, in (line, column).
    u, v = across / norm, -along / norm
    place = u[:, None] * np.arange(first.shape[1])
    ends = v[:, None] * first[image], v[:, None] * last[image]
    empty = ~used[image]
    low = np.where(empty, np.inf, place + np.minimum(*ends)).min(axis=1)
    high = np.where(empty, -np.inf, place + np.maximum(*ends)).max(axis=1)
    width = np.zeros(len(first))
    np.maximum.at(width, image, high - low + np.maximum(np.abs(u), np.abs(v)))
    return np.broadcast_to(width, (masks.n,))
