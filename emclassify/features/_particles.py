"""A chunk of particles: grey values, masks, and what several families need of both."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from emclassify.features._outline import squared_lengths
from emclassify.features._rings import Rings

# Spread below this share of the largest grey value is rounding, not signal.
ROUNDING = 1e-10
# Below this, powers of a spread would be too small for a float.
SMALLEST_SPREAD = 1e-30


class ParticleMasks:
    """Masks (n, h, w) of a chunk; `mask` is None where every pixel is particle."""

    def __init__(self, mask, n, image_shape):
        self.mask = mask
        self.n = n
        self.image_shape = image_shape
        self._rings = {}

    @cached_property
    def weight(self):
        """The masks as numbers, (n, h*w); None for whole images."""
        if self.mask is None:
            return None
        return self.mask.reshape(self.n, -1).astype(np.float64)

    @cached_property
    def area(self):
        """Number of pixels of each mask, (n,)."""
        if self.mask is None:
            return np.full(self.n, float(np.prod(self.image_shape)))
        return self.weight.sum(axis=1)

    @cached_property
    def some(self):
        """The area, with 1 for an empty mask, so that one can divide by it."""
        return np.maximum(self.area, 1.0)

    @cached_property
    def centroid(self):
        """Row and column of each mask's centre of mass, (n, 2), px."""
        height, width = self.image_shape
        if self.mask is None:
            return np.tile([(height - 1) / 2, (width - 1) / 2], (self.n, 1))
        weight = self.weight.reshape(self.n, height, width)
        rows = weight.sum(axis=2) @ np.arange(height)
        columns = weight.sum(axis=1) @ np.arange(width)
        return np.stack([rows, columns], axis=1) / self.some[:, None]

    @cached_property
    def diameter(self):
        """Diameter of the disc of the same area, (n,), px."""
        return np.sqrt(4 * self.area / np.pi)

    def mean(self, values):
        """Mean over the mask of values (n, h*w); 0 for an empty mask."""
        if self.weight is None:
            return values.mean(axis=1)
        return np.vecdot(values, self.weight) / self.some

    def rings(self, n_rings, extent):
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
    def row_ends(self):
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
        first = mask.argmax(axis=2).astype(np.int32)
        last = mask.shape[2] - 1 - mask[:, :, ::-1].argmax(axis=2)
        used = np.take_along_axis(mask, first[:, :, None], axis=2)[:, :, 0]
        return first, last.astype(np.int32), used

    @cached_property
    def squared_lengths(self):
        """Squared distances of the outline's ends, see `squared_lengths`."""
        return squared_lengths(*self.row_ends)


class Particles:
    """One grey channel of a chunk with its masks.

    Parameters
    ----------
    channel : ndarray of shape (n, h, w)
        Grey values as they came.
    masks : ParticleMasks
        Shared by the channels.
    """

    def __init__(self, channel, masks):
        self.channel = channel
        self.masks = masks

    @cached_property
    def grey(self):
        """Grey values as float64, (n, h*w)."""
        return self.channel.reshape(self.masks.n, -1).astype(np.float64)

    @cached_property
    def minimum(self):
        """Smallest grey value of each image, (n,)."""
        return self.grey.min(axis=1)

    @cached_property
    def magnitude(self):
        """Largest absolute grey value of each image, (n,)."""
        return np.maximum(self.grey.max(axis=1), -self.minimum)

    @cached_property
    def image_mean(self):
        """Mean of each whole image, (n,)."""
        return self.grey.mean(axis=1)

    @cached_property
    def centred(self):
        """Grey values less the mean of their image, (n, h*w)."""
        return self.grey - self.image_mean[:, None]

    @cached_property
    def image_sd(self):
        """Standard deviation of each whole image, (n,); 0 where constant."""
        variance = np.vecdot(self.centred, self.centred) / self.centred.shape[1]
        return self.as_spread(np.sqrt(variance))

    @cached_property
    def standard(self):
        """Images (n, h, w) of mean 0 and standard deviation 1, or all 0 if constant.

        float32 is enough for sums and differences of neighbours at this scale.
        """
        standard = np.empty(self.centred.shape, dtype=np.float32)
        scale = ratio(1.0, self.image_sd)[:, None]
        np.multiply(self.centred, scale, out=standard, casting="same_kind")
        return standard.reshape(self.channel.shape)

    @cached_property
    def mean(self):
        """Mean over each mask, (n,)."""
        return self.masks.mean(self.grey)

    @cached_property
    def inside(self):
        """Grey values less the mean over their mask, 0 outside it, (n, h*w)."""
        if self.masks.mask is None:
            return self.centred
        inside = self.grey - self.mean[:, None]
        inside *= self.masks.weight
        return inside

    @cached_property
    def sd(self):
        """Standard deviation over each mask, (n,); 0 where constant or empty."""
        variance = np.vecdot(self.inside, self.inside) / self.masks.some
        return self.as_spread(np.sqrt(variance))

    def as_spread(self, spread):
        """`spread` (n,), with 0 where it is no more than rounding."""
        floor = np.maximum(ROUNDING * self.magnitude, SMALLEST_SPREAD)
        return np.where(spread > floor, spread, 0.0)


def ratio(numerator, denominator):
    """Divide, with 0 where the denominator is 0."""
    safe = np.where(denominator == 0, 1.0, denominator)
    return np.where(denominator == 0, 0.0, numerator / safe)
