from .cells._cell_images import make_cell_images as make_cell_images
from .diffraction._diffraction import (
    make_diffraction_patterns as make_diffraction_patterns,
)
from .ions._ion_images import make_ion_images as make_ion_images
from .ions._offsample import fetch_offsample as fetch_offsample
from .liposomes._liposomes import make_liposomes as make_liposomes
from .neurons._nerve_cord import fetch_nerve_cord as fetch_nerve_cord

__all__ = [
    "fetch_nerve_cord",
    "fetch_offsample",
    "make_cell_images",
    "make_diffraction_patterns",
    "make_ion_images",
    "make_liposomes",
]
