"""What outlier removers do alike: scores by class, and the images that are kept."""

from abc import abstractmethod
from typing import Any

import numpy as np
from imblearn.under_sampling.base import BaseCleaningSampler
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import type_of_target

from emclassify._fit_state import fit_context
from emclassify._incoming import plain_images, plain_labels
from emclassify._typing import ImagesLike
from emclassify.sampling._base import ImageSamplerMixin, like_images, like_labels

__all__ = ["OutlierRemover"]


class OutlierRemover(ImageSamplerMixin, BaseCleaningSampler):
    """Drops images that are unlike the others of their class.

    Children describe images by numbers (`_describe`), score those of one class against
    each other (`_score`), and say which scores of all are too high (`_too_high`).
    """

    _parameter_constraints = {
        **BaseCleaningSampler._parameter_constraints,
        "multilabel": ["boolean"],
        "image_shape": ["array-like", None],
    }

    @abstractmethod
    def _describe(self, X, member):
        """Return numbers (n, d) for X of `_fit_resample`."""

    @abstractmethod
    def _score(self, described):
        """Return a score for each of the images (n, d) of one class."""

    @abstractmethod
    def _too_high(self, scores):
        """Return which of all scores are an outlier's."""

    @fit_context(prefer_skip_nested_validation=False)
    def fit_resample(
        self, X: ImagesLike, y: ArrayLike, **params: Any
    ) -> tuple[Any, Any]:
        """Drop outliers.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Images; in a list or 1-D object array they may differ in size if the
            embedding takes that.
        y : array-like of shape (n,) or (n, n_labels)
            Labels; with ``multilabel=True`` an indicator matrix.
        **params : dict
            Ignored; imbalanced-learn's signature.

        Returns
        -------
        X_resampled : like X
        y_resampled : like y
        """
        if not self.multilabel:
            return super().fit_resample(X, y, **params)
        images, labels = plain_images(X), plain_labels(y)
        if type_of_target(labels, input_name="y") != "multilabel-indicator":
            raise ValueError(
                "multilabel=True needs y as an indicator matrix (n, n_labels) of 0 and "
                f"1, with two labels or more; got y of shape {np.shape(y)}."
            )
        if self.sampling_strategy != "all":
            raise ValueError(
                "multilabel=True cleans the images of all labels: leave "
                f"sampling_strategy='all'; got {self.sampling_strategy!r}."
            )
        vars(self).pop("sampling_strategy_", None)  # of an earlier call
        matrix = labels.toarray() if hasattr(labels, "toarray") else labels
        # Any class does where only X is checked.
        images, _, _ = self._check_X_y(images, np.arange(len(matrix)))
        member = matrix.astype(bool)
        # What has no label is a class of its own.
        none = ~member.any(axis=1, keepdims=True)
        self._find(images, np.hstack([member, none]), np.ones(len(member), dtype=bool))
        kept = self.sample_indices_
        return like_images(X, images[kept]), like_labels(y, matrix[kept])

    def _fit_resample(self, X, y):
        member = y[:, np.newaxis] == np.unique(y)
        self._find(X, member, np.isin(y, list(self.sampling_strategy_)))
        return X[self.sample_indices_], y[self.sample_indices_]

    def _find(self, X, member, cleaned):
        """Set `outlier_scores_` and `sample_indices_`; drop of `cleaned` only."""
        described = self._describe(X, member)
        scores = np.full(len(member), np.inf)
        for column in member.T:
            rows = np.flatnonzero(column)
            if rows.size:
                # Who is at home under one of its labels is no outlier.
                scores[rows] = np.minimum(scores[rows], self._score(described[rows]))
        outlier = np.zeros(len(member), dtype=bool)
        if cleaned.any():
            outlier[cleaned] = self._too_high(scores[cleaned])
        self.outlier_scores_ = scores
        self.sample_indices_ = np.flatnonzero(~outlier)
