"""Image in, image out: what happens to images before features or networks."""

from ._particle_cropper import ParticleCropper
from ._pixel_size_scaler import PixelSizeScaler
from ._resize_images import ResizeImages

__all__ = ["ParticleCropper", "PixelSizeScaler", "ResizeImages"]
