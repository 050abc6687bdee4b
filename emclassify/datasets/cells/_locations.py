"""Where in its cell a protein may lie, and what draws each location.

What a pattern looks like follows the Human Protein Atlas's pictures of the location, by
eye.
"""

import numpy as np

from emclassify.datasets.cells import (
    _cytoplasm_patterns as cytoplasm,
    _nuclear_patterns as nuclear,
)
from emclassify.datasets.cells._mitosis import draw_spindle

__all__ = ["DRAWINGS", "LOCATIONS"]


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
DRAWINGS = {
    **LOCATIONS,
    "chromatin": nuclear.draw_chromatin,
    "reticulum": cytoplasm.draw_reticulum,
}
