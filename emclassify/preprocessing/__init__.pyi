from ._center_crop import CenterCrop as CenterCrop
from ._particle_cropper import ParticleCropper as ParticleCropper
from ._pixel_size_scaler import PixelSizeScaler as PixelSizeScaler
from ._pixel_standardizer import PixelStandardizer as PixelStandardizer
from ._resize_images import ResizeImages as ResizeImages
from ._split_cells import split_cells as split_cells

__all__ = [
    "CenterCrop",
    "ParticleCropper",
    "PixelSizeScaler",
    "PixelStandardizer",
    "ResizeImages",
    "split_cells",
]
