"""The user's scorers: checked before any fit, called on each fold."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import check_scoring
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer
from sklearn.utils.metadata_routing import get_routing_for_object

__all__ = ["NOT_SCORES", "check_scorers", "extra_scores"]

# Columns of a result's table that hold something else.
NOT_SCORES = frozenset(
    ["estimator", "fold", "repeat", "n_train", "n_test"]
    + ["fit_time", "predict_time", "error"]
)
_ONE_SCORE = "score"


def check_scorers(
    estimators: Mapping[str, BaseEstimator],
    scoring: Any,
    X: ArrayLike,
    y: np.ndarray,
    classes: np.ndarray,
    *,
    try_out: bool,
) -> None:
    """Raise if `scoring` can't be what scores these estimators.

    Parameters
    ----------
    estimators : dict of str to estimator
        Unfitted.
    scoring : str, callable, list, tuple, set, dict or None
        Of the user.
    X : array-like
        Handed to the scorers that are tried out.
    y : ndarray of shape (n,) or (n, n_labels)
    classes : ndarray
        Sorted labels, or numbers of columns.
    try_out : bool
        Whether to try scikit-learn's scorers on a stand-in that predicts y itself, and
        raise if one fails: such as "precision" for three classes.

    Raises
    ------
    ValueError
        If there is no such scorer, or a score has a name in `NOT_SCORES`.
    """
    if scoring is None:
        return
    for name, estimator in estimators.items():
        try:
            scorer = check_scoring(estimator, scoring=scoring)
        except (TypeError, ValueError) as error:
            error.add_note(f"This came from scoring, for estimator {name!r}.")
            raise
        scorers = _by_name(scorer, scoring)
        _check_names(scorers)
    if not try_out:
        return
    stand_in = _AlwaysRight(y, classes)
    for score, one in scorers.items():
        if isinstance(one, _BaseScorer):
            _try_out(one, score, stand_in, X, y)


def extra_scores(
    estimator: BaseEstimator,
    X: ArrayLike,
    y: np.ndarray,
    scoring: Any,
    params: Mapping[str, Any],
    *,
    keep_going: bool,
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the scores of the user's `scoring`, and what went wrong with some.

    Parameters
    ----------
    estimator : fitted estimator
    X, y : array-like
        The test side.
    scoring : str, callable, list, tuple, set, dict or None
    params : dict
        What fit got, cut to the test side. With metadata routing, a scorer gets of it
        what it asks for.
    keep_going : bool
        Whether a scorer that fails is NaN alone, or raises.

    Returns
    -------
    scores : dict of str to float
        NaN where a scorer failed. A callable by itself, which may return several
        scores, leaves none.
    errors : dict of str to str
        Of the scorers that failed.
    """
    if scoring is None:
        return {}, {}
    scorer = check_scoring(estimator, scoring=scoring, raise_exc=not keep_going)
    try:
        scores = scorer(estimator, X, y, **_asked_for(scorer, params))
    except Exception as error:
        if not keep_going:
            raise
        (name,) = _by_name(scorer, scoring)
        # Only sklearn's own are known to return one number.
        known = isinstance(scorer, _BaseScorer) or isinstance(scoring, str)
        return {name: np.nan} if known else {}, {name: _in_words(error)}
    if not isinstance(scores, dict):
        scores = {scoring if isinstance(scoring, str) else _ONE_SCORE: scores}
    _check_names(scores)
    return _as_numbers(scores, keep_going)


def _as_numbers(scores, keep_going):
    """Return {name: float}, and the errors where there is no number."""
    numbers, errors = {}, {}
    for name, score in scores.items():
        try:
            numbers[name] = float(score)
        except (TypeError, ValueError) as error:
            if not keep_going:
                error.add_note(f"The scorer {name!r} must return a number.")
                raise
            numbers[name] = np.nan
            # With raise_exc=False, scikit-learn's traceback stands for the score.
            traceback = isinstance(score, str) and score.startswith("Traceback")
            errors[name] = (
                score.rstrip().rpartition("\n")[2] if traceback else _in_words(error)
            )
    return numbers, errors


def _asked_for(scorer, params):
    """Return what a scorer asks for of the arguments of fit."""
    if not params or not get_config()["enable_metadata_routing"]:
        return {}
    asked = get_routing_for_object(scorer).consumes("score", params)
    return {name: params[name] for name in asked}


def _by_name(scorer, scoring):
    """Return {name: scorer}."""
    if isinstance(scorer, _MultimetricScorer):
        return dict(scorer._scorers)
    return {scoring if isinstance(scoring, str) else _ONE_SCORE: scorer}


def _check_names(names):
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"scoring: names must be strings; got {name!r}.")
        if name in NOT_SCORES:
            raise ValueError(
                f"scoring: {name!r} is a column of the result already. Give the score "
                "another name."
            )


def _try_out(scorer, name, stand_in, X, y):
    """Raise if a scorer fails on predictions that are all right."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scorer(stand_in, X, y)
    except Exception as error:
        error.add_note(
            f"This came from the score {name!r}, tried on predictions that are all "
            "right, before any fit."
        )
        raise


def _in_words(error):
    return f"{type(error).__name__}: {error}"


class _AlwaysRight(ClassifierMixin, BaseEstimator):
    """A fitted classifier that predicts y itself, with certainty."""

    def __init__(self, y, classes):
        self.y = y
        self.classes = classes

    @property
    def classes_(self):
        return self.classes

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return self.y

    def predict_proba(self, X):
        if self.y.ndim == 2:
            return self.y.astype(np.float64)
        return (self.y[:, np.newaxis] == self.classes).astype(np.float64)

    def decision_function(self, X):
        proba = self.predict_proba(X)
        if self.y.ndim == 1 and len(self.classes) == 2:
            return 2 * proba[:, 1] - 1
        return 2 * proba - 1
