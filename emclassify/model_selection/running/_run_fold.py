"""One estimator on one fold: the task that runs, on whichever core, by itself."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils.metaestimators import _safe_split

from emclassify._fit_params import cut_to, fit_with
from emclassify._quiet_convergence import quiet_convergence
from emclassify.metrics._targets import OneLabel, SeveralLabels
from emclassify.model_selection.running._predict_groups import with_groups
from emclassify.model_selection.running._scoring import extra_scores
from emclassify.model_selection.running._trainings import tell_curves, tell_trainings
from emclassify.readers._stored_images import holds_paths, is_stored, take_rows


@dataclass
class FoldOutcome:
    """What one estimator did on one fold.

    `predicted` is None where fitting or predicting failed. `error` then says why, and
    else what of the scores failed; `failed_scores` names those of the user. `training`
    is what `tell_trainings` says, `chosen` the parameters that a search took.
    """

    name: str
    fold: int
    predicted: np.ndarray | None = None
    class_scores: np.ndarray | None = None
    score_kind: str | None = None
    fit_time: float = float("nan")
    predict_time: float = float("nan")
    extra_scores: dict[str, float] = field(default_factory=dict)
    failed_scores: list[str] = field(default_factory=list)
    training: dict[str, int] | None = None
    chosen: dict[str, Any] | None = None
    curves: list[dict[str, list[float]]] = field(default_factory=list)
    fitted: Any = None
    error: str | None = None


def run_fold(
    name: str,
    estimator: BaseEstimator,
    fold: int,
    X: ArrayLike,
    y: np.ndarray,
    target: OneLabel | SeveralLabels,
    train: np.ndarray,
    test: np.ndarray,
    *,
    settings: Mapping[str, Any],
    fit_params: Mapping[str, Any],
) -> FoldOutcome:
    """Fit a clone on the training side, predict the test side, time both.

    Unless ``settings["error_score"]`` is "raise", what fails is a warning: a fit or a
    prediction leaves nothing, a score only itself.
    """
    keep_going = settings["error_score"] != "raise"
    outcome = FoldOutcome(name, fold)
    params_test = cut_to(fit_params, test, len(y))
    try:
        estimator = clone(estimator)
        params = cut_to(fit_params, train, len(y))
        X_train, y_train = split_rows(estimator, X, y, train)
        X_test, y_test = split_rows(estimator, X, y, test, train)
        start = time.perf_counter()
        with quiet_convergence():
            fit_with(estimator, X_train, y_train, params)
        fitted = time.perf_counter()
        model = with_groups(estimator, params_test)
        predicted = model.predict(X_test)
        outcome.predict_time = time.perf_counter() - fitted
        outcome.fit_time = fitted - start
        outcome.training = tell_trainings(estimator)
        outcome.curves = tell_curves(estimator)
        outcome.chosen = _plain(getattr(estimator, "best_params_", None))
        outcome.predicted = target.encode(predicted, name)
    except Exception as error:
        _annotate(error, name, fold)
        if not keep_going:
            raise
        outcome.error = f"{type(error).__name__}: {error}"
        _warn(
            f"Estimator {name!r} failed in fold {fold} and has no score there: "
            f"{outcome.error}"
        )
        return outcome
    errors = {}
    try:
        outcome.class_scores, outcome.score_kind = target.class_scores(model, X_test)
    except Exception as error:
        _annotate(error, name, fold)
        if not keep_going:
            raise
        errors["class scores"] = f"{type(error).__name__}: {error}"
        _warn(
            f"Estimator {name!r} gives no class scores in fold {fold}, only "
            f"predictions: {errors['class scores']}"
        )
    try:
        outcome.extra_scores, failed = extra_scores(
            model,
            X_test,
            y_test,
            settings["scoring"],
            params_test,
            keep_going=keep_going,
        )
    except Exception as error:
        _annotate(error, name, fold)
        raise
    for score, message in failed.items():
        _warn(
            f"Score {score!r} of estimator {name!r} failed in fold {fold} and is NaN "
            f"there: {message}"
        )
    outcome.failed_scores = list(failed)
    errors |= failed
    if errors:
        outcome.error = "; ".join(f"{what}: {why}" for what, why in errors.items())
    if settings["return_estimators"]:
        outcome.fitted = estimator
    return outcome


def split_rows(
    estimator: BaseEstimator,
    X: ArrayLike,
    y: np.ndarray,
    rows: np.ndarray,
    train: np.ndarray | None = None,
) -> tuple[ArrayLike, np.ndarray]:
    """Return the rows of X and y; those of a kernel in the columns of `train`."""
    if is_stored(X) and not holds_paths(X):
        return take_rows(X, rows), y[rows]
    return _safe_split(estimator, X, y, rows, train)


def _plain(params):
    """Return parameters as JSON has them: what is no number is text."""
    if not isinstance(params, dict):
        return None
    plain = {}
    for name, value in params.items():
        value = value.item() if isinstance(value, np.generic) else value
        known = value is None or isinstance(value, bool | int | float | str)
        plain[name] = value if known else repr(value)
    return plain


def _annotate(error, name, fold):
    error.add_note(f"This came from estimator {name!r} in fold {fold}.")


def _warn(message):
    warnings.warn(message, UserWarning, stacklevel=3)
