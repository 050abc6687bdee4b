"""MaskCorrelationClassifier: pixels first, then images by what they have in common."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils import (
    Tags,
    check_consistent_length,
    check_random_state,
    column_or_1d,
)
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from emclassify._fit_state import fit_context
from emclassify._incoming import plain_labels
from emclassify._typing import Estimator, ImagesLike, RandomStateLike
from emclassify.baselines._ion_datasets import IonDatasetsMixin, refuse_other_field
from emclassify.baselines._pixel_features import pixel_features

__all__ = ["MaskCorrelationClassifier"]


class MaskCorrelationClassifier(IonDatasetsMixin, ClassifierMixin, BaseEstimator):
    """Find the background pixel by pixel, and correlate each ion image with its mask.

    A classifier of pixels learns from training datasets which spectra are those of the
    background. It gives a mask for a new dataset; each image's correlation with the
    mask, and one threshold for all, say whether the image is off-sample.

    Parameters
    ----------
    pixel_estimator : classifier, default=None
        What tells pixels of the background from those of the sample: any classifier of
        scikit-learn. None is ``LogisticRegression()``. Its randomness is its own.
    n_pixels : int, default=1000
        Pixels of each dataset that train it, at most; None takes all.
    off_label : label, default=None
        Class of the off-sample images. None is the first in sorted order, as "off" is
        before "on".
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.
    random_state : int, RandomState instance or None, default=None
        Choice of the pixels.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        Labels as they came.
    masks_ : dict
        For each dataset of `fit`, the pixels of its background, bool (height, width).
    pixel_estimator_ : classifier or None
        Fitted; its classes are False, the sample, and True, the background. None if the
        training masks hold pixels of one kind only: then no new dataset can be
        predicted.
    threshold_ : float
        Correlation with the mask at which both classes are equally probable.
    image_shape_ : tuple of 3 int or None
        (height, width, channels) seen in `fit`; None if the sizes differed.
    n_channels_ : int
        Channels seen in `fit`, whose mean is taken.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`; not set for images of different sizes.

    See Also
    --------
    propose_masks : Masks of one dataset without any training.
    ColocalizationClassifier : Images by their similarity to each other.

    Notes
    -----
    What lies at one pixel in all images of a dataset is that pixel's spectrum. Datasets
    hold different ions, so a pixel is described by numbers that every dataset has. Of
    its spectrum, averaged over 5×5 px, each ion scaled to its 99th percentile: mean,
    standard deviation and five quantiles over the ions, and scores of three principal
    components of the dataset. A component has no sign by itself; here it is positive
    on the rim of the field, which is background more often than not. All ten numbers
    are standardised over the pixels of the dataset.

    Without masks, the pixels of a training dataset count as background where the mean
    of its off-sample images exceeds the mean of the others, each relative to its own
    mean over the field. A dataset of a single class has none and trains no pixels.

    `groups` name the datasets, in `fit` and in prediction. A dataset of `fit` keeps its
    mask. Without groups all images are of one dataset: that of `fit`, if that had no
    groups either, else a new one.

    The threshold comes from a logistic regression on the correlations of the training
    images with the masks that the pixels give, so that there are probabilities too.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.baselines import MaskCorrelationClassifier
    >>> from emclassify.datasets import make_ion_images
    >>> data = make_ion_images(200, n_groups=10, strange=0, random_state=0)
    >>> new = data.groups >= 8
    >>> clf = MaskCorrelationClassifier(random_state=0)
    >>> clf = clf.fit(data.images[~new], data.target[~new], groups=data.groups[~new])
    >>> predicted = clf.predict(data.images[new], groups=data.groups[new])
    >>> bool(np.mean(predicted == data.target[new]) > 0.7)
    True
    """

    _parameter_constraints = {
        "pixel_estimator": [HasMethods(["fit", "predict"]), None],
        "n_pixels": [Interval(Integral, 2, None, closed="left"), None],
        "off_label": "no_validation",
        "image_shape": ["array-like", None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        pixel_estimator: Estimator | None = None,
        *,
        n_pixels: int = 1000,
        off_label: object | None = None,
        image_shape: Sequence[int] | None = None,
        random_state: RandomStateLike = None,
    ) -> None:
        self.pixel_estimator = pixel_estimator
        self.n_pixels = n_pixels
        self.off_label = off_label
        self.image_shape = image_shape
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ImagesLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        masks: Mapping[Any, ArrayLike] | ArrayLike | None = None,
    ) -> Self:
        """Learn what the background's pixels are, and the threshold.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Ion images; those of different datasets may differ in size.
        y : array-like of shape (n,)
            Labels of two classes.
        groups : array-like of shape (n,), default=None
            Dataset of each image. None: all are of one.
        masks : dict of ndarray of bool, or ndarray, default=None
            Background of datasets (height, width), by dataset; an array, if there are
            no groups. Datasets that it lacks are learnt from the labels.

        Returns
        -------
        self : MaskCorrelationClassifier

        Raises
        ------
        ValueError
            If there aren't two classes, images of a dataset differ in size, a mask
            doesn't fit, or no dataset has images of both classes or a mask.
        """
        datasets = self._datasets(X, groups, reset=True)
        y = validate_data(self, X="no_validation", y=plain_labels(y))
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        off = y == self._check_classes(y)
        given = _given_masks(masks, groups)
        rng = check_random_state(self.random_state)
        masks, pixels, kinds, features = {}, [], [], {}
        for dataset, (index, images) in datasets.items():
            features[dataset] = pixel_features(images)
            mask = _mask_of(given, dataset, images)
            if mask is None and 0 < off[index].sum() < len(index):
                mask = mask_from_labels(images, off[index])
            if mask is None:
                continue
            masks[dataset] = mask
            where = np.arange(mask.size)
            if self.n_pixels is not None and mask.size > self.n_pixels:
                where = rng.choice(mask.size, self.n_pixels, replace=False)
            pixels.append(features[dataset][where])
            kinds.append(mask.ravel()[where])
        self._fit_pixels(pixels, kinds)
        correlation = np.empty(len(y))
        for dataset, (index, images) in datasets.items():
            mask = masks.get(dataset)
            if mask is None or self.pixel_estimator_ is not None:
                mask = self._predict_pixels(features[dataset], images.shape[1:])
            correlation[index] = correlations(images, mask)
            masks.setdefault(dataset, mask)
        self.masks_ = masks
        self._score = LogisticRegression().fit(correlation[:, np.newaxis], y)
        slope = self._score.coef_[0, 0]
        self.threshold_ = float(-self._score.intercept_[0] / slope) if slope else np.nan
        return self

    def predict_masks(
        self, X: ImagesLike, groups: ArrayLike | None = None
    ) -> dict[Any, NDArray[np.bool_]]:
        """Return the mask of each dataset.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Ion images.
        groups : array-like of shape (n,), default=None
            Dataset of each image.

        Returns
        -------
        dict of ndarray of bool of shape (height, width)
            Where the background is, by dataset; of the dataset None, if there are no
            groups.
        """
        check_is_fitted(self)
        datasets = self._datasets(X, groups, reset=False)
        return {
            name: self._mask(name, images) for name, (_, images) in datasets.items()
        }

    def decision_function(
        self,
        X: ImagesLike,
        groups: ArrayLike | None = None,
        masks: Mapping[Any, ArrayLike] | ArrayLike | None = None,
    ) -> NDArray[np.float64]:
        """Return by how much each image's correlation says the second of `classes_`.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Ion images.
        groups : array-like of shape (n,), default=None
            Dataset of each image.
        masks : dict of ndarray of bool, or ndarray, default=None
            Background of datasets that is known, as in `fit`.

        Returns
        -------
        ndarray of shape (n,)
            Logarithm of the odds.
        """
        check_is_fitted(self)
        datasets = self._datasets(X, groups, reset=False)
        given = _given_masks(masks, groups)
        correlation = np.empty(sum(len(index) for index, _ in datasets.values()))
        for name, (index, images) in datasets.items():
            mask = _mask_of(given, name, images)
            mask = self._mask(name, images) if mask is None else mask
            correlation[index] = correlations(images, mask)
        return self._score.decision_function(correlation[:, np.newaxis])

    def predict_proba(
        self,
        X: ImagesLike,
        groups: ArrayLike | None = None,
        masks: Mapping[Any, ArrayLike] | ArrayLike | None = None,
    ) -> NDArray[np.float64]:
        """Return the probability of each class; parameters as `decision_function`.

        Returns
        -------
        ndarray of shape (n, 2)
            In the order of `classes_`; rows sum to one.
        """
        odds = self.decision_function(X, groups=groups, masks=masks)
        second = 1 / (1 + np.exp(-odds))
        return np.column_stack([1 - second, second])

    def predict(
        self,
        X: ImagesLike,
        groups: ArrayLike | None = None,
        masks: Mapping[Any, ArrayLike] | ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Return the label of each image; parameters as `decision_function`.

        Returns
        -------
        ndarray of shape (n,)
        """
        odds = self.decision_function(X, groups=groups, masks=masks)
        return self.classes_[(odds > 0).astype(int)]

    def _check_classes(self, y):
        """Set `classes_`; return the label of off-sample images."""
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(y)}."
            )
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs images on and off the sample; y holds "
                f"one class only, {self.classes_.tolist()[0]!r}."
            )
        if self.off_label is None:
            return self.classes_[0]
        if self.off_label not in self.classes_.tolist():
            raise ValueError(
                f"off_label={self.off_label!r} is not a label of y: "
                f"{self.classes_.tolist()}."
            )
        return self.off_label

    def _fit_pixels(self, pixels, kinds):
        """Set `pixel_estimator_`."""
        if not pixels:
            raise ValueError(
                "No dataset has images of both classes, so there are no masks to learn "
                "from. Give masks, or more datasets."
            )
        kinds = np.concatenate(kinds)
        self.pixel_estimator_ = None
        if kinds.all() or not kinds.any():
            return
        estimator = self.pixel_estimator
        estimator = LogisticRegression() if estimator is None else clone(estimator)
        self.pixel_estimator_ = estimator.fit(np.concatenate(pixels), kinds)

    def _predict_pixels(self, features, shape):
        """Return the mask that the pixels of a dataset give."""
        if self.pixel_estimator_ is None:
            raise ValueError(
                "The masks of the training datasets are all background, or all sample: "
                "there is nothing to tell pixels of another dataset by. Give masks in "
                "fit, or train on more images."
            )
        return self.pixel_estimator_.predict(features).astype(bool).reshape(shape)

    def _mask(self, dataset, images):
        """Return the mask that a dataset had in `fit`, or that its pixels give."""
        shape = images.shape[1:]
        if dataset not in self.masks_:
            return self._predict_pixels(pixel_features(images), shape)
        mask = self.masks_[dataset]
        refuse_other_field(shape, mask.shape, dataset, type(self).__name__)
        return mask

    def __sklearn_tags__(self) -> Tags:
        """Say that there are two classes, and that images need more than two pixels."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = True
        return tags


def mask_from_labels(images: NDArray[Any], off: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where off-sample images are brighter than the others, (height, width).

    Parameters
    ----------
    images : ndarray of shape (n, height, width)
        Ion images of one dataset, scaled to 0 to 1.
    off : ndarray of bool of shape (n,)
        Which of them are off-sample; some are, and some are not.
    """
    background, sample = images[off].mean(axis=0), images[~off].mean(axis=0)
    return background * sample.mean() > sample * background.mean()


def correlations(images: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return Pearson's correlation of each image (n, height, width) with a mask.

    It is 0 where the image or the mask is constant.
    """
    rows = images.reshape(len(images), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    truth = mask.ravel() - mask.mean()
    scale = np.linalg.norm(rows, axis=1) * np.linalg.norm(truth)
    return np.divide(rows @ truth, scale, out=np.zeros(len(rows)), where=scale > 1e-12)


def _given_masks(masks, groups):
    """Return the masks given as {dataset: array}."""
    if masks is None:
        return {}
    if isinstance(masks, dict) == (groups is None):
        form = "one array without groups" if groups is None else "a dict by dataset"
        raise ValueError(
            f"masks must be {form}; got {type(masks).__name__}. With groups, masks are "
            "named by dataset."
        )
    return {None: masks} if groups is None else masks


def _mask_of(given, dataset, images):
    """Return the mask given for a dataset, or None; raise if it doesn't fit."""
    if dataset not in given:
        return None
    mask = np.asarray(given[dataset])
    if mask.shape != images.shape[1:] or mask.dtype != bool:
        which = "" if dataset is None else f" of dataset {dataset!r}"
        raise ValueError(
            f"The mask{which} has shape {mask.shape} and type {mask.dtype}; its images "
            f"need one of shape {images.shape[1:]} and type bool."
        )
    return mask
