"""A cross-validation run several times, with new folds and new trainings each."""

import copy
from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from emclassify._typing import CrossValidation, ImagesLike
from emclassify.model_selection.splits._folds import kind_of_folds, make_folds

__all__ = ["check_repeats", "distinct_folds", "new_seeds", "repeat_folds"]

Folds = list[tuple[np.ndarray, np.ndarray]]


def check_repeats(n_repeats: int) -> None:
    """Raise unless `n_repeats` is a whole number of at least 1."""
    if (
        not isinstance(n_repeats, Integral)
        or isinstance(n_repeats, bool)
        or n_repeats < 1
    ):
        raise ValueError(
            f"n_repeats must be a whole number of at least 1; got {n_repeats!r}."
        )


def repeat_folds(
    cv: CrossValidation,
    X: ImagesLike,
    y: ArrayLike,
    groups: np.ndarray | None,
    *,
    n_repeats: int,
    seed: int,
) -> tuple[str, Folds, np.ndarray]:
    """Return the splitter in words, all folds, and the repeat that each belongs to.

    The first repeat has the folds that there are without repeats. Later ones shuffle:
    a whole number means the same kind of splitter, a splitter of chance gets a seed of
    its own. Folds that are given, and splitters without chance, come again as they are.
    """
    words, folds = make_folds(cv, X, y, groups)
    repeats = [0] * len(folds)
    if n_repeats > 1 and not hasattr(cv, "split") and np.iterable(cv):
        cv = folds  # an iterator would be empty now
    for repeat in range(1, n_repeats):
        again = _shuffled(cv, y, groups, seed=_seed(seed, repeat))
        _, more = make_folds(again, X, y, groups)
        folds = [*folds, *more]
        repeats += [repeat] * len(more)
    return words, folds, np.array(repeats)


def _shuffled(cv, y, groups, *, seed):
    """Return the splitter of a later repeat."""
    if cv is None or isinstance(cv, Integral):
        n_splits = 5 if cv is None else int(cv)
        return kind_of_folds(y, groups)(n_splits, shuffle=True, random_state=seed)
    if hasattr(cv, "random_state") and getattr(cv, "shuffle", True):
        cv = copy.deepcopy(cv)
        cv.random_state = seed
    return cv


def new_seeds(estimator: BaseEstimator, repeat: int) -> BaseEstimator:
    """Return an unfitted estimator with the seeds of a repeat, all in it too.

    The first repeat has the seeds as they were given. None stays None: it is another
    one each time.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from emclassify.model_selection.benchmark._repeats import new_seeds
    >>> model = make_pipeline(DecisionTreeClassifier(random_state=0))
    >>> for repeat in (0, 1, 2):
    ...     print(new_seeds(model, repeat)[-1])
    DecisionTreeClassifier(random_state=0)
    DecisionTreeClassifier(random_state=209652396)
    DecisionTreeClassifier(random_state=398764591)
    """
    if repeat == 0:
        return estimator
    estimator = clone(estimator)
    return estimator.set_params(
        **{
            name: _seed(value, repeat)
            for name, value in estimator.get_params(deep=True).items()
            if name.rpartition("__")[2] == "random_state" and value is not None
        }
    )


def _seed(random_state, repeat):
    """Return the whole number that a repeat has in the place of a random state."""
    rng = check_random_state(copy.deepcopy(random_state))
    return int(rng.randint(2**31 - 1, size=repeat)[-1])


def distinct_folds(folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return for each fold the number of the first one with the same two sides."""
    first, numbers = {}, []
    for number, sides in enumerate(folds):
        key = tuple(np.sort(side).tobytes() for side in sides)
        numbers.append(first.setdefault(key, number))
    return np.array(numbers)
