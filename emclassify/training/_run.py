"""Runs of training: epochs of nets with the callbacks of this run only."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.helper import predefined_split

from emclassify.training._batches import ImageDataset
from emclassify.training._captured import (
    RECORDERS,
    CapturedTraining,
    CaptureError,
    why_not_captured,
)
from emclassify.training._interruption import raised_by_callback
from emclassify.training._random_state import OwnRandomState

__all__ = ["TrainingRun", "run_epochs"]


class TrainingRun:
    """The training of a net that leaves, of this run only, what is learnt.

    Parameters
    ----------
    net : skorch.NeuralNetClassifier
        Initialised.
    train, valid : ImageDataset
        What to learn from, and what to validate on, if anything.
    n_epochs : int
        Passes over `train`.
    run_callbacks : list of (str, callback)
        What this run needs; gone from the net afterwards.
    callbacks : list of callback or (str, callback)
        The user's, which come after them, and stay.
    n_done : int, default=0
        Of the epochs, those that a checkpoint brings back.
    random : OwnRandomState, default=None
        What it draws from; None is what torch draws from.
    """

    def __init__(
        self,
        net: NeuralNetClassifier,
        train: ImageDataset,
        valid: ImageDataset | None,
        n_epochs: int,
        *,
        run_callbacks: Sequence[tuple[str, Callback]],
        callbacks: Sequence[Callback | tuple[str, Callback]],
        n_done: int = 0,
        random: OwnRandomState | None = None,
    ) -> None:
        self.net = net
        self.train, self.valid = train, valid
        self.n_epochs, self.n_done = n_epochs, n_done
        self.run_callbacks, self.callbacks = run_callbacks, callbacks
        self.random = random
        self.batches: Iterable = ()
        self.captured = False
        self.n_left = n_epochs - n_done

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return torch.device(self.net.device)

    def epochs(self) -> Iterator[None]:
        """Run; yield where an epoch of training steps is due, if they are captured."""
        net = self.net
        net.callbacks = [*self.run_callbacks, *self.callbacks]
        net.train_split = None if self.valid is None else predefined_split(self.valid)
        net.initialize_callbacks()
        try:
            # Not net.partial_fit, which takes a user's interrupt for the end of it.
            net.notify("on_train_begin", X=self.train, y=None)
            try:
                yield from self._fit_loop()
            except KeyboardInterrupt as interrupt:
                if not raised_by_callback(interrupt):
                    raise
            finally:
                net.notify("on_train_end", X=self.train, y=None)
        finally:
            # They hold the validation images and a copy of the weights.
            net.train_split = None
            net.callbacks = list(self.callbacks)
            over = {name for name, _ in self.run_callbacks}
            net.callbacks_ = [c for c in net.callbacks_ if c[0] not in over]
            self.batches = ()

    def _fit_loop(self) -> Iterator[None]:
        """Do what skorch's method does, but for the training steps."""
        net = self.net
        train, valid = net.get_split_datasets(self.train, None)
        given = {"dataset_train": train, "dataset_valid": valid}
        self.batches = net.get_iterator(train, training=True)
        validation = None
        if valid is not None:
            validation = net.get_iterator(valid, training=False)
        self.set_why_plain(self._why_plain())
        for n_left in reversed(range(self.n_epochs - self.n_done)):
            self.n_left = n_left
            net.notify("on_epoch_begin", **given)
            if self.captured:
                yield
            if not self.captured:
                net.run_single_epoch(
                    self.batches, training=True, prefix="train", step_fn=net.train_step
                )
            net.run_single_epoch(
                validation, training=False, prefix="valid", step_fn=net.validation_step
            )
            net.notify("on_epoch_end", **given)

    def _why_plain(self) -> str | None:
        if self.device.type not in RECORDERS:
            return ""
        callbacks = [callback for _, callback in self.net.callbacks_]
        return why_not_captured(self.net, self.batches, callbacks, self.n_epochs)

    def set_why_plain(self, reason: str | None) -> None:
        """Say that the step is captured, or why it isn't; "" is for want of a GPU."""
        self.captured = self.net.module_.captured = reason is None
        if self.captured:
            self.net.captured = "step captured"
        else:
            self.net.captured = reason and f"not captured, because {reason}"


def run_epochs(runs: Sequence[TrainingRun]) -> None:
    """Train nets: on a GPU that can, side by side, else one after the other.

    Parameters
    ----------
    runs : sequence of TrainingRun
        On one device. Several have each a random state of its own.
    """
    device = runs[0].device
    if device.type in RECORDERS:
        for run in runs:
            run.random = run.random or OwnRandomState(device)
    epochs = {run: run.epochs() for run in runs}

    def goes_on(run: TrainingRun) -> bool:
        with nullcontext() if run.random is None else run.random.in_use():
            return next(epochs[run], "over") != "over"

    together: dict[tuple[TrainingRun, ...], CapturedTraining] = {}
    try:
        due = [run for run in runs if goes_on(run)]
        while due:
            sets = _same_size(due)
            together = {of: together.get(of) or _captured(of) for of in sets}
            for of, training in together.items():
                try:
                    training.epoch([run.n_left > 0 for run in of])
                except CaptureError as error:
                    for run in of:
                        run.set_why_plain(str(error))
            due = [run for run in due if goes_on(run)]
    finally:
        for going in epochs.values():
            going.close()


def _captured(runs: Sequence[TrainingRun]) -> CapturedTraining:
    return CapturedTraining(
        [run.net for run in runs],
        [run.batches for run in runs],
        [run.random for run in runs],
        runs[0].device,
    )


def _same_size(runs: Iterable[TrainingRun]) -> list[tuple[TrainingRun, ...]]:
    """Return the runs that make the same steps together, others each by itself."""
    sets: dict[object, list[TrainingRun]] = {}
    for run in runs:
        dataset = run.train
        alone = len(dataset.stacks) > 1
        key = run if alone else (len(dataset), run.net.batch_size)
        sets.setdefault(key, []).append(run)
    return [tuple(of) for of in sets.values()]
