"""A pixel detector: where it is blind, what else it sees, and how it counts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Knots along each side of the smooth field that changes intensities at large scale.
_KNOTS = 5


def live_pixels(image_size: int, *, beam_stop: float, gap: float) -> NDArray[np.bool_]:
    """Return where the detector counts (image_size, image_size), a bool array."""
    offset = np.arange(image_size) - (image_size - 1) / 2
    away = np.hypot(offset, offset[:, np.newaxis])
    # A disc of no radius covers nothing, not even the middle of an odd size.
    live = away > beam_stop if beam_stop else np.ones(away.shape, dtype=bool)
    # As many rows as asked for, also where none can be in the middle.
    from_middle = np.argsort(np.abs(offset), kind="stable")
    live[from_middle[: int(gap + 0.5)]] = False
    return live


def smooth_field(
    rng: np.random.Generator, image_size: int, spread: float
) -> NDArray[np.float32]:
    """Return a smooth positive field (image_size, image_size) around 1.

    The exponential of a random surface through a few knots; `spread` is the standard
    deviation of its logarithm at the knots.
    """
    knots = rng.normal(0.0, spread, (_KNOTS, _KNOTS))
    place = np.linspace(0, _KNOTS - 1, image_size)
    # Raised cosines between neighbouring knots: smooth, and they sum to one.
    near = np.clip(1 - np.abs(place[:, np.newaxis] - np.arange(_KNOTS)), 0, 1)
    near = 0.5 - 0.5 * np.cos(np.pi * near)
    return np.exp(near @ knots @ near.T).astype(np.float32)


def stray_light(
    qx: NDArray[np.float64], qy: NDArray[np.float64], level: float, reach: float
) -> NDArray[np.float32]:
    """Return photons per pixel (len(qy), len(qx)) that no particle scattered.

    Half of `level` is flat; half falls with the spatial frequency over `reach`.
    """
    away = np.hypot(qx, qy[:, np.newaxis])
    return (0.5 * level * (1 + np.exp(-away / reach))).astype(np.float32)


def count(
    rng: np.random.Generator, expected: NDArray[np.float32], dtype: str
) -> NDArray[Any]:
    """Return counts drawn by Poisson's law, cut off where the type ends."""
    return as_type(rng.poisson(expected), dtype)


def as_type(photons: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Return numbers of photons, for integers rounded and cut off where they end."""
    if np.dtype(dtype).kind == "u":
        # In double precision, which has the largest of 32 bits.
        whole = np.rint(photons, dtype=np.float64)
        photons = np.minimum(whole, np.iinfo(dtype).max)
    return photons.astype(dtype)
