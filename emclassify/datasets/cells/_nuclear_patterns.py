"""What lies in the nucleus: its stain, and proteins at seven locations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.cells._noise_texture import add_spots

if TYPE_CHECKING:
    from emclassify.datasets.cells._protein_patterns import Patterns


def draw_chromatin(p: Patterns) -> NDArray[np.float32]:
    """Draw the stained nucleus: grained, with holes where nucleoli are."""
    grain = 0.8 + 0.2 * p.noise(0.5)
    stain = p.shapes.nucleus * np.clip(grain, 0.2, None)
    stain = stain * (1 - 0.55 * p["nucleoli"])
    if p.shapes.dividing.any():
        # Condensed, and no nucleoli.
        plate = p.of_cell(p.shapes.dividing) * p.shapes.nucleus
        return np.maximum(stain, 1.3 * plate)
    return stain


def draw_nucleoplasm(p: Patterns) -> NDArray[np.float32]:
    grain = 0.75 + 0.2 * p.noise(0.35)
    return p.shapes.nucleus * np.clip(grain, 0.1, None) * (1 - 0.7 * p["nucleoli"])


def draw_nuclear_membrane(p: Patterns) -> NDArray[np.float32]:
    rim = np.exp(-((p.shapes.from_nucleus / (1.4 * p.thin)) ** 2))
    folds = 0.85 + 0.15 * p.noise(0.5)
    return p.shapes.cell * rim * folds + 0.18 * p.shapes.nucleus


def draw_nucleoli(p: Patterns) -> NDArray[np.float32]:
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
            p.grains.append((y, x, r))
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


def draw_fibrillar_centers(p: Patterns) -> NDArray[np.float32]:
    """Draw one to three small spots inside each nucleolus."""
    # Where the nucleoli are.
    inside = p["nucleoli"] > 0.5
    places = [
        (y + 0.5 * r * up, x + 0.5 * r * right, p.rng.uniform(0.8, 1.2))
        for y, x, r in p.grains
        for up, right in p.rng.uniform(-1, 1, (p.rng.integers(1, 4), 2))
    ]
    out = np.zeros(inside.shape, dtype=np.float32)
    add_spots(out, places, 0.65 * p.thin)
    return p.shapes.nucleus * (out * inside + 0.06)


def draw_speckles(p: Patterns) -> NDArray[np.float32]:
    """Draw blotches of irregular outline, all over the nucleus but its nucleoli."""
    blotches = np.clip((p.noise(0.3) - 0.55) * 1.6, 0, 1)
    return p.shapes.nucleus * (blotches + 0.1) * (1 - p["nucleoli"])


def draw_bodies(p: Patterns) -> NDArray[np.float32]:
    """Draw a few round bright spots in each nucleus, outside its nucleoli."""
    free = p.shapes.nucleus & (p.shapes.in_nucleus < 0.9) & (p["nucleoli"] == 0)
    places = []
    for i in range(p.shapes.n_cells):
        rows, columns = np.nonzero(free & (p.shapes.owner == i))
        if rows.size:
            which = p.rng.integers(rows.size, size=p.rng.integers(3, 9))
            bright = p.rng.uniform(0.7, 1, len(which))
            places += zip(rows[which], columns[which], bright, strict=True)
    out = np.zeros(free.shape, dtype=np.float32)
    add_spots(out, places, 0.95 * p.thin)
    return p.shapes.nucleus * (out + 0.04)
