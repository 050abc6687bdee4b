from ._image_file import read_image as read_image
from ._image_folder import load_image_folder as load_image_folder
from ._image_stack import open_image_stack as open_image_stack
from ._imzml import load_imzml as load_imzml
from ._particles import load_particles as load_particles
from ._write_particles import write_particles as write_particles
from ._write_star import write_star as write_star

__all__ = [
    "load_image_folder",
    "load_imzml",
    "load_particles",
    "open_image_stack",
    "read_image",
    "write_particles",
    "write_star",
]
