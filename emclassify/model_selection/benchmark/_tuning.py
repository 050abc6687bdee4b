"""A small search for each model of a benchmark, within training sides."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.model_selection._search import BaseSearchCV

from emclassify.model_selection.benchmark._nested import nested_estimators
from emclassify.model_selection.splits._multilabel_split import (
    MultilabelStratifiedGroupKFold,
)

__all__ = [
    "FewerEpochs",
    "change_epochs",
    "check_tune",
    "grid_epochs",
    "inner_folds",
    "tuned",
    "tuning_cost",
    "tuning_grid",
    "without_auto",
]

_N_FOLDS = 3
# Of a distribution, to know about how many epochs it tries.
_N_DRAWS = 100
_SCORE = "f1_macro"

Grid = Mapping[str, Any] | list[Mapping[str, Any]]


def check_tune(
    tune: bool | Mapping[str, Grid] | None, estimators: Mapping[str, BaseEstimator]
) -> None:
    """Raise unless `tune` is True, False, None or a grid by the name of a model."""
    if tune is None or isinstance(tune, bool | np.bool_):
        return
    if not isinstance(tune, Mapping):
        raise ValueError(
            "tune must be True, or {model name: grid as GridSearchCV takes it}; got "
            f"{tune!r:.80}."
        )
    for name, grid in tune.items():
        if name not in estimators:
            raise ValueError(
                f"tune names {name!r}, which is not among the estimators "
                f"{list(estimators)}."
            )
        try:
            keys = {key for candidate in ParameterGrid(grid) for key in candidate}
        except (TypeError, ValueError) as error:
            error.add_note(f"This came from tune[{name!r}].")
            raise
        unknown = sorted(keys - set(estimators[name].get_params(deep=True)))
        if unknown:
            raise ValueError(
                f"tune[{name!r}] has {unknown[0]!r}, which is no parameter of "
                f"{estimators[name]!r:.80}; get_params() names them."
            )


def tuning_grid(
    estimator: BaseEstimator, n_train: int, n_outputs: int
) -> list[dict[str, Any]]:
    """Return what is tried for a model by default: itself, and one change at a time.

    Parameters
    ----------
    estimator : estimator
        Unfitted, with networks (rate and length) or machines with C and gamma at any
        depth.
    n_train : int
        Samples of a training side.
    n_outputs : int
        Classes; with several labels a sample, one more than labels.

    Returns
    -------
    list of dict
        As GridSearchCV takes it; empty if nothing is known to tune.
    """
    changes = list(_changes(estimator, n_train, n_outputs))
    if not changes:
        return []
    # Itself, by a parameter at the value that it has.
    name = next(iter(changes[0]))
    return [{name: [estimator.get_params(deep=True)[name]]}, *changes]


def tuning_cost(grid: Grid, n_epochs: int) -> float:
    """Return how many times as long a tuned model trains as one that isn't.

    Parameters
    ----------
    grid : dict or list of dict
        What is tried; empty for a model that isn't tuned.
    n_epochs : int
        Of the model as it is.
    """
    if not grid:
        return 1.0
    lengths = []
    for candidate in ParameterGrid(grid):
        own = [
            value / n_epochs
            for name, value in candidate.items()
            if name.rpartition("__")[2] == "max_epochs" and isinstance(value, Real)
        ]
        lengths.append(max(own, default=1.0))
    return (_N_FOLDS - 1) * sum(lengths) + max(lengths)


def inner_folds(
    y: np.ndarray,
    groups: np.ndarray | None,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
) -> int:
    """Return in how many folds all training sides can be cut with all classes in each.

    At most three; and no more than groups (samples, without groups) have the rarest
    class of any training side.
    """
    groups = np.arange(len(y)) if groups is None else np.asarray(groups)
    fewest = _N_FOLDS
    for train, _ in folds:
        have = [np.ones(len(train), dtype=bool)]
        if y.ndim == 1:
            have += [y[train] == label for label in np.unique(y[train])]
        fewest = min(fewest, *(len(np.unique(groups[train][has])) for has in have))
    return fewest


@dataclass
class FewerEpochs:
    """A distribution of epochs of which each draw is changed.

    Parameters
    ----------
    distribution : object
        With a method `rvs`, as RandomizedSearchCV takes it.
    change : callable
        As for `change_epochs`.
    """

    distribution: Any
    change: Callable[[float], float]

    def rvs(self, *args: Any, **kwargs: Any) -> int:
        """Draw a number of epochs."""
        return max(1, int(self.change(self.distribution.rvs(*args, **kwargs))))


def change_epochs(grid: Grid, change: Callable[[float], float]) -> Grid:
    """Return a grid with other numbers of epochs, whole and at least 1."""

    def changed(values):
        if hasattr(values, "rvs"):
            return FewerEpochs(values, change)
        return [
            max(1, int(change(value))) if isinstance(value, Real) else value
            for value in values
        ]

    return _with_epochs(grid, lambda _, values: changed(values))


def grid_epochs(grid: Grid) -> list[float]:
    """Return the numbers of epochs in a grid; of a distribution, some draws."""
    seen = []

    def look(_, values):
        if hasattr(values, "rvs"):
            values = [values.rvs(random_state=draw) for draw in range(_N_DRAWS)]
        seen.extend(value for value in values if isinstance(value, Real))
        return values

    _with_epochs(grid, look)
    return seen


def without_auto(grid: Grid, length: Callable[[str], int | str]) -> Grid:
    """Return a grid with numbers of epochs in place of "auto".

    Parameters
    ----------
    grid : dict or list of dict
    length : callable
        Returns what "auto" is for the network whose parameters have a prefix.
    """

    def number(name, values):
        if hasattr(values, "rvs"):
            return values
        prefix = name.removesuffix("max_epochs")
        # Of an array of text, too.
        return [
            length(prefix) if isinstance(value, str) and value == "auto" else value
            for value in values
        ]

    return _with_epochs(grid, number)


def _with_epochs(grid: Grid, change: Callable[[str, Any], Any]) -> Grid:
    """Return a grid with other values of all parameters that are epochs."""
    if not isinstance(grid, Mapping):
        return [_with_epochs(part, change) for part in grid]
    return {
        name: change(name, values)
        if name.rpartition("__")[2] == "max_epochs"
        else values
        for name, values in grid.items()
    }


def tuned(
    estimator: BaseEstimator,
    grid: Grid,
    y: np.ndarray,
    has_groups: bool,
    n_folds: int = _N_FOLDS,
) -> BaseEstimator:
    """Return a model that searches a grid when it is fitted.

    Parameters
    ----------
    estimator : estimator
        One that searches already stays as it is.
    grid : dict or list of dict
        What is tried.
    y : ndarray
        Labels, or an indicator matrix.
    has_groups : bool
        Whether the folds of the search keep groups together.
    n_folds : int, default=3
        Of the search.
    """
    if not grid or isinstance(estimator, BaseSearchCV):
        return estimator
    if y.ndim == 2:
        folds = MultilabelStratifiedGroupKFold(n_folds)
    elif has_groups:
        folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
    else:
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    return GridSearchCV(estimator, grid, scoring=_SCORE, cv=folds, error_score="raise")


def _changes(
    estimator: BaseEstimator, n_train: int, n_outputs: int
) -> Iterator[dict[str, list]]:
    """Yield grids of one parameter each, none with the value that it has."""
    for prefix, part in nested_estimators(estimator).items():
        if hasattr(part, "training_length"):
            n_epochs, _ = part.training_length(n_train, n_outputs)
            yield {f"{prefix}lr": [part.lr / 3, part.lr * 3]}
            yield {f"{prefix}max_epochs": [2 * n_epochs]}
            continue
        own = part.get_params(deep=False)
        for name, factor in (("C", 10), ("gamma", 3)):
            value = own.get(name)
            if isinstance(value, Real) and value > 0:
                yield {f"{prefix}{name}": [value / factor, value * factor]}
