"""A trained net as plain data and tensors, as files hold it, and back."""

from collections.abc import Callable, Mapping

import torch
from skorch import NeuralNetClassifier
from skorch.history import History
from torch import nn

__all__ = ["carry_over", "net_state", "refuse_other_sizes", "restore_training"]


def net_state(net: NeuralNetClassifier) -> dict:
    """Return what is to be kept of a net: weights, optimizer, history, precision."""
    return {
        "precision": net.module_.precision,
        "weights": dict(net.module_.state_dict()),
        "optimizer": net.optimizer_.state_dict(),
        "history": net.history.to_list(),
    }


def restore_training(net: NeuralNetClassifier, state: Mapping) -> None:
    """Give a net, whose weights are in place, the optimizer's state and the history.

    Parameters
    ----------
    net : skorch.NeuralNetClassifier
        Initialised.
    state : dict
        From `net_state`.
    """
    _load_optimizer(net.optimizer_, state["optimizer"])
    net.history = History(state["history"])


def carry_over(old: NeuralNetClassifier, new: NeuralNetClassifier) -> None:
    """Give a net, whose weights are in place, history and optimizer state of another.

    An optimizer of another class, or with other groups of weights, starts anew. Its
    settings (rate, weight decay) stay the new ones.

    Parameters
    ----------
    old, new : skorch.NeuralNetClassifier
        Initialised, of the same network.
    """
    before, now = old.optimizer_.state_dict(), new.optimizer_.state_dict()
    sizes = [
        [len(group["params"]) for group in state["param_groups"]]
        for state in (before, now)
    ]
    if type(old.optimizer_) is type(new.optimizer_) and sizes[0] == sizes[1]:
        _load_optimizer(new.optimizer_, {**now, "state": before["state"]})
    new.history = History(old.history.to_list())


def refuse_other_sizes(
    make_net: Callable[[], nn.Module], weights: Mapping[str, torch.Tensor], owner: str
) -> None:
    """Raise unless a network has weights of these sizes, before it takes memory.

    Parameters
    ----------
    make_net : callable
        Returns the network that the parameters describe.
    weights : dict of str to Tensor
        Of an `ImageModule`; those of its network are called "net.…".
    owner : str
        Whose network it is, for the error.

    Raises
    ------
    ValueError
        If they are those of another network.
    """
    try:
        with torch.device("meta"):
            net = make_net()
        expected = {f"net.{name}": w.shape for name, w in net.state_dict().items()}
    except Exception:
        # Not every network can be had so; `load_weights` has the last word.
        return
    given = {name: w.shape for name, w in weights.items() if name.startswith("net.")}
    wrong = sorted(
        name
        for name in {*expected, *given}
        if expected.get(name, ()) != given.get(name, ())
    )
    if wrong:
        name = wrong[0]
        raise ValueError(
            f"the weights are not those of the network of {owner}: "
            f"{name} has shape {_listed(given, name)}, the network's has "
            f"{_listed(expected, name)}"
        )


def _listed(shapes: Mapping, name: str) -> tuple | str:
    return tuple(shapes[name]) if name in shapes else "none"


def _load_optimizer(optimizer: torch.optim.Optimizer, state: dict) -> None:
    """Load the state, each tensor in the memory layout of its weight.

    Fused optimizers take them to have one layout, and don't look.
    """
    optimizer.load_state_dict(state)
    for weight, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                laid_out = torch.empty_like(weight, dtype=value.dtype)
                kept[name] = laid_out.copy_(value)
