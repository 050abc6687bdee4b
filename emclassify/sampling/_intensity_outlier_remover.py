"""IntensityOutlierRemover: drop images far darker or brighter than their class."""

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from emclassify.preprocessing._stacks import resolve_mask_channel
from emclassify.sampling._outlier_remover import OutlierRemover

__all__ = ["IntensityOutlierRemover"]


class IntensityOutlierRemover(OutlierRemover):
    """Drop images whose mean intensity is far from their class's.

    Saturated, empty and wrongly exposed images go. As every sampler, it acts on
    training data only when it stands in an imbalanced-learn pipeline.

    Parameters
    ----------
    n_std : float, default=3.0
        How many standard deviations from the mean of its class an image may be.
    robust : bool, default=False
        Whether the median and 1.4826 times the median absolute deviation stand for mean
        and standard deviation. Outliers of 5 % or more widen the standard deviation so
        far that they hide themselves; they leave the median as it is.
    multilabel : bool, default=False
        Whether y is an indicator matrix (n, n_labels). Then an image is compared with
        the images of each of its labels, and scored by where it is least strange.
    mask : {"auto", "last"} or None, default="auto"
        Whether the last channel is a mask, which is left out: "auto" of images of
        exactly two channels.
    sampling_strategy : "all", str, list or callable, default="all"
        Classes to clean, as imbalanced-learn's cleaning samplers have it.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    outlier_scores_ : ndarray of shape (n,)
        Distance from the mean of its class in standard deviations; of several labels
        the least.
    sample_indices_ : ndarray of shape (n_resampled,)
        Row of X that each returned image is.
    sampling_strategy_ : dict
        Classes to clean; not set with ``multilabel=True``.
    image_shape_ : tuple of 3 int or None
        (height, width, channels) of the images; None for a sequence of images.
    n_channels_ : int
        Channels of the images, a mask included.
    n_features_in_ : int
        ``X.shape[1]``; not set for a sequence of images.

    See Also
    --------
    EmbeddingOutlierRemover : Drop images that look unlike their class.
    emclassify.display.RemovedImagesDisplay : A contact sheet of what was removed.

    Notes
    -----
    Of n images none is further than (n - 1) / √n standard deviations from their mean:
    with ``n_std=3``, classes of fewer than 11 images stay as they are unless
    ``robust=True``.

    If more than half of a class has one and the same intensity, the median absolute
    deviation is 0, and with ``robust=True`` all others of the class go.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.sampling import IntensityOutlierRemover
    >>> X = np.random.default_rng(0).poisson(50, (40, 8, 8)).astype(np.uint8)
    >>> X[7] = 255
    >>> remover = IntensityOutlierRemover()
    >>> X_new, y_new = remover.fit_resample(X, ["full", "empty"] * 20)
    >>> X_new.shape, 7 in remover.sample_indices_
    ((39, 8, 8), False)
    """

    _parameter_constraints = {
        **OutlierRemover._parameter_constraints,
        "n_std": [Interval(Real, 0, None, closed="neither")],
        "robust": ["boolean"],
        "mask": [StrOptions({"auto", "last"}), None],
    }

    def __init__(
        self,
        n_std: float = 3.0,
        *,
        robust: bool = False,
        multilabel: bool = False,
        mask: Literal["auto", "last"] | None = "auto",
        sampling_strategy: str | Sequence[Any] | Callable[..., Any] = "all",
        image_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.n_std = n_std
        self.robust = robust
        self.multilabel = multilabel
        self.mask = mask
        self.image_shape = image_shape

    def _describe(self, X, member):
        """Return the mean intensity of each image, its mask left out."""
        channels = self.n_channels_
        masked = resolve_mask_channel(self.mask, channels, type(self).__name__)
        means = np.empty((len(X), 1))
        for row, image in enumerate(X):
            pixels = np.reshape(image, (-1, channels))
            pixels = pixels[:, : channels - masked]
            means[row] = pixels.mean(dtype=np.float64)
        return means

    def _score(self, described):
        mean = described[:, 0]
        if self.robust:
            off = np.abs(mean - np.median(mean))
            spread = 1.4826 * np.median(off)
        else:
            off = np.abs(mean - mean.mean())
            spread = mean.std(ddof=1) if len(mean) > 1 else 0.0
        # What only rounding tells apart is the same.
        off[off <= 1e-12 * np.abs(mean).max()] = 0
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(off > 0, off / spread, 0.0)

    def _too_high(self, scores):
        return scores > self.n_std
