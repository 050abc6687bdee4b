"""Edge density profile of a particle."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from emclassify.features._base import FeatureFamily
from emclassify.features._particles import ratio

if TYPE_CHECKING:
    from emclassify.features._particles import Particles

# Of the kernels' weights, 1/4, and of the mean over two directions, sqrt(1/2).
SCALE = np.sqrt(1 / 32)


class EdgeDensity(FeatureFamily):
    """Mean gradient magnitude in rings about the particle, and over its mask.

    The gradient magnitude is that of `skimage.filters.sobel`, sqrt((gx² + gy²) / 2)
    in its scaling (√2 for a slope of one grey value a px), with the image mirrored at
    its border. The rings are those
    of `RadialDensity`: a ring without a pixel gets the straight line between its
    neighbours, and an empty mask gives zeros, as a constant image does.

    The thesis [1]_ lists an edge density profile among its features but gives no
    formula: this definition is ours.

    Parameters
    ----------
    n_rings : int, default=16
        Number of rings.
    extent : float, default=1.25
        Outer radius of the outermost ring, in radii of the particle. 1.25 takes in
        the surroundings of a particle, and the corners of a whole square image.
    standardize : bool, default=True
        Divide by the standard deviation of the whole image, so that contrast doesn't
        matter.
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
    >>> from emclassify.features import EdgeDensity
    >>> ramp = np.tile(np.arange(8.0), (8, 1))[None]
    >>> edges = EdgeDensity(2, standardize=False).fit(ramp)
    >>> edges.get_feature_names_out()
    array(['edge_density', 'edge_density_0', 'edge_density_1'], dtype=object)
    >>> edges.transform(ramp).round(2)
    array([[1.24, 1.41, 1.13]])
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
        gradient = gradient_magnitude(particles)
        rings = particles.masks.rings(self.n_rings, self.extent)
        profile = rings.fill(rings.mean(gradient))
        densities = np.column_stack([particles.masks.mean(gradient), profile])
        scale = SCALE * ratio(1.0, particles.relief_sd)
        if not self.standardize:
            scale *= particles.image_sd
        return densities * scale[:, None]

    def _feature_names(self):
        width = len(str(self.n_rings - 1))
        names = [f"edge_density_{i:0{width}d}" for i in range(self.n_rings)]
        return ["edge_density", *names]


def gradient_magnitude(particles: Particles) -> NDArray[np.float32]:
    """Sobel magnitude of `particles.relief`, float32 (n, h*w), divided by `SCALE`.

    Sobel's kernels (1, 2, 1) x (1, 0, -1) are three sums and one difference of
    neighbours; the first two sums, one either way, serve both kernels.
    """
    n, height, width = particles.relief.shape
    padded = pad(particles.relief)
    # Flat, a step down is a shift by the width and numpy has one long row to work
    # on. What is wrong are sums across an edge of the padding, and they are cut off.
    line, flat = width + 2, padded.ravel()
    flat = flat[line:] + flat[:-line]
    flat = flat[1:] + flat[:-1]
    down = flat[line:] - flat[:-line]
    down = (down[1:] + down[:-1]).astype(np.float32, copy=False)
    right = flat[line:] + flat[:-line]
    right = (right[1:] - right[:-1]).astype(np.float32, copy=False)
    squared = np.empty(padded.shape, dtype=np.float32)
    start = squared.ravel()[: down.size]
    np.multiply(down, down, out=start)
    right *= right
    start += right
    return np.sqrt(squared[:, :height, :width]).reshape(n, -1)


def pad(images: NDArray[Any]) -> NDArray[Any]:
    """Repeat the outermost pixels of images (n, h, w) once on every side."""
    n, height, width = images.shape
    padded = np.empty((n, height + 2, width + 2), dtype=images.dtype)
    padded[:, 1:-1, 1:-1] = images
    padded[:, 1:-1, 0], padded[:, 1:-1, -1] = images[:, :, 0], images[:, :, -1]
    padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
    return padded
