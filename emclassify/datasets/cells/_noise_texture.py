"""Smooth random fields and spots: what stains and organelles are made of."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

# Wavelengths of a band lie about its middle with this relative spread.
_BAND = 0.35
# Side of the periodic field that stretched textures are cut from.
_TILE = 128
_STEP = np.log(1.05)


@lru_cache(maxsize=128)
def _band_pass(height, width, wavelength):
    """Return the filter (height, width // 2 + 1) of a band; it gives unit variance."""
    ky = fft.fftfreq(height)[:, np.newaxis]
    kx = fft.rfftfreq(width)
    k = np.hypot(ky, kx) * wavelength
    band = np.exp(-0.5 * ((k - 1) / _BAND) ** 2)
    band[0, 0] = 0.0
    # Each frequency between the first and the last column stands for two.
    times = np.full(len(kx), 2.0)
    times[0] = 1.0
    if width % 2 == 0:
        times[-1] = 1.0
    power = (band**2 * times).sum()
    return (band * (height * width) / np.sqrt(2 * power)).astype(np.float32)


def band_noise(
    rng: np.random.Generator, shape: tuple[int, int], wavelength: float
) -> NDArray[np.float32]:
    """Return a periodic field of structures about `wavelength` px large.

    Mean 0, standard deviation 1, or down to 0.94 where `wavelength` is more than half
    of the side; float32.
    """
    height, width = shape
    wavelength = np.clip(wavelength, 2.5, max(4.0, min(height, width) / 1.5))
    # In steps of 5 %: few filters serve many images.
    band = _band_pass(height, width, float(1.05 ** round(np.log(wavelength) / _STEP)))
    # Real and imaginary parts side by side.
    draws = rng.standard_normal((*band.shape, 2), dtype=np.float32)
    spectrum = draws.view(np.complex64)[..., 0]
    spectrum *= band
    return fft.irfft2(spectrum, s=shape, overwrite_x=True)


def stretched_noise(
    rng: np.random.Generator,
    first: NDArray[Any],
    second: NDArray[Any],
    wavelength: float = 6.0,
) -> NDArray[np.float32]:
    """Return a field that repeats itself every 128 along two coordinates.

    A coordinate that changes slowly from pixel to pixel draws the texture out along
    it.
    """
    tile = band_noise(rng, (_TILE, _TILE), wavelength)
    return ndimage.map_coordinates(
        tile, (first, second), order=1, mode="grid-wrap", output=np.float32
    )


def threads(field: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Return lines of brightness 1 along the zeros of a field."""
    return np.exp(-((field / width) ** 2))


def add_spots(
    image: NDArray[np.float32],
    places: Iterable[tuple[float, float, float]],
    sigma: float,
) -> None:
    """Add round Gaussian spots (y, x, brightness) to an image, in place.

    Those that lie outside leave it as it is.
    """
    reach = int(np.ceil(3 * sigma))
    height, width = image.shape
    for y, x, bright in places:
        top, left = max(0, round(y) - reach), max(0, round(x) - reach)
        bottom, right = (
            min(height, round(y) + reach + 1),
            min(width, round(x) + reach + 1),
        )
        if top >= bottom or left >= right:
            continue
        rows = np.exp(-(((np.arange(top, bottom) - y) / sigma) ** 2) / 2)
        columns = np.exp(-(((np.arange(left, right) - x) / sigma) ** 2) / 2)
        image[top:bottom, left:right] += bright * np.outer(rows, columns)
