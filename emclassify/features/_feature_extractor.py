"""All feature families side by side."""

from collections.abc import Sequence
from typing import Literal, Self

from emclassify._typing import ImagesLike
from emclassify.features._base import BaseFeatures, FeatureFamily
from emclassify.features._basic_image_features import BasicImageFeatures
from emclassify.features._completed_lbp import CompletedLBP
from emclassify.features._diameter import Diameter
from emclassify.features._edge_density import EdgeDensity
from emclassify.features._fourier_rings import FourierRings
from emclassify.features._histogram import Histogram
from emclassify.features._jet_rings import JetRings
from emclassify.features._jet_statistics import JetStatistics
from emclassify.features._length import Length
from emclassify.features._maximum_width import MaximumWidth
from emclassify.features._moments import Moments
from emclassify.features._radial_density import RadialDensity
from emclassify.features._signal_to_noise import SignalToNoise
from emclassify.features._threshold_shape import ThresholdShape
from emclassify.features._zernike_moments import ZernikeMoments

THESIS = {
    "maximum_width": MaximumWidth,
    "diameter": Diameter,
    "length": Length,
    "histogram": Histogram,
    "moments": Moments,
    "radial_density": RadialDensity,
    "edge_density": EdgeDensity,
    "signal_to_noise": SignalToNoise,
}
FAMILIES = {
    **THESIS,
    "completed_lbp": CompletedLBP,
    "jet_statistics": JetStatistics,
    "jet_rings": JetRings,
    "basic_image_features": BasicImageFeatures,
    "zernike_moments": ZernikeMoments,
    "fourier_rings": FourierRings,
    "threshold_shape": ThresholdShape,
}
SETS = {"thesis": list(THESIS), "all": list(FAMILIES)}
# The parameters of each family, by the names they have here.
PARAMETERS = {
    "histogram": {
        "n_bins": "n_bins",
        "value_range": "value_range",
        "statistics": "statistics",
    },
    "moments": {
        "order": "moments_order",
        "weights": "moments_weights",
        "log_hu": "log_hu",
    },
    "radial_density": {
        "n_rings": "n_rings",
        "extent": "extent",
        "standardize": "standardize",
    },
    "edge_density": {
        "n_rings": "n_rings",
        "extent": "extent",
        "standardize": "standardize",
    },
}


class FeatureExtractor(BaseFeatures):
    """Features of particles: shape, grey levels, profiles, texture and structure.

    Puts families of features side by side; each is also a transformer of its own. All
    images of a chunk are worked on at once, and what several families need is computed
    once. The default are the eight families that the thesis [1]_ names: 102 features
    for images of one channel, and 99 more for each further channel. "all" is what
    `emclassify.baselines.svm_baseline` takes: 1368 features, and 1365 more for each
    further channel.

    Parameters
    ----------
    families : {"thesis", "all"} or list of str, default="thesis"
        Which families, in the order of their columns. "thesis": "maximum_width",
        "diameter", "length", "histogram", "moments", "radial_density",
        "edge_density", "signal_to_noise". "all": these and seven of texture and
        structure, "completed_lbp", "jet_statistics", "jet_rings",
        "basic_image_features", "zernike_moments", "fourier_rings",
        "threshold_shape", with the parameters that they have by default.
    n_bins, value_range, statistics
        See `Histogram`.
    moments_order, moments_weights, log_hu
        `order`, `weights` and `log_hu` of `Moments`.
    n_rings, extent, standardize
        See `RadialDensity` and `EdgeDensity`, which share them.
    mask : {"auto", "last", "otsu", "full"}, default="auto"
        Where the particle is. "last": the last channel, where it isn't 0. "otsu": the
        largest 4-connected part on the particle's side of Otsu's threshold of the
        first channel, of equals the first. "full": the whole image. "auto": "last" for
        images of exactly two channels, else "full".
    particle : {"auto", "dark", "bright"}, default="auto"
        The particle's side of Otsu's threshold. "auto": the side that holds at most
        half of the image's border.
    image_shape : tuple of int, default=None
        Shape of the image in a flat row of X.
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
    families_ : list of str
        The families of `fit`, in the order of their columns.

    See Also
    --------
    emclassify.baselines.svm_baseline : These features, scaled, and an SVM.

    Notes
    -----
    The features of a mask (maximum width, diameter, length) come once; those of grey
    values once a channel, with the tail ``_channel0``, ``_channel1``, ... on their
    names where there are several. Every image gets finite features: what is given
    for an empty mask or a constant image stands with each family. A spread of grey
    values of less than 1e-10 of the largest, or than 1e-30, counts as constant.
    Values beyond 1e30 are refused.

    References
    ----------
    .. [1] S. Gryshkevych (2016). Thesis on classifying liposomes in electron
       micrographs. Uppsala University, with Vironova AB.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.features import FeatureExtractor
    >>> images = np.random.default_rng(0).integers(0, 256, (5, 32, 32), dtype=np.uint8)
    >>> FeatureExtractor().fit_transform(images).shape
    (5, 102)
    >>> FeatureExtractor("all").fit_transform(images).shape
    (5, 1368)
    >>> shape = FeatureExtractor(["length", "diameter"], mask="otsu").fit(images)
    >>> shape.get_feature_names_out()
    array(['length', 'diameter'], dtype=object)
    """

    _parameter_constraints: dict = {
        **Histogram._parameter_constraints,
        **RadialDensity._parameter_constraints,
        "families": [str, list, tuple],
        "moments_order": Moments._parameter_constraints["order"],
        "moments_weights": Moments._parameter_constraints["weights"],
        "log_hu": ["boolean"],
    }

    def __init__(
        self,
        families: str | Sequence[str] = "thesis",
        *,
        n_bins: int = 16,
        value_range: Literal["standard", "dtype"] | tuple[float, float] = "standard",
        statistics: bool = True,
        moments_order: int = 3,
        moments_weights: Literal["contrast", "intensity", "mask"] = "contrast",
        log_hu: bool = True,
        n_rings: int = 16,
        extent: float = 1.25,
        standardize: bool = True,
        mask: Literal["auto", "last", "otsu", "full"] = "auto",
        particle: Literal["auto", "dark", "bright"] = "auto",
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.families = families
        self.n_bins = n_bins
        self.value_range = value_range
        self.statistics = statistics
        self.moments_order = moments_order
        self.moments_weights = moments_weights
        self.log_hu = log_hu
        self.n_rings = n_rings
        self.extent = extent
        self.standardize = standardize
        self.mask = mask
        self.particle = particle
        self.image_shape = image_shape
        self.n_jobs = n_jobs

    def fit(self, X: ImagesLike, y: object = None) -> Self:
        """Learn the shape of the images; nothing else depends on X.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images.
        y : None
            Ignored; there for pipelines.

        Returns
        -------
        self : FeatureExtractor
        """
        super().fit(X, y)
        self.families_ = check_families(self.families)
        return self

    def _families(self) -> list[FeatureFamily]:
        return self._make(check_families(self.families))

    def _fitted_families(self) -> list[FeatureFamily]:
        fitted = getattr(self, "families_", None)
        if fitted is None:
            # In a model of an earlier version, "all" are the eight of the thesis.
            asked = "thesis" if self.families == "all" else self.families
            fitted = check_families(asked)
        return self._make(fitted)

    def _make(self, names: list[str]) -> list[FeatureFamily]:
        return [
            FAMILIES[name](
                **{
                    theirs: getattr(self, ours)
                    for theirs, ours in PARAMETERS.get(name, {}).items()
                }
            )
            for name in names
        ]


def check_families(families: str | Sequence[str]) -> list[str]:
    """Return the names of the families, or raise ValueError."""
    if isinstance(families, str) and families in SETS:
        return list(SETS[families])
    valid = ", ".join(f'"{name}"' for name in FAMILIES)
    asked = [families] if isinstance(families, str) else list(families)
    for name in asked:
        if not isinstance(name, str) or name not in FAMILIES:
            raise ValueError(
                f"families has {name!r}, which is no feature family; give "
                f'"thesis", "all" or a list of: {valid}.'
            )
    if isinstance(families, str):
        raise ValueError(
            f'families must be "thesis", "all" or a list of names; got {families!r}: '
            f"give [{families!r}]."
        )
    if not asked:
        raise ValueError(
            f'families is empty; give "thesis", "all" or a list of: {valid}.'
        )
    repeated = sorted({name for name in asked if asked.count(name) > 1})
    if repeated:
        raise ValueError(f"families has {repeated} more than once.")
    return asked
