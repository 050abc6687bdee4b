"""What is behind a fitted model: in pipelines, ensembles, searches and the like."""

from collections.abc import Callable, Iterator
from typing import Any

from sklearn.base import BaseEstimator

__all__ = ["fitted_networks", "fitted_parts"]


def fitted_parts(
    model: Any, wanted: Callable[[Any], bool], *, given: bool = False
) -> Iterator[Any]:
    """Yield what a fitted model is made of and is wanted, each once.

    Parameters
    ----------
    model : fitted estimator
    wanted : callable
        Says of an object whether it is wanted; such a one is not looked into.
    given : bool, default=False
        Whether to look, last, at the ``estimator`` that an estimator was given, where
        FrozenEstimator and those that are fitted in place keep what they have.

    Yields
    ------
    object

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from emclassify._fitted_parts import fitted_parts
    >>> model = make_pipeline(LogisticRegression()).fit([[0], [1]], [0, 1])
    >>> list(fitted_parts(model, lambda part: hasattr(part, "coef_")))
    [LogisticRegression()]
    """
    yield from _parts(model, wanted, given, set())


def fitted_networks(model: Any) -> list[Any]:
    """Return what is behind a fitted model and has `converged_`.

    Not an ensemble, which has it by its members.
    """
    return list(
        fitted_parts(
            model,
            lambda part: (
                hasattr(part, "converged_") and not hasattr(part, "estimators_")
            ),
        )
    )


def _parts(thing, wanted, given, seen):
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, list | tuple):
        parts = list(thing)
    elif isinstance(thing, dict):
        parts = list(thing.values())
    elif not hasattr(thing, "__dict__") or isinstance(thing, type):
        return
    elif wanted(thing):
        yield thing
        return
    elif isinstance(thing, BaseEstimator):
        # What was fitted ends with an underscore, but for the steps of a pipeline.
        held = vars(thing)
        parts = [held[name] for name in held if name.endswith("_") or name == "steps"]
        if given:
            parts.append(held.get("estimator"))
    else:  # such as scikit-learn's calibrated classifiers
        parts = [getattr(thing, "estimator", None)]
    for part in parts:
        yield from _parts(part, wanted, given, seen)
