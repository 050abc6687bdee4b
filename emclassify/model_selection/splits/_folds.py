"""What stands between folds and an honest score: the checks of a split."""

import warnings
from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import (
    BaseCrossValidator,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)
from sklearn.utils.multiclass import check_classification_targets

from emclassify._groups import check_groups
from emclassify._typing import CrossValidation, ImagesLike
from emclassify._words import name_some
from emclassify.metrics._targets import all_classes, as_target, presence
from emclassify.model_selection.splits._multilabel_split import (
    MultilabelStratifiedGroupKFold,
)

__all__ = ["check_folds"]


def make_folds(
    cv: CrossValidation, X: ImagesLike, y: ArrayLike, groups: np.ndarray | None
) -> tuple[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Return the splitter in words, and its folds as (train, test) index arrays.

    A whole number with groups means StratifiedGroupKFold, because scikit-learn's
    default, StratifiedKFold, would tear the groups apart; and with several labels a
    sample MultilabelStratifiedGroupKFold, because the default, KFold, would leave
    folds without a rare label.
    """
    if isinstance(cv, bytes):  # its split is another
        raise ValueError(f"cv must be a whole number, a splitter or folds; got {cv!r}.")
    n_splits = 5 if cv is None else cv
    if isinstance(n_splits, int | np.integer):
        kind = kind_of_folds(y, groups)
        if kind is not StratifiedKFold:  # which check_cv takes where y is fit for it
            cv = kind(n_splits)
    cv = check_cv(cv, y, classifier=True)
    folds = list(cv.split(X, y, groups))
    if not folds:
        raise ValueError("cv yields no folds.")
    n = len(y)
    given = type(cv).__name__.startswith("_")  # wrapped by check_cv
    return "the folds given" if given else repr(cv), [
        (fold_indices(train, n, i), fold_indices(test, n, i))
        for i, (train, test) in enumerate(folds)
    ]


def kind_of_folds(y: ArrayLike, groups: np.ndarray | None) -> type[BaseCrossValidator]:
    """Return the splitter that a whole number of folds means."""
    if np.ndim(y) == 2:
        return MultilabelStratifiedGroupKFold
    return StratifiedKFold if groups is None else StratifiedGroupKFold


def fold_indices(part: ArrayLike, n: int, fold: int) -> np.ndarray:
    """Return one side of a fold as whole-number indices in [0, n)."""
    part = np.asarray(part)
    if part.dtype == bool and part.shape == (n,):
        part = np.flatnonzero(part)
    if part.ndim != 1 or len(part) == 0:
        raise ValueError(
            f"Fold {fold} has an empty training or test side. Use fewer folds; with "
            "groups, at most as many as there are groups."
        )
    if part.dtype.kind not in "iu":
        raise ValueError(f"Fold {fold} must hold sample indices; got {part.dtype}.")
    if part.min() < 0 or part.max() >= n:
        raise ValueError(
            f"Fold {fold} holds sample indices {part.min()} to {part.max()}; y has "
            f"samples 0 to {n - 1}."
        )
    return part


def check_folds(
    y: ArrayLike,
    folds: Iterable[tuple[ArrayLike, ArrayLike]],
    *,
    groups: ArrayLike | None = None,
    on_missing_class: Literal["raise", "warn"] = "raise",
) -> pd.DataFrame:
    """Check that folds give an honest score, and tabulate what they hold.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_labels)
        Class labels, or an indicator matrix; its classes are the numbers of its
        columns.
    folds : iterable of (train, test)
        Sample indices of each fold, such as ``cv.split(X, y, groups)``.
    groups : array-like of shape (n_samples,), default=None
        Group of each sample (micrograph, grid, patient). No group may lie on both
        sides of a fold.
    on_missing_class : {"raise", "warn"}, default="raise"
        What to do where the training side of a fold lacks a class. A test side
        that lacks one always is a warning only.

    Returns
    -------
    DataFrame
        One row for each fold: n_train, n_test; with groups, groups_train and
        groups_test (how many); train_<class> and test_<class> (how many samples).

    Raises
    ------
    ValueError
        If there are no folds, a sample or a group is on both sides of one, a sample is
        in a test side twice, or a class is missing from a training side. The message
        names the fold and the sample, group or class.

    Examples
    --------
    >>> from sklearn.model_selection import GroupKFold, KFold
    >>> from emclassify.model_selection import check_folds
    >>> y = ["full", "empty", "full", "empty", "full", "empty"]
    >>> micrograph = [1, 1, 2, 2, 3, 3]
    >>> folds = GroupKFold(3).split(y, y, micrograph)
    >>> check_folds(y, folds, groups=micrograph)[["n_train", "n_test", "test_full"]]
          n_train  n_test  test_full
    fold
    0           4       2          1
    1           4       2          1
    2           4       2          1
    >>> check_folds(y, KFold(2).split(y), groups=micrograph)
    Traceback (most recent call last):
    ...
    ValueError: Fold 0 has group 2 in both its training and its test side. ...
    """
    if on_missing_class not in ("raise", "warn"):
        raise ValueError(
            f'on_missing_class must be "raise" or "warn"; got {on_missing_class!r}.'
        )
    y = as_target(y)
    check_classification_targets(y)
    groups = check_groups(groups, len(y))
    classes = all_classes(y)
    present = presence(y, classes)
    rows = []
    for fold, sides in enumerate(folds):
        if not hasattr(sides, "__len__") or isinstance(sides, str) or len(sides) != 2:
            raise ValueError(
                f"folds must hold pairs (train, test) of sample indices; fold {fold} "
                f"is {sides!r}."
            )
        train, test = (fold_indices(side, len(y), fold) for side in sides)
        _refuse_leaks(train, test, groups, fold)
        in_train = present[train].sum(axis=0)
        in_test = present[test].sum(axis=0)
        _report_missing(classes, in_train, in_test, fold, on_missing_class)
        row = {"n_train": len(train), "n_test": len(test)}
        if groups is not None:
            row["groups_train"] = len(np.unique(groups[train]))
            row["groups_test"] = len(np.unique(groups[test]))
        row |= {f"train_{c}": n for c, n in zip(classes, in_train, strict=True)}
        row |= {f"test_{c}": n for c, n in zip(classes, in_test, strict=True)}
        rows.append(row)
    if not rows:
        raise ValueError("folds holds no folds; a splitter gives them once only.")
    return pd.DataFrame(rows).rename_axis("fold")


def _refuse_leaks(train, test, groups, fold):
    """Raise if a sample or group is on both sides, or a sample is tested twice."""
    both = np.intersect1d(train, test)
    if len(both):
        raise ValueError(
            f"Fold {fold} has sample {name_some(both)} in both its training and its "
            "test side: its score would be too good."
        )
    if len(np.unique(test)) < len(test):
        raise ValueError(f"Fold {fold} has a sample more than once in its test side.")
    if groups is None:
        return
    shared = np.intersect1d(groups[train], groups[test])
    if len(shared):
        raise ValueError(
            f"Fold {fold} has group {name_some(shared)} in both its training and its "
            "test side. Split by group, for example with "
            "cv=StratifiedGroupKFold(n_splits=5)."
        )


def check_training_sides(
    y: np.ndarray,
    folds: Iterable[tuple[np.ndarray, np.ndarray]],
    groups: np.ndarray | None,
) -> None:
    """Raise if a fold leaks, or lacks a class to train on.

    For folds whose test sides are pooled: what one of them lacks is no matter.
    """
    classes = all_classes(y)
    present = presence(y, classes)
    known = present.any(axis=0)  # no fold can help a label that no sample has
    for fold, (train, test) in enumerate(folds):
        _refuse_leaks(train, test, groups, fold)
        lacking = classes[known & ~present[train].any(axis=0)]
        if len(lacking):
            raise ValueError(
                f"{_untrainable(lacking, fold)} Use fewer or stratified folds."
            )


def _untrainable(lacking, fold):
    """Say what classes a training side lacks."""
    return (
        f"Fold {fold} has no sample of class {name_some(lacking)} in its training "
        "side: no model can learn it there."
    )


def _report_missing(classes, in_train, in_test, fold, on_missing_class):
    """Raise or warn about classes that one side of a fold lacks."""
    lacking = classes[in_train == 0]
    if len(lacking):
        message = _untrainable(lacking, fold)
        if on_missing_class == "raise":
            raise ValueError(
                f"{message} Use fewer or stratified folds, merge or drop the class, "
                'or set on_missing_class="warn".'
            )
        warnings.warn(message, UserWarning, stacklevel=4)
    lacking = classes[in_test == 0]
    if len(lacking):
        warnings.warn(
            f"Fold {fold} has no sample of class {name_some(lacking)} in its test "
            "side: the class has no score in this fold and is left out of its "
            "averages.",
            UserWarning,
            stacklevel=4,
        )
