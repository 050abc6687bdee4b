"""What a network has to beat."""

from emclassify.baselines._backbone_extractor import BackboneExtractor
from emclassify.baselines._colocalization_classifier import ColocalizationClassifier
from emclassify.baselines._colocalization_features import ColocalizationFeatures
from emclassify.baselines._diffusion_map import DiffusionMap
from emclassify.baselines._diffusion_map_classifier import DiffusionMapClassifier
from emclassify.baselines._mask_correlation import MaskCorrelationClassifier
from emclassify.baselines._propose_masks import propose_masks
from emclassify.baselines._svm import svm_baseline

__all__ = [
    "BackboneExtractor",
    "ColocalizationClassifier",
    "ColocalizationFeatures",
    "DiffusionMap",
    "DiffusionMapClassifier",
    "MaskCorrelationClassifier",
    "propose_masks",
    "svm_baseline",
]
