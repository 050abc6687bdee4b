"""What fit gets beside X and y: weights and groups, down to whatever takes them."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _num_samples, has_fit_parameter

GROUPS = "groups"


def fit_parameter(estimator: BaseEstimator, name: str) -> str | None:
    """Return under what name `estimator.fit` takes sample_weight or groups, or None.

    A search hands weights to its estimator. A pipeline hands both to its last step,
    unless a sampler on the way changes the samples, which would leave them behind.
    """
    if get_config()["enable_metadata_routing"]:
        return name if _consumes(estimator, name) else None
    if isinstance(estimator, BaseSearchCV):
        return name if name == GROUPS else fit_parameter(estimator.estimator, name)
    if has_fit_parameter(estimator, name):
        return name
    steps = _steps(estimator)
    if not steps or _samplers(steps):
        return None
    step, last = steps[-1]
    inner = fit_parameter(last, name) if hasattr(last, "fit") else None
    return None if inner is None else f"{step}__{inner}"


def why_not_taken(estimator: BaseEstimator, name: str) -> str:
    """Say why `estimator.fit` can't be given sample_weight or groups."""
    kind = type(estimator).__name__
    if get_config()["enable_metadata_routing"]:
        for part in _inner(estimator):
            if hasattr(part, "set_fit_request") and has_fit_parameter(part, name):
                return (
                    f"metadata routing is on, and {kind} does not ask for it; call "
                    f"{type(part).__name__}.set_fit_request({name}=True)"
                )
    return f"{kind}.fit takes none"


def add_groups(
    params: dict[str, Any], estimator: BaseEstimator, groups: ArrayLike | None
) -> dict[str, Any]:
    """Return `params` of `fit_with` with groups, if anything in `estimator` takes them.

    Groups that are there already, under whatever name, stay as they are.
    """
    given = any(name.rpartition("__")[2] == GROUPS for name in params)
    if groups is None or given or not _takes_groups(estimator):
        return params
    return {**params, GROUPS: groups}


def fit_with(
    estimator: BaseEstimator, X: ArrayLike, y: ArrayLike, params: Mapping[str, Any]
) -> BaseEstimator:
    """Fit `estimator`, and see to it that groups reach what takes them inside.

    Parameters
    ----------
    estimator : estimator
        Fitted in place. Where groups are to reach an estimator inside another one, its
        metadata request is set.
    X, y : array-like
    params : dict
        Arguments of fit. The groups under "groups" go

        - to the last step of a pipeline, cut and repeated as its samplers do to the
          rows, by their ``sample_indices_``;
        - to the folds of a search or another meta-estimator, and to the estimators
          inside, by metadata routing.
    """
    params = dict(params)
    if params.get(GROUPS) is None or get_config()["enable_metadata_routing"]:
        return estimator.fit(X, y, **params)
    groups = np.asarray(params.pop(GROUPS))
    if has_fit_parameter(estimator, GROUPS):
        return estimator.fit(X, y, groups=groups, **params)
    if _steps(estimator):
        return _fit_pipeline(estimator, X, y, groups, params)
    if not params:
        with config_context(enable_metadata_routing=True):
            _request_groups(estimator)
            if _consumes(estimator, GROUPS):
                return estimator.fit(X, y, groups=groups)
    if isinstance(estimator, BaseSearchCV):
        parameter = fit_parameter(estimator.estimator, GROUPS)
        if parameter not in (None, GROUPS):
            params[parameter] = groups
        params[GROUPS] = groups
    return estimator.fit(X, y, **params)


def warn_lost_groups(
    name: str, estimator: BaseEstimator, params: Iterable[str] = ()
) -> None:
    """Warn if groups don't reach a network that holds samples out by them.

    `params` names the other arguments of its fit.
    """
    reason = _why_lost(estimator, [key for key in params if key != GROUPS])
    if reason is not None:
        warnings.warn(
            f"groups don't reach the validation split within {name!r}, which may tear "
            f"them: {reason} Set early_stopping=False, or fit without that step.",
            UserWarning,
            stacklevel=3,
        )


def cut_to(params: Mapping[str, Any], indices: np.ndarray, n_samples: int) -> dict:
    """Return `params` with every value of one entry a sample cut to `indices`."""
    cut = {}
    for name, value in params.items():
        try:
            per_sample = not isinstance(value, str) and _num_samples(value) == n_samples
        except TypeError:
            per_sample = False
        cut[name] = _safe_indexing(value, indices) if per_sample else value
    return cut


def takes_pairwise(estimator: BaseEstimator) -> bool:
    """Whether X is a kernel or distance matrix between samples."""
    return get_tags(estimator).input_tags.pairwise


def _steps(estimator):
    """Return the steps of a pipeline, or None."""
    steps = getattr(estimator, "steps", None)
    return steps if isinstance(estimator, _BaseComposition) and steps else None


def _samplers(steps):
    """Return the samplers before the last step."""
    return [step for _, step in steps[:-1] if hasattr(step, "fit_resample")]


def _fit_pipeline(pipeline, X, y, groups, params):
    """Fit a pipeline; groups go with the rows through all steps to the last one."""
    steps = pipeline.steps
    last, final = steps[-1]
    if not _takes_groups(final):
        return pipeline.fit(X, y, **params)
    if not _samplers(steps) and has_fit_parameter(final, GROUPS):
        return pipeline.fit(X, y, **params, **{f"{last}__{GROUPS}": groups})
    by_step = {name: {} for name, _ in steps}
    for key, value in params.items():
        step, separator, parameter = key.partition("__")
        if not separator or step not in by_step:
            return pipeline.fit(X, y, **params)  # which says what is wrong with it
        by_step[step][parameter] = value
    for name, step in steps[:-1]:
        if step is None or step == "passthrough":
            continue
        if hasattr(step, "fit_resample"):
            X, y = step.fit_resample(X, y, **by_step[name])
            groups = _follow(step, groups)
        else:
            X = _fit_transform(step, X, y, by_step[name])
    fit_with(final, X, y, {**by_step[last], GROUPS: groups})
    return pipeline


def _fit_transform(step, X, y, params):
    """Fit a transformer and return what it makes of X, as a pipeline would."""
    if hasattr(step, "fit_transform"):
        return step.fit_transform(X, y, **params)
    return step.fit(X, y, **params).transform(X)


def _follow(sampler, groups):
    """Return the groups of the rows that a sampler returned, or None if unknown.

    A row that was none before, as one that is simulated, is a group by itself.
    """
    source = getattr(sampler, "sample_indices_", None)
    if groups is None or source is None:
        return None
    source = np.asarray(source)
    if (source >= 0).all():
        return groups[source]
    codes = np.unique(groups, return_inverse=True)[1]
    new = source < 0
    followed = codes[source]
    followed[new] = codes.max(initial=-1) + 1 + np.arange(new.sum())
    return followed


def _inner(thing: Any, seen: set | None = None) -> Iterator[BaseEstimator]:
    """Yield the estimators within an estimator's parameters, itself first."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type | str):
        return
    seen.add(id(thing))
    if hasattr(thing, "get_params"):
        yield thing
        within: Iterable = thing.get_params(deep=False).values()
    elif isinstance(thing, dict):
        within = thing.values()
    elif isinstance(thing, list | tuple):
        within = thing
    else:
        return
    for part in within:
        yield from _inner(part, seen)


def _takes_groups(estimator):
    """Whether anything in `estimator` takes groups in fit, a search's folds included.

    With metadata routing, whether they are asked for.
    """
    if get_config()["enable_metadata_routing"]:
        return _consumes(estimator, GROUPS)
    return any(
        isinstance(part, BaseSearchCV) or _fits_groups(part)
        for part in _inner(estimator)
    )


def _fits_groups(estimator):
    return hasattr(estimator, "fit") and has_fit_parameter(estimator, GROUPS)


def _holds_out(estimator):
    """Whether it takes groups for a validation split of its own."""
    return _fits_groups(estimator) and bool(getattr(estimator, "early_stopping", False))


def _consumes(estimator, name):
    try:
        routing = get_routing_for_object(estimator)
        return bool(routing.consumes("fit", [name]))
    except NotImplementedError:  # meta-estimators that don't route
        return False


def _request_groups(estimator):
    """Ask for groups wherever they are taken and nobody has decided yet.

    Not behind a sampler, where they would be those of other rows.
    """
    behind = {
        id(part)
        for pipeline in _inner(estimator)
        if _steps(pipeline) and _samplers(pipeline.steps)
        for part in _inner(pipeline)
    }
    for part in _inner(estimator):
        if not _fits_groups(part) or not hasattr(part, "set_fit_request"):
            continue
        request = part.get_metadata_routing().fit.requests.get(GROUPS)
        if id(part) in behind:
            part.set_fit_request(groups=False)
        elif request is None:
            part.set_fit_request(groups=True)


def _why_lost(estimator, others):
    """Say why groups don't reach all validation splits within, or return None."""
    if not any(map(_holds_out, _inner(estimator))):
        return None
    name = type(estimator).__name__
    if get_config()["enable_metadata_routing"]:
        unasked = [
            type(part).__name__
            for part in _inner(estimator)
            if _holds_out(part)
            and part.get_metadata_routing().fit.requests.get(GROUPS) is not True
        ]
        if unasked:
            return (
                "metadata routing is on, and they are not asked for; call "
                f"{unasked[0]}.set_fit_request(groups=True)."
            )
        return None
    if has_fit_parameter(estimator, GROUPS):
        return None
    steps = _steps(estimator)
    if steps:
        for sampler in _samplers(steps):
            if hasattr(sampler, "parent_indices_") or hasattr(sampler, "k_neighbors"):
                return f"{type(sampler).__name__} mixes samples of several groups."
            if not get_tags(sampler).sampler_tags.sample_indices:
                return (
                    f"{type(sampler).__name__} doesn't say where its rows come from "
                    "(it has no sample_indices_)."
                )
        last, final = steps[-1]
        within = [o.removeprefix(f"{last}__") for o in others if o.startswith(last)]
        return _why_lost(final, within)
    for part in _inner(estimator):
        samplers = _samplers(_steps(part) or [])
        if samplers and any(map(_holds_out, _inner(part))):
            return f"{name} can't lead them through {type(samplers[0]).__name__}."
    if others:
        inner = getattr(estimator, "estimator", None)
        if isinstance(estimator, BaseSearchCV) and fit_parameter(inner, GROUPS) not in (
            None,
            GROUPS,
        ):
            return None
        return f"{name} leads either them or {', '.join(others)} to its estimator."
    return None
