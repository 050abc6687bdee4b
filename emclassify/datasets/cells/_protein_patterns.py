"""What is drawn on the shapes of one image: patterns, each of them once.

A pattern is an image (height, width) of float32 from 0 to about 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.cells._noise_texture import band_noise

if TYPE_CHECKING:
    from emclassify.datasets.cells._cell_shapes import CellShapes


class Patterns:
    """Draws the patterns of one image; each is drawn once, whoever asks for it.

    `draw` has by name what draws a pattern, given these patterns.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        shapes: CellShapes,
        draw: Mapping[str, Callable[[Patterns], NDArray[np.float32]]],
    ) -> None:
        self._draw = draw
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
            pattern = self._draw[location](self)
            self._drawn[location] = pattern.astype(np.float32, copy=False)
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
