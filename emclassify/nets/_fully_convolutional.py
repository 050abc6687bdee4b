"""A network without a dense layer on positions: it takes images of any size."""

from collections.abc import Sequence

import torch
from torch import nn

from emclassify.nets._layers import conv_block

__all__ = ["FullyConvolutionalNet"]


class FullyConvolutionalNet(nn.Module):
    """LipNet-4's blocks, all same-padded, and global average pooling.

    Parameters
    ----------
    image_shape : tuple of 3 int
        (height, width, channels); only the channels matter.
    n_classes : int
        Number of outputs.
    widths : sequence of int, default=(32, 64, 128)
        Channels of each pair of convolutions; 2×2 max pooling between pairs.
    dropout : float, default=0.25
        Share of the channels dropped after global pooling.

    Examples
    --------
    >>> import torch
    >>> from emclassify.nets import FullyConvolutionalNet
    >>> net = FullyConvolutionalNet((40, 40, 1), 3)
    >>> net(torch.zeros(2, 1, 90, 120)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        n_classes: int,
        *,
        widths: Sequence[int] = (32, 64, 128),
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        width_in = image_shape[2]
        layers = []
        for width in widths:
            if layers:
                # Keeps the last row and column, so that one pixel stays one pixel.
                layers.append(nn.MaxPool2d(2, ceil_mode=True))
            for channels in (width_in, width):
                layers += conv_block(channels, width, 3, (3, 3), same=True)[0]
            width_in = width
        self.features = nn.Sequential(*layers)  # (widths[-1], height / 4, width / 4)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),  # (widths[-1],)
            nn.Dropout(dropout),
            nn.Linear(width_in, n_classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels, height, width) into logits (n, n_classes)."""
        return self.head(self.features(images))
