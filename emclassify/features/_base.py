"""What every feature transformer does alike; the families write `_compute`."""

from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._images import ImageInputMixin
from emclassify._typing import ImagesLike
from emclassify.features._byte_particles import ByteParticles
from emclassify.features._masks import masks_of, resolve_mask
from emclassify.features._particles import ParticleMasks, Particles

# Pixels worked on at once: few enough for the cache, many enough to hide the
# cost of a numpy call. Some twenty float64 arrays of this size are alive at a time.
PIXELS_PER_CHUNK = 2**18
LARGEST_VALUE = 1e30


class BaseFeatures(ImageInputMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta):
    """Template of a feature transformer: all but which families it computes."""

    _parameter_constraints: dict = {
        "mask": [StrOptions({"auto", "last", "otsu", "full"})],
        "particle": [StrOptions({"auto", "dark", "bright"})],
        "image_shape": ["array-like", None],
        "n_jobs": [Integral, None],
    }

    _reads_stored = True

    @abstractmethod
    def _families(self):
        """Return the families whose features stand side by side."""

    def _fitted_families(self):
        """Return the families that `fit` has seen."""
        return self._families()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImagesLike, y: object = None) -> Self:
        """Learn the shape of the images; nothing else depends on X.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images.
        y : None
            Ignored; there for pipelines.

        Returns
        -------
        self
        """
        self._validate_images(X, reset=True)
        resolved = resolve_mask(self.mask, self.image_shape_, type(self).__name__)
        n_channels = self.image_shape_[2] - (resolved == "last")
        names = []
        for family in self._families():
            for channel in range(n_channels if family._per_channel else 1):
                tail = f"_channel{channel}" if family._per_channel else ""
                tail = tail if n_channels > 1 else ""
                names += [name + tail for name in family._feature_names()]
        self._names = np.array(names, dtype=object)
        self.n_features_out_ = len(names)
        return self

    @as_fitted
    def transform(self, X: ImagesLike) -> NDArray[Any]:
        """Compute the features of each image.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images of the shape seen in `fit`. Those of a memory map, a zarr or HDF5
            array, or in files (X is a sequence of paths) are read by the chunk.

        Returns
        -------
        ndarray of shape (n, n_features_out)
            float64, finite for every image.
        """
        check_is_fitted(self)
        images = self._validate_images(X, reset=False)
        mask = resolve_mask(self.mask, self.image_shape_, type(self).__name__)
        step = max(1, PIXELS_PER_CHUNK // int(np.prod(self.image_shape_[:2])))
        starts = range(0, len(images), step)
        families = self._fitted_families()
        n_jobs = min(effective_n_jobs(self.n_jobs), len(starts))
        if n_jobs == 1:
            return compute_block(images, step, families, mask, self.particle)
        # A worker's share is cut where the chunks are: the same numbers to the bit.
        share = step * -(-len(starts) // (4 * n_jobs))
        if not isinstance(images, np.ndarray):
            # What is read from files comes by the chunk.
            share = step
        # Threads: numpy lets go of the interpreter, and no image is copied.
        blocks = Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(compute_block)(
                images[i : i + share], step, families, mask, self.particle
            )
            for i in range(0, len(images), share)
        )
        return np.concatenate(blocks)

    @as_fitted
    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Names of the features, one a column of what `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Checked against what `fit` saw, as scikit-learn does; not used further.

        Returns
        -------
        ndarray of str objects of shape (n_features_out,)
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return self._names.copy()


class FeatureFamily(BaseFeatures):
    """Template of one family.

    A family writes `_compute(particles)`, which gives (n, k) numbers for a chunk,
    and `_feature_names()`, which gives k names. `_per_channel` says whether it looks
    at the grey values of each channel or only at the mask.
    """

    _per_channel = True

    @abstractmethod
    def _compute(self, particles):
        """Return the features (n, k) of a chunk of particles."""

    @abstractmethod
    def _feature_names(self):
        """Return the k names of what `_compute` returns for one channel."""

    def _families(self):
        return [self]


def compute_block(
    images: NDArray[Any],
    step: int,
    families: Sequence[FeatureFamily],
    mask: str,
    particle: str,
) -> NDArray[np.float64]:
    """Features of some images, `step` images at a time."""
    return np.concatenate(
        [
            compute_chunk(images[i : i + step], families, mask, particle)
            for i in range(0, len(images), step)
        ]
    )


def compute_chunk(
    images: NDArray[Any], families: Sequence[FeatureFamily], mask: str, particle: str
) -> NDArray[np.float64]:
    """Features of a chunk of images (n, h, w, c): every family side by side."""
    n, *image_shape, _ = images.shape
    channels = split_channels(images)
    mask_of_each = masks_of(channels, mask, particle)
    masks = ParticleMasks(mask_of_each, n, tuple(image_shape))
    particles_of = ByteParticles if ByteParticles.takes(images) else Particles
    if mask == "last":
        channels = channels[:-1]
    channels = [particles_of(channel, masks) for channel in channels]
    for particles in channels:
        refuse_huge(particles)
    return np.concatenate(
        [
            family._compute(particles)
            for family in families
            for particles in (channels if family._per_channel else channels[:1])
        ],
        axis=1,
    )


def split_channels(images: NDArray[Any]) -> list[NDArray[Any]]:
    """Channels of images (n, h, w, c), each contiguous (n, h, w)."""
    two_bytes = images.dtype == np.uint8 and images.shape[3] == 2
    if two_bytes and images.strides[3] == 1:
        # A cast of numbers of two bytes is far quicker than steps over every other.
        pairs = images.view("<u2")[..., 0]
        return [pairs.astype(np.uint8), (pairs >> 8).astype(np.uint8)]
    return [np.ascontiguousarray(channel) for channel in np.moveaxis(images, 3, 0)]


def refuse_huge(particles: Particles) -> None:
    """Raise for values whose powers would overflow."""
    if particles.channel.dtype.kind != "f":
        return
    highest = particles.magnitude.max()
    if highest > LARGEST_VALUE:
        raise ValueError(
            f"X holds values up to {highest:.3g}; the features take powers of them "
            f"and need values below {LARGEST_VALUE:g}: rescale the images."
        )
