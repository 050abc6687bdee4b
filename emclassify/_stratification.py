"""Folds with the same share of every label, for samples of several labels."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["iterative_folds"]


def iterative_folds(
    target: np.ndarray,
    groups: ArrayLike | None,
    n_splits: int,
    random_state: np.random.RandomState | None,
) -> np.ndarray:
    """Deal groups of samples into folds, rarest label first.

    The label that is rarest among what is left is dealt out next, the groups with
    most of it first, each to the fold that lacks most of it [1]_.

    Parameters
    ----------
    target : ndarray of int of shape (n, n_labels)
        Indicator matrix.
    groups : array-like of shape (n,) or None
        Samples that stay together; None is each by itself.
    n_splits : int
        Number of folds.
    random_state : numpy.random.RandomState or None
        Settles ties. Without it, the first fold and group win.

    Returns
    -------
    ndarray of int of shape (n,)
        The fold of each sample.

    References
    ----------
    .. [1] K. Sechidis, G. Tsoumakas and I. Vlahavas, "On the stratification of
       multi-label data", ECML PKDD 2011, algorithm 1; here for groups of samples.
    """
    n = len(target)
    group_of = np.arange(n)
    if groups is not None:
        group_of = np.unique(groups, return_inverse=True)[1]
    # The last column counts the samples themselves.
    counts = np.zeros((group_of.max() + 1, target.shape[1] + 1))
    np.add.at(counts, group_of, np.column_stack([target, np.ones(n)]))
    missing = np.tile(counts.sum(axis=0) / n_splits, (n_splits, 1))
    fold_of = np.full(len(counts), -1)
    while (open_ := np.flatnonzero(fold_of < 0)).size:
        left = counts[open_].sum(axis=0)
        # Samples without any label come last.
        labels = np.flatnonzero(left[:-1])
        label = labels[left[labels].argmin()] if labels.size else -1
        dealt = open_[counts[open_, label] > 0]
        if random_state is not None:
            dealt = random_state.permutation(dealt)
        for group in dealt[np.argsort(-counts[dealt, label], kind="stable")]:
            fold = _neediest(missing, label, random_state)
            fold_of[group] = fold
            missing[fold] -= counts[group]
    return fold_of[group_of]


def _neediest(missing, label, random_state):
    """Return the fold that lacks most of the label, then most samples."""
    folds = np.arange(len(missing))
    for column in (label, -1):
        lack = missing[folds, column]
        folds = folds[np.isclose(lack, lack.max())]
    return folds[0] if random_state is None else random_state.choice(folds)
