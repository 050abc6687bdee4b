"""How long the networks of a benchmark will take, and fewer epochs where it's too long.

A few batches of each are measured beforehand. The rest is quick next to them.
"""

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone

from emclassify._fit_params import cut_to, fit_with
from emclassify._quiet_convergence import quiet_convergence
from emclassify.model_selection.benchmark._nested import nested_estimators
from emclassify.model_selection.running._run_fold import split_rows

__all__ = ["TimeEstimate", "estimate_time", "shorten", "training_size"]

# Batches that are measured, and epochs over them.
_BATCHES, _EPOCHS = 2, 2
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
    """

    seconds: float = 0.0
    epochs: dict[str, dict[str, int]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

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
    total = 0.0
    for name, estimator in estimators.items():
        networks = _networks(estimator)
        if not networks:
            continue
        lengths = {
            prefix: network.training_length(n_train, n_outputs)
            for prefix, network in networks.items()
        }
        epochs = {f"{p}max_epochs": length[0] for p, length in lengths.items()}
        if len(folds) * n_train * max(epochs.values()) < _FEW:
            continue
        n = min(n_train, _BATCHES * max(batch for _, batch in lengths.values()))
        rows = _some_of_each(y, folds[0][0], n)
        try:
            an_epoch = _measure(estimator, epochs, X, y, rows, fit_params[name])
        except Exception:  # it will fail in the folds, or it wants more samples
            estimate.unknown.append(name)
            continue
        estimate.epochs[name] = epochs
        an_epoch *= n_train / len(rows)
        n_epochs = max(epochs.values())
        cost = 1 if costs is None else costs(name, n_epochs)
        total += len(folds) * an_epoch * n_epochs * cost
    at_a_time = min(effective_n_jobs(n_jobs), len(folds) * len(estimators))
    estimate.seconds = total / at_a_time
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
        fewer = {key: max(1, math.floor(share * n)) for key, n in epochs.items()}
        if fewer != epochs:
            shorter[name] = clone(estimators[name]).set_params(**fewer)
            cut[name] = max(epochs.values()), max(fewer.values())
    return shorter, cut


def _networks(estimator):
    """Return the networks in an unfitted model, by the prefix of their parameters."""
    return {
        prefix: part
        for prefix, part in nested_estimators(estimator).items()
        if hasattr(part, "training_length")
    }


def _some_of_each(y, train, n):
    """Return n of the rows to train on, with all classes in about their shares."""
    rows = np.random.RandomState(0).permutation(train)
    if y.ndim == 2:
        return rows[:n]
    _, codes, counts = np.unique(y[rows], return_inverse=True, return_counts=True)
    rank = np.empty(len(rows))
    for code, count in enumerate(counts):
        rank[codes == code] = np.arange(count) / count
    return rows[np.argsort(rank, kind="stable")[:n]]


def _measure(estimator, epochs, X, y, rows, fit_params):
    """Return the seconds of an epoch over some rows, without what a fit begins with."""
    params = cut_to(fit_params, rows, len(y))
    X, y = split_rows(estimator, X, y, rows)
    seconds = []
    with warnings.catch_warnings(), quiet_convergence():
        warnings.simplefilter("ignore")
        for n_epochs in (1, 1, 1 + _EPOCHS):  # the first warms up
            model = clone(estimator).set_params(**dict.fromkeys(epochs, n_epochs))
            start = time.perf_counter()
            fit_with(model, X, y, params)
            seconds.append(time.perf_counter() - start)
    _, once, more = seconds
    # The first may have been slowed down by something else; not by that much.
    return max((more - once) / _EPOCHS, more / (1 + _EPOCHS) / 2)
