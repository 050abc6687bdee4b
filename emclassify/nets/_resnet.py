"""ResNet(n, m), the small residual network for diffraction patterns."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from emclassify.nets._layers import BatchNorm2d

__all__ = ["ResNet"]


class ResNet(nn.Module):
    """A residual network of 2n convolutions of 32 and 2m of 64 channels.

    A convolution of 16 channels, n blocks of 32 and m of 64, each block two 3×3
    convolutions with an identity map around them; before each of the three the image
    is halved. Batch normalisation and ReLU throughout; average pooling, dropout and one
    dense layer at the end. With n = m = 2 it has ten layers of weights.

    Where a block halves the image, the identity takes every other pixel and fills the
    new channels with zeros, so that it has no weights [1]_. With n or m = 0, average
    pooling stands in for the halving of the missing blocks.

    Parameters
    ----------
    image_shape : tuple of 3 int
        (height, width, channels), of any size.
    n_classes : int
        Number of outputs.
    n, m : int, default=2
        Blocks of 32 and of 64 channels, 0 or more.
    dropout : float, default=0.5
        Share of the values dropped before the dense layer.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image
       recognition", CVPR 2016 (option A for the identity).

    Examples
    --------
    >>> from emclassify.nets import ResNet
    >>> net = ResNet((128, 128, 1), 2)
    >>> sum(p.ndim == 4 for p in net.parameters())  # convolutions
    9
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        n_classes: int,
        *,
        n: int = 2,
        m: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        *size, channels = image_shape
        # Shapes in the comments are for 128×128×1.
        stride = _stride(size)
        stem = nn.Conv2d(channels, 16, 3, stride=stride, padding=1, bias=False)
        layers = [stem, BatchNorm2d(16), nn.ReLU()]  # (16, 64, 64)
        size, width_in = _halved(size), 16
        # (32, 32, 32), then (64, 16, 16)
        for n_blocks, width in ((n, 32), (m, 64)):
            if n_blocks == 0:
                layers.append(_average_pool(size))
            stride = _stride(size)
            for _ in range(n_blocks):
                layers.append(ResidualBlock(width_in, width, stride=stride))
                width_in, stride = width, 1
            size = _halved(size)
        layers.append(_average_pool(size))  # (64, 8, 8)
        size = _halved(size)
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),  # (4096,)
            nn.Dropout(dropout),
            nn.Linear(width_in * size[0] * size[1], n_classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels, height, width) into logits (n, n_classes)."""
        return self.head(self.features(images))


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions and, around them, the identity.

    Parameters
    ----------
    width_in, width : int
        Channels in and out.
    stride : {1, 2}
        2 halves the image.
    """

    # After the sum, so that no layer by itself has the maps that come out.
    ends_in_relu = True

    def __init__(self, width_in: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(width_in, width, 3, stride=stride, padding=1, bias=False),
            BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            BatchNorm2d(width),
        )
        self.stride = stride
        self.new_channels = width - width_in

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Turn (n, width_in, h, w) into (n, width, h / stride, w / stride)."""
        return self.add(x, self.convolutions(x))

    def add(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the ReLU of what the convolutions made of x, and x itself."""
        around = x[:, :, :: self.stride, :: self.stride]
        if self.new_channels:
            around = F.pad(around, (0, 0, 0, 0, 0, self.new_channels))
        return F.relu(y + around)


def _stride(size: Sequence[int]) -> int:
    """Return the stride that halves; 1 over a single pixel, which comes to the same.

    PyTorch 2.13 takes the gradient of the other wrongly, in bfloat16 on CPUs.
    """
    return 1 if max(size) == 1 else 2


def _halved(size: Sequence[int]) -> list[int]:
    return [-(-side // 2) for side in size]


def _average_pool(size: Sequence[int]) -> nn.Module:
    """2×2 average pooling that keeps what is left over at the edge."""
    window = tuple(min(2, side) for side in size)
    return nn.AvgPool2d(window, ceil_mode=True)
