"""A set of images as tensors, and its batches as slices of them."""

import warnings
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import Dataset

from emclassify.readers._stored_images import StoredImages

__all__ = ["ImageBatches", "ImageDataset"]

# What torch computes with natively; anything else is widened to one of these.
_TORCH_DTYPES = {np.dtype(t) for t in ("u1", "i1", "i2", "u2", "i4", "i8", "f4", "f8")}
_FLOAT32_MAX = float(np.finfo(np.float32).max)
# Converted to float64 at a time, for statistics.
_VALUES_PER_CHUNK = 2**22
# Of the memory that is free on a GPU, how much images may take; the network needs some.
_SHARE_OF_FREE = 0.5


def as_tensor(images: np.ndarray, name: str = "X") -> torch.Tensor:
    """Return images (n, height, width, channels) as a tensor of their own dtype.

    Raises
    ------
    ValueError
        If a value lies beyond float32, in which the networks compute.
    """
    if images.dtype.kind == "f" and images.dtype.itemsize >= 8:
        axes = tuple(range(1, images.ndim))
        too_large = np.maximum(images.max(axes), -images.min(axes)) > _FLOAT32_MAX
        if too_large.any():
            raise ValueError(
                f"{name} has values beyond ±{_FLOAT32_MAX:.1e}, the range of float32: "
                f"image {np.flatnonzero(too_large)[0]} of {len(images)}. Rescale "
                "the intensities."
            )
    dtype = images.dtype.newbyteorder("=")
    if dtype not in _TORCH_DTYPES:
        dtype = np.dtype("i8" if dtype.kind in "iu" and dtype.itemsize < 8 else "f8")
    images = np.ascontiguousarray(images, dtype=dtype)
    # Contiguous is also an axis of length 1 that goes backwards, which torch refuses.
    images = images.ravel().reshape(images.shape)
    with warnings.catch_warnings():
        # torch can't mark a tensor read-only and warns; nothing here writes to it.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(images)


class ImageDataset(Dataset):
    """Images, and for training their classes and weights.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels), list or StoredImages
        Kept in their own dtype: batches are converted one by one, on the device. A
        list holds images (height, width, channels) of different sizes. Stored images,
        and those of a memory map, are read batch by batch.
    target : ndarray of shape (n_rows,) or (n_rows, n_labels), default=None
        Class indices, or an indicator matrix.
    weight : ndarray of the shape of `target`, default=None
        Factor on each sample's loss, or on that of each of its labels.
    rows : ndarray of int of shape (n_rows,), default=None
        Which images make the set, in which order; one may come several times. All
        of them without it.
    features : ndarray of shape (n, n_features), default=None
        Numbers that go to the network beside each image.
    """

    def __init__(
        self,
        images: np.ndarray | list[np.ndarray] | StoredImages,
        target: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        rows: np.ndarray | None = None,
        features: np.ndarray | None = None,
    ) -> None:
        n = len(images)
        self.rows = torch.arange(n) if rows is None else torch.as_tensor(rows)
        # One stack for each size, and for each image its stack and place in it.
        self.stack_of = torch.zeros(n, dtype=torch.long)
        self.place_of = torch.arange(n)
        if isinstance(images, list):
            self.stacks = self._stack_by_size(images)
        else:
            stored = isinstance(images, StoredImages)
            self.stacks = [images if stored else as_tensor(images)]
        if target is not None:
            target = torch.from_numpy(np.array(target, dtype=np.int64))
        if weight is not None:
            weight = torch.from_numpy(np.array(weight, dtype=np.float32))
        if features is not None:
            features = torch.from_numpy(np.array(features, dtype=np.float32))
        self.target, self.weight, self.features = target, weight, features
        self.n_features = 0 if features is None else features.shape[1]
        self.pinned_for = None

    def _stack_by_size(self, images: list[np.ndarray]) -> list[torch.Tensor]:
        members = {}
        for i, image in enumerate(images):
            members.setdefault((image.shape, str(image.dtype)), []).append(i)
        # Sorted, so that the order of the images does not matter.
        stacks = []
        for k, key in enumerate(sorted(members)):
            index = members[key]
            self.stack_of[index] = k
            self.place_of[index] = torch.arange(len(index))
            stacks.append(as_tensor(np.stack([images[i] for i in index])))
        return stacks

    def __len__(self) -> int:
        """Count the samples, copies included."""
        return len(self.rows)

    def move_to(
        self, device: torch.device, shared_with: "ImageDataset | None" = None
    ) -> None:
        """Have batches on a CUDA device without waiting for them; else do nothing.

        The images move there for good if they fit into half of its free memory. If not,
        or if they are stored, each batch goes through pinned memory.

        Parameters
        ----------
        device : torch.device
        shared_with : ImageDataset, default=None
            A set of the same images, other rows of them, which are then held once.
        """
        if shared_with is not None:
            shared_with.stacks = self.stacks
        if device.type != "cuda" or self._lies_on(device):
            return
        free, _ = torch.cuda.mem_get_info(device)
        # What torch has taken and holds for the next to come is free too.
        free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        stored = isinstance(self.stacks[0], StoredImages)
        if stored or sum(s.nbytes for s in self.stacks) > _SHARE_OF_FREE * free:
            self.pinned_for = device
        else:
            self.stacks[:] = [stack.to(device) for stack in self.stacks]

    def _lies_on(self, device: torch.device) -> bool:
        return all(
            isinstance(stack, torch.Tensor) and stack.device == device
            for stack in self.stacks
        )

    def runs(self) -> list[torch.Tensor]:
        """Return indices of samples, one tensor for each size of image."""
        if len(self.stacks) == 1:
            return [torch.arange(len(self))]
        stack_of = self.stack_of[self.rows]
        return [torch.nonzero(stack_of == k).flatten() for k in stack_of.unique()]

    def channel_statistics(
        self, *, masked: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and standard deviation of each channel, copies counted.

        Every image counts the same, whatever its size. A constant channel has
        standard deviation 1, so that it can be divided by. With `masked`, only pixels
        count where the last channel is not 0, and that channel is left out; images
        without such a pixel don't count.
        """
        channels = self.stacks[0].shape[-1] - masked
        moments = torch.empty(2, len(self.stack_of), channels, dtype=torch.float64)
        for k, stack in enumerate(self.stacks):
            step = max(1, _VALUES_PER_CHUNK // int(np.prod(stack.shape[1:])))
            parts = []
            for start in range(0, len(stack), step):
                part = take(stack, slice(start, start + step)).flatten(1, 2).double()
                mean = torch.mean
                if masked:
                    part[part[:, :, -1] == 0] = torch.nan
                    part, mean = part[:, :, :-1], torch.nanmean
                parts.append(torch.stack([mean(part, 1), mean(part.square(), 1)]))
            members = torch.nonzero(self.stack_of == k).flatten()
            moments[:, members] = torch.cat(parts, dim=1)
        moments = moments[:, self.rows]
        if masked:
            seen = ~moments[0].isnan().any(1)
            if not seen.any():
                raise ValueError(
                    'mask="last": no image has a pixel of a particle: its last channel '
                    "is 0 everywhere. Give masks that are not 0 in the particle."
                )
            moments = moments[:, seen]
        return _mean_and_std(moments)

    def feature_statistics(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean and standard deviation of each feature, copies counted."""
        features = self.features[self.rows].double()
        return _mean_and_std(torch.stack([features, features.square()]))

    def __getitem__(
        self, index: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], object]:
        """Return one batch: inputs, and (target, weight) or an empty tensor.

        `index` is a tensor of samples whose images have one size.
        """
        rows = self.rows[index]
        stack = self.stacks[self.stack_of[rows[0]]]
        images = take(stack, self.place_of[rows])
        if self.pinned_for is not None:
            images = images.pin_memory().to(self.pinned_for, non_blocking=True)
        inputs = {"images": images}
        if self.features is not None:
            inputs["features"] = self.features[rows]
        if self.target is None:
            return inputs, torch.empty(0)
        return inputs, (self.target[index], self.weight[index])


def take(
    stack: torch.Tensor | StoredImages, rows: slice | torch.Tensor
) -> torch.Tensor:
    """Return images of a stack, a slice or a tensor of places, as a tensor."""
    if isinstance(stack, StoredImages):
        return as_tensor(stack[rows if isinstance(rows, slice) else rows.numpy()])
    if stack.dtype == torch.uint16 and not isinstance(rows, slice):
        # torch gathers no uint16 on CUDA (2.13): the same bits go as int16.
        return stack.view(torch.int16)[rows].view(torch.uint16)
    return stack[rows]


def _mean_and_std(moments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation from first and second moments (2, n, k); 1 for constants."""
    first, second = moments.mean(1)
    std = (second - first.square()).clamp(min=0).sqrt()
    # Below this the difference of two large numbers is rounding, not signal.
    constant = std <= 1e-6 * first.abs()
    return first, torch.where(constant, 1.0, std)


class ImageBatches:
    """Iterate over an `ImageDataset` in batches; stands in for skorch's DataLoader.

    All images of a batch have one size. In training the samples are shuffled by
    torch's generator and dealt into batches of nearly one length, so that no batch
    is left with a single sample to normalise, and batches of different sizes are
    mixed.

    Parameters
    ----------
    dataset : ImageDataset
    batch_size : int
        Largest length of a batch.
    shuffle : bool, default=False
    multiple : int, default=1
        What the length of all batches but the last is a multiple of in training, if
        that leaves half a batch at least. A GPU's kernels want multiples of eight: a
        step of LipNet-4 takes an H200 0.81 ms with 128 images, 0.87 ms with 127.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        batch_size: int,
        shuffle: bool = False,
        multiple: int = 1,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.multiple = multiple

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return sum(-(-len(run) // self.batch_size) for run in self.dataset.runs())

    def kind(self, index: torch.Tensor) -> tuple[int, int]:
        """Return the stack of a batch, and its length."""
        length = index.shape[0]  # faster than len
        if len(self.dataset.stacks) == 1:
            return 0, length
        return int(self.dataset.stack_of[self.dataset.rows[index[0]]]), length

    def kinds(self) -> set[tuple[int, int]]:
        """Return the kinds of batches of an epoch of training."""
        return {
            self.kind(index)
            for run in self.dataset.runs()
            for index in self._parts(run)
        }

    def _parts(self, run: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Deal samples of one size into batches of training."""
        n_batches = -(-len(run) // self.batch_size)
        even = -(-len(run) // n_batches)
        length = -(-even // self.multiple) * self.multiple
        rest = len(run) - (n_batches - 1) * length
        if self.multiple > 1 and length <= self.batch_size and 2 * rest >= length:
            return run.split(length)
        return run.tensor_split(n_batches)

    def deal(self) -> list[torch.Tensor]:
        """Return the samples of each batch of one epoch, as indices."""
        batches = []
        for run in self.dataset.runs():
            if self.shuffle:
                batches += self._parts(run[torch.randperm(len(run))])
            else:
                batches += run.split(self.batch_size)
        if self.shuffle and len(self.dataset.stacks) > 1:
            batches = [batches[i] for i in torch.randperm(len(batches))]
        return batches

    def __iter__(self) -> Iterator[tuple[dict[str, torch.Tensor], object]]:
        """Yield the batches of one epoch."""
        for index in self.deal():
            yield self.dataset[index]
