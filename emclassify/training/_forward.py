"""What a trained network says of many images."""

from collections.abc import Iterable, Iterator

import torch
from skorch import NeuralNetClassifier

from emclassify.readers._stored_images import StoredImages
from emclassify.training._batches import ImageBatches, ImageDataset

__all__ = ["forward"]

# On a GPU at a time, to begin with; a batch that doesn't fit is halved.
_PIXELS_AT_ONCE = 2**23
_IMAGES_AT_ONCE = 2048


def forward(
    net: NeuralNetClassifier, dataset: ImageDataset, n_outputs: int
) -> torch.Tensor:
    """Return the logits (n, n_outputs) of images, on the CPU, in their order.

    A GPU gets batches of up to 2,048 images, as many as fit into its memory, one while
    it computes another, and what it says is read once. Stored images are read as on a
    CPU, a batch of the net at a time.

    Parameters
    ----------
    net : skorch.NeuralNetClassifier
        Initialised.
    dataset : ImageDataset
        Without targets.
    n_outputs : int
        Of the network.
    """
    if torch.device(net.device).type == "cuda":
        logits = _on_gpu(net, dataset)
    else:
        # Kept in one piece: small tensors among large ones would tear the heap.
        logits = torch.empty(len(dataset), n_outputs)
        done = 0
        for batch in net.forward_iter(dataset, training=False):
            logits[done : done + len(batch)] = batch
            done += len(batch)
    # Batches come size by size: back into the order of the images.
    return logits[torch.argsort(torch.cat(dataset.runs()))]


def _on_gpu(net: NeuralNetClassifier, dataset: ImageDataset) -> torch.Tensor:
    device = torch.device(net.device)
    n_pixels = max(stack.shape[1] * stack.shape[2] for stack in dataset.stacks)
    n = max(1, min(_IMAGES_AT_ONCE, _PIXELS_AT_ONCE // n_pixels))
    if isinstance(dataset.stacks[0], StoredImages):
        n = net.iterator_valid__batch_size
    while True:
        batches = (inputs for inputs, _ in ImageBatches(dataset, n))
        try:
            said = [
                net.evaluation_step((inputs, None))
                for inputs in _uploaded(batches, device)
            ]
            return torch.cat(said).cpu()
        except torch.cuda.OutOfMemoryError as error:
            if n == 1:
                raise ValueError(
                    f"An image does not fit into the memory of {device} together with "
                    'the network: predict with device="cpu".'
                ) from error
        said = None
        torch.cuda.empty_cache()
        n //= 2


def _uploaded(
    batches: Iterable[dict[str, torch.Tensor]], device: torch.device
) -> Iterator[dict[str, torch.Tensor]]:
    """Bring batches to a GPU while it computes what it has."""
    uploads = torch.cuda.Stream(device)
    for inputs in batches:
        with torch.cuda.stream(uploads):
            moved = {
                name: values.to(device, non_blocking=True)
                for name, values in inputs.items()
            }
        here = torch.cuda.current_stream(device)
        here.wait_stream(uploads)
        for values in moved.values():
            values.record_stream(here)
        yield moved
