"""The skorch net that trains the networks of image classifiers."""

from collections.abc import Callable, Iterable

import torch
from skorch.dataset import get_len

from emclassify.training._plain_targets import PlainTargets

__all__ = ["TrainingNet"]


class TrainingNet(PlainTargets):
    """A skorch net that need not wait for the device after each batch.

    skorch reads the loss of each batch as it comes, and a GPU has to finish the batch
    for it. With `one_sync`, the losses stay on the device and are read after the epoch.

    Attributes
    ----------
    one_sync : bool
        Whether to do so. Callbacks then find no losses of the batches of an epoch that
        is not over.
    captured : str
        Whether the last training captured its step, see `CapturedTraining`, and if not,
        why; empty where there is no GPU.
    """

    one_sync: bool = False
    captured: str = ""

    def run_single_epoch(
        self,
        iterator: Iterable | None,
        training: bool,
        prefix: str,
        step_fn: Callable,
        **fit_params: object,
    ) -> None:
        """Train on, or validate with, the batches of one epoch."""
        if iterator is None or not self.one_sync:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            return
        losses = []
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            losses.append(step["loss"].detach())
            self.history.record_batch(f"{prefix}_batch_size", get_len(batch[0]))
            self.notify("on_batch_end", batch=batch, training=training, **step)
        values = torch.stack(losses).tolist()
        batches = self.history[-1]["batches"][-len(values) :]
        for record, value in zip(batches, values, strict=True):
            record[f"{prefix}_loss"] = value
        self.history.record(f"{prefix}_batch_count", len(values))
