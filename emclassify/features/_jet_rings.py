"""Gaussian derivatives by distance from a particle's centre."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval

from emclassify.features._base import FeatureFamily
from emclassify.features._jet_statistics import INVARIANTS, check_sigmas
from emclassify.features._particles import Particles

LAYERS = ("smooth", *INVARIANTS)


class JetRings(FeatureFamily):
    """Means and standard deviations of Gaussian derivatives in rings.

    `RadialDensity` taken further: of the image, brought to mean 0 and standard
    deviation 1, smoothed by Gaussians of several widths, and of the numbers of
    `JetStatistics` (length of the gradient, Laplacian, the two eigenvalues of the
    Hessian). The rings are those of `RadialDensity`: concentric about the centre of
    mass of the mask, of equal width, out to `extent` times the particle's radius
    sqrt(A / π), whether a pixel lies in the mask or not; a ring without a pixel gets
    the straight line between its neighbours.

    Turning the image by quarters or mirroring it changes nothing. A constant image
    and an empty mask give zeros. The combination is ours.

    Parameters
    ----------
    n_rings : int, default=5
        Number of rings.
    extent : float, default=1.0
        Outer radius of the outermost ring, in radii of the particle.
    sigmas : sequence of float, default=(0.7, 1.4, 2.8, 5.6)
        Standard deviations of the Gaussians, px; at least 0.3.
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
    RadialDensity : Grey values in rings.
    JetStatistics : What the numbers are.

    Examples
    --------
    The Laplacian of a bright spot is negative in the middle, positive further out:

    >>> import numpy as np
    >>> from emclassify.features import JetRings
    >>> r = np.hypot(*(np.indices((21, 21)) - 10))
    >>> spot = np.exp(-((r / 3) ** 2) / 2)[None]
    >>> rings = JetRings(4, sigmas=[1.0]).set_output(transform="pandas")
    >>> found = rings.fit_transform(spot).filter(like="laplacian_mean")
    >>> found.round(1).to_numpy()
    array([[-0.6, -0. ,  0.1,  0. ]])
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "n_rings": [Interval(Integral, 1, None, closed="left")],
        "extent": [Interval(Real, 0, None, closed="neither")],
        "sigmas": ["array-like", Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        n_rings: int = 5,
        *,
        extent: float = 1.0,
        sigmas: ArrayLike = (0.7, 1.4, 2.8, 5.6),
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_rings = n_rings
        self.extent = extent
        self.sigmas = sigmas
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles: Particles) -> np.ndarray:
        rings = particles.masks.rings(self.n_rings, self.extent)
        columns = []
        for sigma in check_sigmas(self.sigmas):
            jet = particles.jet(sigma)
            for layer in LAYERS:
                mean, sd = rings.mean_and_sd(getattr(jet, layer))
                columns += [rings.fill(mean), rings.fill(sd)]
        return np.hstack(columns)

    def _feature_names(self) -> list[str]:
        width = len(str(self.n_rings - 1))
        return [
            f"jet_rings_{sigma:g}_{layer}_{statistic}_{i:0{width}d}"
            for sigma in check_sigmas(self.sigmas)
            for layer in LAYERS
            for statistic in ("mean", "sd")
            for i in range(self.n_rings)
        ]
