"""ColocalizationFeatures: how similar an ion image is to the others of its dataset."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._typing import ImagesLike
from emclassify.baselines._ion_datasets import IonDatasetsMixin, refuse_other_field

__all__ = ["ColocalizationFeatures"]

# The cosine of an image and itself, but for rounding.
_ITSELF = 1 - 1e-6


class ColocalizationFeatures(
    IonDatasetsMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Describe an ion image by its co-localisation with the others of its dataset.

    The similarity of two ion images is the cosine between their pixels after median
    filtering [1]_. Datasets hold different ions, and different numbers of them, so an
    image is described by quantiles of its similarities.

    Parameters
    ----------
    n_quantiles : int, default=11
        Number of quantiles, evenly spaced from the least similarity to the greatest.
    median_size : int, default=3
        Side in px of the square of the median filter; 1 is no filter.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    image_shape_ : tuple of 3 int or None
        (height, width, channels) seen in `fit`; None if the sizes differed.
    n_channels_ : int
        Channels seen in `fit`, whose mean is taken.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`; not set for images of different sizes.

    See Also
    --------
    ColocalizationClassifier : These features and a support vector machine.

    Notes
    -----
    `groups` name the datasets, in `fit` and in `transform`. Images of a dataset that
    `fit` saw are compared with those it saw, which are kept; images of a new dataset
    with each other. Without groups all are of one dataset: that of `fit`, if that had
    no groups either, else a new one. An image is not compared with itself: of the
    images that are exactly like it, one is left out. One that is alone has features 0.

    The source compares an image with those of named formulas, which many datasets
    share. Images alone don't say what their formula is: hence quantiles.

    References
    ----------
    .. [1] K. Ovchinnikova, L. Stuart, A. Rakhlin, S. Nikolenko and T. Alexandrov,
       "ColocML: machine learning quantifies co-localization between mass spectrometry
       images", Bioinformatics 36:3215-3224, 2020 (the measure; it sets pixels below the
       median to zero where we filter by the median).

    Examples
    --------
    >>> from emclassify.baselines import ColocalizationFeatures
    >>> from emclassify.datasets import make_ion_images
    >>> data = make_ion_images(60, n_groups=3, random_state=0)
    >>> colocalization = ColocalizationFeatures().fit(data.images, groups=data.groups)
    >>> colocalization.transform(data.images, groups=data.groups).shape
    (60, 11)
    """

    _parameter_constraints = {
        "n_quantiles": [Interval(Integral, 1, None, closed="left")],
        "median_size": [Interval(Integral, 1, None, closed="left")],
        "image_shape": ["array-like", None],
    }

    def __init__(
        self,
        n_quantiles: int = 11,
        *,
        median_size: int = 3,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.n_quantiles = n_quantiles
        self.median_size = median_size
        self.image_shape = image_shape

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ImagesLike, y: object = None, groups: ArrayLike | None = None
    ) -> Self:
        """Keep the images that later ones of the same datasets are compared with.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Ion images; those of different datasets may differ in size.
        y : None
            Ignored.
        groups : array-like of shape (n,), default=None
            Dataset of each image. None: all are of one.

        Returns
        -------
        self : ColocalizationFeatures
        """
        datasets = self._datasets(X, groups, reset=True)
        self._seen = {
            name: (images.shape[1:], self._directions(images))
            for name, (_, images) in datasets.items()
        }
        self._n_features_out = int(self.n_quantiles)
        return self

    @as_fitted
    def transform(self, X: ImagesLike, groups: ArrayLike | None = None) -> NDArray[Any]:
        """Compute the quantiles of each image's similarities.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Ion images.
        groups : array-like of shape (n,), default=None
            Dataset of each image.

        Returns
        -------
        ndarray of shape (n, n_quantiles)
            Each row rises, from 0 to 1.
        """
        check_is_fitted(self)
        datasets = self._datasets(X, groups, reset=False)
        n_samples = sum(len(index) for index, _ in datasets.values())
        features = np.zeros((n_samples, self._n_features_out))
        for name, (index, images) in datasets.items():
            directions = others = self._directions(images)
            if name in self._seen:
                shape, others = self._seen[name]
                refuse_other_field(images.shape[1:], shape, name, type(self).__name__)
            features[index] = self._quantiles(directions @ others.T)
        return features

    def fit_transform(
        self, X: ImagesLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Fit, and describe the same images; parameters as `fit`.

        Returns
        -------
        ndarray of shape (n, n_quantiles)
        """
        return self.fit(X, y, groups=groups).transform(X, groups=groups)

    def _directions(self, images):
        """Return filtered images as unit vectors (n, n_pixels)."""
        size = (1, int(self.median_size), int(self.median_size))
        rows = ndimage.median_filter(images, size).reshape(len(images), -1)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(length > 0, length, 1)

    def _quantiles(self, similarity):
        """Return quantiles of each row, without that of an image and itself."""
        ranked = np.sort(similarity, axis=1)
        at = np.linspace(0, 1, self._n_features_out)
        features = np.zeros((len(ranked), self._n_features_out))
        itself = ranked[:, -1] > _ITSELF
        features[~itself] = np.quantile(ranked[~itself], at, axis=1).T
        if ranked.shape[1] > 1:
            features[itself] = np.quantile(ranked[itself, :-1], at, axis=1).T
        return features
