"""DiffusionMap: coordinates in which nearness is ease of diffusion."""

import warnings
from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._images import ImageInputMixin
from emclassify._typing import ImagesLike, RandomStateLike

__all__ = ["DiffusionMap"]

# Distances from which "auto" finds the bandwidth, about; and rows at a time.
_ENOUGH_DISTANCES = 2**20
_BATCH = 1024
# Above this many samples only the wanted eigenvectors are computed, by iteration.
_FEW_SAMPLES = 1000
_MAX_ITERATIONS = 1000
_SHIFT = 1e-6
# Eigenvalues and weights up to this are rounding.
_ZERO = 1e-12
# Values of the bandwidth tried for "auto", powers of two around the median distance.
_EXPONENTS = np.arange(-12, 8.25, 0.25)


class DiffusionMap(
    ImageInputMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    r"""Embed images by a random walk among them.

    From each image the walk goes to images near it. Two images lie close in the map if
    walks from both spread alike: along a curved surface of images, not across it.

    Parameters
    ----------
    n_components : int, default=2
        Number of coordinates; the constant one is left out.
    epsilon : "auto" or float, default="auto"
        Bandwidth: the kernel is :math:`\exp(-d^2 / \epsilon)`, d the Euclidean
        distance of images. "auto" takes the one at which the sum of the kernel grows
        fastest, on a logarithmic scale [2]_, doubled until all images are connected.
    alpha : float, default=1.0
        How far the density of the samples is divided out, 0 to 1: 1 shows the shape
        alone (Laplace-Beltrami), 0 is the graph Laplacian, as in spectral embedding.
    diffusion_time : float, default=1.0
        Steps of the walk: eigenvalues go in to that power. 0 gives the eigenvectors.
    n_neighbors : int, default=None
        With a number, only that many nearest neighbours of each image count, itself
        among them, which spares memory (n × n_neighbors numbers, not n × n). None
        takes all.
    image_shape : tuple of 2 or 3 int, default=None
        Shape of the image in a flat row of X; has no effect on the map.
    n_jobs : int, default=None
        Number of threads in the search of neighbours; None is 1, -1 is all cores.
    random_state : int, RandomState instance or None, default=None
        Start of the iteration for eigenvectors, with more than 1,000 samples.

    Attributes
    ----------
    embedding_ : ndarray of shape (n, n_components)
        The training images' coordinates.
    eigenvalues_ : ndarray of shape (n_components,)
        Of the walk, falling, without the first, which is 1.
    epsilon_ : float
        The bandwidth.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`.

    See Also
    --------
    DiffusionMapClassifier : Clusters in the map, labelled by a few samples.
    sklearn.manifold.SpectralEmbedding : The map for alpha 0, without new samples.

    Notes
    -----
    The kernel K is divided by the densities, :math:`K_{ij} / (q_i q_j)^\alpha` with
    :math:`q_i = \sum_j K_{ij}`, then by its row sums, which gives a Markov matrix with
    eigenvalues λ and right eigenvectors ψ, of mean square 1 under the walk's stationary
    distribution. The coordinates are :math:`\lambda_k^t \psi_k`, each with its largest
    entry positive [1]_. New images are placed by Nyström's formula: the mean of ψ over
    the steps from there, divided by λ. Without `n_neighbors` it gives the training
    images their own coordinates.

    Without `n_neighbors` the map takes the memory of one matrix, 8 n² bytes, and time
    that grows with n³. With more than a thousand images, "auto" looks at a part of the
    distances.

    References
    ----------
    .. [1] R. R. Coifman and S. Lafon, "Diffusion maps", Appl. Comput. Harmon. Anal.
       21:5-30, 2006.
    .. [2] R. R. Coifman, Y. Shkolnisky, F. J. Sigworth and A. Singer, "Graph Laplacian
       tomography from unknown random projections", IEEE Trans. Image Process.
       17:1891-1899, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.baselines import DiffusionMap
    >>> angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> where = DiffusionMap(epsilon=0.1).fit_transform(circle)
    >>> np.hypot(*where.T).round(3).min() == np.hypot(*where.T).round(3).max()
    np.True_
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "epsilon": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="both")],
        "diffusion_time": [Interval(Real, 0, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), None],
        "image_shape": ["array-like", None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 2,
        *,
        epsilon: Literal["auto"] | float = "auto",
        alpha: float = 1.0,
        diffusion_time: float = 1.0,
        n_neighbors: int | None = None,
        image_shape: Sequence[int] | None = None,
        n_jobs: int | None = None,
        random_state: RandomStateLike = None,
    ) -> None:
        self.n_components = n_components
        self.epsilon = epsilon
        self.alpha = alpha
        self.diffusion_time = diffusion_time
        self.n_neighbors = n_neighbors
        self.image_shape = image_shape
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ImagesLike, y: object = None) -> Self:
        """Build the map.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images.
        y : None
            Ignored.

        Returns
        -------
        self : DiffusionMap

        Raises
        ------
        ValueError
            If there are too few images for `n_components` or `n_neighbors`, all are
            the same, or some have no neighbours in common with the rest.
        """
        self._rows = self._as_rows(X, reset=True)
        n = len(self._rows)
        for name, value in (
            ("n_components", self.n_components),
            ("n_neighbors", self.n_neighbors or 0),
        ):
            if value >= n:
                raise ValueError(
                    f"{name}={value} needs more images than that; got n_samples={n}."
                )
        squared = self._squared_distances(self._rows)
        self.epsilon_ = self._bandwidth(squared)
        while (pieces := self._count_pieces(squared)) > 1:
            if self.epsilon != "auto" or self.n_neighbors is not None:
                raise ValueError(
                    f"The images fall into {pieces} groups between which no walk leads "
                    f"at epsilon={self.epsilon_:.3g}, n_neighbors={self.n_neighbors}. "
                    "Raise them, or map the groups one by one."
                )
            self.epsilon_ *= 2
        kernel = self._weights(squared)
        if sparse.issparse(kernel):
            # Neighbours if one is the other's.
            kernel = kernel.maximum(kernel.T)
        self._density = np.asarray(kernel.sum(axis=1)).ravel() ** self.alpha
        kernel = _scaled(kernel, 1 / self._density)
        degree = np.asarray(kernel.sum(axis=1)).ravel()
        values, vectors = self._eigenvectors(_scaled(kernel, degree**-0.5))
        # Right eigenvectors of the Markov matrix.
        vectors *= np.sqrt(degree.sum() / degree)[:, np.newaxis]
        largest = np.abs(vectors).argmax(axis=0)
        vectors *= np.sign(vectors[largest, np.arange(vectors.shape[1])])
        values[np.abs(values) <= _ZERO] = 0.0
        self._vectors, self.eigenvalues_ = vectors, values
        if values.min() <= 0:
            warnings.warn(
                f"{(values <= 0).sum()} of n_components={self.n_components} "
                "eigenvalues are not positive: along them all images lie at 0. Lower "
                "n_components or epsilon.",
                stacklevel=2,
            )
        self.embedding_ = vectors * self._powers(self.diffusion_time)
        self._n_features_out = self.n_components
        return self

    def fit_transform(self, X: ImagesLike, y: object = None) -> NDArray[Any]:
        """Build the map and return the training images' coordinates.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n, n_components)
        """
        return self.fit(X).embedding_.copy()

    @as_fitted
    def transform(self, X: ImagesLike) -> NDArray[Any]:
        """Place images in the map, by Nyström's formula.

        Parameters
        ----------
        X : array-like of shape (n, h, w), (n, h, w, c) or (n, n_features)
            Images of the shape seen in `fit`.

        Returns
        -------
        ndarray of shape (n, n_components)
            An image so far from all others that the kernel vanishes is placed where
            its nearest neighbour is.
        """
        check_is_fitted(self)
        rows = self._as_rows(X, reset=False)
        return np.vstack(
            [self._place(rows[part]) for part in gen_batches(len(rows), _BATCH)]
        )

    def _place(self, rows):
        """Return the coordinates of some rows."""
        squared = self._squared_distances(rows)
        # Only ratios of weights matter: the nearest neighbour's may be 1.
        if sparse.issparse(squared):
            squared.data -= np.repeat(
                squared.data.reshape(len(rows), -1).min(axis=1), self.n_neighbors
            )
        else:
            squared -= squared.min(axis=1, keepdims=True)
        step = _scaled(self._weights(squared), 1.0, 1 / self._density)
        total = np.asarray(step.sum(axis=1)).ravel()[:, np.newaxis]
        return (step @ self._vectors) / total * self._powers(self.diffusion_time - 1)

    def _as_rows(self, X, *, reset):
        """Return images as rows of float32 where that holds them exactly."""
        images = self._validate_images(X, reset=reset)
        rows = images.reshape(len(images), -1)
        rows = rows.astype(np.result_type(rows.dtype, np.float32))
        largest = max(rows.max(), -rows.min())
        if largest > np.sqrt(np.finfo(rows.dtype).max / (4 * rows.shape[1])):
            raise ValueError(
                f"X has values up to {largest:.1e}, too large to be squared in "
                f"{rows.dtype}. Rescale the intensities."
            )
        return rows

    def _squared_distances(self, rows):
        """Return squared distances to the training rows; a matrix, sparse or not."""
        if self.n_neighbors is None:
            squared = euclidean_distances(rows, self._rows, squared=True)
            return squared.astype(np.float64, copy=False)
        search = NearestNeighbors(n_jobs=self.n_jobs).fit(self._rows)
        graph = search.kneighbors_graph(rows, self.n_neighbors, mode="distance")
        graph.data = np.square(graph.data, dtype=np.float64)
        return graph

    def _bandwidth(self, squared):
        """Return epsilon; "auto" where the kernel's sum grows fastest."""
        if self.epsilon != "auto":
            return float(self.epsilon)
        # Some rows of a large matrix tell the growth as well as all.
        some = squared[:: -(-squared.size // _ENOUGH_DISTANCES)]
        some = some.data if sparse.issparse(some) else some.ravel()
        if not some.any():
            raise ValueError(
                "All images are the same: there is nothing to map (n_samples="
                f"{len(self._rows)})."
            )
        bandwidths = np.median(some[some > 0]) * 2.0**_EXPONENTS
        sums = np.array([np.exp(-some / width).sum() for width in bandwidths])
        growth = np.diff(np.log(sums))
        steepest = int(growth.argmax())
        return float(np.sqrt(bandwidths[steepest] * bandwidths[steepest + 1]))

    def _count_pieces(self, squared):
        """Return into how many groups the walk divides the images.

        Steps less likely than rounding would leave the eigenvectors to chance.
        """
        reach = -np.log(_ZERO) * self.epsilon_
        if sparse.issparse(squared):
            near = squared.copy()
            # Not 0, which would stand for no neighbour.
            near.data = np.where(near.data <= reach, 1.0, 0.0)
            near.eliminate_zeros()
            return connected_components(near, directed=False)[0]
        # A walk over rows of the matrix, which a graph in scipy would hold thrice.
        pieces, new = 0, np.ones(len(squared), bool)
        while new.any():
            pieces += 1
            edge = np.flatnonzero(new)[:1]
            while len(edge):
                new[edge] = False
                closest = np.full(len(squared), np.inf)
                for part in gen_batches(len(edge), _BATCH):
                    np.minimum(closest, squared[edge[part]].min(axis=0), out=closest)
                edge = np.flatnonzero(new & (closest <= reach))
        return pieces

    def _weights(self, squared):
        """Turn squared distances into the kernel, in place."""
        values = squared.data if sparse.issparse(squared) else squared
        values /= -self.epsilon_
        np.exp(values, out=values)
        return squared

    def _powers(self, exponent):
        """Return the eigenvalues to some power, and 0 where they are not positive."""
        powers = np.zeros_like(self.eigenvalues_)
        np.power(self.eigenvalues_, exponent, out=powers, where=self.eigenvalues_ > 0)
        return powers

    def _eigenvectors(self, symmetric):
        """Return the largest eigenvalues but the first, and their eigenvectors.

        May overwrite the matrix.
        """
        n, k = len(self._rows), self.n_components + 1
        if n <= _FEW_SAMPLES or k > n // 3:
            dense = symmetric.toarray() if sparse.issparse(symmetric) else symmetric
            values, vectors = linalg.eigh(dense, subset_by_index=[n - k, n - 1])
        else:
            start = check_random_state(self.random_state).uniform(-1, 1, n)
            values, vectors = _largest(symmetric, k, start)
        order = np.argsort(-values)[1:]
        return values[order], vectors[:, order]


def _largest(symmetric, k, start):
    """Return the k largest eigenvalues, none of which is above 1, and their vectors.

    Where images nearly fall into groups, those eigenvalues lie so close to 1 that
    iteration doesn't tell them apart. The inverse of 1 + shift minus the matrix spreads
    them.
    """
    if sparse.issparse(symmetric):
        try:
            return eigsh(symmetric, k, which="LA", v0=start, maxiter=_MAX_ITERATIONS)
        except ArpackNoConvergence:
            symmetric = symmetric.toarray()
    n = len(symmetric)
    symmetric *= -1
    symmetric.flat[:: n + 1] += 1 + _SHIFT
    # The transpose is the same matrix, in the order that LAPACK overwrites.
    factor = linalg.cho_factor(symmetric.T, overwrite_a=True, check_finite=False)
    inverse = LinearOperator(
        (n, n), partial(linalg.cho_solve, factor, check_finite=False), dtype=np.float64
    )
    values, vectors = eigsh(inverse, k, which="LA", v0=start)
    return 1 + _SHIFT - 1 / values, vectors


def _scaled(matrix, rows, columns=None):
    """Multiply rows and columns of a matrix, sparse or (in place) not, by factors."""
    columns = rows if columns is None else columns
    if sparse.issparse(matrix):
        left = sparse.diags(np.broadcast_to(rows, matrix.shape[0]))
        return (left @ matrix @ sparse.diags(columns)).tocsr()
    matrix *= np.reshape(rows, (-1, 1))
    matrix *= columns
    return matrix
