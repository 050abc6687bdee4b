"""Mirror images of a whole batch at random, on the device where it lies."""

import torch
from torch import nn

__all__ = ["RandomHorizontalFlip", "RandomVerticalFlip", "flip_where"]


def flip_where(images: torch.Tensor, chosen: torch.Tensor, axis: int) -> torch.Tensor:
    """Mirror the chosen images along one axis.

    Parameters
    ----------
    images : Tensor of shape (n, channels, height, width)
    chosen : bool Tensor of shape (n,)
    axis : int
        -1 mirrors left and right, -2 top and bottom.
    """
    return torch.where(chosen[:, None, None, None], images.flip(axis), images)


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

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p must lie in [0, 1]; got {p!r}.")
        self.p = p

    def forward(self, images: torch.Tensor) -> torch.Tensor:
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
