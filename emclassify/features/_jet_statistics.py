"""Statistics of Gaussian derivatives over a particle."""

from collections.abc import Sequence
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval

from emclassify.features._base import FeatureFamily
from emclassify.features._particles import Particles, ratio

INVARIANTS = ("gradient", "laplacian", "larger", "smaller")
QUANTILES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
# In units of the image's standard deviation: less of a spread is rounding.
SMALLEST_SPREAD = 1e-4


def check_sigmas(sigmas: object) -> list[float]:
    """Return the scales as a list of float, or raise ValueError."""
    scales = [sigmas] if isinstance(sigmas, Real) else list(sigmas)
    valid = [
        isinstance(s, Real) and not isinstance(s, bool) and 0.3 <= s < np.inf
        for s in scales
    ]
    if not scales or not all(valid) or len(set(scales)) < len(scales):
        raise ValueError(
            "sigmas must be different numbers of px, each at least 0.3: a narrower "
            f"Gaussian has no derivatives on a grid of pixels; got {sigmas!r}."
        )
    return [float(s) for s in scales]


class JetStatistics(FeatureFamily):
    """Statistics of Gaussian derivatives at several scales: texture at each.

    The image, brought to mean 0 and standard deviation 1, is convolved with the
    derivatives of Gaussians up to the second order [1]_, mirrored at its border, and
    scale-normalised (times sigma to the order). Of four numbers that turns of the
    image don't change, the length of the gradient, the Laplacian, and the larger and
    the smaller eigenvalue of the Hessian, the statistics over the particle are taken:
    mean, standard deviation, skewness, log(1 + kurtosis), and seven quantiles
    (2, 10, 25, 50, 75, 90, 98 %; of two values, the lower). One number a scale more
    tells how much the gradients keep to one axis: (a - b) / (a + b), with a and b the
    eigenvalues of their mean outer product.

    Turning the image by quarters or mirroring it changes nothing. A constant image
    and an empty mask give zeros.

    The Gaussians are cut off at 3 sigma, which leaves a little of the grey value v in
    second derivatives: where the image is even, the Laplacian is about -0.01 v at a
    sigma of 1, -0.04 v from 4 on.

    Parameters
    ----------
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
    JetRings : The same numbers by distance from the centre.

    References
    ----------
    .. [1] J. J. Koenderink and A. J. van Doorn (1987). Representation of local geometry
       in the visual system. Biological Cybernetics 55, 367-375.

    Examples
    --------
    A ramp has the same gradient everywhere, along one axis:

    >>> import numpy as np
    >>> from emclassify.features import JetStatistics
    >>> ramp = np.tile(np.arange(40.0), (40, 1))[None]
    >>> jets = JetStatistics([1.0]).set_output(transform="pandas")
    >>> jets.fit_transform(ramp)[["jet_1_gradient_median", "jet_1_one_axis"]].round(3)
       jet_1_gradient_median  jet_1_one_axis
    0                  0.086             1.0
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "sigmas": ["array-like", Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        sigmas: ArrayLike = (0.7, 1.4, 2.8, 5.6),
        *,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.sigmas = sigmas
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _compute(self, particles: Particles) -> np.ndarray:
        columns = []
        for sigma in check_sigmas(self.sigmas):
            jet = particles.jet(sigma)
            for invariant in INVARIANTS:
                columns.append(statistics(getattr(jet, invariant), particles))
            columns.append(one_axis(jet.down, jet.right, particles.masks.light))
        return np.hstack(columns)

    def _feature_names(self) -> list[str]:
        statistics = ["mean", "sd", "skewness", "log_kurtosis"]
        statistics += [f"q{100 * q:02.0f}" if q != 0.5 else "median" for q in QUANTILES]
        names = []
        for sigma in check_sigmas(self.sigmas):
            names += [f"jet_{sigma:g}_{i}_{s}" for i in INVARIANTS for s in statistics]
            names.append(f"jet_{sigma:g}_one_axis")
        return names


def statistics(values: np.ndarray, particles: Particles) -> np.ndarray:
    """Moments and quantiles of values (n, h*w) over the masks, (n, 11)."""
    masks = particles.masks
    light = None if masks.mask is None else masks.light.reshape(values.shape)
    if light is None:
        mean = values.mean(axis=1)
        ranked = np.sort(values, axis=1)
    else:
        mean = np.vecdot(values, light) / masks.some
        ranked = np.sort(np.where(light > 0, values, np.float32(np.inf)), axis=1)
    off = values - mean.astype(np.float32)[:, None]
    if light is not None:
        off *= light
    square = off * off
    second, third, fourth = (
        np.vecdot(a, b).astype(np.float64) / masks.some
        for a, b in ((off, off), (square, off), (square, square))
    )
    sd = np.sqrt(second)
    floor = np.maximum(sd, SMALLEST_SPREAD)
    rank = np.array(QUANTILES) * (masks.some[:, None] - 1) + 1e-9
    quantiles = np.take_along_axis(ranked, rank.astype(np.intp), axis=1)
    quantiles = np.where(masks.area[:, None] > 0, quantiles, 0.0)
    skewness, kurtosis = third / floor**3, fourth / floor**4
    return np.column_stack([mean, sd, skewness, np.log1p(kurtosis), quantiles])


def one_axis(
    down: np.ndarray, right: np.ndarray, light: np.ndarray | None
) -> np.ndarray:
    """How much gradients (n, h*w) keep to one axis, 0 to 1, (n, 1)."""
    if light is not None:
        light = light.reshape(down.shape)
        down, right = down * light, right * light
    a, b, c = (
        np.vecdot(u, v).astype(np.float64)
        for u, v in ((down, down), (right, right), (down, right))
    )
    apart = np.sqrt((a - b) ** 2 + 4 * c**2)
    # Less than this is no gradient but rounding.
    real = a + b > 1e-9 * down.shape[1]
    return np.where(real, ratio(apart, a + b), 0.0)[:, None]
