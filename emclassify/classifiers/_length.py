"""How long a network is trained, and in which batches: given, or by its images."""

from sklearn.base import BaseEstimator

from emclassify.training import auto_batch_size, auto_max_epochs

__all__ = ["set_length", "wanted_epochs"]


def set_length(estimator: BaseEstimator, n_train: int) -> None:
    """Set `batch_size_` and `max_epochs_` of a network.

    Parameters
    ----------
    estimator : BaseImageClassifier
        That knows its classes.
    n_train : int
        Images of an epoch.
    """
    batch_size, max_epochs = estimator.batch_size, estimator.max_epochs
    if batch_size == "auto":
        batch_size = auto_batch_size(n_train)
    if max_epochs == "auto":
        max_epochs = wanted_epochs(estimator, n_train, batch_size)
    estimator.batch_size_, estimator.max_epochs_ = batch_size, max_epochs


def wanted_epochs(estimator: BaseEstimator, n_train: int, batch_size: int) -> int:
    """Return the epochs that "auto" gives a network, from random weights or others.

    Parameters
    ----------
    estimator : BaseImageClassifier
        That knows its classes.
    n_train : int
        Images of an epoch.
    batch_size : int
        Images in a batch.
    """
    n_outputs = len(estimator.classes_) + estimator.multilabel_
    epochs = auto_max_epochs(n_train, n_outputs, batch_size)
    return max(round(estimator._share_of_budget * epochs), estimator._least_epochs)
