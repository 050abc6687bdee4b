"""Learning-rate schedules by name.

A new one is a function of the rates and the number of batches that returns a skorch
callback, and a line in `SCHEDULES`.
"""

from collections.abc import Callable, Sequence

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, LRScheduler

__all__ = ["SCHEDULES", "make_schedule", "published_decay"]

# Each run has a schedule of its own (last_epoch). skorch would let that of a warm start
# begin where the history ends.
_BATCH_BY_BATCH = {"step_every": "batch", "last_epoch": -1}


class _EveryBatch(LRScheduler):
    """Steps before each batch but the first: the schedule has a rate for each batch.

    skorch steps after each batch, once too often for `OneCycleLR`, which refuses.
    """

    def on_batch_end(
        self, net: NeuralNetClassifier, training: bool, **kwargs: object
    ) -> None:
        if training and self.lr_scheduler_.last_epoch + 1 < self._n_steps():
            super().on_batch_end(net, training, **kwargs)

    def _n_steps(self) -> int:
        scheduler = self.lr_scheduler_
        return getattr(scheduler, "total_steps", None) or scheduler.T_max + 1


def one_cycle(rates: Sequence[float], n_steps: int) -> LRScheduler:
    """Rise to the rate over 30 % of the batches, fall to nearly zero [1]_.

    References
    ----------
    .. [1] L. N. Smith and N. Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", SPIE 11006, 2019.
    """
    return _EveryBatch(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=list(rates),
        total_steps=n_steps,
        **_BATCH_BY_BATCH,
    )


def cosine(rates: Sequence[float], n_steps: int) -> LRScheduler:
    """Fall from the rate to zero along half a cosine."""
    return _EveryBatch(
        torch.optim.lr_scheduler.CosineAnnealingLR, T_max=n_steps, **_BATCH_BY_BATCH
    )


SCHEDULES: dict[str, Callable[[Sequence[float], int], LRScheduler]] = {
    "one_cycle": one_cycle,
    "cosine": cosine,
}


def published_decay(batch: int) -> float:
    """Return the factor on the rate of a batch: the decay of Keras's SGD in 2016."""
    return 1 / (1 + 1e-6 * batch)


def make_schedule(
    lr_schedule: str | Callable[[int], float] | None,
    rates: Sequence[float],
    n_steps: int,
) -> list[tuple[str, Callback]]:
    """Return the skorch callbacks that change the learning rate batch by batch.

    Parameters
    ----------
    lr_schedule : str, callable or None
        A key of `SCHEDULES`. A callable turns the number of the batch, from 0, into a
        factor on the rate. None keeps it.
    rates : list of float
        Learning rate of each group of weights.
    n_steps : int
        Batches over all epochs.

    Returns
    -------
    list of (str, callback)
        One, or none.
    """
    if lr_schedule is None:
        return []
    if callable(lr_schedule):
        schedule = LRScheduler(
            torch.optim.lr_scheduler.LambdaLR, lr_lambda=lr_schedule, **_BATCH_BY_BATCH
        )
    else:
        schedule = SCHEDULES[lr_schedule](rates, n_steps)
    return [("lr_schedule", schedule)]
