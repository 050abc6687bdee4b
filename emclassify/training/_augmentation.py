"""Augmentations by name.

Each transform is a pure function of a batch and its random draws, and a thin
`nn.Module` that draws them from torch's generator and acts in training mode only. A
new one is such a file, and a line in `AUGMENTATIONS`.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import nn

from emclassify.training._affine import RandomAffine
from emclassify.training._dihedral import RandomDihedral
from emclassify.training._flips import RandomHorizontalFlip, RandomVerticalFlip

__all__ = ["AUGMENTATIONS", "looks_all_ways", "make_augmentation"]


def _published_affine(interpolation: str) -> nn.Module:
    """Return the liposome thesis's: rotation, shift, zoom, shear and flips."""
    return nn.Sequential(
        RandomAffine(interpolation=interpolation),
        RandomHorizontalFlip(),
        RandomVerticalFlip(),
    )


# What makes the module of each name.
AUGMENTATIONS: dict[str, Callable[[], nn.Module]] = {
    "dihedral": RandomDihedral,
    "affine": partial(_published_affine, "bicubic"),
    "affine_spline": partial(_published_affine, "spline"),
}


def make_augmentation(
    augmentation: str | Callable | Sequence[Callable] | None,
    image_shape: Sequence[int],
) -> nn.Module:
    """Turn the parameter `augmentation` into one module.

    Parameters
    ----------
    augmentation : str, None, callable or list of callables
        A key of `AUGMENTATIONS`: "affine" is `RandomAffine` and both flips, as in the
        liposome thesis; "affine_spline" has its interpolation too. "auto" is
        "dihedral", but nothing for images of one row or one column, which are rows of
        features more often than pictures.
    image_shape : tuple of 3 int
        (height, width, channels).

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(augmentation, str) and augmentation == "auto":
        augmentation = None if min(image_shape[:2]) == 1 else "dihedral"
    if augmentation is None:
        return nn.Identity()
    if isinstance(augmentation, str) and augmentation in AUGMENTATIONS:
        return AUGMENTATIONS[augmentation]()
    steps = augmentation if isinstance(augmentation, list | tuple) else [augmentation]
    for step in steps:
        if not callable(step):
            names = ", ".join(map(repr, ("auto", *AUGMENTATIONS)))
            raise ValueError(
                f"augmentation must be {names}, None, or a "
                "callable (or a list of them) that takes and returns a tensor (n, "
                f"channels, height, width); got {step!r}."
            )
    return _TrainingOnly(steps)


def looks_all_ways(test_time_augmentation: str | None, augmentation: nn.Module) -> bool:
    """Whether a network predicts from all flips and quarter turns of an image.

    Parameters
    ----------
    test_time_augmentation : {"auto", "dihedral"} or None
        "auto" does so where training has them.
    augmentation : nn.Module
        Of training, from `make_augmentation`.
    """
    if test_time_augmentation == "auto":
        return isinstance(augmentation, RandomDihedral)
    return test_time_augmentation == "dihedral"


class _TrainingOnly(nn.Module):
    """Calls its steps one after the other, in training mode."""

    def __init__(self, steps: Sequence[Callable]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.modules_ = nn.ModuleList(s for s in steps if isinstance(s, nn.Module))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
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
