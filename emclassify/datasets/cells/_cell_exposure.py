"""From what cells emit to grey values: staining, light, blur, photons, saturation."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Standard deviation of the microscope's point spread, in px.
_BLUR = 0.6
_SATURATED_GAIN = (6.0, 15.0)


@dataclass
class Plate:
    """What images share: a gain for each channel, background, size of cells."""

    gains: np.ndarray
    background: float
    size: float


def draw_plates(rng: np.random.Generator, n_plates: int) -> list[Plate]:
    """Return what the images of each plate share: gains, background, size of cells."""
    gains = np.exp(rng.normal(0, 0.15, (n_plates, 4)))
    background = rng.uniform(0.01, 0.05, n_plates)
    size = np.exp(rng.normal(0, 0.05, n_plates))
    return [Plate(*values) for values in zip(gains, background, size, strict=True)]


def expose(
    rng: np.random.Generator,
    light: NDArray[Any],
    plate: Plate,
    dirt: Literal["none", "saturated", "empty"],
    photons: float,
) -> NDArray[Any]:
    """Return the grey values (height, width, channels) of what emits light.

    Parameters
    ----------
    rng : numpy Generator
    light : ndarray of shape (channels, height, width)
        1 is full scale.
    plate : Plate
    dirt : {"none", "saturated", "empty"}
    photons : float
        At full scale.

    Returns
    -------
    ndarray of uint8
    """
    gain = plate.gains
    if dirt == "saturated":
        gain = gain * rng.uniform(*_SATURATED_GAIN)
    elif dirt == "empty":
        light = np.zeros_like(light)
    background = plate.background * rng.uniform(0.7, 1.4, len(light))
    grey = np.empty((*light.shape[1:], len(light)), dtype=np.uint8)
    for channel, emitted in enumerate(light):
        seen = ndimage.gaussian_filter(emitted, _BLUR, truncate=3)
        seen += np.float32(background[channel])
        seen *= np.float32(gain[channel])
        noise = rng.standard_normal(seen.shape, dtype=np.float32)
        noise *= np.sqrt(seen * np.float32(1 / photons))
        seen += noise
        seen *= 255
        # Truncation rounds to the nearest.
        seen += 0.5
        grey[..., channel] = np.clip(seen, 0, 255, out=seen)
    return grey
