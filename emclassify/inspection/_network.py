"""From a fitted estimator to its network, and back without a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import nn

from emclassify.classifiers._base import BaseImageClassifier
from emclassify.training import ImageBatches, ImageDataset, ImageModule, isolated


def find_classifier(
    estimator: BaseEstimator, *, fitted: bool = True
) -> BaseImageClassifier:
    """Return the network classifier, which may be a pipeline's last step."""
    classifier = estimator
    while isinstance(classifier, Pipeline):
        classifier = classifier.steps[-1][1]
    if not isinstance(classifier, BaseImageClassifier):
        which = "the last step of the pipeline" if classifier is not estimator else "it"
        raise TypeError(
            "estimator must be a network classifier of emclassify, such as "
            "LipNetClassifier, or a Pipeline that ends in one; "
            f"{which} is {classifier!r}. Of a search, pass its best_estimator_."
        )
    if fitted:
        check_is_fitted(classifier, "net_")
    return classifier


def find_images(estimator: BaseEstimator, X: ArrayLike) -> np.ndarray:
    """Return the images (n, h, w, c) that the classifier gets to see of X.

    They are of one size: what is told of them comes in one array.
    """
    while isinstance(estimator, Pipeline):
        for _, step in estimator.steps[:-1]:
            # Samplers act in fit only.
            if step not in (None, "passthrough") and not hasattr(step, "fit_resample"):
                X = step.transform(X)
        estimator = estimator.steps[-1][1]
    images = estimator._validate_images(X, reset=False)
    if not isinstance(images, list):
        return images
    for i, image in enumerate(images):
        if image.shape != images[0].shape:
            raise ValueError(
                "X must hold images of one size here: image 0 has shape "
                f"{images[0].shape}, image {i} has shape {image.shape}. Pass those of "
                "each size by themselves."
            )
    return np.stack(images)


def find_image(estimator: BaseEstimator, image: ArrayLike) -> np.ndarray:
    """Return one image (1, h, w, c) as the classifier gets to see it."""
    images = find_images(estimator, np.asarray(image)[np.newaxis])
    if len(images) != 1:
        raise ValueError(
            f"image must be one image; the pipeline made {len(images)} of it."
        )
    return images


def input_batches(
    classifier: BaseImageClassifier, images: np.ndarray
) -> Iterator[dict[str, torch.Tensor]]:
    """Yield batches of what goes into the network, {name: tensor on the device}."""
    dataset = ImageDataset(images, features=classifier._features(images))
    for inputs, _ in ImageBatches(dataset, classifier.batch_size_):
        yield {name: part.to(classifier.device_) for name, part in inputs.items()}


@contextmanager
def evaluating(
    classifier: BaseImageClassifier, seed: int = 0, *, symmetries: bool = False
) -> Iterator[ImageModule]:
    """Lend the classifier's `ImageModule` in evaluation mode and single precision.

    It runs uncompiled: what is compiled does not see hooks that are added later. With
    `symmetries` it looks at those of an image too if its `predict` does, else at the
    image alone.
    Afterwards it is as it was before, and so are torch's random state and threads.
    """
    module = classifier.net_.module_
    modes = {part: part.training for part in module.modules()}
    precision, compiled, averaged = module.precision, module.compiled, module.averaged
    device = torch.device(classifier.device_)
    try:
        with isolated(device, classifier.n_threads, seed):
            module.eval()
            module.precision, module.compiled = "float32", False
            module.averaged = averaged and symmetries
            yield module
    finally:
        module.precision, module.compiled = precision, compiled
        module.averaged = averaged
        for part, training in modes.items():
            part.training = training


def convolutions(classifier: BaseImageClassifier) -> dict[str, nn.Conv2d]:
    """Return {name: nn.Conv2d} in the order of definition."""
    found = {
        name: layer
        for name, layer in classifier.net_.module_.net.named_modules()
        if isinstance(layer, nn.Conv2d)
    }
    if not found:
        raise ValueError(
            f"The network of {type(classifier).__name__} has no convolution "
            f"(nn.Conv2d); its layers are {_list_layers(classifier)}."
        )
    return found


def find_layer(classifier: BaseImageClassifier, layer: str | int) -> str:
    """Return the name of a layer that is given by name or by number of convolution."""
    if isinstance(layer, Integral) and not isinstance(layer, bool):
        names = list(convolutions(classifier))
        if -len(names) <= layer < len(names):
            return names[layer]
    known = dict(classifier.net_.module_.net.named_modules())
    if isinstance(layer, str) and layer and layer in known:
        return layer
    raise ValueError(
        f"layer={layer!r} is not in the network of {type(classifier).__name__}. Its "
        f"layers are {_list_layers(classifier)}. A whole number counts the "
        "convolutions from 0, or from -1 backwards."
    )


def _list_layers(classifier: BaseImageClassifier) -> str:
    """'features.0 (Conv2d), features.1 (ReLU)', containers left out."""
    return ", ".join(
        f"{name} ({type(layer).__name__})"
        for name, layer in classifier.net_.module_.net.named_modules()
        if name and not any(layer.children())
    )


def gradient(scores: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the sum of scores with respect to images."""
    if not scores.requires_grad:
        raise ValueError(
            "The network can't be differentiated: what it returns has no gradient "
            "with respect to the image."
        )
    (found,) = torch.autograd.grad(scores.sum(), images, allow_unused=True)
    return torch.zeros_like(images) if found is None else found


def check_channels(
    channels: ArrayLike | None, n_channels: int, layer: str
) -> np.ndarray:
    """Return indices of channels of a layer as an array; None means all."""
    if channels is None:
        return np.arange(n_channels)
    index = np.atleast_1d(np.asarray(channels))
    if (
        index.ndim != 1
        or index.size == 0
        or index.dtype.kind not in "iu"
        or index.min() < 0
        or index.max() >= n_channels
    ):
        raise ValueError(
            f"channels must be whole numbers from 0 to {n_channels - 1}, the channels "
            f"of layer {layer!r}; got {channels!r}."
        )
    return index
