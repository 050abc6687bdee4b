"""Signal to noise of a particle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from emclassify.features._base import FeatureFamily
from emclassify.features._particles import ratio

if TYPE_CHECKING:
    from emclassify.features._particles import Particles

# Noise below this share of an image's spread is that of its float32 differences.
FLOAT32_ROUNDING = 1e-6


class SignalToNoise(FeatureFamily):
    """How far the particle stands out, from its surroundings and from the noise.

    Three ratios without unit, with "in" the mask and "out" the rest of the image::

        contrast_to_noise = (mean_in - mean_out) / sd_out
        mean_to_sd        = mean_in / sd_in
        structure_to_noise = sd_in / sigma

    sigma is the noise that Immerkaer's method [2]_ finds in the whole image: with N
    the difference of two Laplacians, sqrt(π / 2) / 6 times the mean of abs(image * N)
    over the pixels that are not on the image's border. The second and the third
    ratio tell something of whole images, too. A ratio is 0 where it isn't defined:
    for an empty mask, nothing outside the mask, a denominator of 0 (a constant image),
    and, for sigma, images of fewer than 3 rows or columns.

    The thesis [1]_ lists the signal to noise among its features but gives no formula:
    these definitions are ours.

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

    References
    ----------
    .. [1] S. Gryshkevych (2016). Thesis on classifying liposomes in electron
       micrographs. Uppsala University, with Vironova AB.
    .. [2] J. Immerkaer (1996). Fast noise variance estimation. Computer Vision and
       Image Understanding 64, 300-302.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.features import SignalToNoise
    >>> image = np.array([[0.0, 2.0, 0.0, 2.0, 9.0, 11.0]])
    >>> mask = image > 5
    >>> SignalToNoise().fit_transform(np.stack([image, mask], axis=-1)[None])
    array([[ 9., 10.,  0.]])
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

    def _compute(self, particles):
        return np.column_stack(
            [
                contrast_to_noise(particles),
                ratio(particles.mean, particles.sd),
                ratio(particles.sd, noise(particles)),
            ]
        )

    def _feature_names(self):
        return ["contrast_to_noise", "mean_to_sd", "structure_to_noise"]


def contrast_to_noise(particles: Particles) -> NDArray[np.float64]:
    """(mean inside - mean outside) / sd outside, (n,)."""
    mean, sd = particles.outside
    return ratio((particles.mean - mean) * (particles.masks.area > 0), sd)


def noise(particles: Particles) -> NDArray[np.float64]:
    """Immerkaer's estimate of the noise in each image, (n,); 0 for thin images."""
    n, height, width = particles.relief.shape
    if min(height, width) < 3:
        return np.zeros(n)
    # The kernel (1, -2, 1; -2, 4, -2; 1, -2, 1) is two differences of neighbours
    # down and two across. Flat, a step down is a shift by the width; differences
    # across the image's edge stand in the last two rows and columns.
    flat = particles.relief.ravel()
    for shift in (width, width, 1, 1):
        flat = flat[shift:] - flat[:-shift]
    laplacian = np.zeros((n, height, width), dtype=np.float32)
    laplacian.ravel()[: flat.size] = np.abs(flat, out=flat)
    within = (np.arange(width) < width - 2).astype(np.float32)
    by_rows = laplacian.reshape(-1, width) @ within
    total = by_rows.reshape(n, height)[:, :-2].sum(axis=1, dtype=np.float64)
    mean = total / ((height - 2) * (width - 2))
    sigma = np.sqrt(np.pi / 2) / 6 * mean * ratio(1.0, particles.relief_sd)
    return np.where(sigma > FLOAT32_ROUNDING, sigma, 0.0) * particles.image_sd
