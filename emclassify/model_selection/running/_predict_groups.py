"""Estimators that predict group by group, such as those that look at whole datasets."""

from collections.abc import Mapping
from functools import partial, update_wrapper
from inspect import signature
from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.metaestimators import _BaseComposition

METHODS = ("predict", "predict_proba", "decision_function")


def takes_groups(estimator: Any) -> bool:
    """Whether `estimator.predict` takes groups; a pipeline hands them to its last step.

    With metadata routing, whether they are asked for.
    """
    if get_config()["enable_metadata_routing"]:
        return bool(get_routing_for_object(estimator).consumes("predict", ["groups"]))
    steps = getattr(estimator, "steps", None)
    if isinstance(estimator, _BaseComposition) and steps:
        return takes_groups(steps[-1][1])
    return hasattr(estimator, "predict") and (
        "groups" in signature(estimator.predict).parameters
    )


def with_groups(estimator: Any, fit_params: Mapping[str, Any]) -> Any:
    """Return a fitted estimator that predicts some samples by their groups.

    Parameters
    ----------
    estimator : fitted estimator
        Returned as it is if it had no groups in fit, or takes none in prediction.
    fit_params : dict
        What it got in fit, cut to the samples to predict.
    """
    groups = [
        value
        for name, value in fit_params.items()
        if name.rpartition("__")[2] == "groups" and value is not None
    ]
    if not groups or not takes_groups(estimator):
        return estimator
    return _WithGroups(estimator, groups[0])


class _WithGroups:
    """Hands groups to the methods of prediction; in all else it is the estimator."""

    def __init__(self, estimator, groups):
        self._estimator = estimator
        self._groups = groups

    def __getattr__(self, name):
        attribute = getattr(self._estimator, name)
        if name in METHODS:
            # Under its own name, which scorers ask for.
            return update_wrapper(partial(attribute, groups=self._groups), attribute)
        return attribute
