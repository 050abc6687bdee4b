from ._backbone import (
    has_pretrained as has_pretrained,
    load_backbone as load_backbone,
)
from ._backbone_features import BackboneFeatures as BackboneFeatures
from ._backbone_net import BackboneNet as BackboneNet
from ._fully_convolutional import FullyConvolutionalNet as FullyConvolutionalNet
from ._fusion import FusionNet as FusionNet
from ._layers import (
    BatchNorm1d as BatchNorm1d,
    BatchNorm2d as BatchNorm2d,
    conv_block as conv_block,
    pool as pool,
)
from ._lipnet import (
    LipNet2 as LipNet2,
    LipNet4 as LipNet4,
    LipNet6 as LipNet6,
    LipNet8 as LipNet8,
    LipNet10 as LipNet10,
)
from ._masked import MaskedNet as MaskedNet
from ._offsample import OffSampleNet as OffSampleNet
from ._resnet import ResidualBlock as ResidualBlock, ResNet as ResNet

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
    "MaskedNet",
    "OffSampleNet",
    "ResNet",
    "ResidualBlock",
    "conv_block",
    "has_pretrained",
    "load_backbone",
    "pool",
]
