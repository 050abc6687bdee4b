"""What lies about the nucleus: the other stains, and proteins at ten locations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from emclassify.datasets.cells._noise_texture import (
    add_spots,
    stretched_noise,
    threads,
)

if TYPE_CHECKING:
    from emclassify.datasets.cells._protein_patterns import Patterns


def draw_golgi(p: Patterns) -> NDArray[np.float32]:
    """Draw a ribbon in pieces on one side of the nucleus."""
    side = p.of_cell(p.rng.uniform(-np.pi, np.pi, p.shapes.n_cells))
    turn = np.arctan2(p.shapes.across, p.shapes.along) - side
    turn = np.abs((turn + np.pi) % (2 * np.pi) - np.pi) * p.radius
    out = p.shapes.from_nucleus - 0.3 * p.radius
    place = np.exp(-((out / (0.3 * p.radius)) ** 2) - (turn / (0.75 * p.radius)) ** 2)
    pieces = 0.25 + 1.0 * threads(p.noise(0.45), 0.5)
    return p.cytoplasm * place * pieces


def draw_actin(p: Patterns) -> NDArray[np.float32]:
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


def draw_microtubules(p: Patterns) -> NDArray[np.float32]:
    """Draw filaments from beside the nucleus to the outline, a little bent."""
    turn = np.arctan2(p.shapes.across, p.shapes.along) * (128 / (2 * np.pi))
    outwards = p.shapes.from_nucleus * (4.0 / p.radius)
    start = p.of_cell(_offsets(p))
    first = threads(stretched_noise(p.rng, turn, outwards + start, 7.0), 0.4)
    second = threads(p.noise(0.75), 0.16)
    fading = np.clip(1.25 - p.shapes.in_cell, 0, 1)
    filaments = p.cytoplasm * fading * (0.15 + 0.7 * first + 0.45 * second)
    if p.shapes.dividing.any():
        # They are the spindle then.
        rest = 0.1 * p.cytoplasm * p.thickness
        in_mitosis = p.of_cell(p.shapes.dividing) > 0
        return np.where(in_mitosis, p["mitotic spindle"] + rest, filaments)
    return filaments


def draw_mitochondria(p: Patterns) -> NDArray[np.float32]:
    """Draw short threads, dense about the nucleus."""
    worms = threads(p.noise(0.42), 0.42) * (p.noise(0.8) > -0.25)
    near = np.exp(-np.clip(p.shapes.from_nucleus, 0, None) / (0.9 * p.radius))
    return p.cytoplasm * worms * (0.15 + 1.05 * near)


def draw_cytosol(p: Patterns) -> NDArray[np.float32]:
    grain = 0.8 + 0.08 * p.noise(0.4)
    return p.thickness * grain * np.where(p.shapes.nucleus, 0.22, p.cytoplasm)


def draw_vesicles(p: Patterns) -> NDArray[np.float32]:
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


def draw_reticulum(p: Patterns) -> NDArray[np.float32]:
    """Draw the endoplasmic reticulum: a fine net, dense about the nucleus."""
    net = 0.55 + 0.45 * threads(p.noise(0.3), 0.6)
    near = np.exp(-np.clip(p.shapes.from_nucleus, 0, None) / (1.3 * p.radius))
    return p.cytoplasm * net * (0.2 + 0.8 * near) + 0.12 * p.shapes.nucleus


def draw_intermediate(p: Patterns) -> NDArray[np.float32]:
    """Draw bundles that wind about the nucleus in a tangle, thin towards the rim."""
    bend = 1.5 * p.noise(1.8)
    start = p.of_cell(_offsets(p))
    bundles = stretched_noise(
        p.rng,
        p.shapes.along * (1.2 / p.radius) + start,
        p.shapes.across * (7.0 / p.radius) + 2.5 * bend + start,
    )
    crossing = threads(p.noise(0.9), 0.2)
    near = np.exp(-np.clip(p.shapes.from_nucleus, 0, None) / (0.75 * p.radius))
    tangle = 0.9 * threads(bundles, 0.4) + 0.5 * crossing
    return p.cytoplasm * np.minimum(tangle * (0.12 + near), 1.1)


def draw_plasma_membrane(p: Patterns) -> NDArray[np.float32]:
    """Draw the outline of each cell, where it meets others too."""
    # Numbers of cells, so that two that touch have an edge between them.
    numbers = np.where(p.shapes.cell, p.shapes.owner + 1, 0)
    edge = ~p.shapes.cell
    for axis in (0, 1):
        step = np.diff(numbers, axis=axis) != 0
        before, after = [slice(None)] * 2, [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        edge[tuple(before)] |= step
        edge[tuple(after)] |= step
    depth = ndimage.distance_transform_edt(~edge) if edge.any() else np.inf
    rim = np.exp(-((depth / (1.5 * p.thin)) ** 2)) * (0.85 + 0.15 * p.noise(0.5))
    return p.shapes.cell * (rim + 0.1 * p.thickness)


def draw_centrosome(p: Patterns) -> NDArray[np.float32]:
    """Draw one or two spots beside each nucleus; at the poles in mitosis."""
    places = []
    for i, (y, x) in enumerate(_beside_nuclei(p, 0.1, 0.4)):
        if p.shapes.dividing[i]:
            own = p.shapes.owner == i
            # The poles are where the spindle is brightest on either side.
            for side in (-1, 1):
                half = own & (side * p.shapes.along > 0.3 * p.radius)
                if half.any():
                    light = np.where(half, p["mitotic spindle"], -1)
                    at = np.unravel_index(light.argmax(), light.shape)
                    places.append((*at, 1.0))
            continue
        angle = p.rng.uniform(0, 2 * np.pi)
        apart = 0.13 * p.radius * p.rng.integers(2)
        for side in (-1, 1)[: 2 if apart else 1]:
            places.append(
                (y + side * apart * np.sin(angle), x + side * apart * np.cos(angle), 1)
            )
    out = np.zeros(p.shapes.cell.shape, dtype=np.float32)
    add_spots(out, places, p.thin)
    return p.shapes.cell * (out + 0.04 * p.thickness)


def draw_aggresome(p: Patterns) -> NDArray[np.float32]:
    """Draw one large uneven lump beside each nucleus."""
    out = np.zeros(p.shapes.cell.shape, dtype=np.float32)
    for y, x in _beside_nuclei(p, 0.25, 0.6):
        n = p.rng.integers(5, 9)
        up, right = 0.22 * p.radius * p.rng.standard_normal((2, n))
        bright = p.rng.uniform(0.4, 0.7, n)
        add_spots(out, zip(y + up, x + right, bright, strict=True), 0.17 * p.radius)
    return p.shapes.cell * (np.minimum(out, 1.1) + 0.07 * p.thickness)


def _beside_nuclei(p, least, most):
    """Return a place (y, x) for each cell, `least` to `most` radii off its nucleus.

    Where none of the cell shows there, the place is outside the image.
    """
    away = p.shapes.from_nucleus / p.radius
    ring = p.cytoplasm & (away > least) & (away < most) & (p.shapes.in_cell < 0.9)
    places = []
    for i in range(p.shapes.n_cells):
        rows, columns = np.nonzero(ring & (p.shapes.owner == i))
        which = p.rng.integers(max(rows.size, 1))
        places.append((rows[which], columns[which]) if rows.size else (-1e3, -1e3))
    return places
