"""Networks that were not trained enough: said at once, or by who trains many, once."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

__all__ = ["quiet_convergence", "say_not_converged"]

_SAID: ContextVar[list[str] | None] = ContextVar("_SAID", default=None)


@contextmanager
def quiet_convergence() -> Iterator[list[str]]:
    """Have networks that are trained in the block give no ConvergenceWarning.

    Not by a filter of warnings, which all threads share.

    Yields
    ------
    list of str
        Grows in the block by what they say instead.
    """
    said: list[str] = []
    token = _SAID.set(said)
    try:
        yield said
    finally:
        _SAID.reset(token)


def say_not_converged(
    estimator: BaseEstimator, reason: str, *, stacklevel: int
) -> None:
    """Warn that an estimator was not trained enough.

    Parameters
    ----------
    estimator : estimator
    reason : str
        Why, and what to do, without the last full stop.
    stacklevel : int
        As of :func:`warnings.warn`, counted from the caller.

    Warns
    -----
    ConvergenceWarning
        Not within `quiet_convergence`, whose list gets the reason.
    """
    said = _SAID.get()
    if said is not None:
        said.append(reason)
        return
    warnings.warn(
        f"{type(estimator).__name__} may not be trained enough: {reason}.",
        ConvergenceWarning,
        stacklevel=stacklevel + 1,
    )
