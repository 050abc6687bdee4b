from ._center_crop import CenterCrop
from ._particle_cropper import ParticleCropper
from ._pixel_size_scaler import PixelSizeScaler
from ._pixel_standardizer import PixelStandardizer
from ._resize_images import ResizeImages
from ._split_cells import split_cells

__all__ = [
    "CenterCrop",
    "ParticleCropper",
    "PixelSizeScaler",
    "PixelStandardizer",
    "ResizeImages",
    "split_cells",
]
