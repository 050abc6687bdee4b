"""A refused fit leaves the estimator as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

from sklearn.base import BaseEstimator

__all__ = ["unchanged_if_refused"]


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
