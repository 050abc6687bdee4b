"""Basic image features: what kind of spot each pixel is, counted."""

from collections.abc import Sequence
from itertools import pairwise
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval

from emclassify.features._base import FeatureFamily
from emclassify.features._jet_statistics import check_sigmas
from emclassify.features._jets import Jet
from emclassify.features._particles import Particles

KINDS = (
    "flat",
    "slope",
    "dark_spot",
    "bright_spot",
    "dark_line",
    "bright_line",
    "saddle",
)
N_KINDS = len(KINDS)
# What is as small is rounding: it counts as flat.
ROUNDING = np.float32(1e-4)


class BasicImageFeatures(FeatureFamily):
    """How often each kind of local structure comes, at four scales.

    Each pixel is one of seven kinds at each scale: flat, slope, dark or bright spot,
    dark or bright line, saddle. It is the kind whose response to the Gaussian
    derivatives there is the largest, as Crosier and Griffin [1]_ define them, without
    the direction. With g the length of the gradient, l the Laplacian, d the difference
    of the Hessian's eigenvalues, all scale-normalised, they are `flatness` times the
    smoothed grey value above its minimum, g, l, -l, (d + l) / √2, (d - l) / √2, and d.
    The paper has 2 g for the slope, and the grey value itself; here the image is
    brought to mean 0 and standard deviation 1 first.

    The features are square roots of shares: of each kind inside and outside at each
    scale, and of each pair of kinds at one scale and the next. Inside is the mask;
    for whole images, the disc about the centre whose diameter is half the shorter
    side.

    Turning the image by quarters or mirroring it changes nothing.

    Parameters
    ----------
    sigmas : sequence of float, default=(1, 2, 4, 8)
        Standard deviations of the Gaussians, px; at least 0.3.
    flatness : float, default=0.03
        How readily a pixel is flat.
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
    JetStatistics : The derivatives themselves, not the kinds they make.

    References
    ----------
    .. [1] M. Crosier and L. D. Griffin (2010). Using basic image features for texture
       classification. International Journal of Computer Vision 88, 447-460.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.features import BasicImageFeatures
    >>> image = np.zeros((1, 15, 15))
    >>> image[0, 7, 7] = 1.0
    >>> bif = BasicImageFeatures([1.5]).set_output(transform="pandas")
    >>> shares = bif.fit_transform(image) ** 2
    >>> shares.filter(like="_inside_").round(2).T
                                   0
    bif_1.5_inside_flat         0.00
    bif_1.5_inside_slope        0.00
    bif_1.5_inside_dark_spot    0.00
    bif_1.5_inside_bright_spot  0.11
    bif_1.5_inside_dark_line    0.53
    bif_1.5_inside_bright_line  0.09
    bif_1.5_inside_saddle       0.27
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "sigmas": ["array-like", Interval(Real, 0, None, closed="neither")],
        "flatness": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        sigmas: ArrayLike = (1, 2, 4, 8),
        *,
        flatness: float = 0.03,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.sigmas = sigmas
        self.flatness = flatness
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles: Particles) -> np.ndarray:
        sigmas = check_sigmas(self.sigmas)
        images = particles.standardized
        kinds = [kinds_of(Jet(images, sigma), self.flatness) for sigma in sigmas]
        outside = ~inside(particles)
        # Of the scales, each with the next; the last one stands alone.
        codes = [own * N_KINDS + next_ for own, next_ in pairwise(kinds)]
        codes.append(kinds[-1] * N_KINDS)
        singles, pairs = [], []
        for code in codes:
            counts = count(code + outside * np.uint8(N_KINDS**2), 2 * N_KINDS**2)
            counts = counts.reshape(len(code), 2, N_KINDS, N_KINDS)
            singles.append(counts.sum(axis=3).reshape(len(code) * 2, N_KINDS))
            pairs.append(counts.sum(axis=1).reshape(len(code), -1))
        shares = [share(single).reshape(len(images), -1) for single in singles]
        shares += [share(pair) for pair in pairs[:-1]]
        return np.sqrt(np.hstack(shares))

    def _feature_names(self) -> list[str]:
        sigmas = check_sigmas(self.sigmas)
        names = [
            f"bif_{sigma:g}_{where}_{kind}"
            for sigma in sigmas
            for where in ("inside", "outside")
            for kind in KINDS
        ]
        names += [
            f"bif_{sigma:g}_{own}_{next_sigma:g}_{next_}"
            for sigma, next_sigma in pairwise(sigmas)
            for own in KINDS
            for next_ in KINDS
        ]
        return names


def kinds_of(jet: Jet, flatness: float) -> np.ndarray:
    """Return the place in `KINDS` of each pixel's kind, uint8 (n, h*w)."""
    best = jet.smooth - jet.smooth.min(axis=1)[:, None]
    best *= np.float32(flatness)
    best += ROUNDING
    bright = jet.laplacian < 0
    bend = np.abs(jet.laplacian)
    line = jet.gap + bend
    line *= np.float32(np.sqrt(0.5))
    kinds = np.zeros(best.shape, dtype=np.uint8)
    for response, kind in (
        (jet.gradient, np.uint8(1)),
        (bend, bright + np.uint8(2)),
        # The Laplacian is positive in a dark line, and (d + l) the larger.
        (line, bright + np.uint8(4)),
        (jet.gap, np.uint8(6)),
    ):
        larger = response > best
        np.copyto(kinds, kind, where=larger)
        np.maximum(best, response, out=best)
    return kinds


def inside(particles: Particles) -> np.ndarray:
    """Return which pixels are inside, (n or 1, h*w)."""
    masks = particles.masks
    if masks.mask is not None:
        return masks.mask.reshape(masks.n, -1)
    height, width = masks.image_shape
    # Twice the distance from the centre is a whole number either way.
    rows = 2 * np.arange(height) - (height - 1)
    columns = 2 * np.arange(width) - (width - 1)
    near = 4 * (rows[:, None] ** 2 + columns**2) < min(height, width) ** 2
    return near.reshape(1, -1)


def count(codes: np.ndarray, n_codes: int) -> np.ndarray:
    """Count how often each code comes in each row, (n, n_codes)."""
    n = len(codes)
    place = codes + np.arange(n)[:, None] * n_codes
    return np.bincount(place.ravel(), minlength=n * n_codes).reshape(n, n_codes)


def share(counts: np.ndarray) -> np.ndarray:
    """Divide each row by its sum; an empty one stays 0."""
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
