"""Image moments of a particle."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from emclassify.features._base import FeatureFamily
from emclassify.features._particles import ratio

if TYPE_CHECKING:
    from emclassify.features._particles import Particles

# Hu's invariants below this are taken as zero by the logarithm.
HU_FLOOR = 1e-12
# Intensities of either sign that add up to less than this share of their number have
# no centre of mass to speak of.
CANCELLED = 1e-6
SMALLEST_TOTAL = 1e-20


class Moments(FeatureFamily):
    """Central, normalised and Hu moments of the grey values in the particle's mask.

    With weights w of the pixels at rows r and columns c, and their centre of mass
    (r0, c0)::

        mu_pq = sum w (r - r0)^p (c - c0)^q          central, p + q <= order
        nu_pq = mu_pq / mu_00^(1 + (p + q) / 2)      normalised, 2 <= p + q <= order

    and Hu's seven invariants of nu [2]_, as `skimage.measure.moments_central`,
    `moments_normalized` and `moments_hu` have them for the image of weights. mu_01
    and mu_10, which are 0, are left out. Where the weights add up to nothing
    (an empty mask, a constant image with `weights="contrast"`) all are 0.

    The thesis [1]_ lists image moments among its features but not which.

    Parameters
    ----------
    order : int, default=3
        Highest p + q of the central and normalised moments, 2 or more.
    weights : {"contrast", "intensity", "mask"}, default="contrast"
        "contrast": grey value less the smallest grey value of the image, divided by
        its mean over the mask, so that brightness and contrast don't matter.
        "intensity": the grey value as it is, as scikit-image takes it; all moments
        are 0 if the mean isn't positive, or under a millionth of the largest.
        "mask": 1, the moments of the shape.
    log_hu : bool, default=True
        Give ``sign(h) log10(1 + |h| / 1e-12)`` for each of Hu's invariants h, which
        span many orders of magnitude.
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

    References
    ----------
    .. [1] S. Gryshkevych (2016). Thesis on classifying liposomes in electron
       micrographs. Uppsala University, with Vironova AB.
    .. [2] M.-K. Hu (1962). Visual pattern recognition by moment invariants. IRE
       Transactions on Information Theory 8, 179-187.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.features import Moments
    >>> images = np.ones((1, 3, 5))
    >>> moments = Moments(order=2, weights="mask").fit(images)
    >>> moments.get_feature_names_out()[:4]
    array(['moment_00', 'moment_02', 'moment_11', 'moment_20'], dtype=object)
    >>> moments.transform(images)[0, :4]
    array([15., 30.,  0., 10.])
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "order": [Interval(Integral, 2, 9, closed="both")],
        "weights": [StrOptions({"contrast", "intensity", "mask"})],
        "log_hu": ["boolean"],
    }

    def __init__(
        self,
        order: int = 3,
        *,
        weights: Literal["contrast", "intensity", "mask"] = "contrast",
        log_hu: bool = True,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.order = order
        self.weights = weights
        self.log_hu = log_hu
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _powers(self, lowest):
        """(p, q) with lowest <= p + q <= order, without the two that are 0."""
        return [
            (p, total - p)
            for total in range(lowest, self.order + 1)
            for p in range(total + 1)
            if total != 1
        ]

    def _feature_names(self):
        return [
            *(f"moment_{p}{q}" for p, q in self._powers(0)),
            *(f"normalized_moment_{p}{q}" for p, q in self._powers(2)),
            *(f"hu_{i}" for i in range(1, 8)),
        ]

    def _compute(self, particles):
        weight = weight_images(particles, self.weights)
        raw = raw_moments(weight, max(self.order, 3))
        if self.weights == "contrast":
            mean = particles.as_spread(particles.mean - particles.minimum)
            raw *= ratio(1.0, mean)[:, None, None]
            floor = 0.0
        else:
            scale = particles.magnitude if self.weights == "intensity" else 1.0
            floor = np.maximum(CANCELLED * scale * particles.masks.area, SMALLEST_TOTAL)
        mu = central_moments(raw, floor)
        nu = normalized_moments(mu)
        hu = hu_moments(nu)
        if self.log_hu:
            hu = np.sign(hu) * np.log10(1 + np.abs(hu) / HU_FLOOR)
        return np.column_stack(
            [
                *(mu[:, p, q] for p, q in self._powers(0)),
                *(nu[:, p, q] for p, q in self._powers(2)),
                hu,
            ]
        )


def weight_images(particles: Particles, weights: str) -> NDArray[np.float64]:
    """Weight of each pixel, (n, h, w); 0 outside the mask."""
    masks = particles.masks
    shape = (masks.n, *masks.image_shape)
    if weights == "contrast":
        return particles.above_minimum.reshape(shape)
    inside = masks.weight
    if weights == "mask":
        return np.ones(shape) if inside is None else inside.reshape(shape)
    grey = particles.grey if inside is None else particles.grey * inside
    return grey.reshape(shape)


def raw_moments(weight: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Moments about the middle of the image, (n, order + 1, order + 1).

    About the middle, they lose fewer digits on the way to the central ones than
    about a corner.
    """
    n, height, width = weight.shape
    powers = np.arange(order + 1)
    rows = (np.arange(height) - (height - 1) / 2)[:, None] ** powers
    columns = (np.arange(width) - (width - 1) / 2)[:, None] ** powers
    by_columns = (weight.reshape(n * height, width) @ columns).reshape(n, height, -1)
    return rows.T @ by_columns


def central_moments(raw: NDArray[np.float64], floor: ArrayLike) -> NDArray[np.float64]:
    """Moments about the centre of mass; 0 where the total is `floor` or less."""
    order = raw.shape[1] - 1
    total = raw[:, 0, 0]
    heavy = total > floor
    # mu = sum over i, j of comb(p, i) comb(q, j) (-r0)^(p - i) (-c0)^(q - j) raw_ij
    by_rows = shift_matrices(ratio(raw[:, 1, 0], total * heavy), order)
    by_columns = shift_matrices(ratio(raw[:, 0, 1], total * heavy), order)
    mu = by_rows @ raw @ by_columns.transpose(0, 2, 1)
    mu[:, 0, 1] = mu[:, 1, 0] = 0
    mu[~heavy] = 0
    return mu


def shift_matrices(centre: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Matrices (n, p, i) that turn powers of x into powers of x - centre."""
    matrices = np.zeros((len(centre), order + 1, order + 1))
    for p in range(order + 1):
        for i in range(p + 1):
            matrices[:, p, i] = comb(p, i) * (-centre) ** (p - i)
    return matrices


def normalized_moments(mu: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moments mu with the scale taken out; 0 below order 2."""
    total = mu[:, 0, 0]
    powers = np.arange(mu.shape[1])
    exponent = 1 + (powers[:, None] + powers) / 2
    safe = np.where(total > 0, total, 1.0)[:, None, None]
    nu = mu / safe**exponent
    nu[:, 0, :2] = nu[:, 1, 0] = 0
    return nu


def hu_moments(nu: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hu's seven invariants of normalised moments, (n, 7)."""
    n20, n02, n11 = nu[:, 2, 0], nu[:, 0, 2], nu[:, 1, 1]
    n30, n21, n12, n03 = nu[:, 3, 0], nu[:, 2, 1], nu[:, 1, 2], nu[:, 0, 3]
    a, b = n30 + n12, n21 + n03
    c, d = n30 - 3 * n12, 3 * n21 - n03
    difference = n20 - n02
    return np.stack(
        [
            n20 + n02,
            difference**2 + 4 * n11**2,
            c**2 + d**2,
            a**2 + b**2,
            c * a * (a**2 - 3 * b**2) + d * b * (3 * a**2 - b**2),
            difference * (a**2 - b**2) + 4 * n11 * a * b,
            d * a * (a**2 - 3 * b**2) - c * b * (3 * a**2 - b**2),
        ],
        axis=1,
    )
