"""Radial density profile of a particle."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Literal

import numpy as np
from sklearn.utils._param_validation import Interval

from emclassify.features._base import FeatureFamily
from emclassify.features._particles import ratio


class RadialDensity(FeatureFamily):
    """Mean and standard deviation of the grey values in rings about the particle.

    The rings are concentric about the centre of mass of the mask and of equal
    width. The last one ends at `extent` times the particle's radius sqrt(A / π), for
    a mask of A pixels. A pixel belongs to the ring that holds its centre, whether it
    lies in the mask or not. A ring without a pixel gets the straight line between
    its neighbours. An empty mask gives zeros; so does a constant image with
    `standardize`.

    The thesis [1]_ lists a radial density profile among its features but gives no
    formula: this definition, and the standard deviations, are ours.

    Parameters
    ----------
    n_rings : int, default=16
        Number of rings.
    extent : float, default=1.25
        Outer radius of the outermost ring, in radii of the particle. 1.25 takes in
        the surroundings of a particle, and the corners of a whole square image.
    standardize : bool, default=True
        Take the mean of the whole image off and divide by its standard deviation, so
        that brightness and contrast don't matter.
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

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.features import RadialDensity
    >>> r = np.hypot(*(np.indices((41, 41)) - 20))
    >>> image = np.where(r < 10.5, 5.0, 1.0)
    >>> profile = RadialDensity(4, extent=2, standardize=False)
    >>> profile.fit_transform(np.stack([image, r < 10.5], axis=-1)[None]).round(3)
    array([[5., 5., 1., 1., 0., 0., 0., 0.]])
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "n_rings": [Interval(Integral, 1, None, closed="left")],
        "extent": [Interval(Real, 0, None, closed="neither")],
        "standardize": ["boolean"],
    }

    def __init__(
        self,
        n_rings: int = 16,
        *,
        extent: float = 1.25,
        standardize: bool = True,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_rings = n_rings
        self.extent = extent
        self.standardize = standardize
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles):
        rings = particles.masks.rings(self.n_rings, self.extent)
        mean, sd = rings.mean_and_sd(particles.ring_values)
        mean += (particles.ring_offset - particles.image_mean)[:, None]
        mean, sd = rings.fill(mean), rings.fill(sd)
        if self.standardize:
            scale = ratio(1.0, particles.image_sd)[:, None]
            return np.hstack([mean * scale, sd * scale])
        mean += particles.image_mean[:, None] * rings.valid[:, None]
        return np.hstack([mean, sd])

    def _feature_names(self):
        width = len(str(self.n_rings - 1))
        return [
            f"radial_{statistic}_{i:0{width}d}"
            for statistic in ("mean", "sd")
            for i in range(self.n_rings)
        ]
