"""Random symmetries of the square, for a whole batch on the device where it lies."""

from collections.abc import Iterator

import torch
from torch import nn

__all__ = ["RandomDihedral", "dihedral", "symmetric_views"]


def dihedral(images: torch.Tensor, element: torch.Tensor) -> torch.Tensor:
    """Apply to each image one of the eight symmetries of the square.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
    element : int Tensor of shape (n,)
        0 to 7. Bit 0 transposes (square images only: it would change the shape of
        others), bit 1 mirrors left and right, bit 2 mirrors top and bottom.
    """
    if images.device.type == "cpu":
        return _symmetry_by_symmetry(images, element)
    return _pixel_by_pixel(images, element)


def _pixel_by_pixel(images: torch.Tensor, element: torch.Tensor) -> torch.Tensor:
    """Tell each pixel where it comes from: a GPU has nothing to wait for."""
    height, width = images.shape[-2:]
    bits = element.to(images.device)[:, None]
    y = torch.arange(height, device=images.device)
    x = torch.arange(width, device=images.device)
    y = torch.where(bits & 4 > 0, height - 1 - y, y)
    x = torch.where(bits & 2 > 0, width - 1 - x, x)
    source = y[:, :, None] * width + x[:, None, :]
    if height == width:
        transposed = x[:, None, :] * width + y[:, :, None]
        source = torch.where(bits[:, :, None] & 1 > 0, transposed, source)
    source = source[:, None].expand(images.shape).flatten(2)
    return images.flatten(2).gather(2, source).view(images.shape)


def _symmetry_by_symmetry(images: torch.Tensor, element: torch.Tensor) -> torch.Tensor:
    """Take all images of one symmetry at a time: on a CPU the fastest way."""
    square = images.shape[-1] == images.shape[-2]
    turned = torch.empty_like(images)
    members = element.argsort().split(element.bincount(minlength=8).tolist())
    for symmetry, rows in enumerate(members):
        turned[rows] = _turn(images[rows], symmetry if square else symmetry & ~1)
    return turned


def _turn(images: torch.Tensor, symmetry: int) -> torch.Tensor:
    """Return all images in one symmetry."""
    if symmetry & 1:
        images = images.transpose(-1, -2)
    return images.flip([axis for axis, bit in ((-1, 2), (-2, 4)) if symmetry & bit])


def symmetric_views(images: torch.Tensor) -> Iterator[torch.Tensor]:
    """Give a batch in all its symmetries: eight where images are square, else four.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)

    Yields
    ------
    Tensor of shape (n, channels, height, width)
        By the numbers of `dihedral`; the images as they are come first.
    """
    square = images.shape[-1] == images.shape[-2]
    for symmetry in range(0, 8, 1 if square else 2):
        yield _turn(images, symmetry)


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

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Augment (n, channels, height, width) in training mode."""
        if not self.training:
            return images
        element = torch.randint(8, (len(images),), device=images.device)
        return dihedral(images, element)
