"""ImageSMOTE: mixtures of two images of one class, for who insists on them."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.over_sampling.base import BaseOverSampler
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval, StrOptions

from emclassify._typing import RandomStateLike
from emclassify.preprocessing._stacks import resolve_mask_channel
from emclassify.sampling._base import (
    ImageSamplerMixin,
    append_images,
    as_asked,
    as_stack,
    plain_label,
)

__all__ = ["ImageSMOTE"]


class ImageSMOTE(ImageSamplerMixin, BaseOverSampler):
    """Over-sample small classes by mixing two images of a class, pixel by pixel.

    imbalanced-learn's `SMOTE` on flattened images: each new image is a weighted mean of
    an image and one of its nearest neighbours in its class.

    Averaging the pixels of different particles is questionable. The mean of two
    liposomes of different sizes shows two faint outlines, which no liposome has, and a
    network learns to know mixtures by them. SMOTE [1]_ is better placed after the
    features, where imbalanced-learn's own works::

        imblearn.pipeline.make_pipeline(FeatureExtractor(), SMOTE(), StandardScaler(),
                                        SVC())

    Parameters
    ----------
    sampling_strategy : str, float, dict or callable, default="auto"
        How many images each class shall have, as in `SMOTE`; "auto" brings all classes
        to the count of the largest.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same mixtures every time.
    k_neighbors : int, default=5
        Among how many nearest neighbours to choose the second image. A class that is to
        grow needs at least one image more than this.
    mask : {"auto", "last"} or None, default="auto"
        Whether the last channel is a particle's mask. It is neither compared nor mixed:
        a mixture has the mask of the image that weighs more in it, so masks stay as
        two-valued as they are. "auto" means yes for images of exactly two channels.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X.

    Attributes
    ----------
    sampling_strategy_ : dict
        How many images were added to each class.
    sample_indices_ : ndarray of shape (n_resampled,)
        Row of X that each returned image is: first all of X, then -1 for mixtures.
    parent_indices_ : ndarray of shape (n_resampled, 2)
        The two rows of X that each returned image is mixed of; twice the same for the
        images of X themselves.
    parent_weights_ : ndarray of shape (n_resampled, 2)
        The weights of the two, which sum to 1.
    image_shape_ : tuple of 3 int or None
        (height, width, channels) of the images; None for a sequence of images.
    n_channels_ : int
        Channels of the images, a mask included.
    n_features_in_ : int
        ``X.shape[1]``; not set for a sequence of images.

    See Also
    --------
    ImageOverSampler : Draw images of small classes again.
    ArtificialImageSampler : Fill small classes with simulated images.

    Notes
    -----
    Images of integers are rounded. A mixture may belong to two groups,
    ``groups[sampler.parent_indices_]``: keep it out of any fold that either is in.
    (``groups[sampler.sample_indices_]`` would take the last group for each -1.)

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE:
       synthetic minority over-sampling technique", Journal of Artificial Intelligence
       Research 16:321-357, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.sampling import ImageSMOTE
    >>> X = np.random.default_rng(0).random((10, 8, 8))
    >>> y = np.repeat(["full", "empty"], [7, 3])
    >>> sampler = ImageSMOTE(k_neighbors=2, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> X_new.shape
    (14, 8, 8)
    >>> sampler.parent_indices_[10:].min()
    np.int64(7)
    """

    _parameter_constraints = {
        **BaseOverSampler._parameter_constraints,
        "k_neighbors": [Interval(Integral, 1, None, closed="left")],
        "mask": [StrOptions({"auto", "last"}), None],
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
        k_neighbors: int = 5,
        mask: Literal["auto", "last"] | None = "auto",
        image_shape: Sequence[int] | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state
        self.k_neighbors = k_neighbors
        self.mask = mask
        self.image_shape = image_shape

    def _fit_resample(self, X, y):
        name = type(self).__name__
        images = as_stack(X, self.image_shape_, name)
        self._check_counts(y)
        has_mask = resolve_mask_channel(self.mask, images.shape[-1], name)
        pixels = images[..., :-1] if has_mask else images
        parents, weights, y_new = self._draw(pixels.reshape(len(images), -1), y)
        self.parent_indices_, self.parent_weights_ = parents, weights
        n = len(images)
        self.sample_indices_ = np.where(np.arange(len(parents)) < n, parents[:, 0], -1)
        new = _mixed(images, parents[n:], weights[n:], has_mask)
        return append_images(X, _like(new, X)), y_new

    def _check_counts(self, y):
        """Raise if a class that is to grow has too few images."""
        for label, n_new in self.sampling_strategy_.items():
            count = np.count_nonzero(y == label)
            if n_new > 0 and count <= self.k_neighbors:
                images = "image" if count == 1 else "images"
                raise ValueError(
                    f"Class {plain_label(label)!r} has {count} {images}, too few for "
                    f"k_neighbors={self.k_neighbors}: each needs that many neighbours "
                    f"in its class, so at least {self.k_neighbors + 1} images. Lower "
                    "k_neighbors, or over-sample by ImageOverSampler."
                )

    def _draw(self, rows, y):
        """Draw the mixtures; return parents, weights, and y of all samples.

        SMOTE's results are linear in what it mixes. Given unit vectors for images, and
        neighbours that are found by the images, it tells whom it mixed, and how.
        """
        sampler = SMOTE(
            sampling_strategy=as_asked(self.sampling_strategy_, y),
            random_state=self.random_state,
            k_neighbors=_RowNeighbours(rows, self.k_neighbors + 1),
        )
        units = sparse.identity(len(rows), format="csr")
        shares, y_new = sampler.fit_resample(units, y)
        shares.sum_duplicates()
        first, end = shares.indptr[:-1], shares.indptr[1:]
        # A neighbour that is the image itself, an exact copy of it, leaves one share.
        parents = np.stack([shares.indices[first], shares.indices[end - 1]], axis=1)
        weight = np.where(end - first > 1, shares.data[first], 1.0)
        weights = np.stack([weight, 1 - weight], axis=1)
        return parents.astype(np.intp), weights, y_new


class _RowNeighbours(BaseEstimator):
    """Finds neighbours of unit vectors as those of the rows that they stand for."""

    def __init__(self, rows, n_neighbors):
        self.rows = rows
        self.n_neighbors = n_neighbors

    def __sklearn_clone__(self):
        # Without this, imbalanced-learn's clone would copy all images.
        return type(self)(self.rows, self.n_neighbors)

    def fit(self, units, y=None):
        """Index the rows of one class."""
        self._index = NearestNeighbors(n_neighbors=self.n_neighbors)
        self._index.fit(self.rows[units.indices])
        return self

    def kneighbors(self, units, return_distance=True):
        """Find the rows nearest to those of `units`, among the indexed."""
        return self._index.kneighbors(self.rows[units.indices], None, return_distance)

    def kneighbors_graph(self, units):
        """As of NearestNeighbors; imbalanced-learn asks that it exists."""
        return self._index.kneighbors_graph(self.rows[units.indices])


def _mixed(images, parents, weights, has_mask):
    """Mix images (n, h, w, c) by weight; masks are those of the heavier parent."""
    out = np.empty((len(parents), *images.shape[1:]), images.dtype)
    n_mixed = images.shape[-1] - has_mask
    integers = images.dtype.kind in "iub"
    for i, (pair, weight) in enumerate(zip(parents, weights, strict=True)):
        mixture = np.tensordot(weight, images[pair, ..., :n_mixed], axes=1)
        out[i, ..., :n_mixed] = np.rint(mixture) if integers else mixture
        if has_mask:
            out[i, ..., -1] = images[pair[weight.argmax()], ..., -1]
    return out


def _like(stack, X):
    """Return a stack as a sequence of images like those of X, if X is one."""
    if X.dtype == object and X.ndim == 1 and X[0].ndim == 2:
        return stack[..., 0]
    return stack
