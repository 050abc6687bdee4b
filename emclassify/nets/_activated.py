"""Which layer gives the maps of a convolution after normalisation and ReLU."""

from collections.abc import Callable

import torch
from torch import nn

__all__ = ["activated_layers"]

_NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.LocalResponseNorm,
)
_ACTIVATIONS = tuple(
    getattr(nn, name)
    for name in nn.modules.activation.__all__
    if name not in ("MultiheadAttention", "Softmax", "Softmax2d", "LogSoftmax")
)


def activated_layers(net: nn.Module, run: Callable[[], object]) -> dict[str, str]:
    """Return {name of a convolution: name of the layer that ends its block}.

    It is found by what takes what in a forward pass: the normalisation that takes the
    convolution's maps, if one does, and the activation that takes those. A module
    with `ends_in_relu`, as a residual block, ends the block of its last convolution.
    Activations that are functions, not modules, can't be seen.

    Parameters
    ----------
    net : nn.Module
    run : callable
        Runs the network once, without gradients.
    """
    names = {module: name for name, module in net.named_modules()}
    calls = []

    def before(module, inputs):
        calls.append([module, inputs[0] if inputs else None, None])

    def after(module, inputs, output):
        for call in reversed(calls):
            if call[0] is module and call[2] is None:
                call[2] = output
                return

    handles = []
    for module in names:
        handles.append(module.register_forward_pre_hook(before))
        handles.append(module.register_forward_hook(after))
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return {
        names[module]: names[_end_of_block(module, output, calls)]
        for module, _, output in calls
        if isinstance(module, nn.Conv2d)
    }


def _end_of_block(
    module: nn.Module, output: torch.Tensor, calls: list[list]
) -> nn.Module:
    for kinds in (_NORMS, _ACTIVATIONS):
        for taker, taken, given in calls:
            if taken is output and isinstance(taker, kinds):
                module, output = taker, given
                break
    if isinstance(module, _ACTIVATIONS):
        return module
    # Modules whose last step it is, and the one around them.
    last_steps = [taker for taker, _, given in calls if given is output]
    for around, _, _ in calls:
        if getattr(around, "ends_in_relu", False) and any(
            child in last_steps for child in around.children()
        ):
            return around
    return module
