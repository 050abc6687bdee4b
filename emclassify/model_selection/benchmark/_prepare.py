"""Models of a benchmark made ready: cut to a limit of time, and tuning themselves."""

import json
import operator
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection._search import BaseSearchCV

from emclassify._fit_params import add_groups
from emclassify._typing import ImagesLike
from emclassify._whole_file import whole_file
from emclassify.model_selection.benchmark._fold_cache import FoldCache
from emclassify.model_selection.benchmark._time_limit import (
    TimeEstimate,
    auto_length,
    estimate_time,
    in_words,
    search_without_auto,
    shorten,
    training_size,
)
from emclassify.model_selection.benchmark._tuning import (
    Grid,
    change_epochs,
    grid_epochs,
    inner_folds,
    tuned,
    tuning_cost,
    tuning_grid,
    without_auto,
)

__all__ = ["prepare_models"]


def prepare_models(
    estimators: dict[str, BaseEstimator],
    X: ImagesLike,
    y: np.ndarray,
    groups: np.ndarray | None,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    fit_params: Mapping[str, Mapping[str, Any]],
    n_jobs: int | None,
    verbose: int,
    time_limit: float | None,
    tune: bool | Mapping[str, Grid] | None,
    cache: FoldCache | None,
) -> tuple[dict[str, BaseEstimator], dict[str, tuple[int, int]]]:
    """Return models cut to the limit of time that tune themselves, and what was cut."""
    n_train, n_outputs = training_size(y, folds)

    def grid(name):
        if not tune or isinstance(estimators[name], BaseSearchCV):
            return []
        if isinstance(tune, Mapping):
            return tune.get(name, [])
        return tuning_grid(estimators[name], n_train, n_outputs)

    def counted_grid(name):
        length = auto_length(estimators[name], n_train, n_outputs)
        return without_auto(grid(name), length)

    cut = {}
    if verbose or time_limit is not None:
        counted = {
            name: search_without_auto(estimator, n_train, n_outputs)
            for name, estimator in estimators.items()
        }
        params = {
            name: add_groups(fit_params[name], estimator, groups)
            for name, estimator in estimators.items()
        }
        kept = cache and cache.estimate_path(estimators, folds, fit_params, tune)
        if kept and kept.exists():
            estimate = TimeEstimate(**json.loads(kept.read_text("utf-8")))
        else:
            estimate = estimate_time(
                counted,
                X,
                y,
                folds,
                params,
                n_jobs,
                costs=lambda name, n_epochs: tuning_cost(counted_grid(name), n_epochs),
            )
            if kept:
                with whole_file(kept) as file:
                    file.write(json.dumps(asdict(estimate), default=float).encode())
        if verbose and (estimate.unknown or estimate.seconds > 60):
            print(estimate, file=sys.stderr)
        if time_limit is not None:
            shorter, cut = shorten(counted, estimate, time_limit)
            estimators = {
                name: shorter[name] if name in cut else estimator
                for name, estimator in estimators.items()
            }
    grids = {name: grid(name) for name in estimators}
    if time_limit is not None:
        share = time_limit / max(estimate.seconds, time_limit)
        for name in estimate.epochs if isinstance(tune, Mapping) and share < 1 else ():
            whole = counted_grid(name)
            if tried := grid_epochs(whole):
                grids[name] = change_epochs(whole, partial(operator.mul, share))
                cut[name] = max(tried), max(grid_epochs(grids[name]))
        _warn_of_cut(cut, estimate, time_limit)
    n_folds = inner_folds(y, groups, folds)
    if n_folds < 2 and any(grids.values()):
        unit = "samples" if groups is None else "groups"
        warnings.warn(
            f"tune: a training side has fewer than two {unit} of the rarest class. "
            "Models are not tuned.",
            UserWarning,
            stacklevel=3,
        )
        grids = {name: [] for name in grids}
    return {
        name: tuned(estimator, grids[name], y, groups is not None, n_folds)
        for name, estimator in estimators.items()
    }, cut


def _warn_of_cut(cut, estimate, time_limit):
    """Say which networks have fewer epochs than they were to have, and who hasn't."""
    if estimate.unknown:
        warnings.warn(
            f"time_limit: {', '.join(estimate.unknown)} could not be trained on a few "
            "images, or a search sets its epochs otherwise than by a grid, so how long "
            "it takes is not known. It is not cut.",
            UserWarning,
            stacklevel=4,
        )
    left = estimate.after(cut)
    if left > time_limit * 1.01:
        warnings.warn(
            f"The networks can't keep the limit of {in_words(time_limit)}: with epochs "
            f"as few as can be they take about {in_words(left)}.",
            UserWarning,
            stacklevel=4,
        )
    if cut:
        fewer = "; ".join(f"{name}, {now} of {was}" for name, (was, now) in cut.items())
        warnings.warn(
            f"The networks would take about {in_words(estimate.seconds)}. For the "
            f"limit of {in_words(time_limit)} they get fewer epochs: {fewer}.",
            UserWarning,
            stacklevel=4,
        )
