"""OffSampleNet, the network for off-sample ion images."""

from collections.abc import Sequence

import torch
from torch import nn

from emclassify.nets._layers import conv_block, pool

__all__ = ["OffSampleNet"]


class OffSampleNet(nn.Module):
    """Convolutions of 16, 16, 32 and 32, two poolings and dense layers of 256, 256.

    All convolutions are 3×3 and same-padded, with batch normalisation before ReLU;
    3×3 max pooling after each pair takes every third pixel.

    Parameters
    ----------
    image_shape : tuple of 3 int
        (height, width, channels). Any size from one pixel up; the source uses
        56×56×1.
    n_classes : int
        Number of outputs.

    Notes
    -----
    At 56×56×1 and two classes it has the 378,226 parameters of the source's table.
    That counts four numbers a channel of batch normalisation, as Keras does; two of
    them, the running mean and variance, are not trained (192 in all), and are buffers
    here.

    Examples
    --------
    >>> from emclassify.nets import OffSampleNet
    >>> net = OffSampleNet((56, 56, 1), 2)
    >>> sum(p.numel() for p in net.parameters())
    378034
    """

    def __init__(self, image_shape: Sequence[int], n_classes: int) -> None:
        super().__init__()
        *size, width_in = image_shape
        layers = []
        # Shapes in the comments are for 56×56×1.
        for width in (16, 32):
            # (16, 56, 56) twice, then (32, 18, 18) twice
            for _ in range(2):
                block, size = conv_block(width_in, width, 3, size, same=True)
                layers += block
                width_in = width
            # (16, 18, 18), then (32, 6, 6)
            pooling, size = pool(size, 3)
            layers.append(pooling)
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),  # (1152,)
            nn.Linear(width * size[0] * size[1], 256),
            nn.ReLU(),
            nn.Linear(256, 256),
            nn.ReLU(),
            nn.Linear(256, n_classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels, height, width) into logits (n, n_classes)."""
        return self.head(self.features(images))
