from ._artificial_image_sampler import ArtificialImageSampler
from ._embedding_outlier_remover import EmbeddingOutlierRemover
from ._generate_liposomes import generate_liposomes
from ._image_over_sampler import ImageOverSampler
from ._image_smote import ImageSMOTE
from ._image_under_sampler import ImageUnderSampler
from ._intensity_outlier_remover import IntensityOutlierRemover

__all__ = [
    "ArtificialImageSampler",
    "EmbeddingOutlierRemover",
    "ImageOverSampler",
    "ImageSMOTE",
    "ImageUnderSampler",
    "IntensityOutlierRemover",
    "generate_liposomes",
]
