from ._backbone import load_backbone
from ._backbone_features import BackboneFeatures
from ._backbone_net import BackboneNet
from ._fully_convolutional import FullyConvolutionalNet
from ._fusion import FusionNet
from ._layers import BatchNorm1d, BatchNorm2d, conv_block, pool
from ._lipnet import LipNet2, LipNet4, LipNet6, LipNet8, LipNet10
from ._offsample import OffSampleNet
from ._resnet import ResidualBlock, ResNet

__all__ = [
    "BackboneFeatures",
    "BackboneNet",
    "BatchNorm1d",
    "BatchNorm2d",
    "FullyConvolutionalNet",
    "FusionNet",
    "LipNet2",
    "LipNet4",
    "LipNet6",
    "LipNet8",
    "LipNet10",
    "OffSampleNet",
    "ResNet",
    "ResidualBlock",
    "conv_block",
    "load_backbone",
    "pool",
]
