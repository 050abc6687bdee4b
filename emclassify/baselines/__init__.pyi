from ._backbone_extractor import BackboneExtractor
from ._clipped_scaler import ClippedScaler
from ._colocalization_classifier import ColocalizationClassifier
from ._colocalization_features import ColocalizationFeatures
from ._diffusion_map import DiffusionMap
from ._diffusion_map_classifier import DiffusionMapClassifier
from ._mask_correlation import MaskCorrelationClassifier
from ._propose_masks import propose_masks
from ._svm import svm_baseline

__all__ = [
    "BackboneExtractor",
    "ClippedScaler",
    "ColocalizationClassifier",
    "ColocalizationFeatures",
    "DiffusionMap",
    "DiffusionMapClassifier",
    "MaskCorrelationClassifier",
    "propose_masks",
    "svm_baseline",
]
