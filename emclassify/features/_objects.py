"""Parts of masks and the shape of one object each, for every image of a stack."""

from functools import cached_property

import numpy as np
from scipy import ndimage

from emclassify.features._depth import squared_depth
from emclassify.features._masks import WITHIN_IMAGE
from emclassify.features._moments import (
    central_moments,
    hu_moments,
    normalized_moments,
    raw_moments,
)
from emclassify.features._particles import ParticleMasks

# Directions of the tangents around an object; a multiple of 4, so that quarter turns
# map them on each other.
N_TANGENTS = 32


class PartsOfMasks:
    """The 4-connected parts of masks (n, h, w)."""

    def __init__(self, masks: np.ndarray) -> None:
        self.masks = masks
        self.labels, n_labels = ndimage.label(masks, structure=WITHIN_IMAGE)
        self.flat = self.labels.reshape(len(masks), -1)
        self.areas = np.bincount(self.flat.ravel(), minlength=n_labels + 1)
        self.areas[0] = 0
        # Labels count upwards through the stack, so each mask owns a run of them.
        self.last = np.maximum.accumulate(self.flat.max(axis=1))
        self.first = np.r_[0, self.last[:-1]] + 1

    @property
    def count(self) -> np.ndarray:
        """Number of parts of each mask, (n,)."""
        return self.last - self.first + 1

    def count_above(self, area: int) -> np.ndarray:
        """Count the parts of more pixels than `area`, (n,)."""
        large = np.cumsum(self.areas > area)
        return large[self.last] - large[self.first - 1]

    @property
    def total(self) -> np.ndarray:
        """Number of pixels of each mask, (n,)."""
        sums = np.cumsum(self.areas)
        return sums[self.last] - sums[self.first - 1]

    @cached_property
    def two_largest(self) -> tuple[np.ndarray, np.ndarray]:
        """Number of pixels of the largest part and the next, twice (n,); 0 if none."""
        owner = np.repeat(np.arange(len(self.masks)), self.count)
        areas = self.areas[1:][np.lexsort((-self.areas[1:], owner))]
        areas = np.append(areas, [0, 0])
        start = self.first - 1
        largest = np.where(self.count > 0, areas[start], 0)
        return largest, np.where(self.count > 1, areas[start + 1], 0)

    def nearest(self, centres: np.ndarray, images: np.ndarray) -> np.ndarray:
        """Masks of the part with the pixel nearest to each centre (n, 2).

        Of several as near, the largest; then the one whose pixels lie nearer on the
        whole, then the brighter one in `images` (n, h, w).
        """
        n, height, width = self.masks.shape
        rows = (np.arange(height) - centres[:, :1]) ** 2
        columns = (np.arange(width) - centres[:, 1:]) ** 2
        if (centres == centres[0]).all():
            rows, columns = rows[:1], columns[:1]
        squared = rows[:, :, None] + columns[:, None, :]
        # Rounded, so that what is as near after a turn of the image is as near here.
        squared = np.round(squared, 6).astype(np.float32)
        far = np.where(self.masks, squared, np.float32(np.inf)).reshape(n, -1)
        least = far.min(axis=1)[:, None]
        image, pixel = np.nonzero((far == least) & (far < np.inf))
        label = self.flat[image, pixel]
        keys = [self.areas[label], image]
        order = np.lexsort(keys)
        if self._are_equal(image[order], label[order]):
            away, light = self._sums(far.reshape(self.masks.shape), images)
            order = np.lexsort([light[label], -away[label], *keys])
        chosen = np.full(n, -1)
        chosen[image[order]] = label[order]
        return self.labels == chosen[:, None, None]

    def _are_equal(self, image: np.ndarray, label: np.ndarray) -> bool:
        """Whether two parts of one image have one size, among parts in that order."""
        same = (np.diff(image) == 0) & (np.diff(self.areas[label]) == 0)
        return bool((same & (np.diff(label) != 0)).any())

    def _sums(self, *values: np.ndarray) -> list[np.ndarray]:
        """Sum each of `values` (n, h, w) over each part, by label; rounded."""
        label, n_labels = self.labels[self.masks], len(self.areas)
        return [
            np.bincount(label, weights=value[self.masks], minlength=n_labels).round(3)
            for value in values
        ]


class Objects(ParticleMasks):
    """One object (n, h, w) each: its moments, outline and depth."""

    def __init__(self, masks: np.ndarray) -> None:
        super().__init__(masks, len(masks), masks.shape[1:])
        #: Lengths are measured in this, px.
        self.scale = float(np.sqrt(np.prod(masks.shape[1:])))

    @cached_property
    def _central(self) -> np.ndarray:
        """Central moments up to order 3, (n, 4, 4)."""
        return central_moments(raw_moments(self.light, 3), 0.0)

    @cached_property
    def hu(self) -> np.ndarray:
        """Hu's moments, (n, 7)."""
        return hu_moments(normalized_moments(self._central))

    @cached_property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Axes of the ellipse of the same second moments, px, twice (n,).

        A pixel is a square, whose own second moment is 1/12.
        """
        moments = self._central / self.some[:, None, None]
        a, b, c = moments[:, 2, 0] + 1 / 12, moments[:, 0, 2] + 1 / 12, moments[:, 1, 1]
        gap = np.sqrt((a - b) ** 2 + 4 * c**2)
        larger, smaller = (a + b + gap) / 2, np.maximum((a + b - gap) / 2, 0.0)
        return 4 * np.sqrt(larger), 4 * np.sqrt(smaller)

    @cached_property
    def _padded(self) -> np.ndarray:
        """Objects with a frame of background, bool (n, h + 2, w + 2)."""
        n, height, width = self.mask.shape
        padded = np.zeros((n, height + 2, width + 2), dtype=bool)
        padded[:, 1:-1, 1:-1] = self.mask
        return padded

    def _count_unequal(self, down: int, right: int) -> np.ndarray:
        """Count pairs of pixels so far apart, one of them in the object, (n,)."""
        # Flat: the frame keeps what lies across the edge apart.
        flat, width = self._padded.reshape(self.n, -1), self._padded.shape[2]
        shift = down * width + right
        return np.count_nonzero(flat[:, shift:] != flat[:, :-shift], axis=1)

    @cached_property
    def _crossings(self) -> list[np.ndarray]:
        """Steps across the outline along rows, columns and both diagonals, (n,)."""
        steps = (0, 1), (1, 0), (1, 1), (1, -1)
        return [self._count_unequal(*step) for step in steps]

    @cached_property
    def perimeter(self) -> np.ndarray:
        """Crofton's perimeter, px, from lines in four directions, (n,)."""
        right, down, fall, rise = self._crossings
        return np.pi / 8 * (right + down + (fall + rise) / np.sqrt(2))

    @cached_property
    def euler_number(self) -> np.ndarray:
        """Parts, 4-connected, less holes, 8-connected, (n,)."""
        right, down, *_ = self._crossings
        flat, width = self._padded.reshape(self.n, -1), self._padded.shape[2]
        blocks = flat[:, 1:] & flat[:, :-1]
        blocks = np.count_nonzero(blocks[:, width:] & blocks[:, :-width], axis=1)
        # Pixels, less pairs of neighbours, and blocks of four.
        return self.area - (2 * self.area - (right + down) / 2) + blocks

    @cached_property
    def box_area(self) -> np.ndarray:
        """Area of the upright rectangle around each object, px, (n,)."""
        first, last, used = self.row_ends
        big = np.iinfo(first.dtype).max
        across = np.where(used, last, -1).max(axis=1) + 1.0
        across -= np.where(used, first, big).min(axis=1)
        along = used.shape[1] - used[:, ::-1].argmax(axis=1) - used.argmax(axis=1)
        return across * along * used.any(axis=1)

    @cached_property
    def hull_area(self) -> np.ndarray:
        """Area of the polygon of 32 tangents around each object, px, (n,).

        Pixels are squares. The polygon follows from the distance of each tangent from
        the origin, the support function.
        """
        first, last, used = self.row_ends
        turn = 2 * np.pi / N_TANGENTS
        angles = turn * np.arange(N_TANGENTS)
        along, across = np.sin(angles), np.cos(angles)
        # About the middle, so that little is lost to rounding.
        lines = np.arange(used.shape[1]) - (used.shape[1] - 1) / 2
        middle = (min(self.mask.shape[1:]) - 1) / 2
        support = np.empty((N_TANGENTS, self.n))
        start, stop = first - middle, last - middle
        # Below what any line reaches.
        lowest = -float(sum(self.mask.shape[1:]))
        for k in range(N_TANGENTS):
            # Of squares, the corner counts.
            corner = (abs(along[k]) + abs(across[k])) / 2
            ends = stop if across[k] >= 0 else start
            reach = ends * across[k] + lines * along[k]
            support[k] = np.where(used, reach, lowest).max(axis=1) + corner
        before, after = np.roll(support, 1, axis=0), np.roll(support, -1, axis=0)
        edge = (before + after - 2 * support * np.cos(turn)) / np.sin(turn)
        area = (support * edge).sum(axis=0) / 2
        return np.where(self.area > 0, area, 0.0)

    @cached_property
    def depth(self) -> tuple[np.ndarray, np.ndarray]:
        """Distance to the nearest pixel outside, largest and mean, px, twice (n,)."""
        depth = np.sqrt(squared_depth(self.mask), dtype=np.float32).reshape(self.n, -1)
        return depth.max(axis=1), depth.sum(axis=1, dtype=np.float64) / self.some

    def centroid_of(self, weight: np.ndarray) -> np.ndarray:
        """Centre of mass of weights (n, h, w), (n, 2) px; the mask's own if all 0."""
        _, height, width = weight.shape
        by_rows = weight.sum(axis=2, dtype=np.float64)
        by_columns = weight.sum(axis=1, dtype=np.float64)
        total = by_rows.sum(axis=1)
        centre = np.stack(
            [by_rows @ np.arange(height), by_columns @ np.arange(width)], axis=1
        )
        safe = np.where(total > 0, total, 1.0)[:, None]
        return np.where(total[:, None] > 0, centre / safe, self.centroid)
