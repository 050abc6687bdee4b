"""From expected ion images to intensities as a mass spectrometer gives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.ions._sample_region import smooth_noise


@dataclass(frozen=True)
class Acquisition:
    """How one dataset was recorded."""

    efficiency: np.ndarray  # (height, width), around 1: pixels differ for all ions
    spread: float  # standard deviation of the logarithm of what each pixel adds
    counts: tuple  # ions in the brightest pixel, least and most
    floor: float  # counts below which the peak is not found
    missing: np.ndarray  # bool (height, width): not recorded


def draw_acquisition(
    rng: np.random.Generator, shape: Sequence[int], *, missing: float, noise: float
) -> Acquisition:
    """Draw how a dataset was recorded.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of 2 int
        (height, width) in px.
    missing : float
        Mean share of pixels that are not recorded; in one dataset of five, whole lines.
    noise : float
        Factor on what is random from pixel to pixel.

    Returns
    -------
    Acquisition
    """
    lines = rng.normal(0, rng.choice([0.02, 0.25], p=[0.7, 0.3]) * noise, shape[0])
    grain = rng.uniform(0.05, 0.3) * noise * rng.normal(size=shape)
    drift = rng.uniform(0, 0.3) * smooth_noise(rng, shape, max(shape) / 4)
    lost = rng.random(shape) < missing * rng.exponential()
    if missing and rng.random() < 0.2:
        lost[rng.integers(shape[0])] = True
    least = 10 ** rng.uniform(0.3, 1.3)
    return Acquisition(
        efficiency=np.exp(lines[:, np.newaxis] + grain + drift),
        spread=rng.uniform(0.2, 0.6) * noise,
        counts=(least / max(noise, 0.1), 50 * least / max(noise, 0.1)),
        floor=rng.choice([0, 1, 2], p=[0.4, 0.3, 0.3]),
        missing=lost,
    )


def record(
    rng: np.random.Generator,
    expected: NDArray[np.float64],
    acquisition: Acquisition,
    *,
    hot_spots: float,
) -> NDArray[np.float32]:
    """Return the intensities (height, width) of an ion, float32, not negative.

    Ions are counted by Poisson's law; each count weighs differently (log-normal), and a
    few hot pixels are several times too bright.
    """
    brightest = np.exp(rng.uniform(*np.log(acquisition.counts)))
    spread = acquisition.spread
    uneven = np.exp(spread * rng.normal(size=expected.shape) - spread**2 / 2)
    counts = rng.poisson(brightest * expected * acquisition.efficiency * uneven)
    counts[counts <= acquisition.floor] = 0
    # Counts become a detector's intensities: another factor for each peak.
    intensity = counts * rng.lognormal(6, 1.5) * rng.lognormal(0, 0.15, counts.shape)
    hot = rng.random(counts.shape) < hot_spots
    intensity[hot] = (intensity[hot] + intensity.mean()) * rng.lognormal(
        1.5, 0.8, hot.sum()
    )
    intensity[acquisition.missing] = 0
    return intensity.astype(np.float32)


def record_faint(
    rng: np.random.Generator,
    expected: NDArray[np.float64],
    acquisition: Acquisition,
    *,
    hot_spots: float,
) -> NDArray[np.float32]:
    """Return the intensities of an ion that is seen in few pixels.

    As `record`, with 3 to 30 times fewer counts; more, if no pixel shows it.
    """
    share = 10 ** rng.uniform(-1.5, -0.5)
    for _ in range(8):
        intensity = record(rng, share * expected, acquisition, hot_spots=hot_spots)
        if intensity.any():
            break
        share *= 3
    return intensity


def displayed(
    intensity: NDArray[Any], clip: Literal["all", "visible"] | None = "all"
) -> NDArray[Any]:
    """Return an 8-bit image, its brightest pixels cut.

    Parameters
    ----------
    intensity : ndarray of shape (height, width)
        Not negative.
    clip : {"all", "visible", None}, default="all"
        "all": cut at the 99th percentile of all pixels. "visible": of those above 1/256
        of the brightest, as METASPACE does. None: nothing is cut.
    """
    top = intensity.max()
    if clip == "all":
        top = np.percentile(intensity, 99) or top
    elif clip == "visible" and top > 0:
        top = np.percentile(intensity[intensity > top / 256], 99)
    return np.round(255 * np.minimum(intensity / (top or 1.0), 1)).astype(np.uint8)
