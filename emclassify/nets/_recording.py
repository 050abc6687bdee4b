"""What the layers of a network return in a forward pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["recorded", "recording"]


@contextmanager
def recording(
    net: nn.Module, names: Sequence[str]
) -> Iterator[dict[str, torch.Tensor]]:
    """Fill a dict with what the named layers return in each forward pass."""
    outputs = {}

    def keep(name):
        def hook(layer, inputs, output):
            # A copy: the next layer may work in place.
            known = isinstance(output, torch.Tensor)
            outputs[name] = output.clone() if known else output

        return hook

    handles = [
        net.get_submodule(name).register_forward_hook(keep(name)) for name in names
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def recorded(outputs: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """Return the tensor that a layer returned in the last forward pass."""
    output = outputs.get(name)
    if isinstance(output, torch.Tensor):
        return output
    did = "takes no part in" if output is None else "returns no tensor in"
    raise ValueError(f"layer={name!r} {did} the network's forward pass.")
