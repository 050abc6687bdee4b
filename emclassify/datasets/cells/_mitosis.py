"""Cells in mitosis: round, their chromatin in a plate, a spindle about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.cells._noise_texture import stretched_noise, threads

if TYPE_CHECKING:
    from emclassify.datasets.cells._cell_shapes import CellShapes
    from emclassify.datasets.cells._protein_patterns import Patterns

# In radii of a nucleus: the plate's semi-axes (along the spindle, across it), how far
# the poles are from it, the spindle's half width, the round cell.
_PLATE = (0.3, 0.95)
_POLE = 0.85
_WAIST = 0.62
_ROUND = 1.65
# Share of the cells in mitosis where the spindle is asked for; one at least.
_DIVIDING = 0.4


def draw_dividing(rng: np.random.Generator, n_cells: int) -> NDArray[np.bool_]:
    """Draw which cells of an image are in mitosis; the first is."""
    dividing = rng.random(n_cells) < _DIVIDING
    dividing[0] = True
    return dividing


def divide(shapes: CellShapes, dividing: NDArray[np.bool_]) -> CellShapes:
    """Return the shapes with some cells in mitosis.

    Their nucleus is the plate of chromatin across the cell, and they are round, within
    their former outline.
    """
    own = dividing[shapes.owner]
    along, across = (part / shapes.radius for part in (shapes.along, shapes.across))
    plate = np.hypot(along / np.float32(_PLATE[0]), across / np.float32(_PLATE[1]))
    in_nucleus = np.where(own, plate, shapes.in_nucleus)
    # Cut by the neighbours' ground, but not by what the outline was.
    ball = np.hypot(along, across) * np.float32(1 / _ROUND)
    in_cell = np.where(own, ball, shapes.in_cell)
    nucleus = in_nucleus < 1
    return replace(
        shapes,
        in_nucleus=in_nucleus,
        in_cell=in_cell,
        nucleus=nucleus,
        cell=(in_cell < 1) | nucleus,
        dividing=dividing,
    )


def draw_spindle(p: Patterns) -> NDArray[np.float32]:
    """Draw two poles and the fibres between them, in the cells in mitosis."""
    own = p.of_cell(p.shapes.dividing)
    along, across = (part / p.radius for part in (p.shapes.along, p.shapes.across))
    along = along / np.float32(_POLE)
    # Fibres run from pole to pole, widest at the plate.
    width = _WAIST * np.sqrt(np.clip(1 - along**2, 0.02, None))
    sideways = across / width
    grain = stretched_noise(p.rng, along * 2.0, sideways * 14.0 + 64)
    inside = np.clip(1.4 - np.abs(sideways), 0, 1) * (np.abs(along) < 1.05)
    poles = np.exp(-(((np.abs(along) - 1) / 0.2) ** 2) - (across / 0.2) ** 2)
    fibres = inside * (0.35 + 0.55 * threads(grain, 0.5)) * (0.5 + 0.5 * np.abs(along))
    return own * p.shapes.cell * np.minimum(fibres + 0.9 * poles, 1.1)
