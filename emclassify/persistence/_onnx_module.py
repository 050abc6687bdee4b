"""A fitted pipeline as one torch module, from raw images to probabilities."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import nn

from emclassify._typing import Estimator
from emclassify.classifiers import SeedEnsembleClassifier
from emclassify.classifiers._base import BaseImageClassifier
from emclassify.inspection._network import evaluating
from emclassify.persistence._onnx_steps import is_known_step, module_of_step, takes_mask
from emclassify.preprocessing import PixelStandardizer
from emclassify.training._dihedral import symmetric_views

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "ImagesToProbabilities",
    "check_exportable",
    "first_step",
    "has_mask",
    "last_step",
    "pixel_scale",
    "single_precision",
]


def check_exportable(estimator: Estimator) -> None:
    """Raise TypeError, naming the part, if a graph can't hold an estimator."""
    for name, step in _image_steps(estimator):
        if not is_known_step(step):
            raise TypeError(
                f"step {name!r} ({type(step).__name__}) can't be in an ONNX graph: of "
                "what stands before the classifier, ResizeImages, CenterCrop and "
                "PixelStandardizer can. See the user guide, 'ONNX', for pipelines of "
                "features."
            )
    last = last_step(estimator)
    kind = type(last).__name__
    if isinstance(last, SeedEnsembleClassifier):
        for member in getattr(last, "estimators_", [last._member()]):
            check_exportable(member)
    elif hasattr(last, "best_estimator_"):
        raise TypeError(f"{kind} is a search; export its best_estimator_.")
    elif not isinstance(last, BaseImageClassifier):
        raise TypeError(
            f"{kind} can't be exported: estimator must be a network classifier of "
            "emclassify, a SeedEnsembleClassifier of them, or a Pipeline that ends in "
            "one of these."
        )
    elif type(last)._features is not BaseImageClassifier._features:
        raise TypeError(
            f"{kind} can't be exported: the features that it computes from each image "
            "can't be in an ONNX graph."
        )


def first_step(estimator: Any) -> Any:
    """Return what gets to see the raw images."""
    for _, step in _image_steps(estimator):
        return step
    last = last_step(estimator)
    ensemble = isinstance(last, SeedEnsembleClassifier)
    return first_step(last.estimators_[0]) if ensemble else last


def last_step(estimator: Any) -> Any:
    """Return what stands at the end of a pipeline, or the estimator itself."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def pixel_scale(estimator: Any) -> tuple[Any, Any]:
    """Return mean and standard deviation of the training pixels, by channel.

    As far as the estimator knows; images that are each normalised may have any.
    """
    for _, step in _image_steps(estimator):
        if isinstance(step, PixelStandardizer):
            return step.mean_.mean((0, 1)), step.scale_.mean((0, 1))
    last = last_step(estimator)
    if isinstance(last, SeedEnsembleClassifier):
        return pixel_scale(last.estimators_[0])
    module = last.net_.module_
    if module.mean is None:
        return 128.0, 64.0
    mean, std = (part.flatten().cpu().numpy() for part in (module.mean, module.std))
    # It has none of the mask.
    return (np.append(mean, 0), np.append(std, 1)) if module.masked else (mean, std)


def has_mask(estimator: Any, n_channels: int) -> bool:
    """Whether the last channel of raw images is taken for a mask."""
    if any(takes_mask(step, n_channels) for _, step in _image_steps(estimator)):
        return True
    last = last_step(estimator)
    if isinstance(last, SeedEnsembleClassifier):
        return has_mask(last.estimators_[0], n_channels)
    return last.net_.module_.masked


@contextmanager
def single_precision(estimator: Any) -> Iterator[None]:
    """Have all networks of an estimator compute in float32 meanwhile, on the CPU.

    A GPU multiplies in TF32, ten bits of it.
    """
    with ExitStack() as stack:
        for network in _networks(estimator):
            stack.enter_context(_on_cpu(network))
            stack.enter_context(evaluating(network, symmetries=True))
        yield


@contextmanager
def _on_cpu(network: BaseImageClassifier) -> Iterator[None]:
    """Have a network on the CPU meanwhile."""
    net, device = network.net_, network.device_
    try:
        net.module_.to("cpu")
        net.device = network.device_ = "cpu"
        yield
    finally:
        net.module_.to(device)
        net.device = network.device_ = device


class ImagesToProbabilities(nn.Module):
    """Probabilities and labels of raw images, as a fitted estimator has them.

    Parameters
    ----------
    estimator : estimator
        A fitted one that `check_exportable` lets pass. Its networks are copied, to the
        CPU.
    image_shape : tuple of 3 int
        (height, width, channels) of the images that go in.
    whole : bool
        Whether images come as integers.
    """

    def __init__(
        self, estimator: Estimator, image_shape: tuple[int, int, int], *, whole: bool
    ) -> None:
        super().__init__()
        self.has_channel_axis = image_shape[2] > 1
        self.multilabel = last_step(estimator).multilabel_
        self.probabilities = _module_of(estimator, image_shape, whole)

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities (n, n_classes), and indices of classes or 0 and 1.

        Images come as (n, height, width), or (n, height, width, channels) where there
        are several channels.
        """
        images = images if self.has_channel_axis else images[..., None]
        probabilities = self.probabilities(images)
        if self.multilabel:
            return probabilities, (probabilities >= 0.5).to(torch.int64)
        return probabilities, probabilities.argmax(1)


def _image_steps(estimator):
    """Return the steps that images pass before the classifier, [(name, step), ...]."""
    steps = []
    while isinstance(estimator, Pipeline):
        steps += [
            (name, step)
            for name, step in estimator.steps[:-1]
            # Samplers act in fit only.
            if step not in (None, "passthrough") and not hasattr(step, "fit_resample")
        ]
        estimator = estimator.steps[-1][1]
    return steps


def _networks(estimator):
    """Return all network classifiers of a fitted estimator."""
    last = last_step(estimator)
    if isinstance(last, SeedEnsembleClassifier):
        return [network for member in last.estimators_ for network in _networks(member)]
    return [last]


def _module_of(estimator, image_shape, whole):
    """Return a module from images (n, h, w, c) to probabilities (n, n_classes)."""
    modules = []
    for _, step in _image_steps(estimator):
        module, image_shape, whole = module_of_step(step, image_shape, whole)
        modules.append(module)
    last = last_step(estimator)
    if isinstance(last, SeedEnsembleClassifier):
        members = [_module_of(m, image_shape, whole) for m in last.estimators_]
        return nn.Sequential(*modules, _Mean(members))
    return nn.Sequential(*modules, _Network(last))


class _Mean(nn.Module):
    """The mean of what several modules say."""

    def __init__(self, members):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images):
        return torch.stack([member(images) for member in self.members]).mean(0)


class _Network(nn.Module):
    """A copy of a classifier's network, in evaluation mode and single precision."""

    def __init__(self, classifier):
        super().__init__()
        self.multilabel = classifier.multilabel_
        self.averaged = classifier.net_.module_.averaged
        with evaluating(classifier) as module:
            self.logits = copy.deepcopy(module).cpu()
        if self.logits.mean is None:
            self.logits.prepare = partial(_normalize_each, masked=module.masked)

    def forward(self, images):
        logits = self._averaged_logits(images) if self.averaged else self.logits(images)
        return logits.sigmoid() if self.multilabel else logits.softmax(1)

    def _averaged_logits(self, images):
        """Ask about all symmetries in one batch: the graph holds the network once."""
        views = [
            view.permute(0, 2, 3, 1)
            for view in symmetric_views(images.permute(0, 3, 1, 2))
        ]
        logits = self.logits(torch.cat(views))
        return logits.reshape(len(views), -1, logits.shape[-1]).mean(0)


def _normalize_each(images, masked):
    """Do what `ImageModule.prepare` does to each image by itself, in double precision.

    onnxruntime sums in single precision more coarsely than torch does: probabilities
    would differ by 4e-5.
    """
    images = images.permute(0, 3, 1, 2).double()
    if not masked:
        return _standardized(images, torch.ones_like(images[:, :1]))
    images, mask = images[:, :-1], (images[:, -1:] != 0).double()
    return torch.cat([_standardized(images, mask), mask.to(torch.float32)], 1)


def _standardized(images, mask):
    """Bring each channel to mean 0 and deviation 1 within the mask."""
    n = mask.sum((2, 3), keepdim=True).clamp(min=1)
    centred = images - (images * mask).sum((2, 3), keepdim=True) / n
    scale = ((centred.square() * mask).sum((2, 3), keepdim=True) / n).sqrt()
    return (centred / torch.where(scale > 0, scale, 1.0)).to(torch.float32)
