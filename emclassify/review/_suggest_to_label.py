"""Which images to label first, at the start and later."""

from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_params,
)

from emclassify._groups import check_groups
from emclassify._incoming import plain_numbers, plain_values
from emclassify.review._doubt import label_margin
from emclassify.review._pairs import pairs_of

__all__ = ["SIMILAR", "embed", "suggest_to_label"]

# Of the images that a model is least sure of, so many times as wanted are candidates.
_CANDIDATES = 10
_N_COMPONENTS = 50
SIMILAR = 0.9


@validate_params(
    {
        "X": "no_validation",
        "n": [Interval(Integral, 1, None, closed="left")],
        "estimator": [HasMethods(["predict_proba"]), None],
        "strategy": [StrOptions({"auto", "diverse", "uncertain", "random"})],
        "labelled": ["array-like", None],
        "groups": ["array-like", None],
        "embedding": ["array-like", HasMethods(["transform"]), None],
        "avoid_duplicates": ["boolean"],
        "duplicates": [pd.DataFrame, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def suggest_to_label(
    X: ArrayLike,
    n: int,
    estimator: BaseEstimator | None = None,
    strategy: str = "auto",
    *,
    labelled: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    embedding: ArrayLike | object | None = None,
    avoid_duplicates: bool = True,
    duplicates: pd.DataFrame | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Suggest images to label, so that few labels teach much.

    Without a model, images that differ: the embedding is cut into `n` clusters, and
    each gives the image nearest to its centre. With one, images that it is unsure of
    and that differ: the candidates with the smallest margin between the two likeliest
    classes are clustered, doubt weighing, and each cluster gives one.

    Parameters
    ----------
    X : array-like of n_samples images
        All images, labelled ones included.
    n : int
        How many to suggest.
    estimator : classifier, default=None
        Fitted on what is labelled so far, with probabilities.
    strategy : {"auto", "diverse", "uncertain", "random"}, default="auto"
        "auto" is "uncertain" with an estimator, else "diverse". "random" is for
        comparison.
    labelled : array-like of bool (n_samples,) or of int, default=None
        Which images have a label, as a mask or as numbers.
    groups : array-like of shape (n_samples,), default=None
        Group of each image: where clusters leave a choice, groups with fewer
        suggestions and labels for their size come first.
    embedding : array-like of shape (n_samples, n_dimensions), transformer or None
        Where images that look alike lie near each other. A transformer has ``fit`` or
        is fitted, such as :class:`~emclassify.BackboneExtractor`. By default, all
        families of :class:`~emclassify.FeatureExtractor`, scaled and clipped, on their
        first fifty principal components.
    avoid_duplicates : bool, default=True
        Whether images that are nearly the same as one that has a label or is suggested
        already are passed over.
    duplicates : DataFrame, default=None
        Their pairs, where they are known, as :func:`~emclassify.find_duplicates`
        returns them: columns first and second, and, to know all of many equal ones,
        exact. Searched for by default.
    random_state : int, RandomState instance or None, default=None
        Seed of the clusters.
    verbose : int, default=0
        1 shows progress of the search for duplicates.

    Returns
    -------
    DataFrame
        One row a suggestion: sample (its number in X), cluster, n_in_cluster, margin
        (NaN without an estimator), group (if groups are given). Clusters by size.
        ``attrs["cluster_of"]`` has the cluster of every image, -1 where it is in none,
        for ``write_review_page(clusters=...)``.

    Raises
    ------
    ValueError
        If fewer than `n` images are without a label, or numbers of entries don't fit.

    See Also
    --------
    write_review_page : A page on which to label them.

    Notes
    -----
    How many labels this saves is measured in the user guide.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.review import suggest_to_label
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 8, 8)) + np.repeat([0, 5, 20], 20)[:, None, None]
    >>> where = X.mean(axis=(1, 2))[:, np.newaxis]
    >>> table = suggest_to_label(X, 3, embedding=where, random_state=0)
    >>> sorted(int(i) // 20 for i in table["sample"])
    [0, 1, 2]
    """
    n_samples = len(X)
    if n_samples == 0:
        raise ValueError("X holds no images.")
    done = _mask(labelled, n_samples)
    groups = check_groups(groups, n_samples)
    free = np.flatnonzero(~done)
    if len(free) < n:
        raise ValueError(
            f"n={n}, but {len(free)} of {n_samples} images are without a label."
        )
    if strategy == "auto":
        strategy = "diverse" if estimator is None else "uncertain"
    if strategy == "uncertain" and estimator is None:
        raise ValueError('strategy="uncertain" needs an estimator.')
    rng = check_random_state(random_state)
    margin = np.full(n_samples, np.nan)
    if estimator is not None:
        proba = np.asarray(estimator.predict_proba(_some(X, free)), dtype=np.float64)
        margin[free] = label_margin(proba, np.full(len(free), -1))
    if strategy == "random":
        chosen = rng.choice(free, n, replace=False)
        return _table(chosen, np.full(n_samples, -1), margin, groups)
    candidates, weight = free, None
    if strategy == "uncertain":
        order = np.argsort(margin[free], kind="stable")
        candidates = free[order[: _CANDIDATES * n]]
        weight = 1 - margin[candidates] + 1e-3
    points = embed(X, embedding, n_samples, rng)
    pairs = None
    if avoid_duplicates:
        pairs = _search(X, verbose) if duplicates is None else duplicates
    copies, equal = {}, np.arange(n_samples)
    if pairs is not None:
        copies = _copies_of(*pairs_of(pairs, n_samples))
        equal = _equal_images(pairs, n_samples)
    taken = _Taken(copies, equal, done, groups)
    chosen, clusters = _spread(points, candidates, weight, n, taken, rng)
    cluster_of = np.full(n_samples, -1)
    cluster_of[candidates] = clusters
    return _table(chosen, cluster_of, margin, groups)


def _mask(labelled, n):
    """Return which images have a label, as a mask."""
    if labelled is None:
        return np.zeros(n, dtype=bool)
    labelled = plain_values(labelled, "labelled")
    if labelled.dtype == bool:
        if labelled.shape != (n,):
            raise ValueError(f"labelled has shape {labelled.shape} for {n} images.")
        return labelled.copy()
    if labelled.size and (labelled.dtype.kind not in "iu" or labelled.ndim != 1):
        raise ValueError("labelled must be a mask, or numbers of images.")
    if labelled.size and (labelled.min() < 0 or labelled.max() >= n):
        raise ValueError(f"labelled holds numbers beyond 0 to {n - 1}.")
    mask = np.zeros(n, dtype=bool)
    mask[labelled.astype(np.intp)] = True
    return mask


def _some(X, rows):
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if isinstance(X, list | tuple):
        return [X[i] for i in rows]
    return X[rows]


def embed(
    X: ArrayLike,
    embedding: ArrayLike | object | None,
    n: int,
    rng: np.random.RandomState,
) -> np.ndarray:
    """Return a point for each of n images, that of a look-alike near to it."""
    if embedding is None:
        from emclassify.baselines import ClippedScaler
        from emclassify.features import FeatureExtractor

        scaled = make_pipeline(FeatureExtractor("all"), ClippedScaler())
        points = scaled.fit_transform(X)
        if n == 1:  # it varies along no axis
            return points
        k = min(_N_COMPONENTS, *points.shape)
        return PCA(k, svd_solver="full").fit_transform(points)
    if hasattr(embedding, "transform"):
        fit = getattr(embedding, "fit_transform", None)
        points = embedding.transform(X) if fit is None else fit(X)
    else:
        points = embedding
    points = plain_numbers(points, "embedding")
    if points.ndim != 2 or len(points) != n:
        raise ValueError(f"embedding has shape {points.shape} for {n} images.")
    return points


def _spread(points, candidates, weight, n, taken, rng):
    """Return one candidate of each of n clusters, and the cluster of each candidate."""
    some = points[candidates]
    seed = rng.randint(np.iinfo(np.int32).max)
    means = MiniBatchKMeans(n, n_init=3, batch_size=2048, random_state=seed)
    clusters = means.fit(some, sample_weight=weight).labels_
    away = np.linalg.norm(some - means.cluster_centers_[clusters], axis=1)
    sizes = np.bincount(clusters, minlength=n)
    chosen = []
    for cluster in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(clusters == cluster)
        order = members[np.argsort(away[members], kind="stable")]
        chosen += taken.first(candidates[order])
    # Some clusters are empty, or hold nothing but copies: others, far from the chosen.
    while len(chosen) < n:
        rest = np.setdiff1d(candidates, chosen)
        if len(rest) == 0:
            rest = np.setdiff1d(taken.free, chosen)
        near = points[chosen] if chosen else points[rest].mean(axis=0, keepdims=True)
        gap = np.min(
            np.linalg.norm(points[rest][:, np.newaxis] - near[np.newaxis], axis=2),
            axis=1,
        )
        order = rest[np.argsort(-gap, kind="stable")]
        chosen += taken.first(order) or [int(order[0])]
    return np.array(chosen), clusters


class _Taken:
    """What is labelled or suggested already, to choose beside."""

    def __init__(self, copies, equal, done, groups):
        self.free = np.flatnonzero(~done)
        self._copies = copies
        self._equal = equal
        self._taken = set(np.flatnonzero(done).tolist())
        self._taken_equal = set(equal[done].tolist())
        self._groups = groups
        if groups is not None:
            values, self._group_of = np.unique(groups, return_inverse=True)
            self._size = np.bincount(self._group_of)
            self._used = np.bincount(self._group_of[done], minlength=len(values))

    def first(self, order):
        """Return one image that is no copy, in a list, or none.

        The first; with groups, that of the nearer half whose group has the smallest
        share of labels and suggestions.
        """
        new = [
            i
            for i in order.tolist()
            if self._equal[i] not in self._taken_equal
            and not self._copies.get(i, set()) & self._taken
        ]
        if not new:
            return []
        best = new[0]
        if self._groups is not None:
            nearest = new[: max(1, len(new) // 2)]
            share = [
                self._used[self._group_of[i]] / self._size[self._group_of[i]]
                for i in nearest
            ]
            best = nearest[int(np.argmin(share))]
            self._used[self._group_of[best]] += 1
        self._taken.add(best)
        self._taken_equal.add(self._equal[best].item())
        return [best]


def _search(X, verbose):
    from emclassify.model_selection import find_duplicates

    return find_duplicates(X, threshold=SIMILAR, verbose=verbose)


def _copies_of(first, second):
    """Return the near duplicates of each image that has any, {number: set}."""
    copies = {}
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        copies.setdefault(i, set()).add(j)
        copies.setdefault(j, set()).add(i)
    return copies


def _equal_images(pairs, n):
    """Return a number for each image, the same for those known to be equal."""
    from emclassify.model_selection.splits._near_duplicates import sets_of_equal

    if "exact" in pairs.columns:
        pairs = pairs[pairs["exact"].to_numpy(dtype=bool)]
    else:
        pairs = pairs[:0]
    return sets_of_equal(np.column_stack(pairs_of(pairs, n)), n)


def _table(chosen, cluster_of, margin, groups):
    clusters = cluster_of[chosen]
    sizes = np.bincount(cluster_of[cluster_of >= 0], minlength=1)
    table = pd.DataFrame(
        {
            "sample": chosen,
            "cluster": clusters,
            "n_in_cluster": np.where(clusters >= 0, sizes[np.maximum(clusters, 0)], 0),
            "margin": margin[chosen],
        }
    )
    if groups is not None:
        table["group"] = groups[chosen]
    table.attrs["cluster_of"] = cluster_of
    return table
