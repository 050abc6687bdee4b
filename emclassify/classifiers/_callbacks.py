"""What a user may give as `callbacks`."""

__all__ = ["check_callbacks"]


def check_callbacks(callbacks: list | None) -> None:
    """Raise ValueError unless all are callbacks of skorch, or (name, callback)."""
    for place, given in enumerate(callbacks or ()):
        named = isinstance(given, tuple) and len(given) == 2
        callback = given[1] if named and isinstance(given[0], str) else given
        if not hasattr(callback, "on_train_begin"):
            raise ValueError(
                f"callbacks[{place}] is {given!r}; give an instance of a skorch "
                "callback, or (name, instance)."
            )
