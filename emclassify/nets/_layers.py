"""Layers that behave at the edges: one-pixel images and batches of one sample."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["BatchNorm1d", "BatchNorm2d", "conv_block", "pool"]


class _SurvivesOne:
    """Normalises a batch with a single value a channel by the running statistics.

    Its own variance would be zero, and torch refuses it.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and x.numel() == x.shape[1]:
            return F.batch_norm(
                x,
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                training=False,
                eps=self.eps,
            )
        return super().forward(x)


class BatchNorm1d(_SurvivesOne, nn.BatchNorm1d):
    """Batch normalisation of (n, channels) that takes a batch of one."""


class BatchNorm2d(_SurvivesOne, nn.BatchNorm2d):
    """Batch normalisation of (n, channels, h, w) that takes a batch of one.

    With a mask (n, 1, h, w), the statistics are those of the values within.
    """

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        if mask is None or not self.training:
            return super().forward(x)
        values = x.float()
        within = mask.to(values.dtype)
        n = within.sum()
        mean = (values * within).sum((0, 2, 3)) / n.clamp(min=1)
        from_mean = (values - mean[:, None, None]) * within
        var = from_mean.square().sum((0, 2, 3)) / n.clamp(min=1)
        # Of one value the variance is zero: the running statistics stand in.
        enough = n > 1
        with torch.no_grad():
            step = torch.where(enough, self.momentum, 0.0)
            unbiased = var * n / (n - 1).clamp(min=1)
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), step)
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), step)
            self.num_batches_tracked.add_(1)
        mean = torch.where(enough, mean, self.running_mean)
        var = torch.where(enough, var, self.running_var)
        scale = self.weight * torch.rsqrt(var + self.eps)
        shift = self.bias - mean * scale
        y = values * scale[:, None, None] + shift[:, None, None]
        return y.to(x.dtype)


def conv_block(
    in_channels: int,
    out_channels: int,
    kernel: int,
    size: Sequence[int],
    *,
    same: bool,
    norm: bool = True,
) -> tuple[list[nn.Module], tuple[int, int]]:
    """Convolution, batch normalisation and ReLU, and the size of what comes out.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel : int
        Side of the square kernel.
    size : tuple of 2 int
        (height, width) that goes in.
    same : bool
        Whether the output has the size of the input. If not, the convolution is
        valid, except along a side that is shorter than the kernel: there it is
        padded, so that tiny images pass.
    norm : bool, default=True
        Whether to normalise between convolution and ReLU.

    Returns
    -------
    layers : list of nn.Module
    size : tuple of 2 int
    """
    padded = [same or side < kernel for side in size]
    padding = [_same_padding(kernel) if pad else (0, 0) for pad in padded]
    layers = []
    if kernel % 2 == 0 and any(padded):
        # An even kernel needs one more pixel after than before: Conv2d pads evenly.
        (top, bottom), (left, right) = padding
        layers.append(nn.ZeroPad2d((left, right, top, bottom)))
        padding = [(0, 0), (0, 0)]
    layers += [
        nn.Conv2d(
            in_channels, out_channels, kernel, padding=tuple(p[0] for p in padding)
        ),
        *([BatchNorm2d(out_channels)] if norm else []),
        nn.ReLU(),
    ]
    size = tuple(
        side if pad else side - kernel + 1
        for side, pad in zip(size, padded, strict=True)
    )
    return layers, size


def _same_padding(kernel: int) -> tuple[int, int]:
    """Pixels before and after that keep the size."""
    return (kernel - 1) // 2, kernel // 2


def pool(size: Sequence[int], kernel: int = 2) -> tuple[nn.Module, tuple[int, int]]:
    """Max pooling that leaves a side of one pixel alone, and the size after it."""
    window = tuple(min(kernel, side) for side in size)
    return nn.MaxPool2d(window), tuple(
        side // w for side, w in zip(size, window, strict=True)
    )
