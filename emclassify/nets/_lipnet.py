"""LipNet, the networks of the liposome thesis."""

from torch import nn

from ._layers import BatchNorm1d, conv_block, pool

__all__ = ["LipNet4"]


class LipNet4(nn.Module):
    """LipNet-4: four 3×3 convolutions and two dense layers.

    Parameters
    ----------
    image_shape : tuple of 3 int
        (height, width, channels). Any size from one pixel up; the source uses
        28×28×1.
    n_classes : int
        Number of outputs.
    dropout : float, default=0.25
        Share of the feature map's values dropped after each pooling.
    dropout_dense : float, default=0.5
        Share of the dense layer's values dropped.

    References
    ----------
    S. Gryshkevych, master's thesis, Uppsala University, 2016, and the author's
    Keras code.

    Examples
    --------
    >>> from emclassify.nets import LipNet4
    >>> net = LipNet4((28, 28, 1), 3)
    >>> sum(p.numel() for p in net.parameters())
    887657
    """

    def __init__(self, image_shape, n_classes, *, dropout=0.25, dropout_dense=0.5):
        super().__init__()
        height, width, channels = image_shape
        size = (height, width)
        layers = []
        # Shapes in the comments are for 28×28×1.
        for width_in, width_out in ((channels, 32), (32, 64)):
            # (32, 28, 28) and (32, 26, 26), then (64, 13, 13) and (64, 11, 11)
            block, size = conv_block(width_in, width_out, 3, size, same=True)
            layers += block
            block, size = conv_block(width_out, width_out, 3, size, same=False)
            layers += block
            # (32, 13, 13), then (64, 5, 5)
            pooling, size = pool(size)
            layers += [pooling, nn.Dropout(dropout)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),  # (1600,)
            nn.Linear(64 * size[0] * size[1], 512),
            BatchNorm1d(512),
            nn.ReLU(),
            nn.Dropout(dropout_dense),
            nn.Linear(512, n_classes),
            BatchNorm1d(n_classes),
        )

    def forward(self, images):
        """Turn (n, channels, height, width) into logits (n, n_classes)."""
        return self.head(self.features(images))
