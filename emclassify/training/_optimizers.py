"""Optimizers and learning-rate schedules by name."""

import torch
from skorch.callbacks import LRScheduler

__all__ = ["OPTIMIZERS", "SCHEDULES", "make_optimizer", "make_schedule", "reset_rates"]

OPTIMIZERS = {
    "adamw": (torch.optim.AdamW, {"fused": True}),
    "adam": (torch.optim.Adam, {"fused": True}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "fused": True}),
}
SCHEDULES = ("one_cycle", "cosine")


def make_optimizer(optimizer, lr, weight_decay):
    """Return an optimizer's class and its parameters.

    Parameters
    ----------
    optimizer : str or type
        A key of `OPTIMIZERS`, or a class of torch optimizers.
    lr, weight_decay : float
    """
    cls, params = (
        OPTIMIZERS[optimizer] if isinstance(optimizer, str) else (optimizer, {})
    )
    return cls, {**params, "lr": lr, "weight_decay": weight_decay}


def reset_rates(optimizer, lr):
    """Undo what a schedule of an earlier run left behind.

    Returns
    -------
    list of float
        The rate of each group: `lr`, times the group's "lr_factor" if it has one.
    """
    for group in optimizer.param_groups:
        group.pop("initial_lr", None)
        group.update(optimizer.defaults, lr=lr * group.get("lr_factor", 1))
    return [group["lr"] for group in optimizer.param_groups]


def make_schedule(lr_schedule, rates, n_steps):
    """Return the skorch callbacks that change the learning rate batch by batch.

    Parameters
    ----------
    lr_schedule : {"one_cycle", "cosine"}, callable or None
        A callable turns the number of the batch, from 0, into a factor on the rate.
        "one_cycle" rises to the rate over 30 % of the steps and falls to nearly zero
        (Smith & Topin 2019); "cosine" falls from the rate to zero.
    rates : list of float
        Learning rate of each group of weights.
    n_steps : int
        Batches over all epochs.
    """
    if lr_schedule is None:
        return []
    # last_epoch: each run has a schedule of its own. skorch would let that of a warm
    # start begin where the history ends.
    settings = {"step_every": "batch", "last_epoch": -1}
    schedulers = torch.optim.lr_scheduler
    if callable(lr_schedule):
        schedule = LRScheduler(schedulers.LambdaLR, lr_lambda=lr_schedule, **settings)
    elif lr_schedule == "one_cycle":
        schedule = _EveryBatch(
            schedulers.OneCycleLR, max_lr=rates, total_steps=n_steps, **settings
        )
    else:
        schedule = _EveryBatch(schedulers.CosineAnnealingLR, T_max=n_steps, **settings)
    return [("lr_schedule", schedule)]


class _EveryBatch(LRScheduler):
    """Steps before each batch but the first: the schedule has a rate for each batch.

    skorch steps after each batch, once too often for `OneCycleLR`, which refuses.
    """

    def on_batch_end(self, net, training, **kwargs):
        if training and self.lr_scheduler_.last_epoch + 1 < self._n_steps():
            super().on_batch_end(net, training, **kwargs)

    def _n_steps(self):
        scheduler = self.lr_scheduler_
        return getattr(scheduler, "total_steps", None) or scheduler.T_max + 1
