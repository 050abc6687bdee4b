"""Masks of one dataset of ion images, proposed by its pixels alone."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from emclassify._typing import RandomStateLike
from emclassify.baselines._ion_datasets import check_dataset, rim_of

_AT_LEAST_ONE = Interval(Integral, 1, None, closed="left")


@validate_params(
    {
        "n_clusters": [_AT_LEAST_ONE],
        "n_components": [_AT_LEAST_ONE],
        "smoothing": [_AT_LEAST_ONE],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def propose_masks(
    images: ArrayLike,
    n_clusters: int = 5,
    *,
    n_components: int = 3,
    smoothing: int = 3,
    random_state: RandomStateLike = None,
) -> Bunch:
    """Cluster the pixels of one dataset, for a user to pick the background's clusters.

    Pixels of similar spectra go together (k-means), and principal components show what
    tells spectra apart. No labels are needed. `MaskProposalsDisplay` draws both; the
    mask is ``np.isin(proposals.clusters, [0, 3])`` for clusters 0 and 3, and goes to
    `MaskCorrelationClassifier`.

    Parameters
    ----------
    images : array-like of shape (n_ions, height, width), or sequence of arrays
        Ion images of one dataset. Each is scaled to its 99th percentile.
    n_clusters : int, default=5
        Number of clusters.
    n_components : int, default=3
        Number of principal components.
    smoothing : int, default=3
        Side in px of the square over which spectra are averaged; 1 is none.
    random_state : int, RandomState instance or None, default=None
        Starts of k-means, and of the components where they are approximated.

    Returns
    -------
    sklearn.utils.Bunch
        clusters : ndarray of int of shape (height, width)
            Cluster of each pixel. Cluster 0 is the one of which most lies on the rim of
            the field, and so on: the background's come first, mostly.
        components : ndarray of shape (height, width, n_components)
            Scores of each pixel, positive on the rim.
        explained_variance_ratio : ndarray of shape (n_components,)
            Share of the variance of the spectra.

    Raises
    ------
    ValueError
        If there are fewer pixels than clusters, or fewer pixels or ions than
        components.

    Examples
    --------
    >>> from emclassify.baselines import propose_masks
    >>> from emclassify.datasets import make_ion_images
    >>> data = make_ion_images(40, n_groups=1, strange=0, random_state=1)
    >>> proposals = propose_masks(data.images, 2, random_state=0)
    >>> background = proposals.clusters == 0
    >>> bool((background == data.masks[0]).mean() > 0.9)
    True
    """
    scaled = check_dataset(images)
    shape = scaled.shape[1:]
    spectra = ndimage.uniform_filter(scaled, (0, smoothing, smoothing))
    spectra = spectra.reshape(len(scaled), -1).T
    n_pixels, n_ions = spectra.shape
    for name, asked, most in (
        ("n_clusters", n_clusters, n_pixels),
        ("n_components", n_components, min(n_pixels, n_ions)),
    ):
        if asked > most:
            raise ValueError(
                f"{name}={asked} is more than {n_ions} images of {n_pixels} pixels "
                f"allow, {most}."
            )
    rng = check_random_state(random_state)
    means = KMeans(n_clusters, n_init=4, random_state=rng.randint(2**31 - 1))
    labels = means.fit_predict(spectra)
    rim = rim_of(shape)
    on_rim = np.bincount(labels[rim], minlength=n_clusters)
    share = on_rim / np.maximum(np.bincount(labels, minlength=n_clusters), 1)
    rank = np.argsort(np.argsort(-share, kind="stable"))
    pca = PCA(n_components, random_state=rng.randint(2**31 - 1))
    scores = pca.fit_transform(spectra)
    scores *= np.where(scores[rim].mean(axis=0) < 0, -1, 1)
    return Bunch(
        clusters=rank[labels].reshape(shape),
        components=scores.reshape(*shape, n_components),
        explained_variance_ratio=pca.explained_variance_ratio_,
    )
