"""What averaging the trainings of an ensemble gains."""

import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import check_scoring

from emclassify._typing import Estimator, ImagesLike, ScoringLike

__all__ = ["ensemble_gain"]


class _Said(ClassifierMixin, BaseEstimator):
    """A classifier that says what was said before, for scorers."""

    def __init__(self, classes_, probabilities):
        self.classes_ = classes_
        self.probabilities = probabilities

    def predict_proba(self, X):
        return self.probabilities

    def predict(self, X):
        return self.classes_[self.probabilities.argmax(axis=1)]


def ensemble_gain(
    ensemble: Estimator,
    X: ImagesLike,
    y: ArrayLike,
    *,
    scoring: ScoringLike = ("accuracy", "neg_log_loss"),
) -> pd.DataFrame:
    """Score each training of an ensemble by itself, and their average.

    The spread between members is what a single training leaves to chance; the gain is
    what averaging adds to the mean of the members.

    Parameters
    ----------
    ensemble : SeedEnsembleClassifier
        Fitted; or another classifier with a method ``member_probabilities``.
    X : array-like of n_samples images or feature rows
        Samples that it was not trained on.
    y : array-like of shape (n_samples,)
        True labels.
    scoring : str, callable, list, tuple or dict, default=("accuracy", "neg_log_loss")
        In any form that :func:`~sklearn.model_selection.cross_validate` takes. The
        scores are found from the probabilities, so each member predicts once.

    Returns
    -------
    DataFrame
        One column for each score. Rows 0, 1, ... are the members, in the order of
        ``estimators_``; then "mean" and "sd" (ddof=1) over the members, "ensemble",
        the score of the averaged probabilities, and "gain", ensemble minus mean. Above
        0 is better, as all scores of scikit-learn are.

    See Also
    --------
    emclassify.classifiers.SeedEnsembleClassifier : The average of several trainings.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from emclassify import SeedEnsembleClassifier
    >>> from emclassify.model_selection import ensemble_gain
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 5))
    >>> y = np.where(X[:, 0] + rng.normal(size=400) > 0, "on", "off")
    >>> tree = DecisionTreeClassifier(max_features=1)
    >>> trees = SeedEnsembleClassifier(tree, random_state=0).fit(X[:200], y[:200])
    >>> table = ensemble_gain(trees, X[200:], y[200:], scoring="accuracy")
    >>> table.index.tolist()
    [0, 1, 2, 3, 4, 'mean', 'sd', 'ensemble', 'gain']
    >>> bool(table.loc["gain", "accuracy"] > 0)
    True
    """
    if not hasattr(ensemble, "member_probabilities"):
        raise TypeError(
            "ensemble must be a SeedEnsembleClassifier, or have a method "
            f"member_probabilities; got {type(ensemble).__name__}."
        )
    if isinstance(scoring, str) or callable(scoring):
        scoring = {scoring if isinstance(scoring, str) else "score": scoring}
    scorer = check_scoring(ensemble, scoring=scoring)
    said = ensemble.member_probabilities(X)
    of_members = [scorer(_Said(ensemble.classes_, p), X, y) for p in said]
    table = pd.DataFrame(of_members, dtype=float)
    of_all = scorer(_Said(ensemble.classes_, said.mean(axis=0)), X, y)
    together = pd.Series(of_all, dtype=float)
    mean = table.mean()
    summary = {
        "mean": mean,
        "sd": table.std(ddof=1),
        "ensemble": together,
        "gain": together - mean,
    }
    members = table.set_axis(table.index.astype(object))
    return pd.concat([members, pd.DataFrame(summary).T])
