"""Zernike moments of a particle."""

from collections.abc import Sequence
from functools import lru_cache
from math import comb, factorial
from numbers import Integral
from typing import Literal

import numpy as np
from sklearn.utils._param_validation import Interval

from emclassify.features._base import FeatureFamily
from emclassify.features._particles import Particles

# Radii of the discs, in radii of the particle, and what they are called.
DISCS = {"whole": 1.0, "half": 0.5}


class ZernikeMoments(FeatureFamily):
    """Magnitudes of Zernike moments: how the particle's grey values lie, turned or not.

    The image, brought to mean 0 and standard deviation 1, is projected onto Zernike's
    polynomials [1]_ V_nm = R_nm(r) exp(i m θ) on a disc, and the magnitudes of
    Z_nm = (n + 1) / (π R²) times the sum of f V*_nm are the features, for all n up to
    `degree` and m of the same parity. There are two discs about the centre of mass of
    the mask, of the particle's radius R = sqrt(A / π) and of half of it; for whole
    images, R is half of the shorter side.

    Turning the image by quarters or mirroring it changes nothing, other turns little.
    A constant image and an empty mask give zeros.

    Parameters
    ----------
    degree : int, default=12
        Largest n, at most 20: beyond, digits are lost.
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
    Moments : Central, normalised and Hu moments.

    References
    ----------
    .. [1] A. Khotanzad and Y. H. Hong (1990). Invariant image recognition by Zernike
       moments. IEEE Transactions on Pattern Analysis and Machine Intelligence 12,
       489-497.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.features import ZernikeMoments
    >>> image = np.random.default_rng(0).normal(size=(1, 24, 24))
    >>> zernike = ZernikeMoments(4).fit(image)
    >>> zernike.get_feature_names_out()[:5]
    array(['zernike_whole_0_0', 'zernike_whole_1_1', 'zernike_whole_2_0',
           'zernike_whole_2_2', 'zernike_whole_3_1'], dtype=object)
    >>> turned = np.rot90(image, axes=(1, 2))
    >>> bool(np.allclose(zernike.transform(image), zernike.transform(turned)))
    True
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "degree": [Interval(Integral, 0, 20, closed="both")],
    }

    def __init__(
        self,
        degree: int = 12,
        *,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.degree = degree
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles: Particles) -> np.ndarray:
        masks = particles.masks
        images = particles.standardized.astype(np.float64)
        centres, radius = masks.centroid, masks.diameter / 2
        if masks.mask is None:
            # One disc serves all images.
            centres = centres[:1]
            radius = np.array([min(masks.image_shape) / 2])
        return np.hstack(
            [
                zernike_magnitudes(images, centres, radius * part, self.degree)
                for part in DISCS.values()
            ]
        )

    def _feature_names(self) -> list[str]:
        return [
            f"zernike_{disc}_{n}_{m}" for disc in DISCS for n, m in orders(self.degree)
        ]


def orders(degree: int) -> list[tuple[int, int]]:
    """Return all (n, m) with n up to `degree`, m at most n and of its parity."""
    return [(n, m) for n in range(degree + 1) for m in range(n % 2, n + 1, 2)]


@lru_cache(maxsize=8)
def coefficients(degree: int) -> np.ndarray:
    """Coefficients of y^p x^q in (n + 1) / π times V*_nm, one (p, q) after another.

    Returns complex ((degree + 1)², number of orders).
    """
    size = degree + 1
    result = np.zeros((len(orders(degree)), size, size), dtype=complex)
    for i, (n, m) in enumerate(orders(degree)):
        for s in range((n - m) // 2 + 1):
            radial = (
                (-1) ** s
                * factorial(n - s)
                // (
                    factorial(s)
                    * factorial((n + m) // 2 - s)
                    * factorial((n - m) // 2 - s)
                )
            )
            # r^(n - 2s) exp(-i m θ) = (x² + y²)^half (x - iy)^m
            half = (n - 2 * s - m) // 2
            for j in range(half + 1):
                for k in range(m + 1):
                    p, q = 2 * j + k, 2 * (half - j) + m - k
                    weight = radial * comb(half, j) * comb(m, k)
                    result[i, p, q] += weight * (-1j) ** k
        result[i] *= (n + 1) / np.pi
    return result.reshape(len(result), -1).T


def zernike_magnitudes(
    images: np.ndarray, centres: np.ndarray, radii: np.ndarray, degree: int
) -> np.ndarray:
    """Magnitudes of the Zernike moments of images (n, h, w), (n, number of orders).

    `centres` is (n, 2) and `radii` (n,), px; or one of each for all images.
    """
    n, height, width = images.shape
    scale = 1 / np.where(radii > 0, radii, 1.0)[:, None]
    y = (np.arange(height) - centres[:, :1]) * scale
    x = (np.arange(width) - centres[:, 1:]) * scale
    within = y[:, :, None] ** 2 + x[:, None, :] ** 2 <= 1
    within &= (radii > 0)[:, None, None]
    powers = np.arange(degree + 1)
    # Sums of y^p x^q f are two small products; all polynomials are made of them.
    by_columns = np.where(within, images, 0.0) @ x[:, :, None] ** powers
    moments = (y[:, :, None] ** powers).transpose(0, 2, 1) @ by_columns
    moments = moments.reshape(n, -1)
    table = coefficients(degree)
    real, imaginary = moments @ table.real, moments @ table.imag
    return np.hypot(real, imaginary) * scale**2
