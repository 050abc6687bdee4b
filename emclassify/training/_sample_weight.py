"""Sample weights as scikit-learn means them: weight two is the sample given twice."""

from hashlib import blake2b

import numpy as np

__all__ = ["canonical_order", "image_digests", "repeat_by_weight"]

_MAX_REPEATS = 100


def canonical_order(images, target):
    """Return the order of the samples by content, and which of them are copies.

    Training shuffles from here, so that it depends on the set of samples and the
    seed, not on the order of rows, nor on the dtype of the images.

    Parameters
    ----------
    images : sequence of n arrays (height, width, channels)
    target : ndarray of int of shape (n,) or (n, n_labels)

    Returns
    -------
    order : ndarray of int of shape (n,)
    content : ndarray of int of shape (n,)
        One number for each sample, the same for copies.
    """
    keys = np.unique(image_digests(images, target), return_inverse=True)[1]
    return np.argsort(keys, kind="stable"), keys


def image_digests(images, target):
    """Return eight bytes for each image and its label, the same for equal ones.

    Parameters
    ----------
    images : sequence of n arrays (height, width, channels)
    target : ndarray of int of shape (n,) or (n, n_labels)

    Returns
    -------
    ndarray of bytes of shape (n,)
    """
    # Values beyond float32 are refused, by name, where images become tensors.
    with np.errstate(over="ignore"):
        digests = [
            blake2b(
                np.ascontiguousarray(image, dtype=np.float32),
                digest_size=8,
                salt=_salt(label),
            ).digest()
            for image, label in zip(images, target, strict=True)
        ]
    return np.array(digests, dtype="S8")


def _salt(label):
    """Return at most 16 bytes that tell a class, or a set of labels."""
    if label.ndim == 0:
        return b"%d" % label
    return blake2b(label.tobytes(), digest_size=16).digest()


def repeat_by_weight(sample_weight):
    """Turn weights into repetitions and what is left of the weight for each.

    A sample of weight w comes ceil(w) times an epoch, each with w / ceil(w) on its
    loss. So whole weights repeat a sample, weights below one scale its loss, and
    a weight of zero leaves it out.

    Parameters
    ----------
    sample_weight : ndarray of shape (n,)
        Finite, not negative.

    Returns
    -------
    rows : ndarray of int
        Indices of samples, each ceil(w) times.
    weight : ndarray of float, as long as `rows`

    Raises
    ------
    ValueError
        If no weight is positive, or the epoch would be over 100 times as long.
    """
    if not (sample_weight > 0).any():
        raise ValueError("sample_weight has no positive weight: nothing to learn from.")
    repeats = np.ceil(sample_weight)
    if repeats.sum() > _MAX_REPEATS * len(sample_weight):
        raise ValueError(
            f"sample_weight sums to {sample_weight.sum():g} over "
            f"{len(sample_weight)} samples. A sample of weight w is repeated ceil(w) "
            f"times an epoch, at most {_MAX_REPEATS} times on average: divide the "
            "weights by a constant."
        )
    repeats = repeats.astype(np.intp)
    rows = np.repeat(np.arange(len(repeats)), repeats)
    return rows, sample_weight[rows] / repeats[rows]
