"""Image sets: simulators (make_*) and readers (load_*)."""

from emclassify.datasets._diffraction import make_diffraction_patterns
from emclassify.datasets._image_folder import load_image_folder
from emclassify.datasets._imzml import load_imzml
from emclassify.datasets._liposomes import make_liposomes

__all__ = [
    "load_image_folder",
    "load_imzml",
    "make_diffraction_patterns",
    "make_liposomes",
]
