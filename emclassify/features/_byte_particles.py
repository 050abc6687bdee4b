"""Particles of 8-bit images: what families need, from counts of the grey levels."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emclassify.features._particles import Particles, ratio

N_LEVELS = 256
# Fewer pixels than levels are quicker without counting. With more than the most,
# the products of two sums, below, would not fit in 64 bits.
FEWEST_PIXELS, MOST_PIXELS = N_LEVELS, 2**23
# As many squares of 8-bit values have a sum that float32 holds to the last digit.
BLOCK = 256


class ByteParticles(Particles):
    """One grey channel of 8-bit whole numbers; see `Particles`.

    A pixel has one of 256 grey levels, so that how often each occurs in the mask
    gives all means, powers and ranks; sums of neighbours stay whole numbers.
    """

    @staticmethod
    def takes(images: NDArray[Any]) -> bool:
        """Whether images (n, h, w, c) are 8-bit, and of a size that makes it pay."""
        small = images.dtype.kind in "iu" and images.dtype.itemsize == 1
        return small and FEWEST_PIXELS <= images[0, :, :, 0].size <= MOST_PIXELS

    @cached_property
    def levels(self) -> NDArray[np.float64]:
        """The grey values that the type can hold, (256,)."""
        lowest = np.iinfo(self.channel.dtype).min
        return np.arange(lowest, lowest + N_LEVELS, dtype=np.float64)

    @cached_property
    def running(self) -> NDArray[np.intp]:
        """Pixels in masks of all images before and all levels below, (n * 256 + 1,)."""
        masks, n = self.masks, self.masks.n
        start = np.arange(0, n * N_LEVELS, N_LEVELS) - np.intp(self.levels[0])
        if masks.mask is None:
            place = self.flat.astype(np.intp)
            place += start[:, None]
        else:
            place = self.flat.ravel().take(masks.pixels).astype(np.intp)
            place += np.repeat(start, masks.area.astype(np.intp))
        counts = np.bincount(place.ravel(), minlength=n * N_LEVELS)
        return np.concatenate([[0], counts.cumsum()])

    @property
    def first(self) -> NDArray[np.intp]:
        """Where the levels of each image begin in `running`, (n, 1)."""
        return np.arange(self.masks.n)[:, None] * N_LEVELS

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """Pixels of each mask that have each grey level, (n, 256)."""
        return np.diff(self.running).reshape(-1, N_LEVELS).astype(np.float64)

    @cached_property
    def sums_inside(self) -> NDArray[np.int64]:
        """Sums of the grey values in each mask and of their squares, twice (n,)."""
        sums = self.counts @ np.stack([self.levels, self.levels**2], axis=1)
        return sums.astype(np.int64).T

    @cached_property
    def sums(self) -> NDArray[np.int64] | tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sums of all grey values of each image and of their squares, twice (n,)."""
        if self.masks.mask is None:
            return self.sums_inside
        total, squares = np.zeros((2, self.masks.n))
        cut = self.flat.shape[1] // BLOCK * BLOCK
        for part, size in (self.flat[:, :cut], BLOCK), (self.flat[:, cut:], None):
            if part.size:
                size = size or part.shape[1]
                part = part.astype(np.float32).reshape(self.masks.n, -1, size)
                total += (part @ np.ones(size, np.float32)).sum(axis=1)
                squares += np.vecdot(part, part).sum(axis=1, dtype=np.float64)
        return total.astype(np.int64), squares.astype(np.int64)

    @cached_property
    def image_mean(self) -> NDArray[np.float64]:
        """Mean of each whole image, (n,)."""
        return self.sums[0] / self.flat.shape[1]

    @cached_property
    def image_sd(self) -> NDArray[np.float64]:
        """Standard deviation of each whole image, (n,); 0 where constant."""
        return spread(self.flat.shape[1], *self.sums)

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Mean over each mask, (n,)."""
        return self.sums_inside[0] / self.masks.some

    @cached_property
    def sd(self) -> NDArray[np.float64]:
        """Standard deviation over each mask, (n,); 0 where constant or empty."""
        return spread(self.masks.some.astype(np.int64), *self.sums_inside)

    @cached_property
    def third_and_fourth(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Third and fourth central moment over each mask, twice (n,)."""
        off = self.levels - self.mean[:, None]
        square = off**2
        weighted = square * self.counts
        third = np.vecdot(weighted, off) / self.masks.some
        return third, np.vecdot(weighted, square) / self.masks.some

    @cached_property
    def outside(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation outside each mask, twice (n,)."""
        n_outside = self.flat.shape[1] - self.masks.area.astype(np.int64)
        some = np.maximum(n_outside, 1)
        total, squares = np.subtract(self.sums, self.sums_inside)
        return total / some, spread(some, total, squares)

    @cached_property
    def relief(self) -> NDArray[Any]:
        """Grey values (n, h, w), wide enough for sums of 16 neighbours."""
        return self.channel.astype(np.int16)

    @cached_property
    def standardized(self) -> NDArray[np.float32]:
        """Images of mean 0 and standard deviation 1, or all 0, float32 (n, h, w)."""
        values = self.channel - self.image_mean[:, None, None]
        values *= ratio(1.0, self.image_sd)[:, None, None]
        return values.astype(np.float32)

    @property
    def relief_sd(self) -> NDArray[np.float64]:
        """Standard deviation of each image of `relief`, (n,); 0 where constant."""
        return self.image_sd

    @property
    def ring_values(self) -> NDArray[Any]:
        """Grey values (n, h*w) for means over rings."""
        return self.flat

    @property
    def ring_offset(self) -> NDArray[np.float64]:
        """What `ring_values` lack to be grey values, (n,): nothing."""
        return np.zeros(self.masks.n)

    @property
    def above_minimum(self) -> NDArray[np.float64]:
        """Grey values above the image's smallest, 0 outside the mask, (n, h*w)."""
        # As bytes, they wrap around to what they ought to be.
        lowest = self.flat.min(axis=1).view(np.uint8)
        above = self.flat.view(np.uint8) - lowest[:, None]
        if self.masks.mask is not None:
            above *= self.masks.mask.reshape(above.shape).view(np.uint8)
        return above.astype(np.float64)

    def count_below(self, edges: NDArray[np.float64]) -> NDArray[Any]:
        """How many pixels of each mask lie below each of its edges (n, k), (n, k)."""
        level = np.clip(np.ceil(edges - self.levels[0]), 0, N_LEVELS).astype(np.intp)
        return self.running[self.first + level] - self.running[self.first]

    def at_rank(self, rank: NDArray[np.intp]) -> NDArray[np.float64]:
        """Grey values of a rank (n, k) in each mask, counted from 0; float64."""
        rank = rank + self.running[self.first]
        place = np.searchsorted(self.running, rank, side="right") - 1 - self.first
        # The rank in an empty mask has no place.
        return self.levels[np.clip(place, 0, N_LEVELS - 1)]


def spread(
    n: NDArray[np.intp] | int, total: NDArray[np.intp], squares: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the standard deviation of n whole numbers, from sums of them and squares.

    Exact but for the last digits: 0 for a constant.
    """
    return np.sqrt(n * squares - total**2) / n
