"""Where the cells of a simulated image lie, and what shape they and their nuclei have.

All lengths are in px.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.cells._noise_texture import band_noise

# In radii of a nucleus: least distance of two nuclei, how far centres lie outside the
# image, semi-axes of cells, and by how much outlines wander.
_APART = 2.3
_OUTSIDE = 0.6
_CELL_RADIUS = (1.9, 2.9)
_WANDER = 0.22
_TRIES = 40


@dataclass
class CellShapes:
    """Cells of one image, as maps (height, width) of where a pixel is in its cell."""

    n_cells: int
    radius: float
    # Number of the cell that a pixel belongs to or is nearest to.
    owner: np.ndarray
    # 0 at the nucleus's centre, 1 at the outline of the cell, or of the nucleus.
    in_cell: np.ndarray
    in_nucleus: np.ndarray
    # From the nucleus's centre, along and across the cell.
    along: np.ndarray
    across: np.ndarray
    cell: np.ndarray
    nucleus: np.ndarray
    # Nucleus's centre (y, x) of each cell.
    centres: np.ndarray
    # Which cells are in mitosis.
    dividing: np.ndarray

    @property
    def from_nucleus(self) -> NDArray[np.float64]:
        """Distance of each pixel from its nucleus's outline; negative inside."""
        return (self.in_nucleus - 1) * self.radius


def draw_shapes(
    rng: np.random.Generator, image_size: int, n_cells: int, radius: float
) -> CellShapes:
    """Draw cells that may touch; fewer than asked for where there is no room.

    Parameters
    ----------
    rng : numpy Generator
    image_size : int
    n_cells : int
        At least 1.
    radius : float
        Mean radius of the nuclei.

    Returns
    -------
    CellShapes
    """
    centres = _scatter(rng, image_size, n_cells, radius)
    n = len(centres)
    # Single precision throughout: one double would double the time.
    angle = rng.uniform(0, np.pi, n).astype(np.float32)
    cell_axes = (radius * rng.uniform(*_CELL_RADIUS, n)).astype(np.float32)
    stretch = rng.uniform(1.0, 1.6, n).astype(np.float32)
    nucleus_axes = radius * rng.uniform(0.88, 1.12, n)
    nucleus_stretch = np.sqrt(rng.uniform(1.0, 1.5, n))
    off = 0.25 * radius * rng.standard_normal((2, n)) / np.sqrt(2)

    shape = (image_size, image_size)
    rows, columns = np.indices(shape, dtype=np.float32)
    wander = [
        np.float32(_WANDER * radius) * band_noise(rng, shape, 3 * radius) for _ in "yx"
    ]
    y, x = rows + wander[0], columns + wander[1]
    # Distance in units of the cell's own size: large cells push small ones aside.
    nearest = np.full(shape, np.inf, dtype=np.float32)
    owner = np.zeros(shape, dtype=np.intp)
    for i, (row, column) in enumerate(centres + off.T):
        u, v = _turned(y - np.float32(row), x - np.float32(column), angle[i])
        u *= 1 / (cell_axes[i] * stretch[i])
        v *= np.sqrt(stretch[i]) / cell_axes[i]
        square = u**2 + v**2
        owner[square < nearest] = i
        np.minimum(nearest, square, out=nearest)
    in_cell = np.sqrt(nearest)
    # Nuclei are smoother than cells.
    dy = rows + 0.3 * wander[0] - centres[owner, 0].astype(np.float32)
    dx = columns + 0.3 * wander[1] - centres[owner, 1].astype(np.float32)
    cos, sin = np.cos(angle)[owner], np.sin(angle)[owner]
    along, across = cos * dx + sin * dy, cos * dy - sin * dx
    long = (nucleus_axes * nucleus_stretch).astype(np.float32)[owner]
    short = (nucleus_axes / nucleus_stretch).astype(np.float32)[owner]
    in_nucleus = np.hypot(along / long, across / short)
    nucleus = in_nucleus < 1
    return CellShapes(
        n_cells=n,
        radius=radius,
        owner=owner,
        in_cell=in_cell,
        in_nucleus=in_nucleus,
        along=along,
        across=across,
        cell=(in_cell < 1) | nucleus,
        nucleus=nucleus,
        centres=centres,
        dividing=np.zeros(n, dtype=bool),
    )


def _turned(dy, dx, angle):
    """Return the coordinates along and across the direction `angle`."""
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * dx + sin * dy, cos * dy - sin * dx


def _scatter(rng, image_size, n_cells, radius):
    """Return centres (n, 2) that keep their distance, at least one."""
    low, high = -_OUTSIDE * radius, image_size - 1 + _OUTSIDE * radius
    # The first shows whole, if it fits at all.
    inner = min(1.5 * radius, (image_size - 1) / 2)
    centres = [rng.uniform(inner, image_size - 1 - inner, 2)]
    tries = rng.uniform(low, high, (_TRIES * n_cells, 2))
    for candidate in tries:
        if len(centres) == n_cells:
            break
        away = np.hypot(*(np.array(centres) - candidate).T)
        if away.min() > _APART * radius:
            centres.append(candidate)
    return np.array(centres)


def label_images(
    shapes: CellShapes,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    """Return label images (cells, nuclei): 0 outside, cells counted from 1.

    Only cells that show count; both images have the same number for a cell.
    Also returns which of the cells these are.
    """
    numbered = np.where(shapes.cell, shapes.owner + 1, 0)
    shown = np.bincount(numbered.ravel(), minlength=shapes.n_cells + 1)[1:] > 0
    number = np.concatenate([[0], np.where(shown, np.cumsum(shown), 0)])
    cells = number[numbered].astype(np.uint8)
    return cells, np.where(shapes.nucleus, cells, 0).astype(np.uint8), shown
