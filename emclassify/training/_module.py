"""The network with all that happens to a batch on the device."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from emclassify.training._batches import ImageDataset
from emclassify.training._dihedral import symmetric_views

__all__ = ["ImageModule", "load_weights"]


class ImageModule(nn.Module):
    """Convert, normalise and augment a batch, then ask the network.

    Parameters
    ----------
    net : nn.Module
        Takes float tensors (n, channels, height, width), returns logits.
    augmentation : nn.Module
        Takes and returns (n, channels, height, width); acts in training only.
    precision : {"float32", "bfloat16"}
        "bfloat16" runs the network under autocast; the logits are float32.
    compiled : bool, default=False
        Whether the network, not what comes before it, goes through `torch.compile`.
    masked : bool, default=False
        Whether the last channel is a mask of the particle, 0 outside. The network gets
        it as 0 and 1, and what is normalised are the pixels of the particle.
    averaged : bool, default=False
        Whether, in evaluation mode, logits are the mean of those of all symmetries of
        an image.
    """

    def __init__(
        self,
        net: nn.Module,
        augmentation: nn.Module,
        precision: str,
        compiled: bool = False,
        masked: bool = False,
        averaged: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(net, nn.Module):
            raise ValueError(
                "net must return a torch.nn.Module when called with (image_shape, "
                f"n_classes); it returned {net!r}."
            )
        self.net = net.to(memory_format=torch.channels_last)
        self.augmentation = augmentation
        self.precision = precision
        self.compiled = compiled
        self.masked = masked
        self.averaged = averaged
        self._compiled_ask: dict[bool, Callable] = {}
        # Whether a CUDA graph of the whole training step is made.
        self.captured = False
        for name in ("mean", "std", "features_mean", "features_std", "log_odds"):
            self.register_buffer(name, None)

    def learn_scales(self, dataset: ImageDataset, *, by_image: bool) -> None:
        """Take over mean and standard deviation of the training set.

        Parameters
        ----------
        dataset : ImageDataset
        by_image : bool
            Whether each image is normalised by its own, and only the features beside
            it, if there are any, by the training set's.
        """
        if not by_image:
            mean, std = dataset.channel_statistics(masked=self.masked)
            self.mean, self.std = (
                mean.float()[:, None, None],
                std.float()[:, None, None],
            )
        if dataset.features is not None:
            mean, std = dataset.feature_statistics()
            self.features_mean, self.features_std = mean.float(), std.float()

    def learn_log_odds(self, dataset: ImageDataset) -> None:
        """Start from each label's share of the training set, weights counted.

        The network then has to learn what makes an image differ from it. Without this,
        a rare label starts at 0.5, and all that the first epochs learn is its rarity.

        Parameters
        ----------
        dataset : ImageDataset
            With an indicator matrix as its target.
        """
        weight = dataset.weight.double()
        present = (weight * dataset.target).sum(0)
        # Half a sample on either side: no label is certain.
        n = weight.sum(0)
        share = (present + 0.5) / (n + 1)
        self.log_odds = share.logit().float()

    def check_net(self, image_shape: Sequence[int], n_classes: int) -> None:
        """Raise ValueError unless the network turns two images into two logits rows.

        Better now, by name, than from within torch in the first batch.
        """
        height, width, channels = image_shape
        images = torch.zeros(2, channels, height, width)
        beside = {}
        if self.features_mean is not None:
            beside["features"] = torch.zeros(2, len(self.features_mean))
        training = self.training
        try:
            with torch.no_grad():
                shape = tuple(self.eval().net(images, **beside).shape)
        except (RuntimeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"net fails on a batch of shape {tuple(images.shape)} (n, channels, "
                f"height, width): {error}"
            ) from error
        finally:
            self.train(training)
        if shape != (2, n_classes):
            raise ValueError(
                f"net must return logits (n, n_classes), here (2, {n_classes}); it "
                f"returned {shape}."
            )

    def prepare(self, images: torch.Tensor) -> torch.Tensor:
        """Turn (n, height, width, channels) of any dtype into normalised floats."""
        images = images.permute(0, 3, 1, 2).to(torch.float32)
        if not self.masked:
            return self._normalise(images)
        images, mask = images[:, :-1], (images[:, -1:] != 0).to(images.dtype)
        return torch.cat([self._normalise(images, mask), mask], dim=1)

    def _normalise(self, images, mask=None):
        """Bring pixels to mean 0 and deviation 1; within the mask, if there is one."""
        if self.mean is not None:
            return (images - self.mean) / self.std
        centred = images - _mean(images, mask)
        scale = _mean(centred.square(), mask).sqrt()
        return centred / torch.where(scale > 0, scale, 1.0)

    def forward(
        self, images: torch.Tensor, features: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return logits (n, n_classes) of images (n, height, width, channels).

        The network also gets the features (n, n_features), if there are any,
        standardised.
        """
        beside = {}
        if features is not None:
            beside["features"] = (features - self.features_mean) / self.features_std
        images = self.augmentation(self.prepare(images))
        if self.averaged and not self.training:
            views = [self._logits(view, beside) for view in symmetric_views(images)]
            logits = torch.stack(views).mean(0)
        else:
            logits = self._logits(images, beside)
        return logits if self.log_odds is None else logits + self.log_odds

    def _logits(self, images, beside):
        """Return what the network says of normalised images, in single precision."""
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(
            images.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"
        ):
            ask = self._compile(images.device) if self.compiled else self._ask
            logits = ask(images, **beside)
        # A copy: a CUDA graph writes the next batch's logits to where these are.
        return logits.to(torch.float32, copy=True)

    def _ask(self, images: torch.Tensor, **beside: torch.Tensor) -> torch.Tensor:
        return self.net(images, **beside)

    def _compile(self, device: torch.device) -> Callable[..., torch.Tensor]:
        """Return `_ask`, compiled."""
        # In a captured step it must make no graphs of its own.
        captured = self.captured and self.training
        if captured not in self._compiled_ask:
            options = {
                # Draws dropout as the network itself does.
                "fallback_random": not captured,
                "triton.cudagraphs": device.type == "cuda" and not captured,
            }
            # One graph for each length, of which there are two.
            lengths = {"dynamic": False} if captured else {}
            self._compiled_ask[captured] = torch.compile(
                self._ask, options=options, **lengths
            )
        return self._compiled_ask[captured]

    def __getstate__(self) -> dict:
        """Leave out what is compiled: pickles and copies compile for themselves."""
        return {**super().__getstate__(), "_compiled_ask": {}}


def _mean(images, mask):
    """Return the mean (n, channels, 1, 1) of each channel, of what is in the mask."""
    if mask is None:
        return images.mean(dim=(2, 3), keepdim=True)
    n = mask.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    return (images * mask).sum(dim=(2, 3), keepdim=True) / n


def load_weights(module: ImageModule, weights: Mapping[str, torch.Tensor]) -> None:
    """Load all weights of a module that was made anew, its scales too.

    Raises
    ------
    ValueError
        If they are not those of its network.
    """
    for name, value in weights.items():
        # Scales are buffers that a fresh module has not learnt yet.
        if module._buffers.get(name, value) is None:
            module.register_buffer(name, torch.empty_like(value))
    try:
        module.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise ValueError(
            f"the weights are not those of the network: {' '.join(str(error).split())}"
        ) from error
