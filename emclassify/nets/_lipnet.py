"""LipNet, the networks of the liposome thesis, and two deeper ones of our own."""

from collections.abc import Sequence

import torch
from torch import nn

from emclassify.nets._layers import BatchNorm1d, conv_block, pool

__all__ = ["LipNet2", "LipNet4", "LipNet6", "LipNet8", "LipNet10"]


class LipNet2(nn.Module):
    """LipNet-2: 4×4 convolutions of 32 and 64 and a dense layer of 1,024.

    The source gives neither padding nor dropout for it: here the convolutions are
    valid, and there is no dropout unless asked for.

    Parameters
    ----------
    image_shape : tuple of 3 int
        (height, width, channels), of any size.
    n_classes : int
        Number of outputs.
    dropout, dropout_dense : float, default=0.0
        Share dropped after each pooling and after the dense layer.

    References
    ----------
    S. Gryshkevych, master's thesis, Uppsala University, 2016.

    Examples
    --------
    >>> import torch
    >>> from emclassify.nets import LipNet2
    >>> LipNet2((28, 28, 1), 3)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        n_classes: int,
        *,
        dropout: float = 0.0,
        dropout_dense: float = 0.0,
    ) -> None:
        super().__init__()
        *size, channels = image_shape
        layers = []
        # Shapes in the comments are for 28×28×1.
        for width_in, width_out in ((channels, 32), (32, 64)):
            # (32, 25, 25), then (64, 9, 9)
            block, size = conv_block(
                width_in, width_out, 4, size, same=False, norm=False
            )
            # (32, 12, 12), then (64, 4, 4)
            pooling, size = pool(size)
            layers += [*block, pooling, nn.Dropout(dropout)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),  # (1024,)
            nn.Linear(64 * size[0] * size[1], 1024),
            nn.ReLU(),
            nn.Dropout(dropout_dense),
            nn.Linear(1024, n_classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels, height, width) into logits (n, n_classes)."""
        return self.head(self.features(images))


class LipNet4(nn.Module):
    """LipNet-4: pairs of 3×3 convolutions of 32 and of 64, and two dense layers.

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

    widths = (32, 64)

    def __init__(
        self,
        image_shape: Sequence[int],
        n_classes: int,
        *,
        dropout: float = 0.25,
        dropout_dense: float = 0.5,
    ) -> None:
        super().__init__()
        *size, width_in = image_shape
        layers = []
        # Shapes in the comments are LipNet-4's for 28×28×1.
        for width in self.widths:
            # (32, 28, 28) and (32, 26, 26), then (64, 13, 13) and (64, 11, 11)
            block, size = conv_block(width_in, width, 3, size, same=True)
            layers += block
            block, size = conv_block(width, width, 3, size, same=False)
            layers += block
            # (32, 13, 13), then (64, 5, 5)
            pooling, size = pool(size)
            layers += [pooling, nn.Dropout(dropout)]
            width_in = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),  # (1600,)
            nn.Linear(width * size[0] * size[1], 512),
            BatchNorm1d(512),
            nn.ReLU(),
            nn.Dropout(dropout_dense),
            nn.Linear(512, n_classes),
            BatchNorm1d(n_classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels, height, width) into logits (n, n_classes)."""
        return self.head(self.features(images))


class LipNet8(LipNet4):
    """LipNet-4 with two more pairs of convolutions, of 128 and of 256.

    The source names five networks and describes those of 2, 4 and 6 convolutions;
    this one is ours. Parameters as for `LipNet4`.
    """

    widths = (32, 64, 128, 256)


class LipNet10(LipNet4):
    """LipNet-4 with three more pairs of convolutions, of 128, 256 and 512.

    The source names five networks and describes those of 2, 4 and 6 convolutions;
    this one is ours. Parameters as for `LipNet4`.
    """

    widths = (32, 64, 128, 256, 512)


class LipNet6(nn.Module):
    """LipNet-6: pairs of 7×7, 5×5 and 3×3 convolutions, and dense 512 and 128.

    Parameters
    ----------
    image_shape : tuple of 3 int
        (height, width, channels), of any size; the source uses 52×52×1.
    n_classes : int
        Number of outputs.
    dropout : float, default=0.25
        Share dropped after each pooling.
    dropout_dense : float, default=0.5
        Share dropped after each dense layer.

    References
    ----------
    S. Gryshkevych, master's thesis, Uppsala University, 2016.

    Examples
    --------
    >>> import torch
    >>> from emclassify.nets import LipNet6
    >>> LipNet6((52, 52, 1), 3).features(torch.zeros(5, 1, 52, 52)).shape
    torch.Size([5, 128, 3, 3])
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        n_classes: int,
        *,
        dropout: float = 0.25,
        dropout_dense: float = 0.5,
    ) -> None:
        super().__init__()
        *size, width_in = image_shape
        layers = []
        # Shapes in the comments are for 52×52×1.
        for width, kernel in ((32, 7), (64, 5), (128, 3)):
            # (32, 52, 52), (32, 46, 46); (64, 23, 23), (64, 19, 19); (128, 9, 9), …
            block, size = conv_block(
                width_in, width, kernel, size, same=True, norm=False
            )
            layers += block
            block, size = conv_block(width, width, kernel, size, same=False, norm=False)
            layers += block
            # (32, 23, 23), (64, 9, 9), (128, 3, 3)
            pooling, size = pool(size)
            layers += [pooling, nn.Dropout(dropout)]
            width_in = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Flatten(),  # (1152,)
            nn.Linear(128 * size[0] * size[1], 512),
            nn.ReLU(),
            nn.Dropout(dropout_dense),
            nn.Linear(512, 128),
            nn.ReLU(),
            nn.Dropout(dropout_dense),
            nn.Linear(128, n_classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels, height, width) into logits (n, n_classes)."""
        return self.head(self.features(images))
