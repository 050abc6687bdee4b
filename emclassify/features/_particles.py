"""A chunk of particles: grey values, masks, and what several families need of both."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emclassify.features._jets import Jet
from emclassify.features._rings import Rings
from emclassify.features._row_distances import squared_lengths

# Spread below this share of the largest grey value is rounding, not signal.
ROUNDING = 1e-10
# Below this, powers of a spread would be too small for a float.
SMALLEST_SPREAD = 1e-30
# Sums of the columns of a row as wide as this are whole numbers in float32.
WIDEST_FLOAT32 = 5792
# The squared length of an outline as long as this either way fits in 16 bits.
LONGEST_INT16 = 128


class ParticleMasks:
    """Masks (n, h, w) of a chunk; `mask` is None where every pixel is particle."""

    def __init__(
        self, mask: NDArray[np.bool_] | None, n: int, image_shape: Sequence[int]
    ) -> None:
        self.mask = mask
        self.n = n
        self.image_shape = image_shape
        self._rings = {}

    @cached_property
    def weight(self) -> NDArray[np.float64] | None:
        """The masks as float64, (n, h*w); None for whole images."""
        if self.mask is None:
            return None
        return self.mask.reshape(self.n, -1).astype(np.float64)

    @cached_property
    def light(self) -> NDArray[np.float32] | None:
        """The masks as float32, (n, h, w); None for whole images."""
        return None if self.mask is None else self.mask.astype(np.float32)

    @cached_property
    def row_sums(self) -> NDArray[np.float64]:
        """Number of pixels and sum of their columns in each row, (n, h, 2)."""
        height, width = self.image_shape
        # In float32 the sums of columns stay whole up to this width.
        exact = width <= WIDEST_FLOAT32
        rows = (self.light if exact else self.mask).reshape(-1, width)
        columns = np.stack([np.ones(width), np.arange(width)], axis=1)
        sums = rows @ columns.astype(rows.dtype if exact else np.float64)
        return sums.reshape(self.n, height, 2).astype(np.float64)

    @cached_property
    def pixels(self) -> NDArray[np.intp]:
        """Places of the masks' pixels in the chunk, image by image."""
        return np.flatnonzero(self.mask)

    @cached_property
    def area(self) -> NDArray[np.float64]:
        """Number of pixels of each mask, (n,)."""
        if self.mask is None:
            return np.full(self.n, float(np.prod(self.image_shape)))
        return self.row_sums[:, :, 0].sum(axis=1)

    @cached_property
    def some(self) -> NDArray[np.float64]:
        """The area, with 1 for an empty mask, so that one can divide by it."""
        return np.maximum(self.area, 1.0)

    @cached_property
    def centroid(self) -> NDArray[np.float64]:
        """Row and column of each mask's centre of mass, (n, 2), px."""
        height, width = self.image_shape
        if self.mask is None:
            return np.tile([(height - 1) / 2, (width - 1) / 2], (self.n, 1))
        rows = self.row_sums[:, :, 0] @ np.arange(height)
        columns = self.row_sums[:, :, 1].sum(axis=1)
        return np.stack([rows, columns], axis=1) / self.some[:, None]

    @cached_property
    def diameter(self) -> NDArray[np.float64]:
        """Diameter of the disc of the same area, (n,), px."""
        return np.sqrt(4 * self.area / np.pi)

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Mean over the mask of values (n, h*w); 0 for an empty mask."""
        if self.mask is None:
            return values.mean(axis=1, dtype=np.float64)
        if values.dtype == np.float32:
            # Row by row, lest float32 lose digits in sums of whole images.
            by_rows = np.vecdot(values.reshape(self.light.shape), self.light)
            return by_rows.sum(axis=1, dtype=np.float64) / self.some
        return np.vecdot(values, self.weight) / self.some

    def mean_of_pixels(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Mean over the mask of the values of `pixels` only; 0 for an empty mask."""
        if self.mask is None:
            return values.reshape(self.n, -1).mean(axis=1)
        start = np.cumsum(self.area, dtype=np.intp) - self.area.astype(np.intp)
        # One value more, for empty masks at the end to start at.
        sums = np.add.reduceat(np.append(values, 0.0), start)
        return np.where(self.area > 0, sums, 0.0) / self.some

    def rings(self, n_rings: int, extent: float) -> Rings:
        """`n_rings` rings about the centroid out to `extent` radii of the particle."""
        key = n_rings, extent
        if key not in self._rings:
            self._rings[key] = Rings(
                self.image_shape,
                self.centroid,
                extent * self.diameter / 2,
                n_rings,
                shared=self.mask is None,
            )
        return self._rings[key]

    @cached_property
    def row_ends(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
        """First and last column of the particle in each line of each mask.

        Lines run along the longer side of the image. Returns (first, last, used),
        each (n, lines); `used` says which lines meet the particle.
        """
        height, width = self.image_shape
        mask = self.mask
        if mask is None:
            mask = np.ones((1, height, width), dtype=bool)
        if height > width:
            mask = mask.transpose(0, 2, 1)
        small = max(height, width) <= LONGEST_INT16
        dtype = np.int16 if small else np.int32
        first = mask.argmax(axis=2).astype(dtype)
        last = mask.shape[2] - 1 - mask[:, :, ::-1].argmax(axis=2)
        used = (first > 0) | mask[:, :, 0]
        return first, last.astype(dtype), used

    @cached_property
    def squared_lengths(self) -> NDArray[Any]:
        """Squared distances of the outline's ends, see `squared_lengths`."""
        return squared_lengths(*self.row_ends)


class Particles:
    """One grey channel of a chunk with its masks.

    Parameters
    ----------
    channel : ndarray of shape (n, h, w)
        Grey values as they came, contiguous.
    masks : ParticleMasks
        Shared by the channels.
    """

    def __init__(self, channel: NDArray[Any], masks: ParticleMasks) -> None:
        self.channel = channel
        self.flat = channel.reshape(masks.n, -1)
        self.masks = masks
        self._jets = {}

    @cached_property
    def grey(self) -> NDArray[np.float64]:
        """Grey values as float64, (n, h*w)."""
        return self.flat.astype(np.float64)

    @cached_property
    def minimum(self) -> NDArray[np.float64]:
        """Smallest grey value of each image, (n,)."""
        return self.flat.min(axis=1).astype(np.float64)

    @cached_property
    def magnitude(self) -> NDArray[np.float64]:
        """Largest absolute grey value of each image, (n,)."""
        return np.maximum(self.flat.max(axis=1).astype(np.float64), -self.minimum)

    @cached_property
    def image_mean(self) -> NDArray[np.float64]:
        """Mean of each whole image, (n,)."""
        return self.grey.mean(axis=1)

    @cached_property
    def centred(self) -> NDArray[np.float64]:
        """Grey values less the mean of their image, (n, h*w)."""
        return self.grey - self.image_mean[:, None]

    @cached_property
    def image_sd(self) -> NDArray[np.float64]:
        """Standard deviation of each whole image, (n,); 0 where constant."""
        variance = np.vecdot(self.centred, self.centred) / self.centred.shape[1]
        return self.as_spread(np.sqrt(variance))

    @cached_property
    def relief(self) -> NDArray[Any]:
        """Images (n, h, w) that sums and differences of neighbours are taken of.

        Here, of mean 0 and standard deviation 1, or all 0 if constant: float32 is
        enough at this scale. See `relief_sd`.
        """
        relief = np.empty(self.centred.shape, dtype=np.float32)
        scale = ratio(1.0, self.image_sd)[:, None]
        np.multiply(self.centred, scale, out=relief, casting="same_kind")
        return relief.reshape(self.channel.shape)

    @property
    def standardized(self) -> NDArray[Any]:
        """Images of mean 0 and standard deviation 1, or all 0, float32 (n, h, w)."""
        return self.relief

    def jet(self, sigma: float) -> Jet:
        """Gaussian derivatives of `standardized` at a scale, computed once."""
        if sigma not in self._jets:
            self._jets[sigma] = Jet(self.standardized, sigma)
        return self._jets[sigma]

    @property
    def relief_sd(self) -> NDArray[np.float64]:
        """Standard deviation of each image of `relief`, (n,); 0 where constant."""
        return (self.image_sd > 0).astype(np.float64)

    @property
    def ring_values(self) -> NDArray[Any]:
        """Grey values (n, h*w) for means over rings, less `ring_offset`."""
        return self.centred

    @property
    def ring_offset(self) -> NDArray[np.float64]:
        """What `ring_values` lack to be grey values, (n,)."""
        return self.image_mean

    @property
    def above_minimum(self) -> NDArray[np.float64]:
        """Grey values above the image's smallest, 0 outside the mask, (n, h*w)."""
        above = self.grey - self.minimum[:, None]
        if self.masks.mask is not None:
            above *= self.masks.weight
        return above

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Mean over each mask, (n,)."""
        if self.masks.mask is None:
            return self.image_mean
        inside = self.flat.ravel().take(self.masks.pixels).astype(np.float64)
        return self.masks.mean_of_pixels(inside)

    @cached_property
    def inside(self) -> NDArray[np.float64]:
        """Grey values of the masks' pixels less the mean over their mask, flat."""
        if self.masks.mask is None:
            return self.centred.ravel()
        inside = self.flat.ravel().take(self.masks.pixels).astype(np.float64)
        return inside - np.repeat(self.mean, self.masks.area.astype(np.intp))

    @cached_property
    def sd(self) -> NDArray[np.float64]:
        """Standard deviation over each mask, (n,); 0 where constant or empty."""
        return self.as_spread(np.sqrt(self.masks.mean_of_pixels(self.inside**2)))

    @cached_property
    def outside(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation outside each mask, twice (n,)."""
        masks = self.masks
        if masks.mask is None:
            return np.zeros((2, masks.n))
        outside = 1 - masks.weight
        some = np.maximum(outside.sum(axis=1), 1.0)
        mean = np.vecdot(self.grey, outside) / some
        off = self.grey - mean[:, None]
        off *= outside
        return mean, self.as_spread(np.sqrt(np.vecdot(off, off) / some))

    @cached_property
    def third_and_fourth(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Third and fourth central moment over each mask, twice (n,)."""
        square = self.inside**2
        third = self.masks.mean_of_pixels(square * self.inside)
        return third, self.masks.mean_of_pixels(square**2)

    @cached_property
    def ranked(self) -> NDArray[Any]:
        """Grey values in rising order, those of the mask first, (n, h*w)."""
        grey = self.flat
        if self.masks.mask is not None:
            highest = np.inf if grey.dtype.kind == "f" else np.iinfo(grey.dtype).max
            highest = np.asarray(highest, dtype=grey.dtype)
            grey = np.where(self.masks.mask.reshape(grey.shape), grey, highest)
        # A stable sort of 8 and 16 bit integers is a radix sort, and faster.
        small = grey.dtype.itemsize <= 2
        return np.sort(grey, axis=1, kind="stable" if small else None)

    def count_below(self, edges: NDArray[np.float64]) -> NDArray[Any]:
        """How many pixels of each mask lie below each of its edges (n, k), (n, k)."""
        n, size = self.ranked.shape
        flat, start = self.ranked.ravel(), np.arange(0, n * size, size)[:, None]
        low, high = np.zeros(edges.shape, dtype=np.intp), np.full(edges.shape, size)
        # Bisection of all rows at once: numpy's searchsorted takes one row at a time.
        for _ in range(size.bit_length()):
            middle = (low + high) // 2
            below = flat[start + np.minimum(middle, size - 1)] < edges
            searching = low < high
            low = np.where(searching & below, middle + 1, low)
            high = np.where(searching & ~below, middle, high)
        return np.minimum(low, self.masks.area[:, None])

    def at_rank(self, rank: NDArray[np.intp]) -> NDArray[np.float64]:
        """Grey values of a rank (n, k) in each mask, counted from 0; float64."""
        return np.take_along_axis(self.ranked, rank, axis=1).astype(np.float64)

    def as_spread(self, spread: NDArray[np.float64]) -> NDArray[np.float64]:
        """`spread` (n,), with 0 where it is no more than rounding."""
        floor = np.maximum(ROUNDING * self.magnitude, SMALLEST_SPREAD)
        return np.where(spread > floor, spread, 0.0)


def ratio(
    numerator: ArrayLike, denominator: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Divide, with 0 where the denominator is 0."""
    safe = np.where(denominator == 0, 1.0, denominator)
    return np.where(denominator == 0, 0.0, numerator / safe)
