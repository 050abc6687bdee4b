"""Which arguments each estimator's fit gets, and their cut to the training side."""

from sklearn import get_config
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _num_samples, has_fit_parameter


def fit_parameter(estimator, name):
    """Return under what name `estimator.fit` takes groups or sample_weight, or None.

    A search takes groups for its inner folds, and hands weights to its estimator. A
    pipeline hands both to its last step, unless a sampler on the way changes the
    samples, which would leave them behind.
    """
    if get_config()["enable_metadata_routing"]:
        routing = get_routing_for_object(estimator)
        return name if routing.consumes("fit", [name]) else None
    if isinstance(estimator, BaseSearchCV):
        return name if name == "groups" else fit_parameter(estimator.estimator, name)
    if has_fit_parameter(estimator, name):
        return name
    steps = getattr(estimator, "steps", None)
    if not isinstance(estimator, _BaseComposition) or not steps:
        return None
    if any(hasattr(step, "fit_resample") for _, step in steps[:-1]):
        return None
    step, last = steps[-1]
    inner = fit_parameter(last, name) if hasattr(last, "fit") else None
    return None if inner is None else f"{step}__{inner}"


def check_fit_params(fit_params, names):
    """Return {name: params} for every estimator, or raise."""
    fit_params = {} if fit_params is None else fit_params
    if not isinstance(fit_params, dict) or not all(
        isinstance(params, dict) for params in fit_params.values()
    ):
        raise TypeError(
            "fit_params must be {estimator name: {fit parameter: value}}; got "
            f"{fit_params!r:.80}."
        )
    unknown = [name for name in fit_params if name not in names]
    if unknown:
        raise ValueError(
            f"fit_params names {unknown[0]!r}, which is not among the estimators "
            f"{list(names)}."
        )
    return {name: dict(fit_params.get(name, {})) for name in names}


def cut_to(params, indices, n_samples):
    """Return `params` with every value of one entry a sample cut to `indices`."""
    cut = {}
    for name, value in params.items():
        try:
            per_sample = not isinstance(value, str) and _num_samples(value) == n_samples
        except TypeError:
            per_sample = False
        cut[name] = _safe_indexing(value, indices) if per_sample else value
    return cut


def takes_pairwise(estimator):
    """Whether X is a kernel or distance matrix between samples."""
    return get_tags(estimator).input_tags.pairwise
