"""What every sampler does alike: images in, images of the same form out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from imblearn.utils import check_target_type
from imblearn.utils._validation import ArraysTransformer
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import Tags
from sklearn.utils.validation import check_consistent_length

from emclassify._fit_state import unchanged_if_refused
from emclassify._images import ImageInputMixin
from emclassify._incoming import plain_images, plain_labels
from emclassify._typing import ImagesLike
from emclassify.preprocessing._stacks import object_array

__all__ = [
    "ImageSamplerMixin",
    "append_images",
    "as_asked",
    "as_stack",
    "like_images",
    "like_labels",
    "plain_label",
]


class ImageSamplerMixin(ImageInputMixin):
    """Lets an imbalanced-learn sampler take images; comes first in the bases.

    The children's `_fit_resample(X, y)` gets X in the form that the caller gave it,
    checked, with samples along its first axis: an array of 2 to 4 dimensions, or a 1-D
    object array of images. `image_shape_` is None for the latter.
    """

    def __sklearn_tags__(self) -> Tags:
        """Say what imbalanced-learn's and scikit-learn's checks may feed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.sampler_tags.sample_indices = True
        return tags

    def fit_resample(
        self, X: ImagesLike, y: ArrayLike, **params: Any
    ) -> tuple[Any, Any]:
        """Resample the images.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Images.
        y : array-like of shape (n,)
            Their labels.
        **params : dict
            What the sampler takes beside them.

        Returns
        -------
        X_resampled : like X
            A tensor comes back as an array.
        y_resampled : like y
        """
        images, labels = plain_images(X), plain_labels(y)
        columns = labels.shape[1] if np.ndim(labels) == 2 else 1
        with unchanged_if_refused(self):
            images, labels = super().fit_resample(images, labels, **params)
        if columns == 2 == labels.ndim > labels.shape[1]:
            # imbalanced-learn leaves one column of two.
            labels = np.hstack([1 - labels, labels])
        if isinstance(X, list | pd.DataFrame):  # as they are, from imbalanced-learn
            return images, like_labels(y, labels)
        return like_images(X, images), like_labels(y, labels)

    def _check_X_y(self, X, y):
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X = _dense_frame(X)
        images = self._validate_images_of_any_size(X, reset=True)
        check_consistent_length(images, y)
        if self.image_shape_ is None:
            out = object_array(X)
        elif isinstance(X, np.ndarray) and X.dtype != object:
            out = X
        else:
            out = images.reshape(np.shape(X))
        return out, y, binarize_y


def as_asked(found: Mapping[Any, int], y: NDArray[Any]) -> dict[Any, int]:
    """Return `sampling_strategy_` of an over-sampler as a dict to ask another for it.

    A strategy that is a function is asked once: it may say something else next time.
    """
    return {label: np.count_nonzero(y == label) + n for label, n in found.items()}


def like_images(X: ImagesLike, images: NDArray[Any]) -> Any:
    """Return images in the container of X: array, list, column or frame."""
    if isinstance(X, pd.Series):
        return pd.Series(list(images), dtype=X.dtype, name=X.name)
    known = isinstance(X, np.ndarray | list | pd.DataFrame)
    return _in_container(X, images) if known else images


def like_labels(y: ArrayLike, labels: NDArray[Any]) -> Any:
    """Return labels in the container and type of y: array, list, column or frame."""
    known = isinstance(y, np.ndarray | list | pd.Series | pd.DataFrame)
    return _in_container(y, labels) if known or sparse.issparse(y) else labels


def _in_container(given, values):
    return ArraysTransformer(given, given).transform(values, values)[0]


def as_stack(
    X: NDArray[Any], image_shape: Sequence[int] | None, estimator_name: str
) -> NDArray[Any]:
    """Return X of `_fit_resample` as one array (n, height, width, channels)."""
    if image_shape is not None:
        return X.reshape(len(X), *image_shape)
    shapes = {image.shape for image in X}
    if len(shapes) > 1:
        raise ValueError(
            f"{estimator_name} mixes images pixel by pixel, but X holds images of "
            f"different sizes: {', '.join(map(str, sorted(shapes)[:3]))}"
            f"{', ...' if len(shapes) > 3 else ''}. Bring them to one size first, with "
            "emclassify.preprocessing.ResizeImages."
        )
    stack = np.stack(list(X))
    return stack if stack.ndim == 4 else stack[..., np.newaxis]


def append_images(X: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """Append images, each of the shape and dtype of X's, to X of `_fit_resample`."""
    if X.dtype != object or X.ndim > 1:
        joined = np.concatenate([X, new.reshape(len(new), *X.shape[1:])])
        # Joining gives up a foreign byte order.
        return joined.astype(X.dtype, copy=False)
    return object_array([*X, *new])


def plain_label(label: Any) -> Any:
    """Return a class label without its numpy type, as errors and users want it."""
    return label.item() if isinstance(label, np.generic) else label


def _dense_frame(X):
    """Return X dense if it is a DataFrame of sparse columns; pixels rarely are 0."""
    if hasattr(X, "dtypes") and hasattr(X, "iloc"):
        from pandas import SparseDtype

        if all(isinstance(dtype, SparseDtype) for dtype in X.dtypes):
            return X.sparse.to_dense()
    return X
