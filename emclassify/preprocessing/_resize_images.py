"""ResizeImages: bring images to one size."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._images import ImageInputMixin
from emclassify._typing import ImagesLike
from emclassify.preprocessing._interpolation import resize_image
from emclassify.preprocessing._stacks import has_channel_axis
from emclassify.readers._stored_images import StoredImages

__all__ = ["ResizeImages"]


class ResizeImages(ImageInputMixin, TransformerMixin, BaseEstimator):
    """Resize images to one height and width.

    Bilinear interpolation, with the kernel widened when shrinking so that nothing
    aliases (Pillow's). The aspect ratio is not kept.

    Parameters
    ----------
    output_shape : tuple of 2 int, default=(64, 64)
        (height, width) in pixels.
    mask : {"auto", "last"} or None, default="auto"
        Whether the last channel is a particle's mask, which stays two-valued: a pixel
        belongs to it when at least half of it did. "auto" means yes for images of
        exactly two channels.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    image_shape_ : tuple of 3 int or None
        (height, width, channels) seen in `fit`; None if the sizes differed.
    n_channels_ : int
        Channels seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`; not set for images of different sizes.

    Notes
    -----
    Integers are rounded and keep their dtype; images of several dtypes come out in the
    one that holds all of them. Interpolation is in float32.

    X may also be a list of paths of files of any format in :doc:`/user_guide/formats`,
    what `open_image_stack` opens, or an array of zarr or h5py: images are read and
    resized one by one, and only the results are kept.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify import ResizeImages
    >>> images = [np.zeros((40, 40), np.uint8), np.zeros((90, 120), np.uint8)]
    >>> ResizeImages((28, 28)).fit_transform(images).shape
    (2, 28, 28)
    """

    _parameter_constraints = {
        "output_shape": ["array-like"],
        "mask": [StrOptions({"auto", "last"}), None],
        "image_shape": ["array-like", None],
    }

    _reads_stored = True
    _depends_on_scale = False

    def __init__(
        self,
        output_shape: Sequence[int] = (64, 64),
        *,
        mask: Literal["auto", "last"] | None = "auto",
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.output_shape = output_shape
        self.mask = mask
        self.image_shape = image_shape

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImagesLike, y: object = None) -> Self:
        """Check the images and remember their shape.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Images; in a list or 1-D object array they may differ in size.
        y : None
            Ignored.

        Returns
        -------
        self : ResizeImages
        """
        self._check_output_shape()
        self._validate_images_of_any_size(X, reset=True)
        return self

    @as_fitted
    def transform(self, X: ImagesLike) -> NDArray[Any]:
        """Resize.

        Parameters
        ----------
        X : array-like, sequence of arrays, or sequence of paths
            Images of any size, with the channels seen in `fit`.

        Returns
        -------
        ndarray of shape (n, height, width) or (n, height, width, channels)
            With the channel axis if X has one.
        """
        check_is_fitted(self, "image_shape_")
        size = self._check_output_shape()
        images = self._validate_images_of_any_size(X, reset=False)
        keep_axis = images[0].shape[-1] > 1 or has_channel_axis(X)
        channels = images[0].shape[-1]
        has_mask = self.mask == "last" or (self.mask == "auto" and channels == 2)
        # Those in files have one type, which reading them sees to.
        stored = isinstance(images, StoredImages)
        types = {images.dtype} if stored else {image.dtype for image in images}
        dtype = np.result_type(*types)
        out = np.empty((len(images), *size, channels), dtype)
        for i, image in enumerate(images):
            out[i] = resize_image(image, size, has_mask=has_mask)
        return out if keep_axis else out[..., 0]

    def _check_output_shape(self):
        size = tuple(self.output_shape)
        good = all(isinstance(side, Integral) and side >= 1 for side in size)
        if len(size) != 2 or not good:
            raise ValueError(
                "output_shape must be (height, width), whole numbers of at least 1; "
                f"got {self.output_shape!r}."
            )
        return size
