"""The one door for images: every estimator's X passes here.

Inside the library a stack of images is always an array (n, height, width, channels).
"""

import warnings
from collections.abc import Sequence
from dataclasses import astuple
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import Tags
from sklearn.utils.validation import (
    _check_feature_names,
    _check_n_features,
    check_array,
)

from emclassify._doc_link import DocLinkMixin
from emclassify._grey_scale import GreyScale, grey_scale_of
from emclassify._incoming import plain_images
from emclassify._typing import ImagesLike
from emclassify.readers._stored_images import StoredImages, holds_paths, is_stored

__all__ = [
    "ImageInputMixin",
    "check_each_image",
    "check_image_shape",
    "check_images",
    "is_sequence_of_images",
    "number_of_axes",
    "warn_channels_first",
]

# As axis of channels, 1 to 4 is what files have: grey, colour, and transparency.
_MOST_CHANNELS = 4
IMAGE_FORMS = (
    "(n, height, width), (n, height, width, channels), or flat rows "
    "(n, n_features) with image_shape"
)


def check_image_shape(image_shape: Sequence[int]) -> tuple[int, int, int]:
    """Return `image_shape` as (height, width, channels), or raise ValueError.

    Parameters
    ----------
    image_shape : sequence of 2 or 3 int
        (height, width) or (height, width, channels), each at least 1.

    Returns
    -------
    tuple of int
        (height, width, channels).
    """
    try:
        shape = tuple(int(size) for size in image_shape)
        exact = shape == tuple(image_shape)
    except (TypeError, ValueError):
        shape, exact = (), False
    if not exact or len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(
            "image_shape must be (height, width) or (height, width, channels), "
            f"each a whole number of at least 1; got {image_shape!r}."
        )
    return shape if len(shape) == 3 else (*shape, 1)


def is_sequence_of_images(X: object) -> bool:
    """Whether X, as `plain_images` has it, is a sequence of images, 2-D or 3-D each."""
    listed = isinstance(X, list | tuple) or (
        isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1
    )
    return (
        listed
        and len(X) > 0
        and all(isinstance(x, np.ndarray) and x.ndim in (2, 3) for x in X)
    )


def number_of_axes(X: Any) -> int:
    """Return the number of axes of any array-like (np.ndim refuses some).

    Lists that are empty or of different lengths, which `check_images` refuses, have 3.
    """
    if hasattr(X, "ndim"):
        return X.ndim
    try:
        X = np.asarray(X)
    except ValueError:
        return 3
    return 3 if X.shape == (0,) else X.ndim


def _refuse_ragged(X):
    """Raise if X is a sequence of images that don't all have one shape."""
    if not is_sequence_of_images(X):
        return
    shapes = [x.shape for x in X]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"X holds images of different sizes: image 0 has shape {shapes[0]}, "
                f"image {i} has shape {shape}. Bring them to one size first, with "
                "emclassify.preprocessing.ResizeImages."
            )


def _refuse_mixed_scales(X):
    """Raise if a sequence of images mixes 8 bit, 16 bit and floats."""
    if not is_sequence_of_images(X) or len({x.dtype for x in X}) == 1:
        return
    first = grey_scale_of([X[0]])
    for i, x in enumerate(X):
        scale = grey_scale_of([x]) if x.size else first
        if scale.clashes_with(first):
            raise ValueError(
                f"X mixes grey scales: X[0] is {first}, X[{i}] is {scale}. Bring all "
                "images to one type and scale."
            )


def _refuse_strange(X, name):
    """Raise if X is an array of something that no pixel is."""
    if isinstance(X, list | tuple) and len(X):
        X = np.asarray(X[0])
    kind = getattr(getattr(X, "dtype", None), "kind", "f")
    if kind == "c":
        raise ValueError(
            f"Complex data not supported: {name} holds complex numbers. Take their "
            "magnitude."
        )
    if kind in "USMmV":
        raise ValueError(
            f"{name} holds {X.dtype}; images are arrays of numbers. Paths of files "
            "come as a list or a 1-D array."
        )


def _name_first(bad):
    """'image 3' or 'image 3 and 2 others', for a boolean array over samples."""
    where = np.flatnonzero(bad)
    others = len(where) - 1
    tail = "" if not others else f" and {others} other{'s' * (others > 1)}"
    return f"image {where[0]}{tail}"


def _refuse_non_finite(X, name, estimator_name):
    if X.dtype.kind != "f":
        return
    # One pass over memory that needs no boolean array as large as X; a finite sum
    # proves that every term is finite.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.sum(X, dtype=np.float64)):
            return
    rows = X.reshape(len(X), -1)
    for what, found in (("NaN", np.isnan(rows)), ("infinity", np.isinf(rows))):
        bad = found.any(axis=1)
        if bad.any():
            raise ValueError(
                f"Input {name} contains {what}: {_name_first(bad)} of {len(X)}. "
                f"{estimator_name} takes finite values only: repair or drop "
                "these images."
            )


def check_images(
    X: ImagesLike,
    *,
    image_shape: Sequence[int] | None = None,
    name: str = "X",
    estimator: object = None,
) -> NDArray[Any]:
    """Check images and return them as one array (n, height, width, channels).

    Integers keep their dtype; so do float32 and float64. Nothing is copied where
    a view will do.

    Parameters
    ----------
    X : array-like
        (n, height, width); (n, height, width, channels); or flat rows
        (n, n_features), which `image_shape` cuts into images and which are one-row
        images (1, n_features) without it. Lists of 2-D or 3-D arrays of one shape
        are stacked.
    image_shape : None or tuple of 2 or 3 int
        Shape of the image in a flat row.
    name : str
        What to call X in errors.
    estimator : str or estimator, default=None
        Who is asking, for errors.

    Returns
    -------
    ndarray of shape (n, height, width, channels)

    Raises
    ------
    ValueError
        If X is empty, of another dimension, holds NaN, infinity or images of
        different sizes, or does not fit `image_shape`.
    TypeError
        If X is sparse, or can be read only once.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify._images import check_images
    >>> check_images(np.zeros((5, 28, 28), dtype=np.uint8)).shape
    (5, 28, 28, 1)
    >>> check_images(np.zeros((5, 64)), image_shape=(8, 8)).shape
    (5, 8, 8, 1)
    """
    X = plain_images(X, name)
    if not sparse.issparse(X):
        _refuse_ragged(X)
        if isinstance(X, np.ndarray) and is_sequence_of_images(X):
            X = list(X)
        _refuse_mixed_scales(X)
        _refuse_strange(X, name)
    if isinstance(X, list | tuple) and len(X) == 0:
        raise ValueError(f"{name} holds no images.")
    try:
        X = check_array(
            X,
            allow_nd=True,
            ensure_all_finite=False,
            input_name=name,
            estimator=estimator,
        )
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"{name} holds images of different sizes, as lists. Make each an array, "
            "and bring them to one size with emclassify.preprocessing.ResizeImages."
        ) from None
    if X.dtype == np.float16:
        X = X.astype(np.float32)
    if X.dtype == bool:
        X = X.view(np.uint8)
    if X.ndim > 4:
        raise ValueError(
            f"{name} has {X.ndim} dimensions, shape {X.shape}; expected {IMAGE_FORMS}."
        )
    if min(X.shape) < 1:
        raise ValueError(
            f"{name} has images without pixels: shape {X.shape}; expected "
            f"{IMAGE_FORMS}."
        )
    asked_by = estimator if isinstance(estimator, str) else type(estimator).__name__
    _refuse_non_finite(X, name, "emclassify" if estimator is None else asked_by)
    if X.ndim == 4:
        return X
    if X.ndim == 3:
        return X[..., np.newaxis]
    if image_shape is None:
        return X[:, np.newaxis, :, np.newaxis]
    shape = check_image_shape(image_shape)
    if X.shape[1] != np.prod(shape):
        raise ValueError(
            f"image_shape={tuple(image_shape)} needs {np.prod(shape)} values in a "
            f"row, but {name} has shape {X.shape}."
        )
    return X.reshape(len(X), *shape)


def check_each_image(X: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Check images of different sizes; return a list of (height, width, channels).

    Raises
    ------
    ValueError
        If an image is no good by itself, or has other channels than the first, or
        greys on another scale.
    """
    X = plain_images(X)
    _refuse_mixed_scales(X)
    images = []
    for i, image in enumerate(X):
        checked = check_images(image[np.newaxis], name=f"X[{i}]")[0]
        if images and checked.shape[-1] != images[0].shape[-1]:
            raise ValueError(
                f"X[{i}] has {checked.shape[-1]} channels, X[0] has "
                f"{images[0].shape[-1]}: all images need the same channels."
            )
        images.append(checked)
    return images


def warn_channels_first(shape: Sequence[int], name: str = "X") -> None:
    """Warn if images (height, width, channels) look as if channels came first.

    Warns
    -----
    UserWarning
        If the height is 1 to 4, and width and channels are more than that.
    """
    height, width, channels = shape
    if height <= _MOST_CHANNELS < min(width, channels):
        warnings.warn(
            f"{name} has images of shape {tuple(shape)}, taken as height {height}, "
            f"width {width} and {channels} channels. If the channels come first, as in "
            "torch, move them to the end: np.moveaxis(X, 1, -1).",
            UserWarning,
            stacklevel=4,
        )


def _advice(shape, fitted):
    """Say what to do about images of another shape than those in fit."""
    if shape[2] == fitted[2]:
        return "Resize them with emclassify.preprocessing.ResizeImages, or fit again."
    if (shape[2], fitted[2]) == (3, 1):
        return "Make colours grey where images are read, with as_gray=True."
    return "Give images of the same channels, or fit again."


class ImageInputMixin(DocLinkMixin):
    """Gives an estimator `_validate_images` and the tags that say it takes images."""

    # Whether it reads images by rows, so that those of a zarr or HDF5 array, or in
    # files, need not all be in memory.
    _reads_stored = False
    # Whether greys on another scale than those in `fit` give something else.
    _depends_on_scale = True
    # Scale of the images in `fit`, in plain types; models of before have none.
    _grey_scale = None

    def __sklearn_tags__(self) -> Tags:
        """Say that 2-D, 3-D and 4-D arrays are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _open(self, X):
        """Return images (n, height, width, channels): an array, or `StoredImages`."""
        check = partial(
            check_images, image_shape=getattr(self, "image_shape", None), estimator=self
        )
        if not is_stored(X):
            return check(X)
        if self._reads_stored:
            return StoredImages(X, check)
        if holds_paths(X):
            raise ValueError(
                f"X holds paths of files, which {type(self).__name__} does not read. "
                "Read them first, with emclassify.load_image_folder or "
                "emclassify.readers.read_image."
            )
        return check(X[:])

    def _validate_images(self, X, *, reset):
        """Check X, set or compare `image_shape_`, return (n, height, width, channels).

        `n_features_in_` stays as scikit-learn defines it, ``X.shape[1]``; paths have
        none.
        """
        image_shape = getattr(self, "image_shape", None)
        X = plain_images(X)
        images = self._open(X)
        if reset:
            self._learn_form(X, images, n_features=not holds_paths(X))
            self.image_shape_ = images.shape[1:]
            warn_channels_first(self.image_shape_)
            return images
        _check_feature_names(self, X, reset=False)
        flat = number_of_axes(X) == 2
        if flat and image_shape is None and self.image_shape_[0] == 1:
            _check_n_features(self, X, reset=False)
        if images.shape[1:] != self.image_shape_:
            raise ValueError(
                f"X has images of shape {images.shape[1:]}, but "
                f"{type(self).__name__} was fitted on images of shape "
                f"{self.image_shape_} (height, width, channels). "
                f"{_advice(images.shape[1:], self.image_shape_)}"
            )
        self._compare_scale(images)
        return images

    def _validate_images_of_any_size(self, X, *, reset):
        """Check X, whose images may differ in size, also from those in `fit`.

        Returns a list of arrays (height, width, channels) if X is a sequence of
        images, else one array (n, height, width, channels). `image_shape_` is None
        after a sequence; the number of channels must stay the same.
        """
        X = plain_images(X)
        listed = is_sequence_of_images(X)
        if not listed and number_of_axes(X) == 2:
            # Rows of another length are another kind of data, not another size.
            images = ImageInputMixin._validate_images(self, X, reset=reset)
            shape = images.shape[1:]
        else:
            images = check_each_image(X) if listed else self._open(X)
            shape = None if listed or holds_paths(X) else images.shape[1:]
            if reset:
                self._learn_form(X, images, n_features=shape is not None)
            else:
                self._compare_scale(images)
        channels = images[0].shape[-1]
        if reset:
            self.image_shape_, self.n_channels_ = shape, channels
            warn_channels_first(images[0].shape)
        elif channels != self.n_channels_:
            raise ValueError(
                f"X has images of {channels} channels, but {type(self).__name__} was "
                f"fitted on images of {self.n_channels_}."
            )
        return images

    def _learn_form(self, X, images, *, n_features):
        """Set what scikit-learn wants to know of X, and the grey scale.

        Nothing stays of an earlier fit.
        """
        _check_feature_names(self, X, reset=True)
        if n_features:
            _check_n_features(self, X, reset=True)
        else:
            vars(self).pop("n_features_in_", None)
        if self._depends_on_scale:
            self._grey_scale = astuple(grey_scale_of(images))

    def _compare_scale(self, images):
        """Warn of images on another grey scale than those of `fit`."""
        if self._grey_scale is None or getattr(self, "normalization", "") == "image":
            return
        scale, learnt = grey_scale_of(images), GreyScale(*self._grey_scale)
        if scale.seems_other_than(learnt):
            warnings.warn(
                f"X is {scale}, but {type(self).__name__} was fitted on images that "
                f"are {learnt}. These look like other grey scales: if they are, bring "
                "the images to that of those in fit.",
                stacklevel=4,
            )
        if scale.clashes_with(learnt):
            warnings.warn(
                f"X is {scale}, but {type(self).__name__} was fitted on images that "
                f"are {learnt}. These grey values are not on one scale: "
                "convert the images to the type and scale of those in fit.",
                stacklevel=4,
            )
