"""ImageOverSampler: draw images of small classes again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.over_sampling.base import BaseOverSampler

from emclassify._typing import RandomStateLike
from emclassify.sampling._base import ImageSamplerMixin, as_asked

__all__ = ["ImageOverSampler"]


class ImageOverSampler(ImageSamplerMixin, BaseOverSampler):
    """Over-sample small classes by drawing their images again, at random.

    imbalanced-learn's `RandomOverSampler`, for images of any form and size. Copies are
    exact; augmentation during training makes them differ. A mask in the last channel
    comes with its image.

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        How many images each class shall have, as in `RandomOverSampler`; "auto" brings
        all classes to the count of the largest.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same draw every time.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    sampling_strategy_ : dict
        How many images were added to each class.
    sample_indices_ : ndarray of shape (n_resampled,)
        Row of X that each returned image is: first all of X, then the copies.
    image_shape_ : tuple of 3 int or None
        (height, width, channels) of the images; None for a sequence of images.
    n_channels_ : int
        Channels of the images, a mask included.
    n_features_in_ : int
        ``X.shape[1]``; not set for a sequence of images.

    See Also
    --------
    ImageUnderSampler : Drop images of large classes.
    ArtificialImageSampler : Fill small classes with simulated images.

    Notes
    -----
    Carry what belongs to the samples with them: ``groups[sampler.sample_indices_]``. A
    copy is of its source's group, so a split by these groups never parts the two.

    In an imbalanced-learn pipeline, samplers act in `fit` only. Resample there, never
    before a split into training and test: copies would be on both sides.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.sampling import ImageOverSampler
    >>> X, y = np.zeros((10, 8, 8), np.uint8), np.repeat(["full", "empty"], [8, 2])
    >>> micrograph = np.arange(10) // 2
    >>> sampler = ImageOverSampler(random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> X_new.shape, (y_new == "empty").sum()
    ((16, 8, 8), np.int64(8))
    >>> micrograph[sampler.sample_indices_]
    array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4])
    """

    _parameter_constraints = {
        **BaseOverSampler._parameter_constraints,
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
        image_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.image_shape = image_shape

    def _fit_resample(self, X, y):
        sampler = RandomOverSampler(
            sampling_strategy=as_asked(self.sampling_strategy_, y),
            random_state=self.random_state,
        )
        sampler.fit_resample(np.arange(len(y))[:, np.newaxis], y)
        self.sample_indices_ = sampler.sample_indices_
        return X[self.sample_indices_], y[self.sample_indices_]
