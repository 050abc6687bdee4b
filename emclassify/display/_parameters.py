"""The settings of an estimator that its user chose."""

import inspect
from typing import Any

import numpy as np

from emclassify._typing import Estimator


def _same(value, default):
    """Whether a parameter has its default value."""
    if value is default:
        return True
    if type(value) is not type(default):
        return False
    try:
        return bool(np.all(value == default)) or (value != value and default != default)
    except (TypeError, ValueError):
        return repr(value) == repr(default)


def _defaults(estimator):
    """Return {parameter: default} of the estimator's constructor."""
    signature = inspect.signature(type(estimator).__init__)
    return {name: p.default for name, p in signature.parameters.items()}


def _is_estimator(value):
    return hasattr(value, "get_params") and not isinstance(value, type)


def chosen_parameters(estimator: Estimator, prefix: str = "") -> Any:
    """Return [(name, value)] of parameters that differ from their default.

    Steps of a pipeline and estimators within others follow with their own, named as
    set_params names them.

    Parameters
    ----------
    estimator : estimator
    prefix : str
        Put before names.

    Returns
    -------
    list of (str, str)
    """
    steps = getattr(estimator, "steps", None) or getattr(
        estimator, "transformer_list", None
    )
    if isinstance(steps, list):
        chosen = []
        for name, step, *_ in steps:
            chosen.append((prefix + name, _name(step)))
            if _is_estimator(step):
                chosen += chosen_parameters(step, f"{prefix}{name}__")
        return chosen
    chosen, defaults = [], _defaults(estimator)
    for name, value in estimator.get_params(deep=False).items():
        if _is_estimator(value):
            chosen.append((prefix + name, _name(value)))
            chosen += chosen_parameters(value, f"{prefix}{name}__")
        elif not _same(value, defaults.get(name, inspect.Parameter.empty)):
            chosen.append((prefix + name, _text(value)))
    return chosen


def all_parameters(estimator: Estimator) -> list[tuple[str, str]]:
    """Return [(name, value)] of all parameters, those of inner estimators too.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    list of (str, str)
    """
    return [
        (name, _name(value) if _is_estimator(value) else _text(value))
        for name, value in sorted(estimator.get_params(deep=True).items())
        if name not in ("steps", "transformer_list")
    ]


def _name(step):
    """Return the class of a step, or 'passthrough' and the like as they are."""
    return type(step).__name__ if _is_estimator(step) else str(step)


def _text(value, limit=200):
    """Return a parameter's value in at most `limit` characters."""
    if inspect.isfunction(value) or inspect.isclass(value):
        return value.__qualname__
    if isinstance(value, np.ndarray) and value.size > 10:
        return f"array of shape {value.shape}, {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
