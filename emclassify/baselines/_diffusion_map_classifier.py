"""DiffusionMapClassifier: clusters in a diffusion map, labelled by a few samples."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from emclassify._fit_state import fit_context
from emclassify._images import ImageInputMixin
from emclassify._incoming import plain_labels
from emclassify._typing import ImagesLike, RandomStateLike
from emclassify.baselines._diffusion_map import DiffusionMap

__all__ = ["DiffusionMapClassifier"]


class DiffusionMapClassifier(ImageInputMixin, ClassifierMixin, BaseEstimator):
    """Cluster images in a diffusion map, and label clusters by the labels they hold.

    The semi-automatic way of sorting diffraction patterns: the map and the clusters are
    made of all images, and an expert looks at a few of each cluster. `fit` takes labels
    of any share of the images.

    Parameters
    ----------
    n_clusters : int, default=8
        Clusters in the map (k-means).
    n_components : int, default=8
        Coordinates of the map; fewer where there are not enough images.
    epsilon, alpha, diffusion_time, n_neighbors
        As in `DiffusionMap`.
    unlabelled : int, str or None, default=None
        What stands in y for "not labelled". None: all are labelled.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X; has no effect on the result.
    n_jobs : int, default=None
        Number of threads in the search of neighbours; None is 1, -1 is all cores.
    random_state : int, RandomState instance or None, default=None
        Starts of k-means, and of the map's eigenvectors.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels as they came, without `unlabelled`.
    map_ : DiffusionMap
        Of all images.
    clusters_ : ndarray of int of shape (n,)
        Cluster of each training image.
    cluster_shares_ : ndarray of shape (n_clusters, n_classes)
        Share of each class among the labels in each cluster. A cluster that holds none
        has those of the nearest one that does.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`.

    See Also
    --------
    DiffusionMap : The map alone.
    sklearn.semi_supervised.LabelSpreading : Labels that walk from image to image.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.baselines import DiffusionMapClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 4, 4)) + np.repeat([0, 6], 30)[:, None, None]
    >>> y = np.full(60, "?", dtype="<U6")
    >>> y[[0, 1, 2]], y[[57, 58, 59]] = "dim", "bright"
    >>> clf = DiffusionMapClassifier(4, epsilon=100.0, unlabelled="?", random_state=0)
    >>> clf.fit(X, y).predict(X[[10, 40]])
    array(['dim', 'bright'], dtype='<U6')
    """

    _parameter_constraints = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "epsilon": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "diffusion_time": [Interval(Real, 0, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
        "unlabelled": [Integral, str, None],
        "image_shape": ["array-like", None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        n_components: int = 8,
        epsilon: Literal["auto"] | float = "auto",
        alpha: float = 1.0,
        diffusion_time: float = 1.0,
        n_neighbors: int | None = None,
        unlabelled: float | str | None = None,
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
        random_state: RandomStateLike = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_components = n_components
        self.epsilon = epsilon
        self.alpha = alpha
        self.diffusion_time = diffusion_time
        self.n_neighbors = n_neighbors
        self.unlabelled = unlabelled
        self.image_shape = image_shape
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImagesLike, y: ArrayLike) -> Self:
        """Map and cluster all images, and label the clusters.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images.
        y : array-like of shape (n,)
            Labels, with `unlabelled` where there is none.

        Returns
        -------
        self : DiffusionMapClassifier

        Raises
        ------
        ValueError
            If there are fewer images than clusters, none has a label, or as
            `DiffusionMap`.
        """
        images = self._validate_images(X, reset=True)
        y = validate_data(self, X="no_validation", y=plain_labels(y))
        y = column_or_1d(y, warn=True)
        check_consistent_length(images, y)
        check_classification_targets(y)
        known = np.ones(len(y), bool)
        if self.unlabelled is not None:
            known = self._is_labelled(y)
        if not known.any():
            raise ValueError(
                f"No image has a label: all of y is {self.unlabelled!r}, unlabelled."
            )
        if len(y) < max(2, self.n_clusters):
            raise ValueError(
                f"n_clusters={self.n_clusters} needs at least as many images, and the "
                f"map two; got n_samples={len(y)}."
            )
        rng = check_random_state(self.random_state)
        self.map_ = DiffusionMap(
            min(self.n_components, len(y) - 1),
            epsilon=self.epsilon,
            alpha=self.alpha,
            diffusion_time=self.diffusion_time,
            n_neighbors=self.n_neighbors,
            n_jobs=self.n_jobs,
            random_state=rng.randint(np.iinfo(np.int32).max),
        )
        where = self.map_.fit_transform(images)
        self._seed_of_clusters = rng.randint(np.iinfo(np.int32).max)
        self._cluster(where)
        self._label(y, known)
        return self

    def _cluster(self, where):
        """Cluster the training images, which are there in the map."""
        means = KMeans(
            self.n_clusters, n_init=10, random_state=self._seed_of_clusters
        ).fit(where)
        self._centres, self.clusters_ = means.cluster_centers_, means.labels_

    def _label(self, y, known):
        """Label the clusters by those of the training images that are known."""
        self.classes_, target = np.unique(y[known], return_inverse=True)
        votes = np.zeros((self.n_clusters, len(self.classes_)))
        np.add.at(votes, (self.clusters_[known], target), 1)
        # A cluster without a label takes those of the nearest that has some.
        labelled = np.flatnonzero(votes.any(axis=1))
        nearest = pairwise_distances_argmin(self._centres, self._centres[labelled])
        votes = votes[labelled[nearest]]
        self.cluster_shares_ = votes / votes.sum(axis=1, keepdims=True)

    def _is_labelled(self, y):
        """Return which labels are not `unlabelled`, a bool array of shape (n,)."""
        if y.dtype.kind != "O" and (y.dtype.kind in "US") != isinstance(
            self.unlabelled, str
        ):
            raise ValueError(
                f"unlabelled={self.unlabelled!r} can be no label in y, which holds "
                f"{y.dtype}."
            )
        # Not in the type of y: that would cut it short, or wrap it around.
        return np.array([label != self.unlabelled for label in y.tolist()])

    def predict_proba(self, X: ImagesLike) -> NDArray[np.float64]:
        """Return the share of each class among the labels of an image's cluster.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of `classes_`; rows sum to one.
        """
        check_is_fitted(self)
        return self._shares_at(self._places(X))

    def _places(self, X):
        """Return where images are in the map."""
        return self.map_.transform(self._validate_images(X, reset=False))

    def _shares_at(self, where):
        """Return the shares of the clusters at some places of the map."""
        return self.cluster_shares_[pairwise_distances_argmin(where, self._centres)]

    def predict(self, X: ImagesLike) -> NDArray[Any]:
        """Return the label that most of an image's cluster have.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n,)
        """
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]
