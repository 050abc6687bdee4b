"""What ion images show: where in the field a molecule is, on the sample or off it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from emclassify.datasets.ions._sample_region import compartments, smooth_noise

ON_KINDS = ("compartments", "gradient", "blobs", "whole", "rim")
ON_SHARES = (0.45, 0.15, 0.2, 0.12, 0.08)
OFF_KINDS = ("matrix", "edge", "streaks", "side")
OFF_SHARES = (0.5, 0.15, 0.15, 0.2)


@dataclass(frozen=True)
class Dataset:
    """What all ions of one dataset share."""

    inside: np.ndarray  # bool (height, width): on the sample
    parts: np.ndarray  # (n, height, width): compartments of the sample
    crystals: np.ndarray  # (height, width), around 1: the matrix is uneven
    leak: float  # share of a molecule of the sample that is found off it
    suppression: float  # share of the background's signal that is left on the sample
    washed: float  # px by which molecules of the sample have spread
    streak_axis: int  # 0: streaks run along the columns, 1: along the rows


def draw_dataset(
    rng: np.random.Generator,
    inside: NDArray[np.bool_],
    *,
    strangeness: Literal[None, "halo", "weak"] = None,
) -> Dataset:
    """Draw what the ions of a dataset share.

    Parameters
    ----------
    rng : numpy.random.Generator
    inside : ndarray of bool of shape (height, width)
        On the sample.
    strangeness : {None, "halo", "weak"}
        "halo": molecules of the sample were washed off it. "weak": the background is
        nearly as bright on the sample.

    Returns
    -------
    Dataset
    """
    leak, washed = rng.uniform(0, 0.15), rng.uniform(0.3, 1.2)
    suppression = rng.uniform(0.05, 0.4)
    if strangeness == "halo":
        leak, washed = rng.uniform(0.2, 0.4), rng.uniform(3, 5)
    if strangeness == "weak":
        suppression = rng.uniform(0.55, 0.85)
    grain = smooth_noise(rng, inside.shape, rng.uniform(0.5, 3))
    return Dataset(
        inside=inside,
        parts=compartments(rng, inside, int(rng.integers(3, 7))),
        crystals=np.exp(rng.uniform(0.1, 0.5) * grain),
        leak=leak,
        suppression=suppression,
        washed=washed,
        streak_axis=int(rng.integers(2)),
    )


def on_sample(
    rng: np.random.Generator, dataset: Dataset, kind: str
) -> NDArray[np.float64]:
    """Return the expected image (height, width) of a molecule of the sample, 0 to 1."""
    inside = dataset.inside
    if kind == "compartments":
        weight = rng.dirichlet(np.full(len(dataset.parts), 0.4))
        image = np.tensordot(weight / weight.max(), dataset.parts, 1)
    elif kind == "gradient":
        slope = _slope(rng, inside.shape)
        image = inside * np.exp(-rng.uniform(1, 3) * slope)
    elif kind == "blobs":
        image = inside * _blobs(rng, inside)
    elif kind == "whole":
        image = inside * np.exp(0.2 * smooth_noise(rng, inside.shape, 4))
    else:
        depth = ndimage.distance_transform_edt(inside)
        image = inside * np.exp(-depth / rng.uniform(1.5, 4))
    image = ndimage.gaussian_filter(image.astype(float), dataset.washed)
    image /= image.max()
    level = dataset.leak * rng.uniform(0, 1)
    return np.maximum(image, level * (0.5 + 0.5 * ~inside))


def off_sample(
    rng: np.random.Generator, dataset: Dataset, kind: str
) -> NDArray[np.float64]:
    """Return the expected image (height, width) of the background, 0 to 1."""
    outside = ~dataset.inside
    if kind == "matrix":
        image = dataset.crystals ** rng.uniform(0, 1.5)
    elif kind == "edge":
        away = ndimage.distance_transform_edt(outside)
        image = np.exp(-away / rng.uniform(1.5, 6)) + rng.uniform(0, 0.15)
    elif kind == "streaks":
        image = _streaks(rng, outside.shape, dataset.streak_axis)
    else:
        image = np.exp(-rng.uniform(1.5, 3.5) * _slope(rng, outside.shape))
    left = np.clip(dataset.suppression * rng.uniform(0.5, 1.4), 0, 0.9)
    # What is deposited on the sample is suppressed gradually, over a pixel or so.
    covered = ndimage.gaussian_filter(dataset.inside.astype(float), rng.uniform(0.3, 1))
    image = image * (1 - (1 - left) * covered)
    return image / image.max()


def _slope(rng, shape):
    """Return a plane from 0 to 1 in a random direction, bent a little."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = (np.linspace(-1, 1, side) for side in shape)
    plane = np.sin(angle) * y[:, np.newaxis] + np.cos(angle) * x
    plane = plane + 0.2 * smooth_noise(rng, shape, max(shape) / 4)
    return (plane - plane.min()) / max(np.ptp(plane), 1e-12)


def _blobs(rng, inside):
    """Return a few round spots, their centres on the sample."""
    where = np.argwhere(inside)
    rows, columns = np.indices(inside.shape)
    image = np.zeros(inside.shape)
    for _ in range(rng.integers(1, 6)):
        row, column = rng.choice(where)
        radius = np.sqrt(len(where)) * rng.uniform(0.05, 0.18)
        distance = np.hypot(rows - row, columns - column)
        image += rng.uniform(0.4, 1) * np.exp(-((distance / radius) ** 2) / 2)
    return image


def _streaks(rng, shape, axis):
    """Return bands along one axis, of one to a few px."""
    across = shape[1 - axis]
    bands = ndimage.gaussian_filter1d(rng.exponential(size=across) ** 2, 0.8)
    along = np.exp(0.3 * smooth_noise(rng, shape, max(shape) / 5))
    bands = bands if axis == 0 else bands[:, np.newaxis]
    return along * (0.1 + bands / bands.max())
