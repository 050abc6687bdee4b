"""Augmentation of a whole batch at once, on the device where it lies.

Each transform is a pure function of a batch and its random draws, and a thin
`nn.Module` that draws them from torch's generator and acts in training mode only.
"""

import torch
from torch import nn

from emclassify.training._affine import RandomAffine

__all__ = [
    "RandomDihedral",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "dihedral",
    "flip_where",
    "make_augmentation",
]


def flip_where(images, chosen, axis):
    """Mirror the chosen images along one axis.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
    chosen : bool Tensor of shape (n,)
    axis : int
        -1 mirrors left and right, -2 top and bottom.
    """
    return torch.where(chosen[:, None, None, None], images.flip(axis), images)


def dihedral(images, element):
    """Apply to each image one of the eight symmetries of the square.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
    element : int Tensor of shape (n,)
        0 to 7. Bit 0 transposes (square images only: it would change the shape of
        others), bit 1 mirrors left and right, bit 2 mirrors top and bottom. On the
        CPU wherever the images are: how many images go through each symmetry has to be
        known before they do.
    """
    square = images.shape[-1] == images.shape[-2]
    turned = torch.empty_like(images)
    members = element.argsort().split(element.bincount(minlength=8).tolist())
    for symmetry, rows in enumerate(members):
        rows = rows.to(images.device)
        some = images[rows]
        if symmetry & 1 and square:
            some = some.transpose(-1, -2)
        axes = [axis for axis, bit in ((-1, 2), (-2, 4)) if symmetry & bit]
        turned[rows] = some.flip(axes)
    return turned


class RandomHorizontalFlip(nn.Module):
    """Mirror left and right, each image with probability `p`.

    Parameters
    ----------
    p : float, default=0.5

    Examples
    --------
    >>> import torch
    >>> from emclassify.training import RandomHorizontalFlip
    >>> image = torch.tensor([[[[1.0, 2.0]]]])
    >>> RandomHorizontalFlip(p=1.0)(image).flatten().tolist()
    [2.0, 1.0]
    """

    axis = -1

    def __init__(self, p=0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p must lie in [0, 1]; got {p!r}.")
        self.p = p

    def forward(self, images):
        """Augment (n, channels, height, width) in training mode."""
        if not self.training:
            return images
        chosen = torch.rand(len(images), device=images.device) < self.p
        return flip_where(images, chosen, self.axis)


class RandomVerticalFlip(RandomHorizontalFlip):
    """Mirror top and bottom, each image with probability `p`.

    Parameters
    ----------
    p : float, default=0.5
    """

    axis = -2


class RandomDihedral(nn.Module):
    """Quarter turns and flips, all eight with one probability.

    The right augmentation wherever the image has no natural direction, as for
    particles on a grid. Interpolates nothing. Images that aren't square get the
    four symmetries of the rectangle.

    Examples
    --------
    >>> import torch
    >>> from emclassify.training import RandomDihedral
    >>> RandomDihedral()(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 1, 28, 28])
    """

    def forward(self, images):
        """Augment (n, channels, height, width) in training mode."""
        if not self.training:
            return images
        return dihedral(images, torch.randint(8, (len(images),)))


def make_augmentation(augmentation, image_shape):
    """Turn the parameter `augmentation` into one module.

    Parameters
    ----------
    augmentation : {"auto", "dihedral", "affine"}, None, callable or list of callables
        "affine" is `RandomAffine` and both flips, as in the liposome thesis. "auto"
        is "dihedral", but nothing for images of one row or one column, which
        are rows of features more often than pictures.
    image_shape : tuple of 3 int
        (height, width, channels).
    """
    if augmentation == "auto":
        augmentation = None if min(image_shape[:2]) == 1 else "dihedral"
    if augmentation is None:
        return nn.Identity()
    if augmentation == "dihedral":
        return RandomDihedral()
    if augmentation == "affine":
        return nn.Sequential(
            RandomAffine(), RandomHorizontalFlip(), RandomVerticalFlip()
        )
    steps = augmentation if isinstance(augmentation, list | tuple) else [augmentation]
    for step in steps:
        if not callable(step):
            raise ValueError(
                "augmentation must be 'auto', 'dihedral', 'affine', None, or a "
                "callable (or a list of them) that takes and returns a tensor (n, "
                f"channels, height, width); got {step!r}."
            )
    return _TrainingOnly(steps)


class _TrainingOnly(nn.Module):
    """Calls its steps one after the other, in training mode."""

    def __init__(self, steps):
        super().__init__()
        self.steps = list(steps)
        self.modules_ = nn.ModuleList(s for s in steps if isinstance(s, nn.Module))

    def forward(self, images):
        if not self.training:
            return images
        shape = images.shape
        for step in self.steps:
            images = step(images)
            if not isinstance(images, torch.Tensor) or images.shape != shape:
                got = getattr(images, "shape", type(images).__name__)
                raise ValueError(
                    f"augmentation step {step!r} must return a tensor of the shape "
                    f"that it got, {tuple(shape)}; it returned {got}."
                )
        return images
