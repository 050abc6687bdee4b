"""Samplers for images: imbalanced-learn's ways to even out classes, for stacks."""

from ._artificial_image_sampler import ArtificialImageSampler
from ._generate_liposomes import generate_liposomes
from ._image_over_sampler import ImageOverSampler
from ._image_smote import ImageSMOTE
from ._image_under_sampler import ImageUnderSampler

__all__ = [
    "ArtificialImageSampler",
    "ImageOverSampler",
    "ImageSMOTE",
    "ImageUnderSampler",
    "generate_liposomes",
]
