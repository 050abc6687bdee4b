"""How long a network is trained, and in which batches: given, or by its images."""

import math

from sklearn.base import BaseEstimator

from emclassify.training import auto_batch_size, auto_max_epochs

__all__ = ["TrainingLengthMixin", "set_length", "wanted_epochs"]


def set_length(estimator: BaseEstimator, n_train: int) -> None:
    """Set `batch_size_` and `max_epochs_` of a network.

    Parameters
    ----------
    estimator : BaseImageClassifier
        That knows its classes.
    n_train : int
        Images of an epoch.
    """
    n_outputs = len(estimator.classes_) + estimator.multilabel_
    estimator.max_epochs_, estimator.batch_size_ = estimator.training_length(
        n_train, n_outputs
    )


def wanted_epochs(
    estimator: BaseEstimator, n_train: int, n_outputs: int, batch_size: int
) -> int:
    """Return the epochs that "auto" gives a network, from random weights or others.

    Parameters
    ----------
    estimator : BaseImageClassifier
    n_train : int
        Images of an epoch.
    n_outputs : int
        Classes; with several labels an image, one more than labels.
    batch_size : int
        Images in a batch.
    """
    epochs = auto_max_epochs(n_train, n_outputs, batch_size)
    least, most = estimator._epochs_between
    return min(max(math.ceil(estimator._epochs_share * epochs), least), most)


class TrainingLengthMixin:
    """Says how long a network would be trained."""

    # Of the epochs by the rule, and bounds beside the rule's.
    _epochs_share: float = 1.0
    _epochs_between: tuple[float, float] = 1, math.inf

    def training_length(self, n_samples: int, n_outputs: int) -> tuple[int, int]:
        """Return the epochs and the batch size that `fit` would take.

        Parameters
        ----------
        n_samples : int
            Images to learn from: those held out for `early_stopping`, or left out by
            weights of 0, don't count.
        n_outputs : int
            Classes; with several labels an image, one more than labels.

        Returns
        -------
        max_epochs, batch_size : int

        Examples
        --------
        >>> from emclassify import LipNetClassifier
        >>> LipNetClassifier().training_length(2000, 5)
        (75, 32)
        >>> LipNetClassifier(max_epochs=10).training_length(2000, 5)
        (10, 32)
        """
        batch_size, max_epochs = self.batch_size, self.max_epochs
        if batch_size == "auto":
            batch_size = auto_batch_size(n_samples)
        if max_epochs == "auto":
            max_epochs = wanted_epochs(self, n_samples, n_outputs, batch_size)
        return max_epochs, batch_size
