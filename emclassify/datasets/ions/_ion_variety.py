"""What real datasets have beyond a sample in the middle of a rectangular field."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from emclassify.datasets.ions._ion_detector import Acquisition
from emclassify.datasets.ions._sample_region import (
    IRREGULAR,
    sample_region,
    smooth_noise,
)

# Traits of a dataset, each there or not, independently of the others.
TRAITS = ("cut", "sections", "partial", "fading", "zigzag", "droplets", "chemical")


@dataclass(frozen=True)
class Variety:
    """What sets one dataset apart."""

    inside: np.ndarray  # bool (height, width): on the sample
    recorded: np.ndarray  # bool (height, width): pixels that have a spectrum
    brightness: np.ndarray  # (height, width), around 1: factor on all ions
    baseline: float  # share of signal that is everywhere: chemical noise


def draw_variety(
    rng: np.random.Generator,
    inside: NDArray[np.bool_],
    traits: Sequence[str],
) -> Variety:
    """Draw a dataset's traits.

    Parameters
    ----------
    rng : numpy.random.Generator
    inside : ndarray of bool of shape (height, width)
        On the sample, as it would be without traits.
    traits : sequence of str
        "cut": the sample runs out of the field. "sections": several in one field.
        "partial": the pixels recorded are no rectangle. "fading": the source gets
        weaker from line to line, and may be cleaned on the way. "zigzag": lines scanned
        to and fro differ. "droplets": the matrix was sprayed in drops. "chemical": all
        ions lie on a background that is everywhere.

    Returns
    -------
    Variety
    """
    shape = inside.shape
    if "sections" in traits:
        inside = _sections(rng, shape)
    if "cut" in traits:
        inside = _cut(rng, inside)
    recorded = np.ones(shape, bool)
    if "partial" in traits:
        recorded = _partial(rng, inside)
    # Lines are scanned along rows or along columns.
    along = shape if rng.random() < 0.5 else shape[::-1]
    lines = np.ones(along)
    if "fading" in traits:
        lines = lines * _fading(rng, along)
    if "zigzag" in traits:
        odd = np.arange(along[0])[:, np.newaxis] % 2
        lines = lines * np.exp(rng.uniform(0.3, 1.2) * (odd - 0.5))
    brightness = lines if along is shape else lines.T
    if "droplets" in traits:
        drops = smooth_noise(rng, shape, rng.uniform(0.8, 2.5))
        brightness = brightness * np.exp(rng.uniform(0.3, 0.9) * drops)
    baseline = rng.uniform(0.05, 0.4) if "chemical" in traits else 0.0
    return Variety(inside, recorded, brightness / brightness.mean(), baseline)


def vary_acquisition(acquisition: Acquisition, variety: Variety) -> Acquisition:
    """Return how a dataset was recorded, its traits added."""
    return replace(
        acquisition,
        efficiency=acquisition.efficiency * variety.brightness,
        missing=acquisition.missing | ~variety.recorded,
    )


def add_baseline(
    expected: NDArray[np.float64], variety: Variety
) -> NDArray[np.float64]:
    """Return an expected image with the signal that is everywhere, at most 1."""
    return variety.baseline + (1 - variety.baseline) * expected


def _cut(rng, inside):
    """Move the sample over one border of the field, by a third to a half of it."""
    axis = int(rng.integers(2))
    side = inside.shape[axis]
    by = int(np.ceil(side * rng.uniform(0.2, 0.5))) * int(rng.choice([-1, 1]))
    moved = ndimage.shift(inside.astype(float), np.eye(2)[axis] * by, order=0) > 0.5
    return _neither_empty_nor_full(moved)


def _sections(rng, shape):
    """Return a field with two to nine pieces of tissue in a grid."""
    rows, columns = (int(np.clip(rng.integers(1, 4), 1, side // 4)) for side in shape)
    if rows * columns == 1:
        columns = 2
    inside = np.zeros(shape, bool)
    kind = rng.choice(["ellipse", "rectangle", *IRREGULAR[:1]])
    for part_rows in np.array_split(np.arange(shape[0]), rows):
        for part_columns in np.array_split(np.arange(shape[1]), columns):
            size = len(part_rows), len(part_columns)
            if min(size) and rng.random() < 0.9:
                inside[np.ix_(part_rows, part_columns)] = sample_region(rng, size, kind)
    return _neither_empty_nor_full(inside)


def _neither_empty_nor_full(inside):
    if inside.all() or not inside.any():
        inside = np.zeros(inside.shape, bool)
        inside.flat[: inside.size // 2] = True
    return inside


def _partial(rng, inside):
    """Return which pixels were recorded: around the sample, or two rectangles."""
    shape = inside.shape
    if rng.random() < 0.6:
        # Drawn around the sample by hand, some pixels away from it.
        away = ndimage.distance_transform_edt(~inside)
        margin = min(shape) * rng.uniform(0.05, 0.2)
        wander = 0.4 * margin * smooth_noise(rng, shape, min(shape) / 6)
        return inside | (away <= np.maximum(margin + wander, 1))
    recorded = np.zeros(shape, bool)
    for _ in range(2):
        low = [int(rng.integers(0, max(side // 3, 1))) for side in shape]
        high = [int(rng.integers(2 * side // 3, side + 1)) for side in shape]
        recorded[
            low[0] : max(high[0], low[0] + 1), low[1] : max(high[1], low[1] + 1)
        ] = 1
    # Pixels of both kinds must be there.
    return recorded if recorded[inside].any() and recorded[~inside].any() else ~recorded


def _fading(rng, shape):
    """Return a factor that falls from line to line, and may leap up once."""
    time = np.linspace(0, 1, shape[0])[:, np.newaxis]
    if rng.random() < 0.4:
        cleaned = rng.uniform(0.2, 0.8)
        time = np.where(time < cleaned, time / cleaned, time - cleaned)
    factor = np.exp(-rng.uniform(0.7, 2.5) * time) * np.ones(shape)
    return factor if rng.random() < 0.5 else factor[::-1]
