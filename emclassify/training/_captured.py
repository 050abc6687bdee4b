"""The training step, captured once as a CUDA graph and replayed.

A small network keeps a GPU busy for a fraction of the time that Python takes to ask for
its kernels. So the whole step (gather a batch, augment, forward, loss, backward,
optimizer, sum of losses) is captured once for each length of batch. An epoch is then an
order of samples on the device, and one replay a batch; losses are read at its end.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Protocol

import torch
from skorch.callbacks import Callback
from torch import nn

from emclassify.readers._stored_images import StoredImages
from emclassify.training._affine import RandomAffine
from emclassify.training._batches import ImageBatches
from emclassify.training._dihedral import RandomDihedral
from emclassify.training._flips import RandomHorizontalFlip, RandomVerticalFlip
from emclassify.training._random_state import OwnRandomState
from emclassify.training._schedules import RateSchedule
from emclassify.training._static_training import Key, StaticTraining
from emclassify.training._training_net import TrainingNet

__all__ = ["RECORDERS", "CaptureError", "CapturedTraining", "why_not_captured"]

# Steps of a training below which capturing takes longer than it saves.
_LEAST_STEPS = 50
# Sizes of images times lengths of batches, each a graph.
_MOST_GRAPHS = 16
_WARM_UPS = 2
# Draws on the device and asks nothing of Python: a replay draws anew.
_CAPTURABLE = (
    nn.Identity,
    RandomAffine,
    RandomDihedral,
    RandomHorizontalFlip,
    RandomVerticalFlip,
)
_BATCH_METHODS = ("on_batch_begin", "on_batch_end", "on_grad_computed")

# One step of one training.
_Step = Callable[[], None]


class CaptureError(Exception):
    """The step can't be captured; nothing has changed."""


class Graph(Protocol):
    """What a recorder returns."""

    def replay(self) -> None:
        """Do once more what was recorded."""


class CudaGraphs:
    """Records steps as CUDA graphs that share their memory.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device)
        self.pool = torch.cuda.graph_pool_handle()

    def warm_up(self, step: _Step) -> None:
        """Do a step as it will be recorded, so that libraries are set up."""
        here = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(here)
        with torch.cuda.stream(self.stream):
            step()
        here.wait_stream(self.stream)

    def record(
        self, steps: Sequence[_Step], states: Sequence[OwnRandomState]
    ) -> torch.cuda.CUDAGraph:
        """Return a graph of steps that do not wait for each other."""
        with torch.cuda.device(self.device):
            graph = torch.cuda.CUDAGraph()
            for state in states:
                graph.register_generator_state(state.generator)
            here = torch.cuda.current_stream()
            try:
                with (
                    # A capture that fails spoils the state that torch draws from.
                    states[0].on_device(),
                    torch.cuda.graph(
                        graph,
                        pool=self.pool,
                        stream=self.stream,
                        capture_error_mode="thread_local",
                    ),
                ):
                    self._fork(steps, states)
            finally:
                # torch stays in the stream of a capture that fails.
                torch.cuda.set_stream(here)
            return graph

    def _fork(self, steps: Sequence[_Step], states: Sequence[OwnRandomState]) -> None:
        if len(steps) == 1:
            steps[0]()
            return
        streams = [torch.cuda.Stream(self.device) for _ in steps]
        for step, state, stream in zip(steps, states, streams, strict=True):
            stream.wait_stream(self.stream)
            with torch.cuda.stream(stream), state.on_device():
                step()
        for stream in streams:
            self.stream.wait_stream(stream)


# What records steps on each type of device.
RECORDERS: dict[str, Callable[[torch.device], CudaGraphs]] = {"cuda": CudaGraphs}


def why_not_captured(
    net: TrainingNet, batches: Iterable, callbacks: Iterable[Callback], n_epochs: int
) -> str | None:
    """Return what speaks against capturing a training, or None.

    Parameters
    ----------
    net : skorch.NeuralNetClassifier
    batches : iterable
        What it is trained on.
    callbacks : iterable of callback
        All of this run.
    n_epochs : int
    """
    if not isinstance(net, TrainingNet) or not isinstance(batches, ImageBatches):
        return "several processes share the training"
    dataset = batches.dataset
    if isinstance(dataset.stacks[0], StoredImages) or dataset.pinned_for is not None:
        return "the images do not lie on the device"
    for callback in callbacks:
        if _sees_batches(callback):
            return f"the callback {type(callback).__name__} wants to see each batch"
    for step in _augmentation_steps(net.module_.augmentation):
        if type(step) not in _CAPTURABLE:
            return "the augmentation is not one of emclassify.training"
    if not net.optimizer_.defaults.get("fused"):
        return f"the optimizer, {type(net.optimizer_).__name__}, is not a fused one"
    n_graphs = len(batches.kinds())
    if n_graphs > _MOST_GRAPHS:
        return f"images of many sizes make {n_graphs} different batches"
    n_steps = n_epochs * len(batches)
    if n_steps < _LEAST_STEPS:
        return f"it takes {n_steps} steps only"
    return None


def _sees_batches(callback: Callback) -> bool:
    if isinstance(callback, RateSchedule) or getattr(callback, "capturable", False):
        return False
    return any(
        getattr(type(callback), name, None) is not getattr(Callback, name)
        for name in _BATCH_METHODS
    )


def _augmentation_steps(augmentation: nn.Module) -> Iterator[object]:
    """Yield what is called one after the other."""
    steps = getattr(augmentation, "steps", None)
    if steps is None and isinstance(augmentation, nn.Sequential):
        steps = list(augmentation)
    if steps is None:
        yield augmentation
        return
    for step in steps:
        yield from _augmentation_steps(step)


class CapturedTraining:
    """Epochs of one training, or of several side by side, by replays.

    Parameters
    ----------
    nets : sequence of TrainingNet
        Initialised, with their callbacks.
    batches : sequence of ImageBatches
        What each is trained on. Those of several nets have the same number of samples,
        in images of one size.
    states : sequence of OwnRandomState
        What each draws from.
    device : torch.device
        Where all are.
    """

    def __init__(
        self,
        nets: Sequence[TrainingNet],
        batches: Sequence[ImageBatches],
        states: Sequence[OwnRandomState],
        device: torch.device,
    ) -> None:
        self._members = [
            StaticTraining(*of, device)
            for of in zip(nets, batches, states, strict=True)
        ]
        self._states = states
        self._device = device
        self._graphs: dict[Key, Graph] = {}
        self._fixed: list[list[object]] = []

    def epoch(self, another: Sequence[bool]) -> None:
        """Train all for one epoch.

        Parameters
        ----------
        another : sequence of bool
            Of each, whether another epoch may come.

        Raises
        ------
        CaptureError
            If their step can't be captured; nothing has changed then.
        """
        before = [state.copy() for state in self._states]
        # The same for all of several.
        keys, *_ = [member.begin_epoch() for member in self._members]
        fixed = [member.fixed() for member in self._members]
        if fixed != self._fixed:  # the first time, and when a backbone thaws
            self._graphs.clear()
            # torch refuses memory whose graphs are all gone.
            self._recorder = RECORDERS[self._device.type](self._device)
            self._fixed = fixed
        missing = [key for key in dict.fromkeys(keys) if key not in self._graphs]
        if missing:
            try:
                self._capture(missing)
            except CaptureError:
                for state, drawn in zip(self._states, before, strict=True):
                    state.renew(drawn)
                raise
        for key in keys:
            self._graphs[key].replay()
        # All of this before the first thing that waits for the device.
        for member, comes in zip(self._members, another, strict=True):
            member.look_ahead(comes)
        for member in self._members:
            member.end_epoch()

    def _capture(self, keys: Sequence[Key]) -> None:
        """Record the step for each kind of batch, and leave no other trace."""
        snapshots = [member.snapshot() for member in self._members]
        drawn = [state.copy() for state in self._states]

        def put_back() -> None:
            for member, snapshot in zip(self._members, snapshots, strict=True):
                member.put_back(snapshot)
            for state, copy in zip(self._states, drawn, strict=True):
                state.put_back(copy)

        try:
            plain = self._warm_up(keys)
            put_back()
            for key in keys:
                self._graphs[key] = self._record(key)
            put_back()
            # Numbers drawn by Python, or branches it takes, would always be the same.
            first = [member.go_to(keys[0]) for member in self._members]
            self._graphs[keys[0]].replay()
            replayed = torch.stack(
                [m.losses[i] for m, i in zip(self._members, first, strict=True)]
            )
            put_back()
        except Exception as error:
            for member, snapshot in zip(self._members, snapshots, strict=True):
                member.forget_gradients()
                member.put_back(snapshot)
            raise CaptureError(_reason(error)) from error
        if not torch.allclose(replayed, plain, rtol=1e-4, equal_nan=True):
            raise CaptureError("a replayed step is not the step")

    def _warm_up(self, keys: Sequence[Key]) -> torch.Tensor:
        """Do each kind of step; return the loss of the very first of each member."""
        first = []
        for member, state in zip(self._members, self._states, strict=True):
            with member.static_rates(), state.in_use():
                for i, key in enumerate(_WARM_UPS * list(keys)):
                    batch = member.go_to(key)
                    self._recorder.warm_up(lambda key=key, m=member: m.step(*key))
                    if i == 0:
                        first.append(member.losses[batch].clone())
        return torch.stack(first)

    def _record(self, key: Key) -> Graph:
        steps = []
        with ExitStack() as static:
            for member in self._members:
                static.enter_context(member.static_rates())
                member.forget_gradients()
                member.go_to(key)
                steps.append(lambda m=member: m.step(*key))
            return self._recorder.record(steps, self._states)


def _reason(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"of {type(error).__name__}: {first}"
