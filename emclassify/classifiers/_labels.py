"""Labels of any kind, as numbers that a network learns, and back."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length, column_or_1d

from emclassify._incoming import plain_labels
from emclassify.metrics._targets import check_indicator, choose_labels, is_multilabel

__all__ = ["ChosenLabelsMixin", "LabelsMixin"]


class ChosenLabelsMixin:
    """Gives what has `classes_` and `multilabel_` the way back from probabilities."""

    def _choose_labels(self, proba: np.ndarray) -> np.ndarray:
        """Return what `predict` says where `predict_proba` says `proba`."""
        return choose_labels(proba, self.classes_, self.multilabel_)


class LabelsMixin(ChosenLabelsMixin):
    """Gives a network `classes_` and `multilabel_`, by the labels that it is shown."""

    def _encode_labels(
        self,
        images: np.ndarray | list[np.ndarray],
        y: ArrayLike,
        *,
        reset: bool,
        classes: np.ndarray | None = None,
    ) -> np.ndarray:
        """Set or use `classes_`; return class indices, or an indicator matrix."""
        y = plain_labels(y)
        multilabel = is_multilabel(y)
        if not reset and multilabel != self.multilabel_:
            several = "several labels" if self.multilabel_ else "one label"
            raise ValueError(
                f"y has shape {np.shape(y)}, but {type(self).__name__} was fitted on "
                f"{several} an image."
            )
        self.multilabel_ = multilabel
        if multilabel:
            known = classes if reset else self.classes_
            indicator = check_indicator(y, len(images), known)
            self.classes_ = np.arange(indicator.shape[1])
            return indicator
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        # Not validate_data, which without X forgets the names of its columns.
        y = _check_y(y, estimator=self)
        y = column_or_1d(y, warn=True)
        check_consistent_length(images, y)
        check_classification_targets(y)
        if reset:
            self.classes_ = np.unique(y) if classes is None else classes
            if len(self.classes_) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs samples of at least 2 classes; y "
                    f"holds one class only, {self.classes_.tolist()[0]!r}."
                )
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            raise ValueError(
                f"y holds labels that are not among classes_ "
                f"{self.classes_.tolist()}: {np.unique(y[unknown]).tolist()}."
            )
        return np.searchsorted(self.classes_, y)
