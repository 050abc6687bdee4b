"""ArtificialImageSampler: fill small classes with images from a generator."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from sklearn.utils import check_random_state

from emclassify._images import check_each_image, check_images, is_sequence_of_images
from emclassify._incoming import plain_images
from emclassify._typing import RandomStateLike
from emclassify.sampling._base import ImageSamplerMixin, append_images, plain_label

__all__ = ["ArtificialImageSampler"]


class ArtificialImageSampler(ImageSamplerMixin, BaseOverSampler):
    """Over-sample small classes with artificial images from any generator.

    Parameters
    ----------
    generator : callable
        ``generator(n_samples, class_label, random_state)`` gives `n_samples` images of
        one class; `random_state` is an int. If it also has a parameter `image_shape`,
        it is told the (height, width, channels) of the images of X, or None if these
        differ in size. It gives what X is: images of the same shape, a mask in the last
        channel if X has one, and on the same grey scale. Has to be given.
    sampling_strategy : str, float, dict or callable, default="auto"
        How many images each class shall have, as in imbalanced-learn's over-samplers;
        "auto" brings all classes to the count of the largest.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same seeds to the generator every time.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    sampling_strategy_ : dict
        How many images were added to each class.
    sample_indices_ : ndarray of shape (n_resampled,)
        Row of X that each returned image is: first all of X, then -1 for artificial
        images.
    image_shape_ : tuple of 3 int or None
        (height, width, channels) of the images; None for a sequence of images.
    n_channels_ : int
        Channels of the images, a mask included.
    n_features_in_ : int
        ``X.shape[1]``; not set for a sequence of images.

    See Also
    --------
    generate_liposomes : A generator of simulated liposomes.
    ImageOverSampler : Draw images of small classes again.

    Notes
    -----
    An artificial image is of no group of X. To carry groups, give it one of its own::

        source = sampler.sample_indices_
        new_groups = np.where(source >= 0, groups[source], groups.max() + 1)

    If artificial images look other than real ones, and most of a class is artificial,
    a classifier may learn to tell artificial from real. Test folds, which hold no
    artificial images, show whether it did.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.sampling import ArtificialImageSampler
    >>> def noise(n_samples, class_label, random_state):
    ...     level = {"dark": 50, "bright": 150}[class_label]
    ...     rng = np.random.default_rng(random_state)
    ...     return rng.poisson(level, (n_samples, 8, 8)).astype(np.uint8)
    >>> X, y = np.zeros((10, 8, 8), np.uint8), np.repeat(["dark", "bright"], [8, 2])
    >>> sampler = ArtificialImageSampler(noise, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> X_new.shape, sampler.sample_indices_.tolist()
    ((16, 8, 8), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -1, -1, -1, -1, -1])
    """

    _parameter_constraints = {
        "generator": [callable],
        **BaseOverSampler._parameter_constraints,
        "image_shape": ["array-like", None],
    }

    def __init__(
        self,
        generator: Callable[..., Any] | None = None,
        *,
        sampling_strategy: str
        | float
        | Mapping[Any, int]
        | Callable[..., Any] = "auto",
        random_state: RandomStateLike = None,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.generator = generator
        self.random_state = random_state
        self.image_shape = image_shape

    def _fit_resample(self, X, y):
        random_state = check_random_state(self.random_state)
        y_parts = [y]
        for label, n_new in self.sampling_strategy_.items():
            # Drawn for each class: none depends on how many another one gets.
            seed = int(random_state.randint(2**31 - 1))
            if n_new > 0:
                X = append_images(X, self._generate(X, label, n_new, seed))
                y_parts.append(np.full(n_new, label, dtype=y.dtype))
        y_new = np.concatenate(y_parts)
        n_old = len(y)
        order = np.arange(len(y_new))
        self.sample_indices_ = np.where(order < n_old, order, -1)
        return X, y_new

    def _generate(self, X, label, n_new, seed):
        """Have images of one class made, checked, in the dtype of X."""
        plain = plain_label(label)
        options = {}
        if "image_shape" in inspect.signature(self.generator).parameters:
            options["image_shape"] = self.image_shape_
        what = f"generator(n_samples={n_new}, class_label={plain!r}, ...)"
        made = plain_images(self.generator(n_new, plain, seed, **options), what)
        shape = self.image_shape_
        if shape is None and is_sequence_of_images(made):
            images = check_each_image(made)
        else:
            images = check_images(made, image_shape=shape, name=what)
        if len(images) != n_new:
            raise ValueError(f"{what} gave {len(images)} images; expected {n_new}.")
        found = images[0].shape
        if found[-1] != self.n_channels_ or (shape is not None and found != shape):
            expected = shape or f"(any, any, {self.n_channels_})"
            raise ValueError(
                f"{what} gave images of shape {found} (height, width, channels), but "
                f"those of X are of shape {expected}."
            )
        dtype = X[0].dtype if shape is None else X.dtype
        images = [_cast(image, dtype, what) for image in images]
        if shape is not None:
            return np.stack(images)
        return [image[..., 0] if X[0].ndim == 2 else image for image in images]


def _cast(image, dtype, what):
    """Return an image in `dtype`, or raise if that loses more than precision."""
    fits = np.can_cast(image.dtype, dtype, "same_kind") or (
        image.dtype.kind in "iu" and dtype.kind in "iub"
    )
    if fits and dtype.kind in "iub":
        high = 1 if dtype.kind == "b" else np.iinfo(dtype).max
        low = 0 if dtype.kind == "b" else np.iinfo(dtype).min
        fits = low <= image.min() and image.max() <= high
    if not fits:
        raise ValueError(
            f"{what} gave images of {image.dtype} with values from {image.min():g} to "
            f"{image.max():g}, which don't fit into X's dtype {dtype}. Have it make "
            "images of that dtype, on the grey scale of X."
        )
    return image.astype(dtype, copy=False)
