"""The transformers of a pipeline as torch modules, for a graph.

Each takes and returns images (n, height, width, channels).
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from emclassify.preprocessing import CenterCrop, PixelStandardizer, ResizeImages
from emclassify.preprocessing._interpolation import HALF

__all__ = ["is_known_step", "module_of_step", "takes_mask"]


def is_known_step(step: Any) -> bool:
    """Whether a graph can hold this transformer; by its type, as children may vary."""
    return type(step) in _MAKERS


def takes_mask(step: Any, n_channels: int) -> bool:
    """Whether this transformer takes the last channel for a mask."""
    return isinstance(step, ResizeImages) and (
        step.mask == "last" or (step.mask == "auto" and n_channels == 2)
    )


def module_of_step(
    step: Any, image_shape: tuple[int, int, int], whole: bool
) -> tuple[nn.Module, tuple[int, int, int], bool]:
    """Return a fitted transformer as a module, and what comes out of it.

    Parameters
    ----------
    step : CenterCrop, PixelStandardizer or ResizeImages
    image_shape : tuple of 3 int
        (height, width, channels) of the images that go in.
    whole : bool
        Whether their values are those of integer images, which stay whole numbers.

    Returns
    -------
    module : nn.Module
    image_shape : tuple of 3 int
    whole : bool
    """
    return _MAKERS[type(step)](step, image_shape, whole)


def _resize(step, image_shape, whole):
    *size, channels = image_shape
    new_size = tuple(step.output_shape)
    has_mask = takes_mask(step, channels)
    module = _Resize(size, new_size, has_mask=has_mask, whole=whole)
    return module, (*new_size, channels), whole


def _crop(step, image_shape, whole):
    sides = step._sides()
    return _Crop(image_shape[:2], sides), (*sides, image_shape[2]), whole


def _standardize(step, image_shape, whole):
    return _Standardize(step), image_shape, False


_MAKERS = {
    CenterCrop: _crop,
    PixelStandardizer: _standardize,
    ResizeImages: _resize,
}


class _Resize(nn.Module):
    """What `ResizeImages` does, a matrix product along each axis."""

    def __init__(self, size, new_size, *, has_mask, whole):
        super().__init__()
        self.has_mask, self.whole = has_mask, whole
        rows, columns = (
            torch.from_numpy(bilinear_matrix(side, new_side))
            for side, new_side in zip(size, new_size, strict=True)
        )
        self.register_buffer("rows", rows)
        self.register_buffer("columns", columns.T.contiguous())

    def forward(self, images):
        images = images.to(torch.float32)
        mask = images[..., -1:] if self.has_mask else None
        resized = self._interpolate(images[..., :-1] if self.has_mask else images)
        if self.whole:
            resized = resized.round()
        if mask is None:
            return resized
        inside = self._interpolate((mask != 0).to(torch.float32)) >= HALF
        mask = torch.where(inside, mask.amax((1, 2), keepdim=True), 0.0)
        return torch.cat([resized, mask], -1)

    def _interpolate(self, images):
        # Sums in double precision, each kept in single, as Pillow has them: else more
        # integers would be rounded to a neighbour.
        planes = images.permute(0, 3, 1, 2).double()
        planes = (planes @ self.columns).to(torch.float32).double()
        return (self.rows @ planes).to(torch.float32).permute(0, 2, 3, 1)


def bilinear_matrix(side: int, new_side: int) -> NDArray[np.float64]:
    """Return the matrix (new_side, side) that resizes along one axis.

    Each row holds the weights of the old pixels in a new one: a triangle around its
    centre, one old pixel wide on either side, or one new pixel where that is more.
    """
    scale = side / new_side
    width = max(scale, 1.0)
    centres = (np.arange(new_side)[:, np.newaxis] + 0.5) * scale
    distance = np.abs(np.arange(side) - centres + 0.5) * (1 / width)
    weights = np.maximum(1 - distance, 0)
    return weights / weights.sum(axis=1, keepdims=True)


class _Crop(nn.Module):
    """What `CenterCrop` does."""

    def __init__(self, size, sides):
        super().__init__()
        self.rows, self.columns = (
            slice((there - side) // 2, (there - side) // 2 + side)
            for there, side in zip(size, sides, strict=True)
        )

    def forward(self, images):
        return images[:, self.rows, self.columns]


class _Standardize(nn.Module):
    """What a fitted `PixelStandardizer` does, like it in double precision."""

    def __init__(self, step):
        super().__init__()
        mean = step.mean_ if step.with_mean else np.zeros_like(step.mean_)
        scale = step.scale_ if step.with_std else np.ones_like(step.scale_)
        scale = np.where(step.dead_pixels_, 1.0, scale)
        for name, values in (
            ("mean", mean),
            ("scale", scale),
            ("dead", step.dead_pixels_),
        ):
            self.register_buffer(name, torch.tensor(values))

    def forward(self, images):
        images = (images.double() - self.mean) / self.scale
        return torch.where(self.dead, 0.0, images).to(torch.float32)
