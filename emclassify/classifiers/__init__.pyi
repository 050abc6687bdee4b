from ._backbone import BackboneClassifier
from ._cnn import CNNClassifier
from ._fully_convolutional import FullyConvolutionalClassifier
from ._fusion import FusionClassifier
from ._lipnet import LipNetClassifier
from ._offsample import OffSampleNetClassifier
from ._resnet import ResNetClassifier
from ._seed_ensemble import SeedEnsembleClassifier

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
