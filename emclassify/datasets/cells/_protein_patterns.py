"""Where in its cell a protein lies: one pattern a location, drawn on the shapes.

A pattern is an image (height, width) of float32 from 0 to about 1. What it looks like
follows the Human Protein Atlas's pictures of each location, by eye.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.cells import (
    _cytoplasm_patterns as cytoplasm,
    _nuclear_patterns as nuclear,
)
from emclassify.datasets.cells._mitosis import draw_spindle
from emclassify.datasets.cells._noise_texture import band_noise

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
        # (y, x, radius) of each nucleolus, once these are drawn.
        self.grains = []

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


def _draw_nothing(p):
    return np.zeros(p.shapes.cell.shape, dtype=np.float32)


# In the order of the targets; the Human Protein Atlas's names.
LOCATIONS = {
    "nucleoplasm": nuclear.draw_nucleoplasm,
    "nuclear membrane": nuclear.draw_nuclear_membrane,
    "nucleoli": nuclear.draw_nucleoli,
    "nucleoli fibrillar center": nuclear.draw_fibrillar_centers,
    "nuclear speckles": nuclear.draw_speckles,
    "nuclear bodies": nuclear.draw_bodies,
    # That of its channel, as microtubules are.
    "endoplasmic reticulum": lambda p: p["reticulum"],
    "Golgi apparatus": cytoplasm.draw_golgi,
    "intermediate filaments": cytoplasm.draw_intermediate,
    "actin filaments": cytoplasm.draw_actin,
    "microtubules": cytoplasm.draw_microtubules,
    "mitotic spindle": draw_spindle,
    "centrosome": cytoplasm.draw_centrosome,
    "plasma membrane": cytoplasm.draw_plasma_membrane,
    "mitochondria": cytoplasm.draw_mitochondria,
    "aggresome": cytoplasm.draw_aggresome,
    "cytosol": cytoplasm.draw_cytosol,
    "vesicles": cytoplasm.draw_vesicles,
    "negative": _draw_nothing,
}
# What the other channels stain.
_DRAW = {
    **LOCATIONS,
    "chromatin": nuclear.draw_chromatin,
    "reticulum": cytoplasm.draw_reticulum,
}
