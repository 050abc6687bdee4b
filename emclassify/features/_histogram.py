"""Grey-level histogram of a particle."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from emclassify.features._base import FeatureFamily
from emclassify.features._particles import ratio

if TYPE_CHECKING:
    from emclassify.features._particles import Particles

STANDARD_RANGE = 3.0
QUANTILES = (5, 25, 50, 75, 95)


class Histogram(FeatureFamily):
    """Share of the particle's pixels in each of `n_bins` grey-level bins.

    The bins have equal width, and values beyond the outer bins count in them, so
    that the shares of a particle add up to 1. With `statistics`, the mean, the
    standard deviation s, the skewness m3 / s³, the excess kurtosis m4 / s⁴ - 3 and
    the 5, 25, 50, 75 and 95 % quantiles (linear between ranks, as `numpy.quantile`)
    of the grey values are added, in units of the grey values.

    Defined by us where these fail: an empty mask gives zeros; a constant particle
    has standard deviation, skewness and kurtosis 0, and counts in the middle bin of
    a standard range.

    The thesis [1]_ lists a histogram among its features but gives no bins.

    Parameters
    ----------
    n_bins : int, default=16
        Number of bins.
    value_range : {"standard", "dtype"} or (low, high), default="standard"
        What the bins cover. "standard": 3 standard deviations either side of the
        particle's mean, so that brightness and contrast don't matter. "dtype": all
        that the integer type holds (0 to 255 for uint8), 0 to 1 for floats. Two
        numbers: this range of grey values.
    statistics : bool, default=True
        Add the nine statistics.
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
    >>> from emclassify.features import Histogram
    >>> images = np.array([[[0, 0, 1, 3]]])
    >>> Histogram(4, value_range=(0, 4), statistics=False).fit_transform(images)
    array([[0.5 , 0.25, 0.  , 0.25]])
    """

    _parameter_constraints: dict = {
        **FeatureFamily._parameter_constraints,
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "value_range": [StrOptions({"standard", "dtype"}), tuple, list],
        "statistics": ["boolean"],
    }

    def __init__(
        self,
        n_bins: int = 16,
        *,
        value_range: Literal["standard", "dtype"] | tuple[float, float] = "standard",
        statistics: bool = True,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_bins = n_bins
        self.value_range = value_range
        self.statistics = statistics
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def _feature_names(self):
        check_value_range(self.value_range)
        width = len(str(self.n_bins - 1))
        names = [f"histogram_{i:0{width}d}" for i in range(self.n_bins)]
        if self.statistics:
            names += ["grey_mean", "grey_sd", "grey_skewness", "grey_kurtosis"]
            names += [f"grey_quantile{q:02d}" for q in QUANTILES]
        return names

    def _compute(self, particles):
        shares = self._shares(particles)
        if not self.statistics:
            return shares
        sd = particles.sd
        third, fourth = particles.third_and_fourth
        skewness = ratio(third, sd**3)
        kurtosis = np.where(sd > 0, ratio(fourth, sd**4) - 3, 0.0)
        return np.column_stack(
            [shares, particles.mean, sd, skewness, kurtosis, quantiles_of(particles)]
        )

    def _shares(self, particles):
        """Share of each mask's pixels in each bin, (n, n_bins)."""
        inner = np.arange(1, self.n_bins) / self.n_bins
        if self.value_range == "standard":
            # Where all is one value, any width will do that rounding can't reach.
            sd = np.where(particles.sd > 0, particles.sd, 1 + particles.magnitude)
            offset = STANDARD_RANGE * (2 * inner - 1)
            edges = particles.mean[:, None] + sd[:, None] * offset
        else:
            low, high = grey_range(self.value_range, particles.channel.dtype)
            edges = np.tile(low + (high - low) * inner, (particles.masks.n, 1))
        area = particles.masks.area[:, None]
        below = particles.count_below(edges)
        empty = np.zeros_like(area)
        counts = np.diff(np.hstack([empty, below, area]), axis=1)
        return counts / particles.masks.some[:, None]


def check_value_range(value_range: object) -> None:
    """Raise ValueError unless `value_range` is a name or two rising numbers."""
    if isinstance(value_range, str):
        return
    low_high = np.asarray(value_range)
    if (
        low_high.shape != (2,)
        or low_high.dtype.kind not in "iuf"
        or not np.isfinite(low_high).all()
        or low_high[0] >= low_high[1]
    ):
        raise ValueError(
            'value_range must be "standard", "dtype" or two finite numbers '
            f"(low, high) with low < high; got {value_range!r}."
        )


def grey_range(
    value_range: str | tuple[float, float], dtype: np.dtype[Any]
) -> tuple[float, float]:
    """Lowest and highest grey value that the bins cover."""
    if value_range != "dtype":
        return value_range
    if dtype.kind == "f":
        return 0.0, 1.0
    # Whole numbers fill their bins evenly when the range ends one beyond the last.
    info = np.iinfo(dtype)
    return float(info.min), float(info.max) + 1.0


def quantiles_of(particles: Particles) -> NDArray[np.float64]:
    """QUANTILES of the grey values in each mask, (n, 5); 0 for an empty mask."""
    masks = particles.masks
    rank = np.asarray(QUANTILES) / 100 * (masks.some[:, None] - 1)
    below = np.floor(rank).astype(np.intp)
    low, high = particles.at_rank(below), particles.at_rank(np.ceil(rank).astype(int))
    some = masks.area[:, None] > 0
    low, high = np.where(some, low, 0.0), np.where(some, high, 0.0)
    return low + (high - low) * (rank - below)
