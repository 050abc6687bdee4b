"""Backbones as feature extractors: layers of a network of timm, as numbers."""

import difflib
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from emclassify.nets._recording import recorded, recording

__all__ = ["BackboneFeatures", "resize_to"]

# Every convolutional network of timm takes images of this size, in pixels a side.
_LEAST_SIDE = 96
# Small images are better told apart at this size, by our learning curves.
_AUTO_SIDE = 128


def resize_to(
    net: nn.Module, image_size: Sequence[int] | str | None, images: torch.Tensor
) -> torch.Tensor:
    """Bring images (n, channels, height, width) to a size that a backbone takes.

    Parameters
    ----------
    net : nn.Module
        From timm.
    image_size : tuple of 2 int, "auto" or None
        (height, width). None is the size that the network was trained with where it is
        made for one, by position embeddings or dense layers over a grid; else sides
        below 96 px are enlarged to it, and others stay. "auto" is the same with 128 px.
    images : Tensor

    Returns
    -------
    Tensor
        Interpolated bilinearly, with a wider kernel where it shrinks; the aspect ratio
        is not kept. The same tensor if it has the size.
    """
    size = tuple(images.shape[2:])
    if not (image_size is None or isinstance(image_size, str)):
        wanted = tuple(image_size)
    elif net.pretrained_cfg["fixed_input_size"] or _has_dense_grid(net):
        wanted = tuple(net.pretrained_cfg["input_size"][1:])
    else:
        least = _LEAST_SIDE if image_size is None else _AUTO_SIDE
        wanted = tuple(max(side, least) for side in size)
    if size == wanted:
        return images
    return F.interpolate(images, wanted, mode="bilinear", antialias=True)


def blank_output(
    forward: Callable,
    net: nn.Module,
    image_shape: Sequence[int],
    image_size: Sequence[int] | str | None,
) -> torch.Tensor | dict[str, torch.Tensor]:
    """Return what a function of a backbone makes of a blank image.

    Parameters
    ----------
    forward : callable
        Takes images (1, channels, height, width).
    net : nn.Module
        The backbone, from timm.
    image_shape : tuple of 3 int
        (height, width, channels).
    image_size : tuple of 2 int, "auto" or None
        To which `forward` resizes, for the error.

    Raises
    ------
    ValueError
        If the backbone does not take images of this size.
    """
    height, width, channels = image_shape
    training = net.training
    try:
        with torch.no_grad():
            net.eval()
            return forward(torch.zeros(1, channels, height, width))
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"The backbone fails on images of {height}×{width} px with image_size="
            f"{image_size}: {error}. It was trained with image_size="
            f"{tuple(net.pretrained_cfg['input_size'][1:])}."
        ) from error
    finally:
        net.train(training)


def _has_dense_grid(net: nn.Module) -> bool:
    """Whether dense layers stand over a grid of positions, as in VGG."""
    return hasattr(getattr(net, "pre_logits", None), "input_kernel_size")


class BackboneFeatures(nn.Module):
    """Images in, numbers out: a backbone without its last layer, or layers within.

    Parameters
    ----------
    net : nn.Module
        From timm, see `load_backbone`.
    image_shape : tuple of 3 int
        (height, width, channels) of some images; others may have another size.
    layers : list of str or None, default=None
        Names of modules in `net`. What they return is averaged over all positions and
        put side by side. None is what the network pools for its classification; for VGG
        both hidden dense layers.
    image_size : tuple of 2 int, default=None
        (height, width) to which images are brought before; None as in `resize_to`.

    Attributes
    ----------
    widths : dict
        {layer: number of features}; the layer is "pooled" where there are no `layers`.

    Raises
    ------
    ValueError
        If the network has no such layers, or does not take images of this size.

    Examples
    --------
    >>> import timm, torch
    >>> from emclassify.nets import BackboneFeatures
    >>> net = timm.create_model("test_resnet", in_chans=1).eval()
    >>> BackboneFeatures(net, (40, 40, 1))(torch.zeros(2, 1, 40, 40)).shape
    torch.Size([2, 96])
    """

    def __init__(
        self,
        net: nn.Module,
        image_shape: Sequence[int],
        layers: Sequence[str] | None = None,
        image_size: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if layers is None and _has_dense_grid(net):
            layers = ["pre_logits.act1", "pre_logits.act2"]
        self.net = net
        self.layers = None if layers is None else self._check_layers(layers)
        self.image_size = image_size
        blank = blank_output(self.parts, net, image_shape, image_size)
        self.widths = {layer: part.shape[1] for layer, part in blank.items()}

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, channels, height, width) into features (n, n_features)."""
        return torch.cat(list(self.parts(images).values()), dim=1)

    def parts(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return {layer: features (n, k)}, side by side in what `forward` returns."""
        images = resize_to(self.net, self.image_size, images)
        if self.layers is None:
            features = self.net.forward_features(images)
            return {"pooled": self.net.forward_head(features, pre_logits=True)}
        with recording(self.net, self.layers) as outputs:
            self.net(images)
        return {layer: self._pool(recorded(outputs, layer)) for layer in self.layers}

    def _check_layers(self, layers: Sequence[str]) -> list[str]:
        """Return names of layers as a list, or raise ValueError."""
        names = [] if isinstance(layers, str) else list(layers)
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"layers must be a list of different names, or None; got {layers!r}."
            )
        known = [name for name, _ in self.net.named_modules() if name]
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=5, cutoff=0)
                raise ValueError(
                    f"layers has {name!r}, which is no layer of the backbone. Near "
                    f"are {', '.join(near)}; the last is {known[-1]}."
                )
        return names

    def _pool(self, output: torch.Tensor) -> torch.Tensor:
        """Average over positions."""
        if output.ndim == 4:
            channels_last = getattr(self.net, "output_fmt", "NCHW") == "NHWC"
            return output.mean(dim=(1, 2) if channels_last else (2, 3))
        return output.mean(dim=1) if output.ndim == 3 else output.flatten(1)
