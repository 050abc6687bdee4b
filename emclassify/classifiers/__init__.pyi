from ._backbone import BackboneClassifier as BackboneClassifier
from ._cnn import CNNClassifier as CNNClassifier
from ._fully_convolutional import (
    FullyConvolutionalClassifier as FullyConvolutionalClassifier,
)
from ._fusion import FusionClassifier as FusionClassifier
from ._lipnet import LipNetClassifier as LipNetClassifier
from ._offsample import OffSampleNetClassifier as OffSampleNetClassifier
from ._resnet import ResNetClassifier as ResNetClassifier
from ._seed_ensemble import SeedEnsembleClassifier as SeedEnsembleClassifier

__all__ = [
    "BackboneClassifier",
    "CNNClassifier",
    "FullyConvolutionalClassifier",
    "FusionClassifier",
    "LipNetClassifier",
    "OffSampleNetClassifier",
    "ResNetClassifier",
    "SeedEnsembleClassifier",
]
