"""EmbeddingOutlierRemover: drop images that look unlike their class."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval, StrOptions

from emclassify._typing import Estimator, RandomStateLike
from emclassify.features import FeatureExtractor
from emclassify.sampling._base import as_stack
from emclassify.sampling._outlier_remover import OutlierRemover

__all__ = ["EmbeddingOutlierRemover"]


class EmbeddingOutlierRemover(OutlierRemover):
    """Drop the images that lie furthest from their class in an embedding.

    An embedding turns each image into numbers: features, a backbone, or a network just
    before its last layer. Images that are no good, and some with a wrong label, lie far
    from the others of their class. As every sampler, it acts on training data only when
    it stands in an imbalanced-learn pipeline.

    Parameters
    ----------
    embedding : estimator, default=None
        A transformer (or pipeline of these) from images to numbers, or a network
        classifier of ours (or a pipeline that ends in one), whose embedding is what
        enters its last dense layer. Cloned and fitted on X and y; wrap what is fitted
        already in ``sklearn.frozen.FrozenEstimator``. Default: a standardised
        `FeatureExtractor`.
    method : {"distance", "lof", "isolation_forest"}, default="distance"
        - "distance": Mahalanobis distance to the mean of the class, with one covariance
          for all classes, shrunk after Ledoit and Wolf [1]_.
        - "lof": local outlier factor among the images of the class [2]_.
        - "isolation_forest": how few random cuts part an image from its class [3]_.
    contamination : float, default=0.05
        Share of the images to drop, above 0 and up to 0.5, rounded down: the strangest
        of all classes that are cleaned.
    n_neighbors : int, default=20
        With ``method="lof"``: neighbours to compare with, at most all of the class.
    multilabel : bool, default=False
        Whether y is an indicator matrix (n, n_labels). Then an image is compared with
        the images of each of its labels, and scored by where it is least strange.
    sampling_strategy : "all", str, list or callable, default="all"
        Classes to clean, as imbalanced-learn's cleaning samplers have it.
    random_state : int, RandomState instance or None, default=None
        For ``method="isolation_forest"``. The embedding has its own.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    outlier_scores_ : ndarray of shape (n,)
        By `method`, the larger the stranger; of several labels the least. "lof" and
        "isolation_forest" give minus scikit-learn's scores.
    embedded_ : ndarray of shape (n, n_dimensions)
        Where each image lies.
    embedding_ : estimator
        The fitted embedding.
    sample_indices_ : ndarray of shape (n_resampled,)
        Row of X that each returned image is.
    sampling_strategy_ : dict
        Classes to clean; not set with ``multilabel=True``.
    image_shape_ : tuple of 3 int or None
        (height, width, channels) of the images; None for a sequence of images.
    n_channels_ : int
        Channels of the images, a mask included.
    n_features_in_ : int
        ``X.shape[1]``; not set for a sequence of images.

    See Also
    --------
    IntensityOutlierRemover : Drop images far darker or brighter than their class.
    emclassify.display.EmbeddingDisplay : A picture of the embedding.
    emclassify.display.RemovedImagesDisplay : A contact sheet of what was removed.

    Notes
    -----
    It drops its share, dirty or not: look at what goes. A network that is
    fitted on the very labels that it shall judge may have learnt the wrong ones by
    heart. For wrong labels, probabilities out of fold are the better judge (the user
    guide's page on cells shows it with cleanlab).

    References
    ----------
    .. [1] O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional
       covariance matrices", J. Multivar. Anal. 88:365-411, 2004.
    .. [2] M. M. Breunig et al., "LOF: identifying density-based local outliers",
       SIGMOD Record 29:93-104, 2000.
    .. [3] F. T. Liu, K. M. Ting and Z.-H. Zhou, "Isolation forest", ICDM 2008:413-422.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.sampling import EmbeddingOutlierRemover
    >>> X = np.random.default_rng(0).poisson(50, (40, 8, 8)).astype(np.uint8)
    >>> X[7, :, :4] = 0
    >>> remover = EmbeddingOutlierRemover(random_state=0)
    >>> X_new, y_new = remover.fit_resample(X, ["full", "empty"] * 20)
    >>> X_new.shape, int(remover.outlier_scores_.argmax())
    ((38, 8, 8), 7)
    """

    _parameter_constraints = {
        **OutlierRemover._parameter_constraints,
        "embedding": [BaseEstimator, None],
        "method": [StrOptions({"distance", "lof", "isolation_forest"})],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        embedding: Estimator | None = None,
        *,
        method: Literal["distance", "lof", "isolation_forest"] = "distance",
        contamination: float = 0.05,
        n_neighbors: int = 20,
        multilabel: bool = False,
        sampling_strategy: str | Sequence[Any] | Callable[..., Any] = "all",
        random_state: RandomStateLike = None,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.embedding = embedding
        self.method = method
        self.contamination = contamination
        self.n_neighbors = n_neighbors
        self.multilabel = multilabel
        self.random_state = random_state
        self.image_shape = image_shape

    def _describe(self, X, member):
        """Set `embedding_` and `embedded_`; return the latter, round for "distance"."""
        if self.image_shape is not None:
            X = as_stack(X, self.image_shape_, type(self).__name__)
        elif self.image_shape_ is None and len({image.shape for image in X}) == 1:
            X = np.stack(list(X))
        if self.embedding is None:
            embedding = make_pipeline(FeatureExtractor(), StandardScaler())
        else:
            embedding = clone(self.embedding)
        target = member[:, :-1].astype(int) if self.multilabel else member.argmax(1)
        if hasattr(embedding, "fit_transform") and hasattr(embedding, "transform"):
            embedded = embedding.fit_transform(X, target)  # features once, not twice
        else:
            embedded = _embed(embedding.fit(X, target), X)
        self.embedding_ = embedding
        self.embedded_ = _check_embedded(embedded, len(X))
        if self.method == "distance":
            return self.embedded_ @ _rounding(self.embedded_, member)
        return self.embedded_

    def _score(self, described):
        if self.method == "distance":
            return np.linalg.norm(described - described.mean(axis=0), axis=1)
        if self.method == "isolation_forest":
            forest = IsolationForest(random_state=self.random_state)
            return -forest.fit(described).score_samples(described)
        if len(described) == 1:
            return np.ones(1)
        n_neighbors = min(self.n_neighbors, len(described) - 1)
        factor = LocalOutlierFactor(n_neighbors=n_neighbors).fit(described)
        return -factor.negative_outlier_factor_

    def _too_high(self, scores):
        # 0.29 · 100 is 28.999... in binary numbers.
        n_dropped = int(self.contamination * len(scores) + 1e-9)
        # Those that are level with the first to stay do so too.
        return scores > np.sort(scores)[len(scores) - 1 - n_dropped]


def _embed(embedding, X):
    """Return what a fitted embedding makes of images."""
    if hasattr(embedding, "transform"):
        return embedding.transform(X)
    while isinstance(embedding, FrozenEstimator):
        embedding = embedding.estimator
    # Imports torch.
    from emclassify.inspection import network_embedding

    try:
        return network_embedding(embedding, X)
    except TypeError as error:
        raise TypeError(
            "embedding must have a transform method, or be a network classifier of "
            f"emclassify or a pipeline that ends in one; got {embedding!r}."
        ) from error


def _check_embedded(embedded, n_samples):
    embedded = np.asarray(embedded)
    fits = embedded.ndim == 2 and len(embedded) == n_samples and embedded.size
    if not fits or not np.isfinite(embedded).all():
        raise ValueError(
            f"embedding must give finite numbers ({n_samples}, n_dimensions) for these "
            f"images; it gave an array of shape {embedded.shape}"
            f"{' with NaN or infinity' if fits else ''}."
        )
    return embedded.astype(np.float64)


def _rounding(embedded, member):
    """Return the matrix that makes the spread within classes 1 in all directions."""
    residuals = np.concatenate(
        [
            embedded[column] - embedded[column].mean(axis=0)
            for column in member.T
            if column.any()
        ]
    )
    covariance = LedoitWolf(assume_centered=True).fit(residuals).covariance_
    variance, directions = np.linalg.eigh(covariance)
    known = variance > 1e-12 * max(variance.max(), np.finfo(float).tiny)
    scale = np.zeros(len(variance))
    scale[known] = 1 / np.sqrt(variance[known])
    return directions * scale
