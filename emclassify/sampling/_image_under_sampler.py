"""ImageUnderSampler: drop images of large classes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from imblearn.under_sampling import RandomUnderSampler
from imblearn.under_sampling.base import BaseUnderSampler

from emclassify._typing import RandomStateLike
from emclassify.sampling._base import ImageSamplerMixin

__all__ = ["ImageUnderSampler"]


class ImageUnderSampler(ImageSamplerMixin, BaseUnderSampler):
    """Under-sample large classes by dropping images at random.

    imbalanced-learn's `RandomUnderSampler`, for images of any form and size. A mask in
    the last channel comes with its image.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        How many images each class shall keep, as in `RandomUnderSampler`; "auto" brings
        all classes to the count of the smallest.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same draw every time.
    replacement : bool, default=False
        Whether an image may be drawn twice.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    sampling_strategy_ : dict
        How many images were kept of each class that was under-sampled.
    sample_indices_ : ndarray of shape (n_resampled,)
        Row of X that each returned image is.
    image_shape_ : tuple of 3 int or None
        (height, width, channels) of the images; None for a sequence of images.
    n_channels_ : int
        Channels of the images, a mask included.
    n_features_in_ : int
        ``X.shape[1]``; not set for a sequence of images.

    See Also
    --------
    ImageOverSampler : Draw images of small classes again.

    Notes
    -----
    Carry what belongs to the samples with them: ``groups[sampler.sample_indices_]``.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.sampling import ImageUnderSampler
    >>> X, y = np.zeros((10, 8, 8), np.uint8), np.repeat(["full", "empty"], [8, 2])
    >>> X_new, y_new = ImageUnderSampler(random_state=0).fit_resample(X, y)
    >>> X_new.shape, y_new.tolist()
    ((4, 8, 8), ['empty', 'empty', 'full', 'full'])
    """

    _parameter_constraints = {
        **BaseUnderSampler._parameter_constraints,
        "random_state": ["random_state"],
        "replacement": ["boolean"],
        "image_shape": ["array-like", None],
    }

    def __init__(
        self,
        *,
        sampling_strategy: str
        | float
        | Mapping[Any, int]
        | Callable[..., Any] = "auto",
        random_state: RandomStateLike = None,
        replacement: bool = False,
        image_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.replacement = replacement
        self.image_shape = image_shape

    def _fit_resample(self, X, y):
        sampler = RandomUnderSampler(
            # As found: a function may say something else next time.
            sampling_strategy=dict(self.sampling_strategy_),
            random_state=self.random_state,
            replacement=self.replacement,
        )
        sampler.fit_resample(np.arange(len(y))[:, np.newaxis], y)
        self.sample_indices_ = sampler.sample_indices_
        return X[self.sample_indices_], y[self.sample_indices_]
