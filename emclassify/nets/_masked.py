"""A network that pools and normalises over the particle only."""

from functools import singledispatch

import torch
import torch.nn.functional as F
from torch import nn

from emclassify.nets._layers import BatchNorm2d
from emclassify.nets._resnet import ResidualBlock

__all__ = ["MaskedNet"]


class MaskedNet(nn.Module):
    """A network of ours, whose last channel is a mask of the particle.

    Convolutions see the whole image. Batch normalisation takes its statistics from
    pixels of the particle, pooling takes the largest or the mean of these, and what
    goes into the dense layers is zero outside. Where an image gets smaller, by pooling
    or by a convolution, a pixel belongs to the particle if any pixel of its window
    does. Where the mask is empty, all is zero.

    Parameters
    ----------
    net : nn.Module
        With `features` and `head`, each an `nn.Sequential` of the layers that
        `emclassify.nets` is built of; as made for images without the mask.

    Raises
    ------
    ValueError
        If the network is built otherwise.

    Examples
    --------
    >>> import torch
    >>> from emclassify.nets import LipNet4, MaskedNet
    >>> net = MaskedNet(LipNet4((28, 28, 1), 3)).eval()
    >>> images = torch.randn(5, 1, 28, 28)
    >>> all_particle = torch.cat([images, torch.ones(5, 1, 28, 28)], dim=1)
    >>> net(all_particle).shape
    torch.Size([5, 3])
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        for part in ("features", "head"):
            if not isinstance(getattr(net, part, None), nn.Sequential):
                raise ValueError(
                    f"mask: {type(net).__name__} has no nn.Sequential called {part}, "
                    "through which a mask could be followed. Networks of "
                    "emclassify.nets have."
                )
        self.features = net.features
        self.head = net.head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels + 1, height, width) into logits (n, n_classes)."""
        # Turned or shifted masks have values between 0 and 1.
        images, mask = images[:, :-1], images[:, -1:] >= 0.5
        images, mask = _follow(self.features, images, mask)
        return _follow(self.head, images, mask)[0]


@singledispatch
def _follow(layer, x, mask):
    """Return what a layer makes of x within the mask, and the mask that belongs to it.

    This one is for layers that go value by value, and those after `nn.Flatten`.
    """
    y = layer(x)
    if mask is not None and y.shape[2:] != mask.shape[2:]:
        raise ValueError(
            f"mask: {type(layer).__name__} changes the size of the image, and it is "
            "not known how it would change that of the mask."
        )
    return y, mask


@_follow.register
def _(layer: nn.Sequential, x, mask):
    for part in layer:
        x, mask = _follow(part, x, mask)
    return x, mask


@_follow.register
def _(layer: nn.Conv2d, x, mask):
    y = layer(x)
    if y.shape[2:] != mask.shape[2:]:
        window = layer.kernel_size, layer.stride, layer.padding
        mask = F.max_pool2d(mask.to(y.dtype), *window) > 0
    return y, mask


@_follow.register
def _(layer: nn.ZeroPad2d, x, mask):
    return layer(x), F.pad(mask, layer.padding)


@_follow.register
def _(layer: BatchNorm2d, x, mask):
    return layer(x, mask), mask


@_follow.register
def _(layer: nn.MaxPool2d, x, mask):
    pooled = layer(mask.to(x.dtype)) > 0
    y = layer(x.masked_fill(~mask, -torch.inf))
    return y.masked_fill(~pooled, 0), pooled


@_follow.register(nn.AvgPool2d)
@_follow.register(nn.AdaptiveAvgPool2d)
def _(layer, x, mask):
    share = layer(mask.to(x.dtype))
    y = layer(x.masked_fill(~mask, 0))
    # Both were divided by the same number of pixels.
    return torch.where(share > 0, y / share.clamp(min=1e-6), 0), share > 0


@_follow.register
def _(layer: ResidualBlock, x, mask):
    y, smaller = _follow(layer.convolutions, x, mask)
    return layer.add(x, y), smaller


@_follow.register
def _(layer: nn.Flatten, x, mask):
    return layer(x.masked_fill(~mask, 0)), None
