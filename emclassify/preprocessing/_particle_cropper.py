"""ParticleCropper: cut each particle out of its image, by its mask."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._images import ImageInputMixin
from emclassify._typing import ImagesLike
from emclassify.preprocessing._interpolation import as_whole
from emclassify.preprocessing._stacks import (
    has_channel_axis,
    object_array,
    resolve_mask_channel,
)

__all__ = ["ParticleCropper"]


class ParticleCropper(ImageInputMixin, TransformerMixin, BaseEstimator):
    """Cut the particle out of each image, with some of its surroundings or none.

    The crop is the bounding box of the mask, `margin` pixels wider on each side. Three
    kinds of input come of it: the particle in its surroundings (``margin=50``), cropped
    (``margin=0``), and cropped and masked (``margin=0, apply_mask=True``).

    Parameters
    ----------
    margin : int, default=50
        Pixels to keep around the bounding box, on each side.
    apply_mask : bool, default=False
        Whether to replace the pixels outside the mask by `fill_value`.
    fill_value : {"mean", "median"} or float, default="mean"
        What pixels outside the mask become: the mean or median that these pixels had
        in the crop, in each channel, or a number.
    border : {"clip", "reflect"}, default="clip"
        Where the margin reaches beyond the image: "clip" ends the crop there, so that
        the particle may be off its centre; "reflect" mirrors the image, so that the
        surroundings may show parts of the particle again. The mask is 0 in what is
        mirrored.
    on_empty : {"raise", "keep"}, default="raise"
        What to do with an image whose mask is empty: raise an error, or keep the whole
        image as it is.
    keep_mask : bool, default=True
        Whether the mask stays in the crops, as their last channel.
    mask : {"auto", "last"}, default="auto"
        Where the mask is: the last channel, or with "auto" the last channel of images
        of exactly two channels. All other images are particle from edge to edge.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    image_shape_ : tuple of 3 int or None
        (height, width, channels) seen in `fit`; None for a sequence of images.
    n_channels_ : int
        Channels seen in `fit`, the mask included.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`; not set for a sequence of images.

    See Also
    --------
    ResizeImages : Bring the crops to one size.

    Notes
    -----
    A pixel belongs to the particle where the mask is not 0. If a mask has several
    parts, the box holds all of them.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.preprocessing import ParticleCropper
    >>> X = np.zeros((2, 60, 60, 2), np.uint8)
    >>> X[0, 20:30, 20:40, 1] = 1
    >>> X[1, 2:12, 20:25, 1] = 1
    >>> [crop.shape for crop in ParticleCropper(margin=5).fit_transform(X)]
    [(20, 30, 2), (17, 15, 2)]
    """

    _parameter_constraints = {
        "margin": [Interval(Integral, 0, None, closed="left")],
        "apply_mask": ["boolean"],
        "fill_value": [
            StrOptions({"mean", "median"}),
            Interval(Real, None, None, closed="neither"),
        ],
        "border": [StrOptions({"clip", "reflect"})],
        "on_empty": [StrOptions({"raise", "keep"})],
        "keep_mask": ["boolean"],
        "mask": [StrOptions({"auto", "last"})],
        "image_shape": ["array-like", None],
    }

    _depends_on_scale = False

    def __init__(
        self,
        margin: int = 50,
        apply_mask: bool = False,
        *,
        fill_value: Literal["mean", "median"] | float = "mean",
        border: Literal["clip", "reflect"] = "clip",
        on_empty: Literal["raise", "keep"] = "raise",
        keep_mask: bool = True,
        mask: Literal["auto", "last"] = "auto",
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.margin = margin
        self.apply_mask = apply_mask
        self.fill_value = fill_value
        self.border = border
        self.on_empty = on_empty
        self.keep_mask = keep_mask
        self.mask = mask
        self.image_shape = image_shape

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImagesLike, y: object = None) -> Self:
        """Check the images and remember their channels; nothing else depends on X.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Images; in a list or 1-D object array they may differ in size.
        y : None
            Ignored.

        Returns
        -------
        self : ParticleCropper
        """
        images = self._validate_images_of_any_size(X, reset=True)
        self._has_mask(images)
        return self

    @as_fitted
    def transform(self, X: ImagesLike) -> NDArray[Any]:
        """Crop.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Images of any size, with the channels seen in `fit`.

        Returns
        -------
        ndarray of shape (n,), of dtype object
            Arrays (height, width, channels), also if all have one size. Only if there
            is no mask and X is one array, the result is one array too,
            (n, height, width) or (n, height, width, channels), because then all crops
            have one size whatever they show.

        Raises
        ------
        ValueError
            If a mask is empty and ``on_empty="raise"``, or if `fill_value` does not fit
            into the images' dtype.
        """
        check_is_fitted(self, "image_shape_")
        images = self._validate_images_of_any_size(X, reset=False)
        if self._has_mask(images):
            return object_array(
                [self._crop(i, image) for i, image in enumerate(images)]
            )
        if isinstance(images, list):
            return object_array(
                [self._pad(image, (self.margin,) * 4) for image in images]
            )
        out = self._pad(images, (self.margin,) * 4)
        keep_axis = images.shape[-1] > 1 or has_channel_axis(X)
        return out if keep_axis else out[..., 0]

    def _has_mask(self, images):
        name = type(self).__name__
        return resolve_mask_channel(self.mask, images[0].shape[-1], name)

    def _crop(self, i, image):
        """Crop image number i (height, width, channels), whose mask is its last."""
        inside = image[..., -1] != 0
        if inside.any():
            image = self._cut(image, inside)
            if self.apply_mask:
                image = self._filled(image)
        elif self.on_empty == "raise":
            raise ValueError(
                f"The mask of image {i} is empty: there is no particle to crop. Drop "
                'the image, mend its mask, or give on_empty="keep" to keep it whole.'
            )
        return (image if self.keep_mask else image[..., :-1]).copy()

    def _cut(self, image, inside):
        """Cut the box around `inside` out of an image."""
        parts, missing = [], []
        for axis, length in enumerate(inside.shape):
            hit = np.flatnonzero(inside.any(axis=1 - axis))
            start, stop = hit[0] - self.margin, hit[-1] + 1 + self.margin
            missing += [max(0, -start), max(0, stop - length)]
            parts.append(slice(max(0, start), min(length, stop)))
        out = self._pad(image[tuple(parts)], missing)
        if out.shape[:2] != tuple(part.stop - part.start for part in parts):
            top, bottom, left, right = missing
            height, width = out.shape[:2]
            mirrored = np.ones((height, width), dtype=bool)
            mirrored[top : height - bottom, left : width - right] = False
            out[mirrored, -1] = 0
        return out

    def _pad(self, image, missing):
        """Mirror what is missing at (top, bottom, left, right), if that is wanted."""
        if self.border == "clip" or not any(missing):
            return image.copy()
        top, bottom, left, right = missing
        width = [(0, 0)] * (image.ndim - 3) + [(top, bottom), (left, right), (0, 0)]
        return np.pad(image, width, mode="reflect")

    def _filled(self, image):
        """Replace what lies outside the mask."""
        outside = image[..., -1] == 0
        if not outside.any():
            return image
        pixels = image[outside, :-1]
        if isinstance(self.fill_value, str):
            average = getattr(np, self.fill_value)
            fill = average(pixels.astype(np.float64), axis=0)
            fill = as_whole(fill, image.dtype) if image.dtype.kind in "iu" else fill
        else:
            fill = self._checked_fill_value(image.dtype)
        out = image.copy()
        out[outside, :-1] = fill
        return out

    def _checked_fill_value(self, dtype):
        """Return `fill_value`, or raise if `dtype` cannot hold it."""
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            whole = self.fill_value == int(self.fill_value)
            if not whole or not limits.min <= self.fill_value <= limits.max:
                raise ValueError(
                    f"fill_value={self.fill_value!r} does not fit into images of "
                    f"{dtype.name}: give a whole number from {limits.min} to "
                    f"{limits.max}."
                )
        return self.fill_value
