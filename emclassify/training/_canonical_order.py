"""The order of samples by their content, whatever the order of the rows."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

__all__ = ["canonical_order", "image_digests"]


def canonical_order(
    images: Sequence[np.ndarray], target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
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


def image_digests(images: Sequence[np.ndarray], target: np.ndarray) -> np.ndarray:
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


def _salt(label: np.ndarray) -> bytes:
    """Return at most 16 bytes that tell a class, or a set of labels."""
    if label.ndim == 0:
        return b"%d" % label
    return blake2b(label.tobytes(), digest_size=16).digest()
