"""Learning-rate schedules by name.

A new one is a function of the number of the batch and of all batches that returns a
factor on the learning rate, and a line in `SCHEDULES`.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from skorch.callbacks import Callback, LRScheduler

__all__ = ["SCHEDULES", "RateSchedule", "make_schedule", "published_decay"]

# Of the batches, those over which the rate rises; where it starts, and where it ends.
_RISING = 0.3
_FIRST = 1 / 25
_LAST = 1e-4


def one_cycle(batch: int, n_batches: int) -> float:
    """Rise to the rate over 30 % of the batches, fall to nearly zero [1]_.

    The rates of `torch.optim.lr_scheduler.OneCycleLR`, whose momentum stays what it is.

    References
    ----------
    .. [1] L. N. Smith and N. Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", SPIE 11006, 2019.
    """
    top = _RISING * n_batches - 1
    if batch <= top:
        return _along_cosine(_FIRST, 1.0, batch / top if top > 0 else 1.0)
    rest = n_batches - 1 - top
    return _along_cosine(1.0, _FIRST * _LAST, min(1.0, (batch - top) / rest))


def cosine(batch: int, n_batches: int) -> float:
    """Fall from the rate to zero along half a cosine."""
    return _along_cosine(1.0, 0.0, min(1.0, batch / n_batches))


def _along_cosine(start: float, end: float, way: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * way)) / 2


SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "one_cycle": one_cycle,
    "cosine": cosine,
}


def published_decay(batch: int) -> float:
    """Return the factor on the rate of a batch: the decay of Keras's SGD in 2016."""
    return 1 / (1 + 1e-6 * batch)


class RateSchedule(LRScheduler):
    """A schedule that says in advance what it will do."""

    def rates_ahead(self, n_batches: int) -> list[list[float]]:
        """Return the rate of each group of weights for each of the next batches."""
        scheduler = self.lr_scheduler_
        groups = list(zip(scheduler.base_lrs, scheduler.lr_lambdas, strict=True))
        first = scheduler.last_epoch
        return [
            [rate * factor(batch) for rate, factor in groups]
            for batch in range(first, first + n_batches)
        ]

    def skip(self, n_batches: int) -> None:
        """Go on by as many batches, as if they had come one by one."""
        self.lr_scheduler_.last_epoch += n_batches - 1
        self.lr_scheduler_.step()
        self.batch_idx_ += n_batches


def make_schedule(
    lr_schedule: str | Callable[[int], float] | None, n_steps: int
) -> list[tuple[str, Callback]]:
    """Return the skorch callbacks that change the learning rate batch by batch.

    Parameters
    ----------
    lr_schedule : str, callable or None
        A key of `SCHEDULES`. A callable turns the number of the batch, from 0, into a
        factor on the rate. None keeps it.
    n_steps : int
        Batches over all epochs.

    Returns
    -------
    list of (str, callback)
        One, or none.
    """
    if lr_schedule is None:
        return []
    if not callable(lr_schedule):
        lr_schedule = partial(SCHEDULES[lr_schedule], n_batches=n_steps)
    # Each run has a schedule of its own (last_epoch). skorch would let that of a warm
    # start begin where the history ends.
    schedule = RateSchedule(
        torch.optim.lr_scheduler.LambdaLR,
        lr_lambda=lr_schedule,
        step_every="batch",
        last_epoch=-1,
    )
    return [("lr_schedule", schedule)]
