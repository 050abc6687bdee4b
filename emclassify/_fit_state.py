"""What a fit leaves: all of it or nothing, and the parameters it was made with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sklearn.base import BaseEstimator, _fit_context

__all__ = ["as_fitted", "fit_context", "unchanged_if_refused"]

# How to work, not what to say: these hold from when they are set.
_ALWAYS_READ = {"batch_size", "device", "n_jobs", "n_threads", "verbose"}

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


@contextmanager
def unchanged_if_refused(estimator: BaseEstimator) -> Iterator[None]:
    """Give an estimator its attributes back if what it is asked for is refused.

    Parameters
    ----------
    estimator : estimator
        What is set in the block is taken back if the block raises. Objects that its
        attributes hold are not copied: the block must not change them in place.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def fit_context(
    *, prefer_skip_nested_validation: bool
) -> Callable[[Callable[_Given, _Returned]], Callable[_Given, _Returned]]:
    """Make a fit check its parameters, and leave the estimator as it was if it raises.

    For methods that make all that they set anew. Networks, which train in place, say
    themselves how far a refusal reaches.

    Parameters
    ----------
    prefer_skip_nested_validation : bool
        As in scikit-learn: True unless estimators that users pass are fitted inside.
    """

    def decorate(fit: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
        checked = _fit_context(
            prefer_skip_nested_validation=prefer_skip_nested_validation
        )(fit)

        @wraps(fit)
        def fit_or_leave(estimator: BaseEstimator, *args: Any, **kwargs: Any) -> Any:
            with unchanged_if_refused(estimator):
                returned = checked(estimator, *args, **kwargs)
                params = estimator.get_params(deep=False)
                estimator._params_of_fit = {
                    name: value
                    for name, value in params.items()
                    if name not in _ALWAYS_READ and not hasattr(value, "fit")
                }
            return returned

        return fit_or_leave

    return decorate


def as_fitted(method: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
    """Make a method of a fitted estimator use the parameters that `fit` was given.

    What `set_params` changes afterwards waits for the next fit.
    """

    @wraps(method)
    def ask(estimator: BaseEstimator, *args: Any, **kwargs: Any) -> Any:
        params = vars(estimator).get("_params_of_fit", {})
        changed = {
            name: value
            for name, value in params.items()
            if getattr(estimator, name) is not value
        }
        if changed:
            estimator = copy(estimator)
            vars(estimator).update(changed)
        return method(estimator, *args, **kwargs)

    return ask
