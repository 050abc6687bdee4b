"""Who has ended training: a user or a callback."""

import traceback

from skorch.callbacks import Callback

__all__ = ["raised_by_callback"]


def raised_by_callback(interrupt: KeyboardInterrupt) -> bool:
    """Whether a callback ended training: skorch's raise KeyboardInterrupt to do so."""
    *_, (frame, _) = traceback.walk_tb(interrupt.__traceback__)
    return isinstance(frame.f_locals.get("self"), Callback)
