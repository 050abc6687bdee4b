"""Where in its cell a protein lies: one pattern a location, drawn on the shapes.

A pattern is an image (height, width) of float32 from 0 to about 1. What it looks like
follows the Human Protein Atlas's pictures of each location, by eye.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from emclassify.datasets.cells._noise_texture import (
    band_noise,
    stretched_noise,
    threads,
)

if TYPE_CHECKING:
    from emclassify.datasets.cells._cell_shapes import CellShapes


class Patterns:
    """Draws the locations of one image; each is drawn once, whoever asks for it."""

    def __init__(self, rng: np.random.Generator, shapes: CellShapes) -> None:
        self.rng = rng
        self.shapes = shapes
        self.radius = shapes.radius
        # Width of the thinnest structures; less than a pixel would not show.
        self.thin = max(0.8, shapes.radius / 12)
        self.cytoplasm = shapes.cell & ~shapes.nucleus
        self._drawn = {}

    def __getitem__(self, location: str) -> NDArray[np.float32]:
        if location not in self._drawn:
            draw = _DRAW[location]
            self._drawn[location] = draw(self).astype(np.float32, copy=False)
        return self._drawn[location]

    def noise(self, wavelength: float) -> NDArray[np.float32]:
        """Return noise with structures of `wavelength` nuclear radii."""
        return band_noise(self.rng, self.shapes.cell.shape, wavelength * self.radius)

    def of_cell(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return what each pixel's cell has of `values`."""
        return np.asarray(values, dtype=np.float32)[self.shapes.owner]

    @property
    def thickness(self) -> NDArray[np.float32]:
        """How thick the cell is: most about the nucleus, 0 at its outline."""
        return np.sqrt(np.clip(1.05 - self.shapes.in_cell**2, 0, None))


def _chromatin(p):
    """Draw the stained nucleus: grained, with holes where nucleoli are."""
    grain = 0.8 + 0.2 * p.noise(0.5)
    return p.shapes.nucleus * np.clip(grain, 0.2, None) * (1 - 0.55 * p["nucleoli"])


def _nucleoplasm(p):
    grain = 0.75 + 0.2 * p.noise(0.35)
    return p.shapes.nucleus * np.clip(grain, 0.1, None) * (1 - 0.7 * p["nucleoli"])


def _nuclear_membrane(p):
    rim = np.exp(-((p.shapes.from_nucleus / (1.4 * p.thin)) ** 2))
    folds = 0.85 + 0.15 * p.noise(0.5)
    return p.shapes.cell * rim * folds + 0.18 * p.shapes.nucleus


def _nucleoli(p):
    """Draw two to five bright grains in each nucleus."""
    out = np.zeros(p.shapes.cell.shape, dtype=np.float32)
    for i in range(p.shapes.n_cells):
        n = p.rng.integers(2, 6)
        away = 0.62 * np.sqrt(p.rng.random(n)) * p.radius
        angle = p.rng.uniform(0, 2 * np.pi, n)
        size = p.radius * p.rng.uniform(0.13, 0.27, n)
        for y, x, r in zip(
            p.shapes.centres[i, 0] + away * np.sin(angle),
            p.shapes.centres[i, 1] + away * np.cos(angle),
            size,
            strict=True,
        ):
            _add_grain(out, y, x, r)
    return np.minimum(out, 1) * p.shapes.nucleus


def _add_grain(out, y, x, radius):
    """Add a disc with a soft edge."""
    reach = radius + 2
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    part = out[top : max(0, int(y + reach) + 2), left : max(0, int(x + reach) + 2)]
    if not part.size:
        return
    rows = np.arange(part.shape[0], dtype=np.float32)[:, np.newaxis] + (top - y)
    columns = np.arange(part.shape[1], dtype=np.float32) + (left - x)
    part += np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1)


def _golgi(p):
    """Draw a ribbon in pieces on one side of the nucleus."""
    side = p.of_cell(p.rng.uniform(-np.pi, np.pi, p.shapes.n_cells))
    turn = np.arctan2(p.shapes.across, p.shapes.along) - side
    turn = np.abs((turn + np.pi) % (2 * np.pi) - np.pi) * p.radius
    out = p.shapes.from_nucleus - 0.3 * p.radius
    place = np.exp(-((out / (0.3 * p.radius)) ** 2) - (turn / (0.75 * p.radius)) ** 2)
    pieces = 0.25 + 1.0 * threads(p.noise(0.45), 0.5)
    return p.cytoplasm * place * pieces


def _actin(p):
    """Draw fibres along the cell, and its rim."""
    bundle = stretched_noise(
        p.rng,
        p.shapes.along * (0.7 / p.radius) + p.of_cell(_offsets(p)),
        p.shapes.across * (9.0 / p.radius) + p.of_cell(_offsets(p)),
    )
    fibres = threads(bundle, 0.35) * np.clip(1.15 - p.shapes.in_cell, 0, 1)
    depth = (1 - p.shapes.in_cell) * 2.3 * p.radius
    rim = np.exp(-((depth / (2.0 * p.thin)) ** 2))
    return p.shapes.cell * (0.75 * fibres + 0.8 * rim)


def _offsets(p):
    """Draw where in a texture each cell starts."""
    return p.rng.uniform(0, 128, p.shapes.n_cells)


def _microtubules(p):
    """Draw filaments from beside the nucleus to the outline, a little bent."""
    turn = np.arctan2(p.shapes.across, p.shapes.along) * (128 / (2 * np.pi))
    outwards = p.shapes.from_nucleus * (4.0 / p.radius)
    start = p.of_cell(_offsets(p))
    first = threads(stretched_noise(p.rng, turn, outwards + start, 7.0), 0.4)
    second = threads(p.noise(0.75), 0.16)
    fading = np.clip(1.25 - p.shapes.in_cell, 0, 1)
    return p.cytoplasm * fading * (0.15 + 0.7 * first + 0.45 * second)


def _mitochondria(p):
    """Draw short threads, dense about the nucleus."""
    worms = threads(p.noise(0.42), 0.42) * (p.noise(0.8) > -0.25)
    near = np.exp(-np.clip(p.shapes.from_nucleus, 0, None) / (0.9 * p.radius))
    return p.cytoplasm * worms * (0.15 + 1.05 * near)


def _cytosol(p):
    grain = 0.8 + 0.08 * p.noise(0.4)
    return p.thickness * grain * np.where(p.shapes.nucleus, 0.22, p.cytoplasm)


def _vesicles(p):
    """Draw small round spots of different brightness."""
    height, width = p.shapes.cell.shape
    share = p.rng.uniform(0.12, 0.28)
    n = max(4, round(share * height * width / p.thin**2 / 12))
    rows = p.rng.integers(0, height, n)
    columns = p.rng.integers(0, width, n)
    bright = p.rng.uniform(0.3, 1.0, n)
    spots = np.zeros((height, width), dtype=np.float32)
    np.add.at(spots, (rows, columns), bright * p.cytoplasm[rows, columns])
    sigma = 0.9 * p.thin
    spots = ndimage.gaussian_filter(spots, sigma, truncate=3)
    near = np.clip(1.2 - p.shapes.in_cell, 0, 1)
    return p.shapes.cell * (8.0 * sigma**2 * spots * near)


def _reticulum(p):
    """Draw the endoplasmic reticulum: a fine net, dense about the nucleus."""
    net = 0.55 + 0.45 * threads(p.noise(0.3), 0.6)
    near = np.exp(-np.clip(p.shapes.from_nucleus, 0, None) / (1.3 * p.radius))
    return p.cytoplasm * net * (0.2 + 0.8 * near) + 0.12 * p.shapes.nucleus


def _nothing(p):
    return np.zeros(p.shapes.cell.shape, dtype=np.float32)


# In the order of the targets; the Human Protein Atlas's names.
LOCATIONS = {
    "nucleoplasm": _nucleoplasm,
    "nuclear membrane": _nuclear_membrane,
    "nucleoli": _nucleoli,
    "Golgi apparatus": _golgi,
    "actin filaments": _actin,
    "microtubules": _microtubules,
    "mitochondria": _mitochondria,
    "cytosol": _cytosol,
    "vesicles": _vesicles,
    "negative": _nothing,
}
# What the other channels stain.
_DRAW = {**LOCATIONS, "chromatin": _chromatin, "reticulum": _reticulum}
