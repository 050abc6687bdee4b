"""Where the sample lies in a mass spectrometry image, and what it is made of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

REGULAR = ("ellipse", "rectangle")
IRREGULAR = ("irregular", "pieces", "ring")
# Share of the pixels that the sample covers.
_SHARE = {
    "ellipse": (0.3, 0.7),
    "rectangle": (0.35, 0.75),
    "irregular": (0.3, 0.7),
    "pieces": (0.3, 0.6),
    "frame": (0.45, 0.75),
}


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], length: float
) -> NDArray[np.float64]:
    """Return a random surface of mean 0 and variance 1 with features of some px."""
    field = ndimage.gaussian_filter(rng.normal(size=shape), length, mode="reflect")
    field -= field.mean()
    return field / max(field.std(), 1e-12)


def sample_region(
    rng: np.random.Generator, shape: Sequence[int], kind: str
) -> NDArray[np.bool_]:
    """Return which pixels lie on the sample.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of 2 int
        Height and width in px.
    kind : str
        "ellipse", "rectangle", "irregular", "pieces" (two of these), "ring" (all but a
        rim of one to three pixels) or "frame" (the sample surrounds the background).

    Returns
    -------
    ndarray of bool of shape (height, width)
        Neither empty nor full.
    """
    y, x = (np.linspace(-1, 1, side) for side in shape)
    y, x = y[:, np.newaxis], x[np.newaxis]
    if kind == "ring":
        rows, columns = (np.minimum(np.arange(s), np.arange(s)[::-1]) for s in shape)
        rim = rng.integers(1, 4) + 0.7 * smooth_noise(rng, shape, min(shape) / 6)
        # One pixel at least stays outside all along the rim.
        level = np.minimum.outer(rows, columns) - np.maximum(rim, 1)
        inside = level >= 0
    else:
        level = _level(rng, y, x, "irregular" if kind == "frame" else kind)
        if kind == "frame":
            level = -level
        inside = level <= np.quantile(level, rng.uniform(*_SHARE[kind]))
    if inside.all() or not inside.any():
        # Of a few pixels, the first one stands for the background.
        inside = np.ones(shape, bool)
        inside.flat[0] = False
    return inside


def _level(rng, y, x, kind):
    """Return a surface that is lowest in the middle of the sample."""
    if kind == "pieces":
        angle = rng.uniform(0, np.pi)
        dy, dx = 0.5 * np.sin(angle), 0.5 * np.cos(angle)
        return np.minimum(
            _level(rng, y - dy, x - dx, "irregular"),
            _level(rng, y + dy, x + dx, "irregular"),
        )
    shift, turn = rng.uniform(-0.25, 0.25, 2), rng.uniform(0, np.pi)
    a, b = rng.uniform(0.7, 1.3, 2)
    if kind == "rectangle":
        turn = rng.normal(0, 0.08)
    y, x = y - shift[0], x - shift[1]
    u = (np.cos(turn) * x + np.sin(turn) * y) / a
    v = (np.cos(turn) * y - np.sin(turn) * x) / b
    if kind == "rectangle":
        return np.maximum(abs(u), abs(v))
    level = np.hypot(u, v)
    if kind == "irregular":
        angle = np.arctan2(v, u)
        waves = np.arange(2, 8)
        size = rng.normal(0, 0.35, len(waves)) / waves
        phase = rng.uniform(0, 2 * np.pi, len(waves))
        bumps = np.cos(waves * angle[..., np.newaxis] + phase) @ size
        level = level / np.exp(bumps)
    return level


def compartments(
    rng: np.random.Generator, inside: NDArray[np.bool_], n: int
) -> NDArray[np.float64]:
    """Return n soft parts of the sample (n, height, width); they sum to 1 on it."""
    length = np.sqrt(inside.sum()) / rng.uniform(6, 14)
    fields = np.stack([smooth_noise(rng, inside.shape, length) for _ in range(n)])
    # Some tissues have sharp borders, others none.
    parts = np.exp(rng.uniform(2, 8) * fields)
    return inside * parts / parts.sum(axis=0)
