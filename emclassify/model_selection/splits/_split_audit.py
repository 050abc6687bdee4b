"""What a split gives away: copies, groups and classes on the wrong side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import GroupKFold
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _num_samples

from emclassify._groups import check_groups
from emclassify._images import is_sequence_of_images
from emclassify._incoming import plain_images
from emclassify._typing import CrossValidation, ImagesLike
from emclassify._words import name_some
from emclassify.metrics._targets import all_classes, as_target, presence
from emclassify.model_selection.splits._folds import fold_indices, make_folds
from emclassify.model_selection.splits._near_duplicates import (
    find_duplicates,
    sets_of_equal,
)
from emclassify.readers._stored_images import is_stored

if TYPE_CHECKING:
    from emclassify.display import DuplicatePairsDisplay

__all__ = ["SplitAudit", "audit_split"]


def audit_split(
    X: ImagesLike,
    groups: ArrayLike | None = None,
    cv: CrossValidation = 5,
    *,
    y: ArrayLike | None = None,
    threshold: float = 0.9,
    verbose: int = 0,
) -> SplitAudit:
    """Look for what makes a score too good: the same image on both sides of a fold.

    Unlike :func:`check_folds`, which raises at the first fault, this lists all.

    Parameters
    ----------
    X : array-like of n images
        As :func:`find_duplicates` takes them.
    groups : array-like of shape (n,), default=None
        Group of each image (micrograph, grid, patient).
    cv : int, splitter or iterable of (train, test), default=5
        As for :func:`benchmark_classifiers`; a whole number with groups but without
        `y` means GroupKFold.
    y : array-like of shape (n,) or (n, n_labels), default=None
        Class labels, or an indicator matrix, for splitters that ask for them, and to
        see which classes a fold lacks.
    threshold : float, default=0.9
        Least similarity of a pair, see :func:`find_duplicates`.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    SplitAudit

    Raises
    ------
    ValueError
        If images, groups or folds are no good.

    See Also
    --------
    find_duplicates : How images are compared, and what it misses.
    check_folds : The faults of folds as errors, without a look at the images.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import KFold
    >>> from emclassify.model_selection import audit_split
    >>> X = np.random.default_rng(0).normal(size=(8, 24, 24))
    >>> X[7] = np.rot90(X[0])
    >>> audit = audit_split(X, cv=KFold(2))
    >>> print(audit)
    1 pair of images that show the same.
    In 2 of 2 folds, test images have copies in the training side (2 in all).
    >>> audit.pairs[["first", "second", "folds"]]
       first  second folds
    0      0       7  0, 1
    """
    X = plain_images(X)
    # First, because it looks whether X holds images.
    pairs = find_duplicates(X, threshold=threshold, verbose=verbose)
    n = _num_samples(X)
    groups = check_groups(groups, n)
    if isinstance(cv, Integral) and groups is not None and y is None:
        cv = GroupKFold(int(cv))
    if y is not None:
        y = as_target(y)
        check_consistent_length(X, y)
    _, folds = make_folds(cv, X, np.zeros(n) if y is None else y, groups)
    return SplitAudit(X, pairs, folds, groups, y)


def holds_images(X: object) -> bool:
    """Whether X is what `find_duplicates` takes, by its form."""
    X = plain_images(X)
    return is_stored(X) or is_sequence_of_images(X) or getattr(X, "ndim", 0) in (3, 4)


class SplitAudit:
    """What :func:`audit_split` found; made by it, not by hand.

    Attributes
    ----------
    pairs : DataFrame
        As from :func:`find_duplicates`, and: folds (where the two are on different
        sides, "" if nowhere), group_first and group_second with groups.
    folds : DataFrame
        One row a fold: n_train, n_test, copies (test images with a copy in the
        training side), exact_copies (those of equal pixel values), shared_groups
        (groups on both sides), and with `y` missing_train and missing_test (classes
        that a side lacks).
    X : array-like
        The images, as given.
    clean : bool
        Whether no fold has a copy or a group on both sides, and no training side lacks
        a class.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.model_selection import audit_split
    >>> X = np.random.default_rng(0).normal(size=(10, 24, 24))
    >>> audit_split(X, groups=np.arange(10) // 2, cv=5).clean
    True
    """

    def __init__(
        self,
        X: ImagesLike,
        pairs: pd.DataFrame,
        folds: Sequence[tuple[np.ndarray, np.ndarray]],
        groups: np.ndarray | None,
        y: np.ndarray | None,
    ) -> None:
        self.X = X
        self.pairs = pairs.copy()
        both = pairs[["first", "second"]].to_numpy()
        n = _num_samples(X)
        equal = sets_of_equal(both[pairs["exact"].to_numpy(dtype=bool)], n)
        rows, across = [], np.zeros((len(pairs), len(folds)), dtype=bool)
        for fold, (train, test) in enumerate(folds):
            train, test = (fold_indices(side, n, fold) for side in (train, test))
            side = np.zeros(n, dtype=np.int8)
            side[train] |= 1
            side[test] |= 2
            parted = (side[both[:, 0]] | side[both[:, 1]]) == 3
            across[:, fold] = parted & (side[both] > 0).all(axis=1)
            in_train, in_test = (side & 1) > 0, (side & 2) > 0
            others = np.bincount(equal, in_train)[equal] - in_train
            exact_copies = np.flatnonzero(in_test & (others > 0))
            chosen = both[across[:, fold]]
            copies = np.union1d(chosen[in_test[chosen]], exact_copies)
            row = {"n_train": len(train), "n_test": len(test)}
            row |= {"copies": len(copies), "exact_copies": len(exact_copies)}
            if groups is not None:
                shared = np.intersect1d(groups[train], groups[test])
                row["shared_groups"] = len(shared)
            if y is not None:
                classes = all_classes(y)
                present = presence(y, classes)
                row["missing_train"] = name_some(classes[~present[train].any(axis=0)])
                row["missing_test"] = name_some(classes[~present[test].any(axis=0)])
            rows.append(row)
        self.folds = pd.DataFrame(rows).rename_axis("fold")
        self.pairs["folds"] = [", ".join(map(str, np.flatnonzero(a))) for a in across]
        if groups is not None:
            self.pairs["group_first"] = groups[both[:, 0]]
            self.pairs["group_second"] = groups[both[:, 1]]

    @property
    def clean(self) -> bool:
        """Whether nothing was found that makes a score too good."""
        faults = [self.folds["copies"]]
        if "shared_groups" in self.folds:
            faults.append(self.folds["shared_groups"])
        if "missing_train" in self.folds:
            faults.append(self.folds["missing_train"] != "")
        return not any(fault.any() for fault in faults)

    def findings(self) -> list[str]:
        """Return what was found, a list of sentences."""
        n = len(self.pairs)
        said = [f"{n or 'No'} pair{'s' * (n != 1)} of images that show the same."]
        copies = self.folds["copies"]
        if copies.any():
            said.append(
                f"In {(copies > 0).sum()} of {len(copies)} folds, test images have "
                f"copies in the training side ({copies.sum()} in all)."
            )
        if "shared_groups" in self.folds and (shared := self.folds.shared_groups).any():
            said.append(
                f"In {(shared > 0).sum()} of {len(shared)} folds, groups are on both "
                f"sides (up to {shared.max()})."
            )
        for side, name in (("train", "training"), ("test", "test")):
            lacking = self.folds.get(f"missing_{side}", pd.Series(dtype=str))
            said += [
                f"Fold {fold} has no image of class {classes} in its {name} side."
                for fold, classes in lacking.items()
                if classes
            ]
        return said

    def __str__(self):
        return "\n".join(self.findings())

    def __repr__(self):
        state = "clean" if self.clean else "not clean"
        return (
            f"<SplitAudit: {state}, {len(self.pairs)} pairs, {len(self.folds)} folds>"
        )

    def _repr_html_(self) -> str:
        found = "".join(f"<p>{escape(finding)}</p>" for finding in self.findings())
        return found + self.folds.to_html(border=0)

    def plot(
        self, *, n_pairs: int = 8, across_only: bool = False
    ) -> DuplicatePairsDisplay:
        """Draw the most similar pairs, the second turned as the first.

        Parameters
        ----------
        n_pairs : int, default=8
            How many, at most.
        across_only : bool, default=False
            Whether to leave out pairs that no fold parts.

        Returns
        -------
        DuplicatePairsDisplay

        Raises
        ------
        ValueError
            If there are no pairs.
        """
        from emclassify.display import DuplicatePairsDisplay

        pairs = self.pairs[self.pairs["folds"] != ""] if across_only else self.pairs
        return DuplicatePairsDisplay.from_pairs(self.X, pairs, n_pairs=n_pairs)
