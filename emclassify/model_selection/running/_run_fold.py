"""One estimator on one fold: the task that runs, on whichever core, by itself."""

import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.utils.metaestimators import _safe_split

from emclassify._fit_params import cut_to, fit_with
from emclassify.model_selection.running._predict_groups import with_groups


@dataclass
class FoldOutcome:
    """What one estimator did on one fold."""

    name: str
    fold: int
    predicted: np.ndarray | None = None
    class_scores: np.ndarray | None = None
    score_kind: str | None = None
    fit_time: float = float("nan")
    predict_time: float = float("nan")
    extra_scores: dict = field(default_factory=dict)
    fitted: Any = None
    error: str | None = None


def _extra_scores(estimator, X, y, scoring):
    """Return the scores of the user's `scoring` as {name: float}."""
    if scoring is None:
        return {}
    scores = check_scoring(estimator, scoring=scoring)(estimator, X, y)
    if not isinstance(scores, dict):
        scores = {scoring if isinstance(scoring, str) else "score": scores}
    return {name: float(score) for name, score in scores.items()}


def run_fold(name, estimator, fold, X, y, target, train, test, *, settings, fit_params):
    """Fit a clone on the training side, predict the test side, time both."""
    outcome = FoldOutcome(name, fold)
    try:
        estimator = clone(estimator)
        params = cut_to(fit_params, train, len(y))
        X_train, y_train = _safe_split(estimator, X, y, train)
        X_test, y_test = _safe_split(estimator, X, y, test, train)
        start = time.perf_counter()
        fit_with(estimator, X_train, y_train, params)
        fitted = time.perf_counter()
        model = with_groups(estimator, cut_to(fit_params, test, len(y)))
        predicted = model.predict(X_test)
        outcome.predict_time = time.perf_counter() - fitted
        outcome.fit_time = fitted - start
        predicted = target.encode(predicted, name)
        scores, kind = target.class_scores(model, X_test)
        extra = _extra_scores(model, X_test, y_test, settings["scoring"])
    except Exception as error:
        error.add_note(f"This came from estimator {name!r} in fold {fold}.")
        if settings["error_score"] == "raise":
            raise
        outcome.error = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"Estimator {name!r} failed in fold {fold} and has no score there: "
            f"{outcome.error}",
            UserWarning,
            stacklevel=2,
        )
        return outcome
    outcome.predicted = predicted
    outcome.class_scores, outcome.score_kind = scores, kind
    outcome.extra_scores = extra
    if settings["return_estimators"]:
        outcome.fitted = estimator
    return outcome
