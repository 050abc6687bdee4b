"""Image sets: simulators (make_*), readers (load_*, open_*), public sets (fetch_*)."""

from emclassify.datasets._cell_images import make_cell_images
from emclassify.datasets._diffraction import make_diffraction_patterns
from emclassify.datasets._image_folder import load_image_folder
from emclassify.datasets._image_stack import open_image_stack
from emclassify.datasets._imzml import load_imzml
from emclassify.datasets._ion_images import make_ion_images
from emclassify.datasets._liposomes import make_liposomes
from emclassify.datasets._offsample import fetch_offsample

__all__ = [
    "fetch_offsample",
    "load_image_folder",
    "load_imzml",
    "make_cell_images",
    "make_diffraction_patterns",
    "make_ion_images",
    "make_liposomes",
    "open_image_stack",
]
