"""How long to train, and in which batches, where the parameters say "auto"."""

import math

__all__ = ["auto_batch_size", "auto_max_epochs"]

# Fewer updates than these leave the smallest sets untrained.
_LEAST_UPDATES = 300


def auto_batch_size(n_samples: int) -> int:
    """Return the batch size for a training set.

    Parameters
    ----------
    n_samples : int
        Rows trained on, repeated ones counted.

    Examples
    --------
    >>> from emclassify.training._budget import auto_batch_size
    >>> [auto_batch_size(n) for n in (100, 1000, 10_000, 60_000)]
    [16, 32, 64, 128]
    """
    if n_samples < 256:
        return 16
    if n_samples < 8192:
        return 32
    return 64 if n_samples < 32768 else 128


def auto_max_epochs(n_samples: int, n_outputs: int, batch_size: int) -> int:
    """Return the number of epochs for a training set.

    The number of images seen grows with the root of the number of images and of
    classes. The numbers come from learning curves on four sets of real images at 100
    to 5,000 images.

    Parameters
    ----------
    n_samples : int
        Rows trained on, repeated ones counted.
    n_outputs : int
        Classes; with several labels an image, one more than labels.
    batch_size : int
        Images in a batch.

    Examples
    --------
    >>> from emclassify.training._budget import auto_max_epochs
    >>> [auto_max_epochs(n, 5, 32) for n in (300, 2000, 4800)]
    [100, 75, 49]
    """
    epochs = math.ceil(1500 * math.sqrt(n_outputs / n_samples))
    least = math.ceil(_LEAST_UPDATES / math.ceil(n_samples / batch_size))
    return max(min(max(epochs, 5), 100), least)
