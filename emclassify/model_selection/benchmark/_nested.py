"""Estimators within an estimator, by the prefix of their parameters."""

from sklearn.base import BaseEstimator

__all__ = ["nested_estimators"]


def nested_estimators(estimator: BaseEstimator) -> dict[str, BaseEstimator]:
    """Return an unfitted estimator and those in it, {prefix: estimator}.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from emclassify.model_selection.benchmark._nested import nested_estimators
    >>> list(nested_estimators(make_pipeline(SVC())))
    ['', 'svc__']
    """
    found = {"": estimator}
    for name, part in estimator.get_params(deep=True).items():
        if hasattr(part, "get_params") and not isinstance(part, type):
            found[f"{name}__"] = part
    return found
