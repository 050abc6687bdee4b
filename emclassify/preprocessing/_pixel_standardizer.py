"""PixelStandardizer: each pixel to mean 0 and deviation 1 over the training images."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._images import ImageInputMixin
from emclassify._typing import ImagesLike
from emclassify.preprocessing._stacks import has_channel_axis

__all__ = ["PixelStandardizer"]

# Values that are read at a time, and of these converted: what a core's cache holds.
_VALUES_PER_READ = 2**22
_VALUES_PER_CHUNK = 2**17


class PixelStandardizer(ImageInputMixin, TransformerMixin, BaseEstimator):
    """Bring each pixel to mean 0 and variance 1 over the training images.

    For images whose pixels mean the same place, such as diffraction patterns on one
    detector: what is left is how an image differs from the usual one there.

    Parameters
    ----------
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    mean_, scale_ : ndarray of float64 of shape (height, width, channels)
        Mean and standard deviation of each pixel over the training images.
    dead_pixels_ : ndarray of bool of shape (height, width, channels)
        Pixels that have one value in all training images, as blind ones have. They
        are 0 in what `transform` returns, whatever they hold then.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : For rows of features.

    Notes
    -----
    Images are read by chunks, those of a memory map or in files as well; sums are of
    differences from the first image, in double precision.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.preprocessing import PixelStandardizer
    >>> X = np.array([[[0, 7, 1]], [[2, 7, 5]]])  # two images of 1×3 px
    >>> PixelStandardizer().fit_transform(X).tolist()
    [[[-1.0, 0.0, -1.0]], [[1.0, 0.0, 1.0]]]
    """

    _parameter_constraints = {
        "with_mean": ["boolean"],
        "with_std": ["boolean"],
        "image_shape": ["array-like", None],
    }

    _reads_stored = True

    def __init__(
        self,
        *,
        with_mean: bool = True,
        with_std: bool = True,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.with_mean = with_mean
        self.with_std = with_std
        self.image_shape = image_shape

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImagesLike, y: object = None) -> Self:
        """Learn each pixel's mean and standard deviation.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images.
        y : None
            Ignored.

        Returns
        -------
        self : PixelStandardizer
        """
        images = self._validate_images(X, reset=True)
        first = images[:1][0].astype(np.float64)
        total, squares = np.zeros((2, *first.shape))
        with np.errstate(over="ignore", invalid="ignore"):
            for _, chunk in _chunks(images):
                off = chunk - first
                total += off.sum(axis=0)
                squares += np.square(off, out=off).sum(axis=0)
            mean = total / len(images)
            variance = squares / len(images) - mean**2
        if not np.isfinite(variance).all():
            raise ValueError(
                "X has values so large that their squares overflow. Rescale the "
                "intensities."
            )
        self.mean_ = first + mean
        # What is left of a difference of large numbers is rounding, not signal.
        self.dead_pixels_ = variance <= 1e-12 * (mean**2 + squares / len(images))
        self.scale_ = np.sqrt(np.where(self.dead_pixels_, 0, variance))
        return self

    @as_fitted
    def transform(self, X: ImagesLike) -> NDArray[Any]:
        """Standardise.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n, height, width) or (n, height, width, channels)
            float64 if X is, else float32; with the channel axis if X has it.
        """
        check_is_fitted(self)
        images = self._validate_images(X, reset=False)
        dtype = np.float64 if images.dtype == np.float64 else np.float32
        mean = self.mean_ if self.with_mean else 0.0
        scale = np.where(self.dead_pixels_, 1.0, self.scale_) if self.with_std else 1.0
        out = np.empty(images.shape, dtype)
        for rows, chunk in _chunks(images):
            chunk -= mean
            chunk /= scale
            out[rows] = chunk
        out[:, self.dead_pixels_] = 0
        return out if out.shape[-1] > 1 or has_channel_axis(X) else out[..., 0]


def _chunks(images):
    """Yield slices of rows and the images there, in double precision."""
    size = int(np.prod(images.shape[1:]))
    for read in gen_batches(len(images), max(1, _VALUES_PER_READ // size)):
        some = images[read]
        for part in gen_batches(len(some), max(1, _VALUES_PER_CHUNK // size)):
            rows = slice(read.start + part.start, read.start + part.stop)
            yield rows, some[part].astype(np.float64, order="C")
