"""Where a network puts images, just before it decides."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from torch import nn

from emclassify.inspection._network import (
    evaluating,
    find_classifier,
    find_images,
    input_batches,
)

__all__ = ["network_embedding"]


def network_embedding(estimator: BaseEstimator, X: ArrayLike) -> np.ndarray:
    """Return what enters the last dense layer of a fitted network, for images.

    There the network has turned images into numbers that a linear rule tells apart:
    alike images lie near each other. It computes as in `predict`, without dropout and
    augmentation, but always in single precision, and of each image as it is, also
    where `predict` looks at it eight ways (`test_time_augmentation`).

    Parameters
    ----------
    estimator : network classifier or Pipeline that ends in one
        Fitted. The earlier steps of a pipeline transform X first.
    X : array-like
        Images, as for ``estimator.predict``, of one size.

    Returns
    -------
    ndarray of float32 of shape (n, n_units)

    Raises
    ------
    TypeError
        If `estimator` has no network of ours.
    ValueError
        If the network has no dense layer (``nn.Linear``), or X doesn't fit.

    See Also
    --------
    layer_activations : What any layer returns.
    emclassify.sampling.EmbeddingOutlierRemover : Drop images far from their class.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import LipNetClassifier
    >>> from emclassify.inspection import network_embedding
    >>> X = np.random.default_rng(0).normal(size=(20, 8, 8))
    >>> clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 10)
    >>> network_embedding(clf, X[:5]).shape
    (5, 512)
    """
    classifier = find_classifier(estimator)
    images = find_images(estimator, X)
    dense = [
        layer
        for layer in classifier.net_.module_.net.modules()
        if isinstance(layer, nn.Linear)
    ]
    if not dense:
        raise ValueError(
            f"The network of {type(classifier).__name__} has no dense layer "
            "(nn.Linear) to look before; see layer_activations for others."
        )
    parts = []
    handle = dense[-1].register_forward_pre_hook(
        lambda layer, inputs: parts.append(inputs[0].flatten(1).float().cpu().numpy())
    )
    try:
        with evaluating(classifier) as module, torch.no_grad():
            for inputs in input_batches(classifier, images):
                module(**inputs)
    finally:
        handle.remove()
    return np.concatenate(parts)
