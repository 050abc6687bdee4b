"""Folds for samples of several labels, by group."""

from collections.abc import Iterator
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state, indexable
from sklearn.utils.multiclass import type_of_target

from emclassify._groups import check_groups
from emclassify._incoming import plain_labels
from emclassify._stratification import iterative_folds
from emclassify._typing import RandomStateLike
from emclassify.metrics._targets import refuse_other_values

__all__ = ["MultilabelStratifiedGroupKFold"]


class MultilabelStratifiedGroupKFold(BaseCrossValidator):
    """K folds with about the same share of every label, and no group torn apart.

    Iterative stratification [1]_: the rarest label is dealt out first, the groups with
    most of it first, each to the fold that lacks most of it.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether chance settles where to put groups that fit several folds equally
        well. Without it, the order of the samples does.
    random_state : int, RandomState instance or None, default=None
        For `shuffle`.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : For one label a sample.

    References
    ----------
    .. [1] K. Sechidis, G. Tsoumakas and I. Vlahavas, "On the stratification of
       multi-label data", ECML PKDD 2011, algorithm 1; here for groups of samples.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.model_selection import MultilabelStratifiedGroupKFold
    >>> y = np.array([[1, 0], [1, 1], [0, 1], [1, 0], [0, 1], [1, 1]])
    >>> plate = [1, 1, 2, 2, 3, 3]
    >>> cv = MultilabelStratifiedGroupKFold(n_splits=3)
    >>> for train, test in cv.split(y, y, plate):
    ...     print(test, y[test].sum(axis=0))
    [0 1] [2 1]
    [2 3] [1 1]
    [4 5] [1 2]
    """

    # Groups reach `split` through metadata routing too.
    __metadata_request__split = {"groups": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = False,
        random_state: RandomStateLike = None,
    ) -> None:
        if not isinstance(n_splits, Integral) or n_splits < 2:
            raise ValueError(
                f"n_splits must be a whole number of at least 2; got {n_splits!r}."
            )
        if not shuffle and random_state is not None:
            raise ValueError("random_state has no effect without shuffle=True.")
        self.n_splits = int(n_splits)
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(
        self, X: object = None, y: object = None, groups: object = None
    ) -> int:
        """Return `n_splits`."""
        return self.n_splits

    def split(
        self, X: object, y: ArrayLike, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield indices of training and test samples, fold by fold.

        Parameters
        ----------
        X : array-like of n_samples
            Not looked at.
        y : array-like or sparse matrix of shape (n_samples, n_labels)
            Indicator matrix.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group stay together; without groups, each is by itself.

        Yields
        ------
        train, test : ndarray of int

        Raises
        ------
        ValueError
            If y is no indicator matrix, or there are fewer groups than folds.
        """
        X, y, groups = indexable(X, plain_labels(y), groups)
        yield from super().split(X, y, groups)

    def _iter_test_indices(self, X=None, y=None, groups=None):
        kind = type_of_target(y, input_name="y")
        if kind != "multilabel-indicator":
            raise ValueError(
                f"y must be an indicator matrix (n_samples, n_labels) of 0 and 1; got "
                f"{kind}. For one label a sample, take StratifiedGroupKFold."
            )
        refuse_other_values(y, "y")
        y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        groups = check_groups(groups, len(y))
        n_groups = len(y) if groups is None else len(np.unique(groups))
        if n_groups < self.n_splits:
            what = "samples" if groups is None else "groups"
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {n_groups} {what}."
            )
        rng = check_random_state(self.random_state) if self.shuffle else None
        fold_of = iterative_folds(y, groups, self.n_splits, rng)
        for fold in range(self.n_splits):
            yield np.flatnonzero(fold_of == fold)
