"""Models with inputs of their own on the same folds; every fit is kept.

A fit that is in the folder isn't made again, so a study that was stopped goes on.
Inputs are prepared once, not in each fit, and networks train one after the other while
other models share the cores.
"""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from emclassify import benchmark_classifiers
from emclassify.model_selection.benchmark._result import BenchmarkResult

__all__ = ["KINDS", "Model", "compare", "say"]

KINDS = ("all", "networks", "others")
_START = time.perf_counter()


@dataclass(frozen=True)
class Model:
    """A model, the name of what it takes for X, and arguments of its fit."""

    estimator: BaseEstimator
    input: str = "images"
    fit_params: Mapping[str, Any] | None = None


def say(text: str) -> None:
    """Print a line with the minutes since the start."""
    print(f"[{(time.perf_counter() - _START) / 60:5.1f} min] {text}", flush=True)


def compare(
    models: Mapping[str, Model],
    inputs: Mapping[str, Any],
    y: np.ndarray,
    folds: list[tuple[np.ndarray, np.ndarray]],
    folder: Path,
    *,
    groups: np.ndarray | None = None,
    device: str = "auto",
    kinds: str = "all",
    n_jobs: int | None = None,
    random_state: int = 0,
    scoring: Any = None,
) -> BenchmarkResult | None:
    """Return the benchmark of all models, or None if only one kind was to be run.

    Parameters
    ----------
    models : dict of str to Model
    inputs : dict of str to array-like
        X by the names that the models have for it; all of the same samples.
    y : ndarray of shape (n,)
    folds : list of (train, test)
    folder : Path
        Where fits are kept, in ``fits``.
    groups : ndarray of shape (n,), default=None
        None: folds may tear them.
    device : str, default="auto"
        Of the networks.
    kinds : {"all", "networks", "others"}, default="all"
        Which fits to make. "networks" and "others" can run side by side, as two
        processes; "all" then finds what both have left.
    n_jobs : int, default=None
        Fits of other models at a time.
    random_state : int, default=0
        Of the bootstrap.
    scoring : as `benchmark_classifiers` takes it, default=None

    Returns
    -------
    BenchmarkResult or None
    """
    shared = {
        "y": y,
        "groups": groups,
        "scoring": scoring,
        "random_state": random_state,
        "audit": False,
        "cache_dir": folder / "fits",
    }
    placed = {name: on_device(m.estimator, device) for name, m in models.items()}
    networks = {name for name in models if device_names(placed[name])}
    if kinds != "networks":
        _run_others(
            models, placed, set(models) - networks, inputs, folds, shared, n_jobs
        )
    if kinds != "others":
        _run_networks(models, placed, networks, inputs, folds, shared)
    if kinds != "all":
        return None
    results = [
        benchmark_classifiers(
            {name: placed[name]},
            inputs[model.input],
            cv=folds,
            fit_params={name: model.fit_params or {}},
            **shared,
        )
        for name, model in models.items()
    ]
    return _merged(results, networks)


def device_names(estimator: BaseEstimator) -> list[str]:
    """Return the parameters that say where networks train; none, if there are none."""
    return [
        name
        for name in estimator.get_params()
        if name == "device" or name.endswith("__device")
    ]


def on_device(estimator: BaseEstimator, device: str) -> BaseEstimator:
    """Return the estimator with its networks on a device."""
    return estimator.set_params(**dict.fromkeys(device_names(estimator), device))


def _run_others(models, placed, names, inputs, folds, shared, n_jobs):
    """Fit what is no network, all folds of one input side by side."""
    for which in sorted({models[name].input for name in names}):
        chosen = [n for n in models if n in names and models[n].input == which]
        start = time.perf_counter()
        say(f"{', '.join(chosen)}: {len(folds)} folds each")
        benchmark_classifiers(
            {name: placed[name] for name in chosen},
            inputs[which],
            cv=folds,
            fit_params={name: models[name].fit_params or {} for name in chosen},
            n_jobs=n_jobs,
            **shared,
        )
        say(f"{', '.join(chosen)}: {time.perf_counter() - start:.0f} s")


def _run_networks(models, placed, names, inputs, folds, shared):
    """Fit networks, fold by fold, and say how each one did."""
    for name in (name for name in models if name in names):
        for k, fold in enumerate(folds, start=1):
            start = time.perf_counter()
            with warnings.catch_warnings():
                # In the line instead.
                warnings.simplefilter("ignore", ConvergenceWarning)
                result = benchmark_classifiers(
                    {name: placed[name]},
                    inputs[models[name].input],
                    cv=[fold],
                    fit_params={name: models[name].fit_params or {}},
                    **shared,
                )
            row = result.to_frame().iloc[0]
            unfinished = any(t.still_learning for t in result.trainings.values())
            learning = ", still learning" if unfinished else ""
            say(
                f"{name}, fold {k} of {len(folds)}: macro F1 {row['F1_macro']:.3f}, "
                f"fit {row['fit_time']:.1f} s, "
                f"this time {time.perf_counter() - start:.1f} s{learning}"
            )


def _merged(results, networks):
    """Return one result of benchmarks on the same folds."""
    first = results[0]
    outcomes = {k: runs for r in results for k, runs in r._outcomes.items()}
    settings = dict(first.settings)
    settings["seconds"] = sum(
        run.fit_time + run.predict_time for runs in outcomes.values() for run in runs
    )
    settings["networks"] = sorted(networks)
    return BenchmarkResult(
        estimators={k: e for r in results for k, e in r.estimators.items()},
        X=first.X,
        y=first.y,
        target=first.target,
        groups=first.groups,
        folds=first.folds,
        repeats=first.repeats,
        fold_table=first.fold_table,
        audit=None,
        outcomes=outcomes,
        settings=settings,
    )
