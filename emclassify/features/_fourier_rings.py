"""Power spectrum of an image in rings."""

from collections.abc import Sequence
from functools import lru_cache
from numbers import Integral
from typing import Literal

import numpy as np
from scipy import fft
from sklearn.utils._param_validation import Interval

from emclassify.features._base import FeatureFamily
from emclassify.features._particles import Particles

# Power a pixel, of an image of standard deviation 1, below which all is the same.
FLOOR = 1e-6
# The lowest ring starts at this many periods along the shorter side.
LOWEST = 0.8


class FourierRings(FeatureFamily):
    """Power by spatial frequency, and how much of it keeps to some directions.

    The image, brought to mean 0 and standard deviation 1, is multiplied by a Hann
    window along either side and its power spectrum taken. The rings of frequency are
    logarithmic, from 0.8 periods along the shorter side to 0.5 periods a pixel. A ring
    gives the logarithm of its mean power, and the second and fourth angular harmonic
    of the power, ``|sum p exp(i k θ)| / sum p``: near 1 where it all lies along one
    axis (k = 2) or two at right angles (k = 4). A ring without a frequency gets the
    straight line between its neighbours.

    Turning the image by quarters or mirroring it changes nothing. The whole image
    counts, whatever the mask. A constant image gives the logarithm of 1e-6, and zeros.
    The choice of rings and harmonics is ours.

    Parameters
    ----------
    n_rings : int, default=12
        Number of rings.
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
    JetStatistics : Structure by scale, where it is.

    Examples
    --------
    Stripes of period 8 px have all their power in one ring, along one axis:

    >>> import numpy as np
    >>> from emclassify.features import FourierRings
    >>> stripes = np.tile(np.sin(np.arange(64) * np.pi / 4), (64, 1))[None]
    >>> rings = FourierRings(4).set_output(transform="pandas").fit(stripes)
    >>> rings.transform(stripes).filter(like="_2").round(1).T
                           0
    fourier_log_power_2  0.3
    fourier_one_axis_2   1.0
    fourier_two_axes_2   1.0
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "n_rings": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_rings: int = 12,
        *,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_rings = n_rings
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles: Particles) -> np.ndarray:
        images = particles.standardized
        n, height, width = images.shape
        window, sums, filled = rings_of(height, width, self.n_rings)
        spectrum = fft.rfft2(images * window, axes=(1, 2)).reshape(n, -1)
        power = spectrum.real**2 + spectrum.imag**2
        total, *harmonics = np.split(power.astype(np.float64) @ sums, 5, axis=1)
        total /= height * width
        cos2, sin2, cos4, sin4 = (part / (height * width) for part in harmonics)
        profiles = [
            np.log(total + FLOOR),
            np.hypot(cos2, sin2) / (total + FLOOR),
            np.hypot(cos4, sin4) / (total + FLOOR),
        ]
        return np.hstack([bridge(profile, filled) for profile in profiles])

    def _feature_names(self) -> list[str]:
        width = len(str(self.n_rings - 1))
        return [
            f"fourier_{what}_{i:0{width}d}"
            for what in ("log_power", "one_axis", "two_axes")
            for i in range(self.n_rings)
        ]


@lru_cache(maxsize=16)
def rings_of(height: int, width: int, n_rings: int) -> tuple:
    """Return the window, the weights of frequencies in rings, and which have any.

    The weights, (h * (w // 2 + 1), 5 * n_rings), give the mean power in each ring, and
    the means of power times cos 2θ, sin 2θ, cos 4θ and sin 4θ.
    """
    hann = [np.hanning(side + 2)[1:-1] for side in (height, width)]
    window = (hann[0][:, None] * hann[1]).astype(np.float32)
    down, right = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.hypot(down, right).ravel()
    angle = np.arctan2(down, right).ravel()
    # What the real transform leaves out is the mirror image of what it gives.
    times = np.full((height, width // 2 + 1), 2.0)
    times[:, 0] = 1
    if width % 2 == 0:
        times[:, -1] = 1
    lowest = min(LOWEST / min(height, width), 0.25)
    edges = np.geomspace(lowest, 0.5, n_rings + 1)
    inside = (frequency[:, None] >= edges[:-1]) & (frequency[:, None] < edges[1:])
    inside = inside * times.reshape(-1, 1)
    share = inside / np.maximum(inside.sum(axis=0), 1)
    waves = [np.ones_like(angle)]
    waves += [wave(k * angle) for k in (2, 4) for wave in (np.cos, np.sin)]
    sums = np.hstack([share * wave[:, None] for wave in waves])
    return window, sums, np.flatnonzero(inside.any(axis=0))


def bridge(profile: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """Draw a line through the rings of profile (n, n_rings) that have no frequency."""
    n_rings = profile.shape[1]
    if len(filled) in (0, n_rings):
        return profile
    place = np.arange(n_rings)
    after = np.minimum(np.searchsorted(filled, place), len(filled) - 1)
    before = np.maximum(np.searchsorted(filled, place, side="right") - 1, 0)
    before, after = filled[before], filled[after]
    gap = after - before
    part = np.where(gap > 0, (place - before) / np.where(gap > 0, gap, 1), 0.0)
    return profile[:, before] * (1 - part) + profile[:, after] * part
