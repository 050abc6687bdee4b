"""How long the networks of a benchmark will take, and fewer epochs where it's too long.

A few batches of each are measured beforehand. The rest is quick next to them.
"""

import math
import operator
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils.parallel import Parallel, delayed

from emclassify._fit_params import cut_to, fit_with
from emclassify._quiet_convergence import quiet_convergence
from emclassify.model_selection.benchmark._nested import nested_estimators
from emclassify.model_selection.benchmark._tuning import (
    change_epochs,
    grid_epochs,
    without_auto,
)
from emclassify.model_selection.running._run_fold import split_rows

__all__ = [
    "TimeEstimate",
    "auto_length",
    "estimate_time",
    "search_without_auto",
    "shorten",
    "training_size",
]

# Batches that are measured, and epochs over them.
_BATCHES, _EPOCHS = 2, 2
# Images of each class in them, as far as there are.
_OF_A_CLASS = 10
# Of searches in scikit-learn: parameters that say what is tried.
_GRIDS = ("param_grid", "param_distributions")
# Images seen in all folds that are not worth it.
_FEW = 2000


@dataclass
class TimeEstimate:
    """What a benchmark will take.

    Attributes
    ----------
    seconds : float
        By the clock, for all folds of all networks.
    epochs : dict of str to dict of str to int
        Of each model that was measured, by the name of the parameter.
    unknown : list of str
        Models with networks that could not be measured.
    of_models : dict of str to float
        Seconds of all trainings of a model, one after the other.
    """

    seconds: float = 0.0
    epochs: dict[str, dict[str, int]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    of_models: dict[str, float] = field(default_factory=dict)

    def after(self, cut: Mapping[str, tuple[int, int]]) -> float:
        """Return the seconds that are left after a cut, as `shorten` returns it."""
        left = sum(
            seconds * cut[name][1] / cut[name][0] if name in cut else seconds
            for name, seconds in self.of_models.items()
        )
        return self.seconds * left / max(sum(self.of_models.values()), 1e-9)

    def __str__(self) -> str:
        text = f"The networks will take about {in_words(self.seconds)} on this machine."
        if self.unknown:
            text += f" Not known: {', '.join(self.unknown)}."
        return text


def in_words(seconds: float) -> str:
    """Return "40 s", "39 min" or "2.5 h"."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def training_size(
    y: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]]
) -> tuple[int, int]:
    """Return samples of a training side; and classes, or labels and one more."""
    n_train = round(np.mean([len(train) for train, _ in folds]))
    return n_train, y.shape[1] + 1 if y.ndim == 2 else len(np.unique(y))


def estimate_time(
    estimators: Mapping[str, BaseEstimator],
    X: ArrayLike,
    y: np.ndarray,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    fit_params: Mapping[str, Mapping[str, Any]],
    n_jobs: int | None,
    costs: Callable[[str, int], float] | None = None,
) -> TimeEstimate:
    """Train each network on a few batches, and say what all folds will take.

    Parameters
    ----------
    estimators : dict of str to estimator
        Unfitted; any that have no network in them are passed over.
    X, y, folds, fit_params, n_jobs
        Of the benchmark.
    costs : callable, default=None
        ``costs(name, n_epochs)`` is how many times as long a model takes as one
        training of so many epochs.
    """
    estimate = TimeEstimate()
    n_train, n_outputs = training_size(y, folds)
    longest = 0.0
    for name, estimator in estimators.items():
        networks = _networks(estimator)
        if not networks:
            continue
        lengths = {
            prefix: network.training_length(n_train, n_outputs)
            for prefix, network in networks.items()
        }
        epochs = {f"{p}max_epochs": length[0] for p, length in lengths.items()}
        # A search tries its own.
        searched = _searched_epochs(estimator)
        n_epochs = np.mean(searched) if searched else max(epochs.values())
        if _has_own_epochs(estimator):
            estimate.unknown.append(name)
            continue
        cost = 1 if costs is None else costs(name, n_epochs)
        if len(folds) * n_train * n_epochs * cost < _FEW:
            continue
        n = min(n_train, _BATCHES * max(batch for _, batch in lengths.values()))
        rows = _some_of_each(y, folds[0][0], n)
        try:
            # In a worker it has a worker's share of the cores.
            (an_epoch,) = Parallel(n_jobs=n_jobs)(
                [delayed(_measure)(estimator, epochs, X, y, rows, fit_params[name])]
            )
        except Exception:  # it will fail in the folds, or it wants more samples
            estimate.unknown.append(name)
            continue
        estimate.epochs[name] = epochs
        an_epoch *= n_train / len(rows)
        a_fit = an_epoch * n_epochs * cost
        longest = max(longest, a_fit)
        estimate.of_models[name] = len(folds) * a_fit
    total = sum(estimate.of_models.values())
    at_a_time = min(effective_n_jobs(n_jobs), len(folds) * len(estimate.of_models) or 1)
    estimate.seconds = max(total / at_a_time, longest)
    return estimate


def shorten(
    estimators: Mapping[str, BaseEstimator], estimate: TimeEstimate, time_limit: float
) -> tuple[dict[str, BaseEstimator], dict[str, tuple[int, int]]]:
    """Return the models with as many epochs as the limit allows, and what was cut.

    Parameters
    ----------
    estimators : dict of str to estimator
    estimate : TimeEstimate
        Of these.
    time_limit : float
        Seconds.

    Returns
    -------
    estimators : dict of str to estimator
        Clones where something was cut.
    cut : dict of str to (int, int)
        Epochs that each was to have, and has; of the longest network in it.
    """
    if estimate.seconds <= time_limit:
        return dict(estimators), {}
    share = time_limit / estimate.seconds
    shorter, cut = dict(estimators), {}
    for name, epochs in estimate.epochs.items():
        was = max(*epochs.values(), *_searched_epochs(estimators[name]), 1)
        now = max(1, math.floor(share * was))
        if now < was:
            fewer = {key: max(1, math.floor(share * n)) for key, n in epochs.items()}
            model = clone(estimators[name])
            # No lambda: a model may be pickled.
            grids = _with_grids(model, partial(operator.mul, share))
            shorter[name] = model.set_params(**fewer, **grids)
            cut[name] = was, now
    return shorter, cut


def _networks(estimator):
    """Return the networks in an unfitted model, by the prefix of their parameters."""
    return {
        prefix: part
        for prefix, part in nested_estimators(estimator).items()
        if hasattr(part, "training_length")
    }


def auto_length(
    estimator: BaseEstimator, n_train: int, n_outputs: int
) -> Callable[[str], int | str]:
    """Return what says how long "auto" is for a network in a model, by its prefix."""

    def length(prefix):
        network = nested_estimators(estimator).get(prefix)
        if not hasattr(network, "training_length"):
            return "auto"
        network = clone(network).set_params(max_epochs="auto")
        return network.training_length(n_train, n_outputs)[0]

    return length


def search_without_auto(
    estimator: BaseEstimator, n_train: int, n_outputs: int
) -> BaseEstimator:
    """Return a model whose searches try numbers of epochs where they tried "auto"."""
    length = auto_length(estimator, n_train, n_outputs)
    grids = {}
    for name, grid in _searches(estimator).items():
        within = f"{name.rpartition('param_')[0]}estimator__"
        new = without_auto(grid, lambda prefix, w=within: length(w + prefix))
        if grid_epochs(new) != grid_epochs(grid):
            grids[name] = new
    return clone(estimator).set_params(**grids) if grids else estimator


def _searches(estimator):
    """Return the grids of searches in a model, by the name of their parameter."""
    return {
        f"{prefix}{name}": getattr(part, name)
        for prefix, part in nested_estimators(estimator).items()
        if isinstance(part, BaseSearchCV)
        for name in _GRIDS
        if hasattr(part, name)
    }


def _has_own_epochs(estimator):
    """Whether a search in a model sets epochs by other means than by a grid."""
    return any(
        isinstance(part, BaseSearchCV)
        and (
            not any(hasattr(part, name) for name in _GRIDS)
            or str(getattr(part, "resource", "")).endswith("max_epochs")
        )
        for part in nested_estimators(estimator).values()
    )


def _searched_epochs(estimator):
    """Return the numbers of epochs that searches in a model try."""
    return [n for grid in _searches(estimator).values() for n in grid_epochs(grid)]


def _with_grids(estimator, change):
    """Return the grids of searches in a model with other numbers of epochs."""
    return {
        name: change_epochs(grid, change) for name, grid in _searches(estimator).items()
    }


def _some_of_each(y, train, n):
    """Return n of the rows to train on, with all classes in about their shares.

    There are more, where that takes ten of each: samplers want neighbours.
    """
    rows = np.random.RandomState(0).permutation(train)
    if y.ndim == 2:
        return rows[:n]
    _, codes, counts = np.unique(y[rows], return_inverse=True, return_counts=True)
    rank = np.empty(len(rows))
    for code, count in enumerate(counts):
        rank[codes == code] = np.arange(count) / count
        rank[np.flatnonzero(codes == code)[:_OF_A_CLASS]] = -1
    n = max(n, np.count_nonzero(rank < 0))
    return rows[np.argsort(rank, kind="stable")[:n]]


def _measure(estimator, epochs, X, y, rows, fit_params):
    """Return the seconds of an epoch over some rows, without what a fit begins with."""
    params = cut_to(fit_params, rows, len(y))
    X, y = split_rows(estimator, X, y, rows)
    seconds = []
    with warnings.catch_warnings(), quiet_convergence():
        warnings.simplefilter("ignore")
        for n_epochs in (1, 1, 1 + _EPOCHS):  # the first warms up
            model = clone(estimator)
            model.set_params(
                **dict.fromkeys(epochs, n_epochs),
                **_with_grids(model, lambda _, n=n_epochs: n),
            )
            start = time.perf_counter()
            fit_with(model, X, y, params)
            seconds.append(time.perf_counter() - start)
    _, once, more = seconds
    # The first may have been slowed down by something else; not by that much.
    return max((more - once) / _EPOCHS, more / (1 + _EPOCHS) / 2)
