"""A set of images as one tensor, and its batches as slices of it."""

import numpy as np
import torch
from torch.utils.data import Dataset

__all__ = ["ImageBatches", "ImageDataset"]

# What torch computes with natively; anything else is widened to one of these.
_TORCH_DTYPES = {np.dtype(t) for t in ("u1", "i1", "i2", "u2", "i4", "i8", "f4", "f8")}
_FLOAT32_MAX = float(np.finfo(np.float32).max)


def as_tensor(images):
    """Return images (n, height, width, channels) as a tensor of their own dtype.

    Raises
    ------
    ValueError
        If a value lies beyond float32, in which the networks compute.
    """
    if images.dtype.kind == "f" and images.dtype.itemsize >= 8:
        flat = images.reshape(len(images), -1)
        too_large = np.abs(flat).max(axis=1) > _FLOAT32_MAX
        if too_large.any():
            raise ValueError(
                f"X has values beyond ±{_FLOAT32_MAX:.1e}, the range of float32: "
                f"image {np.flatnonzero(too_large)[0]} of {len(images)}. Rescale "
                "the intensities."
            )
    dtype = images.dtype.newbyteorder("=")
    if dtype not in _TORCH_DTYPES:
        dtype = np.dtype("i8" if dtype.kind in "iu" and dtype.itemsize < 8 else "f8")
    images = np.ascontiguousarray(images, dtype=dtype)
    if not images.flags.writeable:
        # torch can't mark a tensor read-only and warns; nothing here writes to it.
        images = images.copy()
    return torch.from_numpy(images)


class ImageDataset(Dataset):
    """Images, and for training their classes and weights.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
        Kept in their own dtype: batches are converted one by one, on the device.
    target : ndarray of shape (n,), default=None
        Class indices.
    weight : ndarray of shape (n,), default=None
        Factor on each sample's loss.
    rows : ndarray of int, default=None
        Which images make the set, in which order; one may come several times. All
        of them without it.
    """

    def __init__(self, images, target=None, weight=None, rows=None):
        self.images = as_tensor(images)
        self.rows = None if rows is None else torch.as_tensor(rows)
        if target is not None:
            target = torch.as_tensor(np.asarray(target, dtype=np.int64))
        if weight is not None:
            weight = torch.as_tensor(np.asarray(weight, dtype=np.float32))
        self.target, self.weight = target, weight

    def __len__(self):
        """Count the samples, copies included."""
        return len(self.images) if self.rows is None else len(self.rows)

    def channel_statistics(self):
        """Return mean and standard deviation of each channel, copies counted.

        A constant channel has standard deviation 1, so that it can be divided by.
        """
        pixels = self.images.flatten(1, 2)
        moments = [
            torch.stack([part.mean(1), part.square().mean(1)])
            for part in (chunk.double() for chunk in pixels.split(1024))
        ]
        first, second = torch.cat(moments, dim=1)[:, self.rows].mean(1)
        std = (second - first.square()).clamp(min=0).sqrt()
        # Below this the difference of two large numbers is rounding, not signal.
        constant = std <= 1e-6 * first.abs()
        return first, torch.where(constant, 1.0, std)

    def take(self, index):
        """Return one batch: images, and (target, weight) or an empty tensor."""
        rows = index if self.rows is None else self.rows[index]
        images = self.images[rows]
        if self.target is None:
            return images, torch.empty(0)
        return images, (self.target[index], self.weight[index])

    __getitem__ = take


class ImageBatches:
    """Iterate over an `ImageDataset` in batches; stands in for skorch's DataLoader.

    In training the samples are shuffled by torch's generator and dealt into batches
    of nearly one size, so that no batch is left with a single sample to normalise.

    Parameters
    ----------
    dataset : ImageDataset
    batch_size : int
        Largest size of a batch.
    shuffle : bool, default=False
    """

    def __init__(self, dataset, batch_size, shuffle=False):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __len__(self):
        """Count the batches of an epoch."""
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        """Yield the batches of one epoch."""
        n = len(self.dataset)
        if self.shuffle:
            for index in torch.randperm(n).tensor_split(len(self)):
                yield self.dataset.take(index)
        else:
            for start in range(0, n, self.batch_size):
                yield self.dataset.take(slice(start, start + self.batch_size))
