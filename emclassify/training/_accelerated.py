"""One network trained by several processes, through Hugging Face Accelerate."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self

import torch
from skorch import NeuralNetClassifier
from skorch.hf import AccelerateMixin

from emclassify.training._batches import ImageDataset, take
from emclassify.training._plain_targets import PlainTargets
from emclassify.training._runtime import make_accelerator

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["AcceleratedNet", "SharedBatches"]


class SharedBatches:
    """Of each batch of `batches`, the share of this process.

    A batch of n samples is cut into as many runs as there are processes, of one length
    or nearly. The weights make up for the difference: the mean over processes of the
    mean loss of their shares is the mean loss of the batch. A process for which a
    small batch has no sample takes the first one, with weight 0.

    Parameters
    ----------
    batches : iterable of (inputs, (target, weight))
        The same in every process, given the same random state.
    accelerator : accelerate.Accelerator

    Attributes
    ----------
    n_whole : int
        Samples in the batch of which the last share was.
    """

    def __init__(self, batches: Iterable, accelerator: "Accelerator") -> None:
        self.batches = batches
        self.accelerator = accelerator

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[dict, tuple[torch.Tensor, torch.Tensor]]]:
        """Yield the shares of one epoch."""
        from accelerate.utils import synchronize_rng_states

        n_processes = self.accelerator.num_processes
        # Augmentation draws more for a larger share: the states have moved apart.
        synchronize_rng_states(["torch"])
        for inputs, (target, weight) in self.batches:
            n = self.n_whole = len(target)
            share = torch.arange(n).tensor_split(n_processes)
            share = share[self.accelerator.process_index]
            factor = n_processes * len(share) / n
            if not len(share):
                share = torch.arange(1)
            inputs = {name: values[share] for name, values in inputs.items()}
            yield inputs, (target[share], weight[share] * factor)


class AcceleratedNet(AccelerateMixin, PlainTargets):
    """A skorch net whose training several processes share, and nothing but training.

    It predicts, and is pickled, like any other: each process predicts what it is
    given, and the accelerator is there during training only.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(
            *args, accelerator=make_accelerator(), unwrap_after_train=False, **kwargs
        )
        # skorch refuses the mixin's setting of a callback that our nets do without.
        del self.callbacks__print_log__sink
        self._shared = None

    def _initialize_callbacks(self) -> Self:
        return NeuralNetClassifier._initialize_callbacks(self)

    def _initialize_accelerator(self) -> Self:
        # Not the criterion, as the mixin does: it has no weights to keep in step, and
        # on CPUs that is an error.
        if not self._wrapped_with_accelerator:
            self.module_ = self.accelerator.prepare(self.module_)
            self.optimizer_ = self.accelerator.prepare(self.optimizer_)
            self._wrapped_with_accelerator = True
        return self

    def get_iterator(self, dataset: ImageDataset, training: bool = False) -> Iterable:
        """Return batches of which, in training, this process sees its share."""
        # Accelerate prepares DataLoaders only, and passes anything else through.
        batches = NeuralNetClassifier.get_iterator(self, dataset, training)
        if not training:
            return batches
        self._shared = SharedBatches(batches, self.accelerator)
        return self._shared

    def train_step_single(self, batch: object, **fit_params: object) -> dict:
        """Train on a share; return the loss of the whole batch."""
        step = super().train_step_single(batch, **fit_params)
        step["loss"] = self.accelerator.reduce(step["loss"].detach(), "mean")
        return step

    def validation_step(self, batch: object, **fit_params: object) -> dict:
        """Compute the loss of the batch, to the bit the same in every process."""
        # A difference in the last bit could end training in one process only.
        step = super().validation_step(batch, **fit_params)
        step["loss"] = self.accelerator.reduce(step["loss"], "mean")
        return step

    def evaluation_step(self, batch: object, training: bool = False) -> torch.Tensor:
        """Predict the batch: it was not shared out, so there is nothing to gather."""
        return NeuralNetClassifier.evaluation_step(self, batch, training)

    def notify(self, method_name: str, **kwargs: object) -> None:
        """Join the processes when training begins; part when all callbacks are done."""
        if method_name == "on_train_begin":
            self._join(kwargs["X"])
        if method_name == "on_batch_end" and kwargs["training"]:
            # The losses of an epoch are averaged by it.
            self.history.record_batch("train_batch_size", self._shared.n_whole)
        super().notify(method_name, **kwargs)
        if method_name == "on_train_end":
            self._part()

    def _join(self, dataset: ImageDataset) -> None:
        """Prepare for training, if all processes are about to do the same."""
        if self.accelerator is None:
            self.accelerator = make_accelerator()
        from accelerate.utils import gather_object

        if len(set(gather_object([_fingerprint(dataset)]))) > 1:
            raise ValueError(
                'With device="accelerate" every process must fit the same images and '
                "labels with the same parameters, and random_state must be an int; "
                f"process {self.accelerator.process_index} of "
                f"{self.accelerator.num_processes} differs from another."
            )
        self._initialize_accelerator()

    def _part(self) -> None:
        """Go back to a network of this process alone."""
        from accelerate.utils import broadcast

        self._unwrap_accelerator()
        # Each process has the running means of its own shares.
        for buffer in self.module_.buffers():
            broadcast(buffer)
        self.optimizer_ = self.optimizer_.optimizer
        self.accelerator = self._shared = None


def _fingerprint(dataset: ImageDataset) -> str:
    """Return in brief what must be the same in all processes."""
    digest = hashlib.sha256(str(torch.initial_seed()).encode())
    for values in (dataset.rows, dataset.target, dataset.weight):
        digest.update(values.numpy().tobytes())
    for stack in dataset.stacks:
        digest.update(str((stack.shape, stack.dtype)).encode())
        some = take(stack, slice(None, None, max(1, len(stack) // 16)))
        digest.update(some.cpu().numpy().tobytes())
    return digest.hexdigest()
