"""Optimizers by name."""

import torch

__all__ = ["OPTIMIZERS", "make_optimizer", "reset_rates"]

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict]] = {
    "adamw": (torch.optim.AdamW, {"fused": True}),
    "adam": (torch.optim.Adam, {"fused": True}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "fused": True}),
}


def make_optimizer(
    optimizer: str | type[torch.optim.Optimizer], lr: float, weight_decay: float
) -> tuple[type[torch.optim.Optimizer], dict]:
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


def reset_rates(optimizer: torch.optim.Optimizer, lr: float) -> list[float]:
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
