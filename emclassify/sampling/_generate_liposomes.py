"""generate_liposomes: make_liposomes as a generator of one class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emclassify._typing import RandomStateLike
from emclassify.datasets import make_liposomes

__all__ = ["generate_liposomes"]


def generate_liposomes(
    n_samples: int,
    class_label: str,
    random_state: RandomStateLike = None,
    image_shape: Sequence[int] | None = None,
    **params: Any,
) -> NDArray[Any]:
    """Simulate liposomes of one class: a generator for `ArtificialImageSampler`.

    Set the other parameters of `make_liposomes` by ``functools.partial``, so that the
    images look like those that they join: same task, optics, margin and dtype.

    Parameters
    ----------
    n_samples : int
        Number of images.
    class_label : str
        Name of the class, one of the task's.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same images every time.
    image_shape : tuple of 2 or 3 int, default=None
        (height, width) or (height, width, channels) of the images, with as many rows as
        columns and at most two channels; the second is the mask, 1 inside. None leaves
        the size to `make_liposomes` and gives no mask.
    **params
        Other parameters of `make_liposomes`.

    Returns
    -------
    ndarray of shape (n_samples, height, width) or (n_samples, height, width, channels)
        With the channel axis if `image_shape` has it.

    Raises
    ------
    ValueError
        If the task has no class of that name, or liposomes cannot have that shape.

    See Also
    --------
    emclassify.datasets.make_liposomes : All classes, with their true parameters.

    Examples
    --------
    >>> from functools import partial
    >>> from emclassify.datasets import make_liposomes
    >>> from emclassify.sampling import ArtificialImageSampler, generate_liposomes
    >>> liposomes = make_liposomes(20, weights={"unilamellar": 0.8,
    ...     "multilamellar": 0.2}, image_size=32, random_state=0)
    >>> generator = partial(generate_liposomes, task="lamellarity", dose=20.0)
    >>> sampler = ArtificialImageSampler(generator, random_state=0)
    >>> X, y = sampler.fit_resample(liposomes.images, liposomes.target)
    >>> X.shape, X.dtype, (y == "multilamellar").sum()
    ((32, 32, 32), dtype('uint8'), np.int64(16))
    """
    channels = 1
    if image_shape is not None:
        height, width = image_shape[:2]
        channels = image_shape[2] if len(image_shape) == 3 else 1
        if height != width or channels > 2:
            raise ValueError(
                "Simulated liposomes come in square images of one channel, or of two, "
                f"image and mask; image_shape is {tuple(image_shape)}."
            )
        params = {**params, "image_size": height}
    if not isinstance(class_label, str):
        raise ValueError(
            "class_label must be the name of one of make_liposomes' classes, as y "
            f"should hold them; got {class_label!r}."
        )
    liposomes = make_liposomes(
        n_samples, weights={class_label: 1.0}, random_state=random_state, **params
    )
    if channels == 2:
        masks = liposomes.masks.astype(liposomes.images.dtype)
        return np.stack([liposomes.images, masks], axis=-1)
    if image_shape is not None and len(image_shape) == 3:
        return liposomes.images[..., np.newaxis]
    return liposomes.images
