"""What callbacks and scorers see of training: images and targets, as skorch has them.

Inside, a target is a pair (target, weight), which skorch's scoring can't take.
"""

from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from torch import nn

from emclassify.training._batches import ImageDataset
from emclassify.training._runtime import device_for_kept

__all__ = ["PlainTargets"]


class PlainTargets(NeuralNetClassifier):
    """A skorch net on images whose callbacks and scores know nothing of weights.

    Callbacks get batches as (inputs, target), and the data sets of an epoch as
    `skorch.dataset.Dataset` whose `y` is the target, in the order of the predictions.
    `predict`, `predict_proba` and `score` take arrays (n, height, width, channels) or
    (n, height, width), of the height, width and channels seen in training. Labels are
    class indices, or an indicator matrix.

    Attributes
    ----------
    multilabel : bool
        Whether an image may have several labels.
    """

    multilabel: bool = False

    def for_labels(self, multilabel: bool) -> Self:
        """Say whether an image may have several labels; return the net."""
        self.multilabel = multilabel
        return self

    def notify(self, method_name: str, **kwargs: object) -> None:
        """Call a method of all callbacks, without the weights of the samples."""
        if "batch" in kwargs:
            kwargs["batch"] = _without_weight(kwargs["batch"])
        for name in ("dataset_train", "dataset_valid"):
            if isinstance(kwargs.get(name), ImageDataset):
                kwargs[name] = _PlainDataset(kwargs[name])
        super().notify(method_name, **kwargs)

    def get_dataset(self, X: object, y: object = None) -> ImageDataset:
        """Return images, and their labels if there are any, as the net takes them."""
        if isinstance(X, Dataset):
            X = X.X
        if isinstance(X, dict) and "images" in X:
            # A batch, as callbacks have it.
            features = X.get("features")
            return ImageDataset(
                X["images"].cpu().numpy(),
                features=None if features is None else features.cpu().numpy(),
            )
        if not isinstance(X, ImageDataset):
            X = np.asarray(X)
            images = X[..., None] if X.ndim == 3 else X
            weight = None if y is None else np.ones(np.shape(y))
            return ImageDataset(images, y, weight)
        return X

    def predict(self, X: object) -> np.ndarray:
        """Return class indices (n,), or an indicator matrix (n, n_labels)."""
        proba = self.predict_proba(X)
        if self.multilabel:
            return (proba >= 0.5).astype(np.intp)
        return proba.argmax(axis=1)

    def score(
        self, X: object, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the accuracy.

        Raises
        ------
        ValueError
            If `y` holds anything but class indices.
        """
        y = np.asarray(y)
        n = len(self.classes_)
        known = np.isin(y, [0, 1]) if self.multilabel else np.isin(y, np.arange(n))
        if not known.all():
            raise ValueError(
                "y of net_.score must be class indices, the places of the labels in "
                f"classes_; found {y[~known].tolist()[0]!r}. The classifier's own "
                "score takes labels."
            )
        return super().score(X, y, sample_weight)

    def __getstate__(self) -> dict:
        """Leave out what the net was made from, where that is the trained network.

        It would be kept twice, and the second time on its device, wanted or not.
        """
        state = super().__getstate__()
        if self.initialized_ and state["module"] is self.module_:
            state["module"] = None
        return state

    def __setstate__(self, state: dict) -> None:
        """Take the network to a device that is here."""
        state["device"] = device_for_kept(state["device"])
        super().__setstate__(state)
        if self.module is None:
            self.module = self.module_

    def _get_predict_nonlinearity(self) -> nn.Module:
        if self.predict_nonlinearity != "auto":
            return super()._get_predict_nonlinearity()
        return nn.Sigmoid() if self.multilabel else nn.Softmax(dim=1)


def _without_weight(batch: object) -> object:
    match batch:
        case (inputs, (torch.Tensor() as target, torch.Tensor())):
            return inputs, target
    return batch


class _PlainDataset(Dataset):
    """An `ImageDataset` with its target as `y`, in the order of the predictions.

    It has all attributes of the `ImageDataset` too.
    """

    def __init__(self, dataset: ImageDataset) -> None:
        target = dataset.target
        if len(dataset.stacks) > 1:
            target = target[torch.cat(dataset.runs())]
        super().__init__(dataset, target.numpy(), length=len(dataset))

    def __getattr__(self, name: str) -> object:
        if name == "X":  # not there yet, in a copy
            raise AttributeError(name)
        return getattr(self.X, name)
