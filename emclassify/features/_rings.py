"""Means over concentric rings, for every image of a stack at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Beyond this, one matrix of rings for the whole stack costs more than it saves.
MATRIX_SIZE = 2**22


class Rings:
    """`n_rings` rings of equal width about a centre, out to an outer radius.

    `centres` is (n, 2) and `radii` (n,), in px; where one centre and one radius
    serve all images, `shared` says so and the rings become one matrix.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        centres: NDArray[np.float64],
        radii: NDArray[np.float64],
        n_rings: int,
        *,
        shared: bool,
    ) -> None:
        height, width = image_shape
        self.n_rings = n_rings
        self.shared = shared and height * width * n_rings <= MATRIX_SIZE
        if self.shared:
            centres, radii = centres[:1], radii[:1]
        self.valid = radii > 0
        scale = (n_rings / np.where(self.valid, radii, 1.0))[:, None]
        rows = ((np.arange(height) - centres[:, :1]) * scale) ** 2
        columns = ((np.arange(width) - centres[:, 1:]) * scale) ** 2
        # In units of ring widths, squared.
        distance = (rows[:, :, None] + columns[:, None, :]).reshape(len(centres), -1)
        # A hair less, lest the root of what is nearly the end round up to it.
        near = distance < n_rings**2 * (1 - 1e-12)
        self.pixels = np.flatnonzero(near)
        self.ring = np.sqrt(distance.ravel().take(self.pixels)).astype(np.intp)
        if self.shared:
            self.matrix = np.zeros((height * width, n_rings))
            self.matrix[self.pixels, self.ring] = 1.0
        else:
            ends = np.arange(len(centres) + 1) * (height * width)
            n_near = np.diff(np.searchsorted(self.pixels, ends))
            start = np.arange(0, len(centres) * n_rings, n_rings)
            self.ring += np.repeat(start, n_near)
        counts = np.bincount(self.ring, minlength=len(centres) * n_rings)
        self.counts = counts.reshape(len(centres), n_rings)
        self._find_neighbours()

    def _find_neighbours(self):
        """For rings without a pixel: the nearest rings with one, on either side."""
        filled = self.counts > 0
        self.complete = bool(filled.all() and self.valid.all())
        if self.complete:
            return
        place = np.arange(self.n_rings)
        before = np.maximum.accumulate(np.where(filled, place, -1), axis=1)
        after = np.where(filled, place, self.n_rings)[:, ::-1]
        after = np.minimum.accumulate(after, axis=1)[:, ::-1]
        self.valid = self.valid & filled.any(axis=1)
        self.before = np.where(before < 0, after, before) % self.n_rings
        self.after = np.where(after >= self.n_rings, before, after) % self.n_rings
        gap = self.after - self.before
        self.share = (place - self.before) / np.where(gap > 0, gap, 1)

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Mean of `values` (n, h*w) in each ring, (n, n_rings); 0 without pixels."""
        return self._mean(values if self.shared else values.ravel().take(self.pixels))

    def mean_and_sd(
        self, values: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation in each ring, twice (n, n_rings)."""
        values = values if self.shared else values.ravel().take(self.pixels)
        values = values.astype(np.float64, copy=False)
        mean, square = self._mean(values), self._mean(values**2)
        variance = square - mean**2
        # What is left of a constant ring is rounding.
        return mean, np.sqrt(np.where(variance > 1e-12 * square, variance, 0.0))

    def _mean(self, values):
        """Mean of whole images if shared, else of the values at `pixels`."""
        if self.shared:
            sums = values @ self.matrix
        else:
            size = self.counts.size
            sums = np.bincount(self.ring, weights=values, minlength=size)
            sums = sums.reshape(self.counts.shape)
        return sums / np.maximum(self.counts, 1)

    def fill(self, profile: NDArray[np.float64]) -> NDArray[np.float64]:
        """Draw a line through the rings without a pixel; 0 for an empty mask."""
        if self.complete:
            return profile
        before, after, share = (
            np.broadcast_to(part, profile.shape)
            for part in (self.before, self.after, self.share)
        )
        before = np.take_along_axis(profile, before, axis=1)
        after = np.take_along_axis(profile, after, axis=1)
        return (before + share * (after - before)) * self.valid[:, None]
