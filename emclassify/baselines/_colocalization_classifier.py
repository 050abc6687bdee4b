"""ColocalizationClassifier: co-localisation features and a support vector machine."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import Tags, check_consistent_length, column_or_1d
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from emclassify._fit_state import fit_context
from emclassify._images import ImageInputMixin
from emclassify._incoming import plain_labels
from emclassify._typing import Estimator, ImagesLike
from emclassify.baselines._colocalization_features import ColocalizationFeatures

__all__ = ["ColocalizationClassifier"]


def _estimator_has(method):
    def check(self):
        # Raises AttributeError with the name of what lacks it.
        getattr(getattr(self, "estimator_", self._estimator()), method)
        return True

    return check


class ColocalizationClassifier(ImageInputMixin, ClassifierMixin, BaseEstimator):
    """Tell ion images apart by their similarity to the others of their dataset.

    Parameters
    ----------
    estimator : classifier, default=None
        Fitted on the features of `ColocalizationFeatures`. None is a `StandardScaler`
        and an `SVC` with balanced class weights.
    n_quantiles, median_size
        As in `ColocalizationFeatures`.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels as they came.
    features_ : ColocalizationFeatures
        With the images of `fit`.
    estimator_ : classifier
        Fitted on their features.

    See Also
    --------
    ColocalizationFeatures : What `groups` do, and how similar images are.
    MaskCorrelationClassifier : The other baseline for ion images.

    Notes
    -----
    It is not a pipeline, because a transformer inside one gets no groups in prediction
    unless scikit-learn's metadata routing is switched on.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.baselines import ColocalizationClassifier
    >>> from emclassify.datasets import make_ion_images
    >>> data = make_ion_images(200, n_groups=10, strange=0, random_state=0)
    >>> new = data.groups >= 8
    >>> clf = ColocalizationClassifier()
    >>> clf = clf.fit(data.images[~new], data.target[~new], groups=data.groups[~new])
    >>> predicted = clf.predict(data.images[new], groups=data.groups[new])
    >>> bool(np.mean(predicted == data.target[new]) > 0.6)
    True
    """

    _parameter_constraints = {
        **ColocalizationFeatures._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict"]), None],
    }

    def __init__(
        self,
        estimator: Estimator | None = None,
        *,
        n_quantiles: int = 11,
        median_size: int = 3,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_quantiles = n_quantiles
        self.median_size = median_size
        self.image_shape = image_shape

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ImagesLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Compute the features by dataset, and fit `estimator` on them.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Ion images; those of different datasets may differ in size.
        y : array-like of shape (n,)
            Labels of any kind.
        groups : array-like of shape (n,), default=None
            Dataset of each image. None: all are of one.

        Returns
        -------
        self : ColocalizationClassifier
        """
        self.features_ = ColocalizationFeatures(
            self.n_quantiles, median_size=self.median_size, image_shape=self.image_shape
        )
        features = self.features_.fit_transform(X, groups=groups)
        y = validate_data(self, X="no_validation", y=plain_labels(y))
        y = column_or_1d(y, warn=True)
        check_consistent_length(features, y)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs images of at least 2 classes; y holds "
                f"one class only, {self.classes_.tolist()[0]!r}."
            )
        self.estimator_ = clone(self._estimator()).fit(features, y)
        return self

    def predict(self, X: ImagesLike, groups: ArrayLike | None = None) -> NDArray[Any]:
        """Return the label of each image.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Ion images.
        groups : array-like of shape (n,), default=None
            Dataset of each image.

        Returns
        -------
        ndarray of shape (n,)
        """
        features = self._features(X, groups)
        predicted = self.estimator_.predict(features)
        if len(self.classes_) == 2 and _is_machine(self.estimator_):
            # At exactly 0, SVC says one class and its decision function the other.
            at_zero = self.estimator_.decision_function(features) == 0
            predicted[at_zero] = self.classes_[0]
        return predicted

    @available_if(_estimator_has("decision_function"))
    def decision_function(
        self, X: ImagesLike, groups: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return what `estimator` says; parameters as `predict`.

        Returns
        -------
        ndarray of shape (n,) or (n, n_classes)
        """
        features = self._features(X, groups)
        return self.estimator_.decision_function(features)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(
        self, X: ImagesLike, groups: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return what `estimator` says; parameters as `predict`.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of `classes_`.
        """
        features = self._features(X, groups)
        return self.estimator_.predict_proba(features)

    def _features(self, X, groups):
        check_is_fitted(self)
        return self.features_.transform(X, groups=groups)

    def _estimator(self):
        if self.estimator is not None:
            return self.estimator
        # Its seed has no effect, but numpy's global state would be touched without.
        machine = SVC(class_weight="balanced", break_ties=True, random_state=0)
        return make_pipeline(StandardScaler(), machine)

    @property
    def n_features_in_(self) -> int:
        """``X.shape[1]`` seen in `fit`."""
        return self._of_features("n_features_in_")

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the columns seen in `fit`, if X had names."""
        return self._of_features("feature_names_in_")

    @property
    def image_shape_(self) -> tuple[int, int, int] | None:
        """(height, width, channels) seen in `fit`; None if the sizes differed."""
        return self._of_features("image_shape_")

    def _of_features(self, name):
        # AttributeError, so that hasattr says no.
        if "features_" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no {name}: not fitted.")
        return getattr(self.features_, name)

    def __sklearn_tags__(self) -> Tags:
        """Say that images of two pixels have little in common."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


def _is_machine(estimator):
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    return isinstance(last, SVC)
