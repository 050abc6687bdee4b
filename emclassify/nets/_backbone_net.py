"""A backbone with a new head, to be trained further."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import torch
from torch import nn

from emclassify.nets._backbone_features import blank_output, resize_to

__all__ = ["BackboneNet"]


class BackboneNet(nn.Module):
    """A backbone, its global pooling, dropout and a new dense layer.

    Parameters
    ----------
    backbone : nn.Module
        From timm, see `load_backbone`. Its classification layer is taken off.
    image_shape : tuple of 3 int
        (height, width, channels) of the images.
    n_classes : int
        Number of outputs.
    dropout : float, default=0.2
        Share of the pooled values dropped before the dense layer.
    image_size : tuple of 2 int, "auto" or None, default=None
        (height, width) to which images are brought before; None as in
        `BackboneFeatures`, "auto" the same with 128 px instead of 96.
    frozen : bool, default=False
        Whether the backbone is left as it is until `unfreeze` is called, the statistics
        of its batch normalisation included.

    Raises
    ------
    ValueError
        If the backbone does not take images of this size.

    Examples
    --------
    >>> import timm, torch
    >>> from emclassify.nets import BackboneNet
    >>> backbone = timm.create_model("test_resnet", in_chans=1)
    >>> net = BackboneNet(backbone, (40, 40, 1), 3)
    >>> net(torch.zeros(2, 1, 40, 40)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        backbone: nn.Module,
        image_shape: Sequence[int],
        n_classes: int,
        *,
        dropout: float = 0.2,
        image_size: Sequence[int] | str | None = None,
        frozen: bool = False,
    ) -> None:
        super().__init__()
        backbone.reset_classifier(0)
        self.backbone = backbone
        self.image_size = image_size
        self.frozen = frozen
        backbone.requires_grad_(not frozen)
        width = blank_output(self._pooled, backbone, image_shape, image_size).shape[1]
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, n_classes))

    def freeze(self) -> None:
        """Leave the backbone as it is from now on."""
        self._set_frozen(True)

    def unfreeze(self) -> None:
        """Train the backbone too from now on."""
        self._set_frozen(False)

    def _set_frozen(self, frozen):
        if self.frozen != frozen:
            self.frozen = frozen
            self.backbone.requires_grad_(not frozen)
            # Optimizers step wherever a gradient is left.
            self.backbone.zero_grad(set_to_none=True)
            self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set training mode, but for a frozen backbone."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels, height, width) into logits (n, n_classes)."""
        if self.training and len(images) == 1:
            with _running_statistics(self.backbone):
                return self.head(self._pooled(images))
        return self.head(self._pooled(images))

    def _pooled(self, images: torch.Tensor) -> torch.Tensor:
        return self.backbone(resize_to(self.backbone, self.image_size, images))


@contextmanager
def _running_statistics(net: nn.Module) -> Iterator[None]:
    """Normalise by running statistics: one image has none of its own."""
    norms = [
        module
        for module in net.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training
    ]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()
