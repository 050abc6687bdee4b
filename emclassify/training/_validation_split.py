"""The inner validation split, for early stopping."""

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from emclassify._stratification import iterative_folds

__all__ = ["validation_split"]


def validation_split(
    target: np.ndarray,
    groups: np.ndarray | None,
    validation_fraction: float,
    random_state: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    """Split sample indices into training and validation.

    Parameters
    ----------
    target : ndarray of int of shape (n,) or (n, n_labels)
        Class indices, or an indicator matrix.
    groups : ndarray of shape (n,) or None
        Samples of one group stay on one side.
    validation_fraction : float
        Share of the samples, or nearly so, that goes to validation.
    random_state : numpy.random.RandomState

    Returns
    -------
    train, valid : ndarray of int
        Every class is in `train`; of the possible splits by group, the one whose
        classes are most complete in `valid` and whose size is nearest is taken.

    Raises
    ------
    ValueError
        If no split keeps every class in training.
    """
    if groups is None and target.ndim == 2:
        groups = np.arange(len(target))
    if groups is None:
        return _split_samples(target, validation_fraction, random_state)
    return _split_groups(target, groups, validation_fraction, random_state)


def _split_samples(
    target: np.ndarray, validation_fraction: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    counts = np.bincount(target)
    # A class of one sample can't be on both sides: it stays in training.
    single = np.isin(target, np.flatnonzero(counts == 1))
    index = np.flatnonzero(~single)
    n_classes = len(np.unique(target[index]))
    n_valid = max(round(validation_fraction * len(target)), n_classes)
    if n_classes == 0 or len(index) - n_valid < n_classes:
        raise ValueError(
            f"early_stopping needs a validation set with every class, but "
            f"{len(target)} samples with class counts {counts.tolist()} are too few "
            f"for validation_fraction={validation_fraction}. Give more samples or "
            "set early_stopping=False."
        )
    splitter = StratifiedShuffleSplit(1, test_size=n_valid, random_state=random_state)
    train, valid = next(splitter.split(index, target[index]))
    train = np.concatenate([index[train], np.flatnonzero(single)])
    return np.sort(train), np.sort(index[valid])


def _split_groups(
    target: np.ndarray,
    groups: np.ndarray,
    validation_fraction: float,
    random_state: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    n_groups = len(np.unique(groups))
    classes = _present(target)
    best = None
    if n_groups > 1:
        n_splits = int(np.clip(round(1 / validation_fraction), 2, n_groups))
        splits = _stratified_group_splits(target, groups, n_splits, random_state)
        for train, valid in splits:
            if len(_present(target[train])) < len(classes) or not len(valid):
                continue
            missing = len(classes) - len(_present(target[valid]))
            badness = missing, abs(len(valid) / len(target) - validation_fraction)
            if best is None or badness < best[0]:
                best = badness, train, valid
    if best is None:
        raise ValueError(
            f"early_stopping needs a validation set of whole groups that leaves every "
            f"class in training; {n_groups} group{'s' * (n_groups != 1)} can't be "
            "split so. Give more groups or set early_stopping=False."
        )
    return best[1:]


def _present(target: np.ndarray) -> np.ndarray:
    """Return the classes, or the labels, that samples have."""
    return np.unique(target) if target.ndim == 1 else np.flatnonzero(target.any(axis=0))


def _stratified_group_splits(
    target: np.ndarray,
    groups: np.ndarray,
    n_splits: int,
    random_state: np.random.RandomState,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All folds of a stratified group k-fold, with as many folds as the classes allow.

    It refuses more folds than the largest class has members.
    """
    if target.ndim == 2:
        fold_of = iterative_folds(target, groups, n_splits, random_state)
        for fold in range(n_splits):
            yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        return
    n_splits = max(2, min(n_splits, np.bincount(target).max()))
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():
        # That a class has fewer members than folds is weighed above.
        warnings.filterwarnings("ignore", "The least populated class")
        yield from splitter.split(target, target, groups)
