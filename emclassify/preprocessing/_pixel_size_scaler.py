"""PixelSizeScaler: bring images to one physical scale."""

import warnings
from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._images import ImageInputMixin
from emclassify._incoming import plain_images
from emclassify._typing import ImagesLike
from emclassify._words import name_some
from emclassify.preprocessing._interpolation import resize_image
from emclassify.preprocessing._stacks import (
    has_channel_axis,
    object_array,
    resolve_mask_channel,
)
from emclassify.readers._stored_images import holds_paths, stated_pixel_sizes

__all__ = ["PixelSizeScaler"]

# A larger image is the mark of a wrong unit.
LARGEST_SIDE = 16384


class PixelSizeScaler(ImageInputMixin, TransformerMixin, BaseEstimator):
    """Rescale images to one pixel size, so that equal lengths are equally many pixels.

    Pixel sizes are measurements, one for each image; they are never guessed. Give them
    to `transform` and `fit_transform` as ``pixel_size=``, such as the `pixel_size` that
    `load_image_folder` has read. If all images, also those to come, have one pixel
    size, give it as `input_pixel_size` instead. Paths of files and what
    `open_image_stack` opens need neither: their pixel size is that of their header.

    Parameters
    ----------
    pixel_size : float
        Size of the pixels of the rescaled images, in nm (or whatever the unit is of the
        pixel sizes of the images). Has to be given.
    input_pixel_size : float or (float, float), default=None
        Pixel size of every image, in the same unit; a pair is (row, column) spacing.
    mask : {"auto", "last"} or None, default="auto"
        Whether the last channel is a particle's mask, which stays two-valued: a pixel
        belongs to it when at least half of it did. "auto" means yes for images of
        exactly two channels.
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
    ParticleCropper : Cut out the particles.
    ResizeImages : Bring the images to one size, which gives up the pixel size.

    Notes
    -----
    The scale is exact. An image shows its field of view less a rest of under one new
    pixel, which is cut off at its edges, evenly on both sides. Interpolation is that of
    `ResizeImages`: bilinear in float32, free of aliasing.

    Nothing is learnt from the images, so rescaling all of them before they are split
    leaks nothing into a test fold. Do so for `cross_validate`: scikit-learn routes
    metadata to `fit`, but not to the `predict` of a scorer. In a pipeline that is
    fitted and applied by hand, metadata routing carries the pixel sizes::

        sklearn.set_config(enable_metadata_routing=True)
        scaler = PixelSizeScaler(0.5).set_transform_request(pixel_size=True)
        model = make_pipeline(scaler, ResizeImages((64, 64)), LipNetClassifier())
        model.fit(X, y, pixel_size=nm).predict(X_new, pixel_size=nm_new)

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.preprocessing import PixelSizeScaler
    >>> X = np.zeros((2, 40, 60), np.uint8)
    >>> scaled = PixelSizeScaler(0.5).fit_transform(X, pixel_size=[0.25, 2.0])
    >>> [image.shape for image in scaled]
    [(20, 30, 1), (160, 240, 1)]
    """

    _parameter_constraints = {
        "pixel_size": [Interval(Real, 0, None, closed="neither")],
        "input_pixel_size": [
            Interval(Real, 0, None, closed="neither"),
            "array-like",
            None,
        ],
        "mask": [StrOptions({"auto", "last"}), None],
        "image_shape": ["array-like", None],
    }
    _reads_stored = True
    _depends_on_scale = False

    def __init__(
        self,
        pixel_size: float | None = None,
        *,
        input_pixel_size: float | tuple[float, float] | None = None,
        mask: Literal["auto", "last"] | None = "auto",
        image_shape: Sequence[int] | None = None,
    ) -> None:
        self.pixel_size = pixel_size
        self.input_pixel_size = input_pixel_size
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
        self : PixelSizeScaler
        """
        images = self._validate_images_of_any_size(X, reset=True)
        self._has_mask(images)
        return self

    def fit_transform(
        self, X: ImagesLike, y: object = None, pixel_size: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Fit, then rescale the same images.

        Parameters
        ----------
        X : array-like or sequence of arrays
            Images.
        y : None
            Ignored.
        pixel_size : array-like of shape (n,) or (n, 2), default=None
            As in `transform`.

        Returns
        -------
        ndarray
            As from `transform`.
        """
        return self.fit(X, y).transform(X, pixel_size=pixel_size)

    @as_fitted
    def transform(
        self, X: ImagesLike, pixel_size: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Rescale.

        Parameters
        ----------
        X : array-like, sequence of arrays, or sequence of paths
            Images of any size, with the channels seen in `fit`.
        pixel_size : array-like of shape (n,) or (n, 2), default=None
            Pixel size of each image; pairs are (row, column) spacing. Needed unless
            `input_pixel_size` is set or the files of X state it, in nm.

        Returns
        -------
        ndarray of shape (n,), of dtype object
            Arrays (height, width, channels), also if all have one size. Only with
            `input_pixel_size`, and if X is one array, the result is one array too,
            (n, height, width) or (n, height, width, channels).

        Raises
        ------
        ValueError
            If pixel sizes are missing, too few or too many, zero, negative or not
            finite, if a file states none, or if they make an image smaller than a pixel
            or larger than 16,384.

        Warns
        -----
        UserWarning
            If a pixel size is exactly 1, as files have it whose pixel size nobody set,
            or if rows and columns differ.
        """
        check_is_fitted(self, "image_shape_")
        X = plain_images(X)
        images = self._validate_images_of_any_size(X, reset=False)
        if pixel_size is None and self.input_pixel_size is None:
            pixel_size = _known_sizes(stated_pixel_sizes(X), X)
        sizes = self._checked_pixel_sizes(pixel_size, len(images))
        has_mask = self._has_mask(images)
        scaled = [
            self._rescaled(i, image, size, has_mask)
            for i, (image, size) in enumerate(zip(images, sizes, strict=True))
        ]
        one_size = pixel_size is None and not holds_paths(X)
        if isinstance(images, list) or not one_size:
            return object_array(scaled)
        out = np.stack(scaled)
        keep_axis = images.shape[-1] > 1 or has_channel_axis(X)
        return out if keep_axis else out[..., 0]

    def _has_mask(self, images):
        name = type(self).__name__
        return resolve_mask_channel(self.mask, images[0].shape[-1], name)

    def _rescaled(self, i, image, size, has_mask):
        """Rescale image number i, whose pixels have `size` (row, column)."""
        out_shape, start, stop = [], [], []
        for length, factor in zip(image.shape, size / self.pixel_size, strict=False):
            # The tiny surplus is for quotients like 0.3 / 0.1, a bit below 3.
            out_length = int(min(length * factor + 1e-6, LARGEST_SIDE + 1))
            if not 1 <= out_length <= LARGEST_SIDE:
                raise ValueError(
                    f"Image {i} of {image.shape[0]}×{image.shape[1]} px, pixel size "
                    f"{size[0]:g}×{size[1]:g}, would have a side of "
                    f"{length * factor:g} px at pixel_size={self.pixel_size:g}; "
                    "allowed are 1 to "
                    f"{LARGEST_SIDE}. Are both pixel sizes in the same unit?"
                )
            shown = min(length, out_length / factor)
            out_shape.append(out_length)
            start.append((length - shown) / 2)
            stop.append(start[-1] + shown)
        return resize_image(
            image, tuple(out_shape), has_mask=has_mask, box=(*start, *stop)
        )

    def _checked_pixel_sizes(self, pixel_size, n_samples):
        """Return the pixel sizes (n_samples, 2), or raise; warn of odd ones."""
        if (pixel_size is None) == (self.input_pixel_size is None):
            found = "neither" if pixel_size is None else "both"
            raise ValueError(
                "PixelSizeScaler needs either the pixel size of each image, "
                "transform(X, pixel_size=...), or that of all images, the parameter "
                f"input_pixel_size; got {found}. Pixel sizes are never guessed; paths "
                "of files that state theirs need neither."
            )
        if pixel_size is None:
            name, value = "input_pixel_size", [self.input_pixel_size]
        else:
            name, value = "pixel_size", pixel_size
        try:
            sizes = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} must hold numbers, or pairs of numbers; got {value!r}."
            ) from None
        if pixel_size is None:
            good = sizes.shape in ((1,), (1, 2))
            expected = "a number or a pair (row, column)"
        else:
            good = sizes.shape in ((n_samples,), (n_samples, 2))
            expected = (
                f"a number or a pair (row, column) for each image, so of shape "
                f"({n_samples},) or ({n_samples}, 2)"
            )
        if not good:
            shape = sizes.shape if pixel_size is not None else sizes.shape[1:]
            raise ValueError(f"{name} must be {expected}; got the shape {shape}.")
        sizes = np.broadcast_to(sizes.reshape(len(sizes), -1), (len(sizes), 2))
        _refuse_impossible(sizes, name)
        _warn_of_odd(sizes, name)
        return np.broadcast_to(sizes, (n_samples, 2))


def _known_sizes(stated, X):
    """Return the sizes (n, 2) that files state, None if X is in no files."""
    if stated is None:
        return None
    names = [str(x) for x in X] if holds_paths(X) else [str(X.path)] * len(stated)
    lacking = [
        name
        for name, size in zip(names, stated, strict=True)
        if size is None or not size.known
    ]
    if lacking:
        raise ValueError(
            f"{name_some(list(dict.fromkeys(lacking)))} states no pixel size. Give "
            "transform(X, pixel_size=...), or leave the file out."
        )
    return [(size.row, size.column) for size in stated]


def _refuse_impossible(sizes, name):
    """Raise for sizes (n, 2) that no pixel has."""
    bad = ~(np.isfinite(sizes) & (sizes > 0)).all(axis=1)
    if bad.any():
        where = _name_images(bad, name)
        row, column = (f"{value:g}" for value in sizes[bad.argmax()])
        shown = row if row == column else f"{row}×{column}"
        raise ValueError(
            f"{name}{where} is {shown}; a pixel size is finite and more than 0. Look "
            "it up, or drop the image."
        )


def _warn_of_odd(sizes, name):
    """Warn of sizes that are 1 exactly and of pixels that are not square."""
    ones = (sizes == 1).all(axis=1)
    if ones.any():
        warnings.warn(
            f"{name}{_name_images(ones, name)} is exactly 1, which many programs write "
            "where the pixel size is unknown. Make sure that it was measured.",
            stacklevel=4,
        )
    uneven = ~np.isclose(sizes[:, 0], sizes[:, 1], rtol=1e-6, atol=0)
    if uneven.any():
        first = sizes[uneven.argmax()]
        warnings.warn(
            f"{name}{_name_images(uneven, name)} differs between rows and columns "
            f"({first[0]:g} and {first[1]:g}): the image is stretched to square "
            "pixels. Make sure that this is right.",
            stacklevel=4,
        )


def _name_images(which, name):
    """' of image 3 and 2 others', or nothing where all images share one size."""
    if name == "input_pixel_size":
        return ""
    where = np.flatnonzero(which)
    others = len(where) - 1
    tail = "" if not others else f" and {others} other{'s' * (others > 1)}"
    return f" of image {where[0]}{tail}"
