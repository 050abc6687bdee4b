from ._artificial_image_sampler import ArtificialImageSampler as ArtificialImageSampler
from ._embedding_outlier_remover import (
    EmbeddingOutlierRemover as EmbeddingOutlierRemover,
)
from ._generate_liposomes import generate_liposomes as generate_liposomes
from ._image_over_sampler import ImageOverSampler as ImageOverSampler
from ._image_smote import ImageSMOTE as ImageSMOTE
from ._image_under_sampler import ImageUnderSampler as ImageUnderSampler
from ._intensity_outlier_remover import (
    IntensityOutlierRemover as IntensityOutlierRemover,
)

__all__ = [
    "ArtificialImageSampler",
    "EmbeddingOutlierRemover",
    "ImageOverSampler",
    "ImageSMOTE",
    "ImageUnderSampler",
    "IntensityOutlierRemover",
    "generate_liposomes",
]
