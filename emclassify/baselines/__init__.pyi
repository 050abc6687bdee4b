from ._backbone_extractor import BackboneExtractor as BackboneExtractor
from ._clipped_scaler import ClippedScaler as ClippedScaler
from ._colocalization_classifier import (
    ColocalizationClassifier as ColocalizationClassifier,
)
from ._colocalization_features import ColocalizationFeatures as ColocalizationFeatures
from ._diffusion_map import DiffusionMap as DiffusionMap
from ._diffusion_map_classifier import DiffusionMapClassifier as DiffusionMapClassifier
from ._mask_correlation import MaskCorrelationClassifier as MaskCorrelationClassifier
from ._propose_masks import propose_masks as propose_masks
from ._svm import svm_baseline as svm_baseline

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
