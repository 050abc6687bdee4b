"""All feature families side by side."""

from emclassify.features._base import BaseFeatures
from emclassify.features._diameter import Diameter
from emclassify.features._edge_density import EdgeDensity
from emclassify.features._histogram import Histogram
from emclassify.features._length import Length
from emclassify.features._maximum_width import MaximumWidth
from emclassify.features._moments import Moments
from emclassify.features._radial_density import RadialDensity
from emclassify.features._signal_to_noise import SignalToNoise

FAMILIES = {
    "maximum_width": MaximumWidth,
    "diameter": Diameter,
    "length": Length,
    "histogram": Histogram,
    "moments": Moments,
    "radial_density": RadialDensity,
    "edge_density": EdgeDensity,
    "signal_to_noise": SignalToNoise,
}
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
    """Features of particles: shape, grey levels, profiles and signal to noise.

    Puts the families of features that the thesis [1]_ names side by side; each is
    also a transformer of its own. All images of a chunk are worked on at once, and
    what several families need is computed once. The default gives 102 features for
    images of one channel, and 99 more for each further channel.

    Parameters
    ----------
    families : "all" or list of str, default="all"
        Which families, in the order of their columns: "maximum_width", "diameter",
        "length", "histogram", "moments", "radial_density", "edge_density",
        "signal_to_noise".
    n_bins, value_range, statistics
        See `Histogram`.
    moments_order, moments_weights, log_hu
        `order`, `weights` and `log_hu` of `Moments`.
    n_rings, extent, standardize
        See `RadialDensity` and `EdgeDensity`, which share them.
    mask : {"auto", "last", "otsu", "full"}, default="auto"
        Where the particle is. "last": the last channel, where it isn't 0. "otsu": the
        largest 4-connected part on the particle's side of Otsu's threshold of the
        first channel. "full": the whole image. "auto": "last" for images of exactly
        two channels, else "full".
    particle : {"auto", "dark", "bright"}, default="auto"
        The particle's side of Otsu's threshold. "auto": the side that holds at most
        half of the image's border.
    image_shape : tuple of int, default=None
        Shape of the image in a flat row of X.
    n_jobs : int, default=None
        Number of threads that share the images, as joblib counts them.

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
        families="all",
        *,
        n_bins=16,
        value_range="standard",
        statistics=True,
        moments_order=3,
        moments_weights="contrast",
        log_hu=True,
        n_rings=16,
        extent=1.25,
        standardize=True,
        mask="auto",
        particle="auto",
        image_shape=None,
        n_jobs=None,
    ):
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

    def _families(self):
        return [
            FAMILIES[name](
                **{
                    theirs: getattr(self, ours)
                    for theirs, ours in PARAMETERS.get(name, {}).items()
                }
            )
            for name in check_families(self.families)
        ]


def check_families(families):
    """Return the names of the families, or raise ValueError."""
    if isinstance(families, str) and families == "all":
        return list(FAMILIES)
    valid = ", ".join(f'"{name}"' for name in FAMILIES)
    asked = [families] if isinstance(families, str) else list(families)
    for name in asked:
        if not isinstance(name, str) or name not in FAMILIES:
            raise ValueError(
                f"families has {name!r}, which is no feature family; give "
                f'"all" or a list of: {valid}.'
            )
    if isinstance(families, str):
        raise ValueError(
            f'families must be "all" or a list of names; got {families!r}: '
            f"give [{families!r}]."
        )
    if not asked:
        raise ValueError(f'families is empty; give "all" or a list of: {valid}.')
    repeated = sorted({name for name in asked if asked.count(name) > 1})
    if repeated:
        raise ValueError(f"families has {repeated} more than once.")
    return asked
