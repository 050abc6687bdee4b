"""CenterCrop: the middle of each image."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._images import ImageInputMixin
from emclassify._typing import ImagesLike
from emclassify.preprocessing._stacks import has_channel_axis
from emclassify.readers._stored_images import StoredImages

__all__ = ["CenterCrop"]


class CenterCrop(ImageInputMixin, TransformerMixin, BaseEstimator):
    """Cut the middle out of each image.

    Parameters
    ----------
    size : int or tuple of 2 int, default=128
        Pixels of a side, or (height, width). Where an odd number of pixels goes, the
        lower and right side lose one more.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`.

    See Also
    --------
    ParticleCropper : Cuts by the particle's mask.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.preprocessing import CenterCrop
    >>> CenterCrop((2, 2)).fit_transform(np.arange(16).reshape(1, 4, 4)).tolist()
    [[[5, 6], [9, 10]]]
    """

    _parameter_constraints = {
        "size": [Integral, tuple, list],
        "image_shape": ["array-like", None],
    }

    _reads_stored = True
    _depends_on_scale = False

    def __init__(
        self,
        size: int | Sequence[int] = 128,
        *,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.size = size
        self.image_shape = image_shape

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImagesLike, y: object = None) -> Self:
        """Check that the images are large enough.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images.
        y : None
            Ignored.

        Returns
        -------
        self : CenterCrop

        Raises
        ------
        ValueError
            If `size` is no size, or larger than the images.
        """
        shape = self._validate_images(X, reset=True).shape[1:3]
        if any(side > there for side, there in zip(self._sides(), shape, strict=True)):
            raise ValueError(
                f"size={self.size!r} is larger than the images, which have "
                f"{shape[0]}×{shape[1]} px."
            )
        return self

    @as_fitted
    def transform(self, X: ImagesLike) -> NDArray[Any]:
        """Crop.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n, height, width) or (n, height, width, channels)
            With the channel axis if X has it. A view where X is an array; of images
            in files, only what is cut out is kept.
        """
        check_is_fitted(self)
        images = self._validate_images(X, reset=False)
        rows, columns = (
            slice((there - side) // 2, (there - side) // 2 + side)
            for side, there in zip(self._sides(), images.shape[1:3], strict=True)
        )
        if isinstance(images, StoredImages):
            # Copies: views would keep the whole images, which memory may not hold.
            cut = np.stack([image[rows, columns].copy() for image in images])
        else:
            cut = images[:, rows, columns]
        return cut if cut.shape[-1] > 1 or has_channel_axis(X) else cut[..., 0]

    def _sides(self):
        """Return (height, width), or raise ValueError."""
        one = isinstance(self.size, Integral)
        sides = (self.size, self.size) if one else tuple(self.size)
        good = all(isinstance(side, Integral) and side >= 1 for side in sides)
        if len(sides) != 2 or not good:
            raise ValueError(
                "size must be a whole number of at least 1, or (height, width); got "
                f"{self.size!r}."
            )
        return sides
