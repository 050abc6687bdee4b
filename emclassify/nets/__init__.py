"""Network architectures: torch only, one a file."""

from ._layers import BatchNorm1d, BatchNorm2d, conv_block, pool
from ._lipnet import LipNet4

__all__ = ["BatchNorm1d", "BatchNorm2d", "LipNet4", "conv_block", "pool"]
