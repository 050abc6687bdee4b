"""A random state of one's own, that can be put in the place of torch's."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["OwnRandomState", "default_generator"]


class OwnRandomState:
    """What torch draws from, on the CPU and on one device, while it is in use.

    Trainings that take turns have one each, so that none draws what is another's.

    Parameters
    ----------
    device : torch.device
    seed : int, default=None
        Without it, the state begins as torch's is now.

    Attributes
    ----------
    cpu : torch.Tensor
        What torch.set_rng_state takes.
    generator : torch.Generator or None
        That of a CUDA device; a CUDA graph that draws from it has to know it.
    """

    def __init__(self, device: torch.device, seed: int | None = None) -> None:
        self.device = device
        self.generator = None
        self.cpu = torch.get_rng_state()
        if device.type == "cuda":
            self.generator = default_generator(device).clone_state()
        if seed is not None:
            self.cpu = torch.Generator().manual_seed(seed).get_state()
            if self.generator is not None:
                self.generator.manual_seed(seed)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Have torch draw from here; its own state is the same afterwards."""
        before = torch.get_rng_state()
        torch.set_rng_state(self.cpu)
        try:
            with self.on_device():
                yield
        finally:
            self.cpu = torch.get_rng_state()
            torch.set_rng_state(before)

    @contextmanager
    def on_device(self) -> Iterator[None]:
        """Have the device's draws only come from here, as in a capture."""
        if self.generator is None:
            yield
            return
        default = default_generator(self.device)
        before = default.graphsafe_get_state()
        default.graphsafe_set_state(self.generator)
        try:
            yield
        finally:
            default.graphsafe_set_state(before)

    def copy(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return what `put_back` takes."""
        generator = self.generator
        return self.cpu, None if generator is None else generator.get_state()

    def put_back(self, state: tuple[torch.Tensor, torch.Tensor | None]) -> None:
        """Draw once more what was drawn since `copy`."""
        self.cpu, generator = state
        if generator is not None:
            self.generator.set_state(generator)

    def renew(self, state: tuple[torch.Tensor, torch.Tensor | None]) -> None:
        """Put back on the device too, after a capture that failed."""
        if self.generator is not None:
            self.generator = default_generator(self.device).clone_state()
        self.put_back(state)


def default_generator(device: torch.device) -> torch.Generator:
    """Return what torch draws from on a CUDA device."""
    index = device.index if device.index is not None else torch.cuda.current_device()
    return torch.cuda.default_generators[index]
