"""Random symmetries of the square, for a whole batch on the device where it lies."""

import torch
from torch import nn

__all__ = ["RandomDihedral", "dihedral"]


def dihedral(images: torch.Tensor, element: torch.Tensor) -> torch.Tensor:
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
        return dihedral(images, torch.randint(8, (len(images),)))
