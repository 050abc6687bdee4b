"""Image in, image out: what happens to images before features or networks."""

from ._resize_images import ResizeImages

__all__ = ["ResizeImages"]
