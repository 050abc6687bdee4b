"""Networks that say by `converged_` only that they were not trained enough.

Who trains many of them collects that, and says it once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_quiet", "quiet_convergence"]

_QUIET: ContextVar[bool] = ContextVar("_QUIET", default=False)


@contextmanager
def quiet_convergence() -> Iterator[None]:
    """Have networks that are trained in the block give no ConvergenceWarning.

    Not by a filter of warnings, which all threads share.
    """
    token = _QUIET.set(True)
    try:
        yield
    finally:
        _QUIET.reset(token)


def is_quiet() -> bool:
    """Return whether a network is to give no ConvergenceWarning."""
    return _QUIET.get()
