"""A simulated stack that looks as the nerve cord's does to fetch_nerve_cord.

Cells with dark outlines; some hold dark round bodies, some outlines a darker piece.
"""

import hashlib

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

CYTOPLASM, MEMBRANE, GLIA, MITOCHONDRIA, SYNAPSE = 255, 128, 159, 191, 223
_GREY = {CYTOPLASM: 170, MEMBRANE: 80, GLIA: 120, MITOCHONDRIA: 60, SYNAPSE: 25}


def write_stack(folder, n_sections=4, size=512, n_cells=40, random_state=0):
    """Write sections and their classes; return {name: SHA-256} as FILES has it."""
    rng = np.random.default_rng(random_state)
    centres = rng.uniform(0, size, size=(n_cells, 2))
    files = {}
    for section in range(n_sections):
        centres += rng.normal(scale=2, size=centres.shape)
        image, classes = _section(centres, size, rng)
        for name, array in {
            f"stack1/raw/{section:02d}.tif": image,
            f"stack1/labels/labels{section:08d}.png": classes,
        }.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


def _section(centres, size, rng):
    row, column = np.mgrid[:size, :size]
    distance, cells = cKDTree(centres).query(np.stack([row, column], axis=-1), k=2)
    nearest, second = distance[..., 0], distance[..., 1]
    cell = cells[..., 0]
    classes = np.full((size, size), CYTOPLASM, np.uint8)
    classes[(cell % 5 == 0)] = GLIA
    classes[(nearest < 16) & (cell % 2 == 1)] = MITOCHONDRIA
    outline = second - nearest < 8
    classes[outline] = MEMBRANE
    classes[outline & (cell % 3 == 1) & (row % 128 < 40)] = SYNAPSE
    grey = np.zeros((size, size))
    for value, level in _GREY.items():
        grey[classes == value] = level
    grey = gaussian_filter(grey, 1.5) + rng.normal(scale=12, size=grey.shape)
    return grey.clip(0, 255).astype(np.uint8), classes
