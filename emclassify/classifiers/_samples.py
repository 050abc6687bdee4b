"""From checked images and labels to the samples that a network learns from."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from emclassify._groups import check_groups
from emclassify._incoming import plain_array
from emclassify.training import (
    ImageDataset,
    class_factors,
    repeat_by_weight,
    validation_split,
)

__all__ = ["OrderOf", "SamplesMixin", "check_weights"]

# From images and labels to what `canonical_order` returns.
OrderOf = Callable[[Sequence[np.ndarray], np.ndarray], tuple[np.ndarray, np.ndarray]]


class SamplesMixin:
    """Gives a network its training set, and what `early_stopping` holds out."""

    def _make_datasets(
        self,
        images: np.ndarray | list[np.ndarray],
        target: np.ndarray,
        sample_weight: ArrayLike | None,
        groups: ArrayLike | None,
        order_of: OrderOf,
    ) -> tuple[ImageDataset, ImageDataset | None]:
        """Return the training set, and the validation set or None."""
        if groups is not None:
            groups = check_groups(groups, len(images))
        weight = check_weights(images, sample_weight)
        index, content = order_of(images, target)
        if (weight > 0).any():
            # The others are left out, of the validation split too.
            index = index[weight[index] > 0]
        features = self._features(images, fitted=False)
        if not self.early_stopping:
            train = self._make_dataset(images, features, target, index, weight)
            return train, None
        if groups is None and len(np.unique(content[index])) < len(index):
            # Copies, as oversampling makes them, must not stand on both sides.
            groups = content
        random_state = self.random_state
        if random_state is None and self.checkpoint_dir is not None:
            random_state = 0  # a training that goes on has to find its split again
        train, valid = validation_split(
            target[index],
            None if groups is None else groups[index],
            self.validation_fraction,
            check_random_state(random_state),
        )
        return tuple(
            self._make_dataset(images, features, target, index[side], weight)
            for side in (train, valid)
        )

    def _make_dataset(
        self,
        images: np.ndarray | list[np.ndarray],
        features: np.ndarray | None,
        target: np.ndarray,
        index: np.ndarray,
        sample_weight: np.ndarray,
        *,
        rescaled: bool = True,
    ) -> ImageDataset:
        """Return the samples at `index`, with the product of both kinds of weight.

        If `rescaled`, its mean is 1.
        """
        rows, weight = repeat_by_weight(sample_weight[index])
        rows = index[rows]
        target = target[rows]
        factor = class_factors(self.class_weight, target, self.classes_)
        # One weight a sample; with several labels, one for each label of a sample.
        weight = (weight * factor.T).T
        if weight.sum() <= 0:
            raise ValueError(
                "class_weight and sample_weight leave no sample with a positive weight."
            )
        if rescaled:
            weight *= weight.size / weight.sum()
        return ImageDataset(images, target, weight, rows, features)


def check_weights(
    images: Sequence[np.ndarray], sample_weight: ArrayLike | None
) -> np.ndarray:
    """Return the weight of each image, finite and not negative; 1 without any."""
    return _check_sample_weight(
        plain_array(sample_weight, "sample_weight"),
        images,
        dtype=np.float64,
        ensure_non_negative=True,
    )
