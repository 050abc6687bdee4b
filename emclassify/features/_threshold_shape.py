"""Shape of what is brighter than three thresholds."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from emclassify.features._base import FeatureFamily
from emclassify.features._jets import smooth
from emclassify.features._masks import otsu_thresholds
from emclassify.features._objects import Objects, PartsOfMasks
from emclassify.features._particles import Particles, ratio

LEVELS = ("low", "otsu", "high")
# Standard deviation of the Gaussian that the thresholds see the image through, px.
SIGMA = 0.7
# Grey values of these ranks count as the darkest and the brightest.
DARKEST, BRIGHTEST = 0.02, 0.995
OF_ALL = ("log_count", "log_count_large", "share", "largest", "second")
OF_ONE = (
    "log_area",
    "solidity",
    "eccentricity",
    "major_axis",
    "minor_axis",
    "roundness",
    "perimeter",
    "extent",
    "euler_number",
    "depth_max",
    "depth_mean",
    "log_hu_1",
    "log_hu_2",
    "log_hu_3",
    "contrast",
    "spread",
    "off_centre",
    "lopsided",
)
# Objects of more pixels than this are counted apart: the rest may be noise.
NOISE_AREA = 8
HU_FLOOR = 1e-9


class ThresholdShape(FeatureFamily):
    """Objects above three thresholds: how many, how large, and the shape of one.

    The image is smoothed by a Gaussian of 0.7 px. One threshold is Otsu's; one lies
    half-way from there down to the darkest (2 %), one half-way up to the brightest
    (99.5 %). Objects are the 4-connected parts above a threshold, within the mask.

    Of all objects, a threshold: log(1 + count), the same for those of more than 8 px,
    and the shares of the image in all, the largest and the second largest object. Of
    the object that comes nearest to the centre of mass of the mask (where several do,
    the largest, then the nearer on the whole, then the brighter):

    - logarithm of the area A; solidity, A over the area of the polygon of 32 tangents
      around the object; extent, A over that of its upright rectangle
    - eccentricity and axes of the ellipse of the same second moments
    - perimeter P by Crofton's formula in four directions, and roundness 4 π A / P²
    - Euler number: 1 less the number of holes
    - depth: Euclidean distance of its pixels to the nearest one outside, the largest
      and the mean
    - decadic logarithms of the first three Hu moments of its outline's inside
    - contrast and spread: mean and standard deviation of its grey values, as standard
      deviations of the image above its mean
    - distance of its centre from that of the mask, and of its grey values' centre from
      its own ("lopsided")

    Lengths are in units of sqrt(height · width) of the image. Turning the image by
    quarters or mirroring it changes nothing, unless ``mask="otsu"`` finds two parts of
    one size. Without an object, as in a constant image, all is 0. The choice of what is
    measured is ours.

    Parameters
    ----------
    mask : {"auto", "last", "otsu", "full"}, default="auto"
        Where the particle is. "last": the last channel, where it isn't 0. "otsu": the
        largest 4-connected part on the particle's side of Otsu's threshold of the
        first channel, of equals the first. "full": the whole image. "auto": "last" for
        images of exactly two channels, else "full".
    particle : {"auto", "dark", "bright"}, default="auto"
        The particle's side of Otsu's threshold. "auto": the side that holds at most
        half of the image's border.
    image_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of the image in a flat row.
    n_jobs : int, default=None
        Number of threads that share the images; None is 1, -1 is all cores.

    Attributes
    ----------
    image_shape_ : tuple of int
        (height, width, channels) of the images seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]``.
    n_features_out_ : int
        Number of features.

    See Also
    --------
    Length, MaximumWidth, Diameter : Shape of the mask itself.

    Examples
    --------
    A disc and a small square:

    >>> import numpy as np
    >>> from emclassify.features import ThresholdShape
    >>> image = (np.hypot(*(np.indices((40, 40)) - 20)) < 10).astype(float)
    >>> image[2:6, 2:6] = 1.0
    >>> shape = ThresholdShape().set_output(transform="pandas")
    >>> found = shape.fit_transform(image[None])
    >>> found.filter(regex="otsu_(log_count|area|roundness|euler_number)$").round(2)
       shape_otsu_log_count  shape_otsu_roundness  shape_otsu_euler_number
    0                   1.1                   1.0                      1.0
    """

    def __init__(
        self,
        *,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles: Particles) -> np.ndarray:
        masks = particles.masks
        relief = smooth(particles.standardized, SIGMA)
        thresholds = thresholds_of(relief)
        above = relief[:, None] > thresholds[:, :, None, None]
        if masks.mask is not None:
            above &= masks.mask[:, None]
        above &= (particles.image_sd > 0)[:, None, None, None]
        above = above.reshape(-1, *masks.image_shape)
        parts = PartsOfMasks(above)
        centres = np.repeat(masks.centroid, len(LEVELS), axis=0)
        grey = np.repeat(relief, len(LEVELS), axis=0)
        objects = Objects(parts.nearest(centres, grey))
        numbers = np.column_stack(
            [
                of_all(parts, above[0].size),
                of_one(objects),
                grey_of(objects, particles.standardized, relief, thresholds),
                off_centre(objects, centres),
                lopsided(objects, relief, thresholds),
            ]
        )
        numbers *= (objects.area > 0)[:, None]
        return numbers.reshape(masks.n, -1)

    def _feature_names(self) -> list[str]:
        return [f"shape_{level}_{name}" for level in LEVELS for name in OF_ALL + OF_ONE]


def thresholds_of(relief: np.ndarray) -> np.ndarray:
    """Low, Otsu's and high threshold of images (n, h, w), (n, 3)."""
    flat = relief.reshape(len(relief), -1)
    ranks = [int(part * (flat.shape[1] - 1)) for part in (DARKEST, BRIGHTEST)]
    ranked = np.partition(flat, ranks, axis=1)
    dark, bright = (ranked[:, rank].astype(np.float64) for rank in ranks)
    middle = otsu_thresholds(relief)
    thresholds = [(dark + middle) / 2, middle, (middle + bright) / 2]
    return np.stack(thresholds, axis=1).astype(np.float32)


def of_all(parts: PartsOfMasks, n_pixels: int) -> np.ndarray:
    """Numbers of all parts of each mask, (n, 5)."""
    largest, second = parts.two_largest
    return np.column_stack(
        [
            np.log1p(parts.count),
            np.log1p(parts.count_above(NOISE_AREA)),
            parts.total / n_pixels,
            largest / n_pixels,
            second / n_pixels,
        ]
    )


def of_one(objects: Objects) -> np.ndarray:
    """Numbers of the shape of each object, (n, 14)."""
    scale = objects.scale
    area = np.maximum(objects.area, 1)
    major, minor = objects.axes
    perimeter = np.where(objects.perimeter > 0, objects.perimeter, 1.0)
    depth_max, depth_mean = objects.depth
    return np.column_stack(
        [
            np.log(area),
            ratio(objects.area, objects.hull_area),
            np.sqrt(1 - ratio(minor, major) ** 2),
            major / scale,
            minor / scale,
            4 * np.pi * area / perimeter**2,
            objects.perimeter / scale,
            ratio(objects.area, objects.box_area),
            objects.euler_number,
            depth_max / scale,
            depth_mean / scale,
            np.log10(objects.hu[:, :3] + HU_FLOOR),
        ]
    )


def grey_of(
    objects: Objects, values: np.ndarray, relief: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    """Mean and standard deviation of each object's grey values, (n, 2)."""
    inside = objects.light.reshape(len(values), len(LEVELS), -1)
    values = values.reshape(len(values), 1, -1)
    area = np.maximum(objects.area, 1)
    mean = np.vecdot(inside, values).ravel() / area
    off = (values - mean.reshape(len(values), -1, 1).astype(np.float32)) * inside
    return np.column_stack([mean, np.sqrt(np.vecdot(off, off).ravel() / area)])


def off_centre(objects: Objects, centres: np.ndarray) -> np.ndarray:
    """Distance of each object's centre of mass from the particle's, (n,)."""
    return np.hypot(*(objects.centroid - centres).T) / objects.scale


def lopsided(
    objects: Objects, relief: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    """Distance of the centre of an object's grey values from its own, (n,).

    Grey values count from the threshold upwards.
    """
    weight = relief[:, None] - thresholds[:, :, None, None]
    weight = weight.reshape(objects.light.shape) * objects.light
    return np.hypot(*(objects.centroid_of(weight) - objects.centroid).T) / objects.scale
