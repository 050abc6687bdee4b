"""LipNet and a small dense network on image features, joined before the output."""

from collections.abc import Sequence

import torch
from torch import nn

from emclassify.nets._layers import BatchNorm1d
from emclassify.nets._lipnet import LipNet4

__all__ = ["FusionNet"]


class FusionNet(nn.Module):
    """LipNet-4 beside a dense network on features; both meet in the last layer.

    Parameters
    ----------
    image_shape : tuple of 3 int
        (height, width, channels).
    n_classes : int
        Number of outputs.
    n_features : int
        Numbers that come with each image.
    dropout : float, default=0.25
        As in LipNet-4.
    dropout_dense : float, default=0.5
        As in LipNet-4; after the dense layer on the features, too.

    Examples
    --------
    >>> import torch
    >>> from emclassify.nets import FusionNet
    >>> net = FusionNet((28, 28, 1), 3, 110)
    >>> net(torch.zeros(2, 1, 28, 28), torch.zeros(2, 110)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        n_classes: int,
        n_features: int,
        *,
        dropout: float = 0.25,
        dropout_dense: float = 0.5,
    ) -> None:
        super().__init__()
        lipnet = LipNet4(
            image_shape, n_classes, dropout=dropout, dropout_dense=dropout_dense
        )
        self.images = nn.Sequential(lipnet.features, lipnet.head[:-2])  # (512,)
        self.features = nn.Sequential(
            nn.Linear(n_features, 64),
            BatchNorm1d(64),
            nn.ReLU(),
            nn.Dropout(dropout_dense),
        )
        self.head = nn.Sequential(nn.Linear(512 + 64, n_classes), lipnet.head[-1])

    def forward(self, images: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Turn images and features (n, n_features) into logits (n, n_classes)."""
        return self.head(torch.cat([self.images(images), self.features(features)], 1))
