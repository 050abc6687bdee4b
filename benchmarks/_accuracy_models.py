"""The models that `accuracy.py` measures, by name.

A model is one entry of `MODELS`: its kind, which says what it has to reach, and a
function of a `Task` that returns an unfitted estimator. Networks are trained as long as
`emclassify.training` says for the images and classes of the task, and weigh classes as
the SVM does; nothing else is set but the image size and the rates of the backbone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from _lite_weights import save_lite_weights
from sklearn.base import BaseEstimator

from emclassify import (
    BackboneClassifier,
    LipNetClassifier,
    ResNetClassifier,
    svm_baseline,
)
from emclassify.training._budget import auto_batch_size, auto_max_epochs

# Passes over the images for a backbone: its weights know much already.
BACKBONE_EPOCHS = 15


@dataclass
class Task:
    """What a model is made for: a fold of a set, and a seed.

    `folder` takes files that outlive the task, such as converted weights.
    """

    n_images: int
    n_classes: int
    seed: int
    folder: Path


@dataclass
class ModelToMeasure:
    """What `accuracy.py` has to know of a model.

    `kind` is "svm", "network" (from scratch) or "backbone". A model that `has_seeds`
    is trained once a seed.
    """

    kind: str
    make: Callable[[Task], BaseEstimator]
    has_seeds: bool = True


def make_svm(task: Task) -> BaseEstimator:
    """Return the SVM on all families of features."""
    return svm_baseline()


def make_lipnet(task: Task, depth: int) -> BaseEstimator:
    """Return LipNet, trained as long as the images of the task ask for."""
    return LipNetClassifier(depth, **budget(task), **common(task))


def make_resnet(task: Task) -> BaseEstimator:
    """Return ResNet(2, 2), trained as long as the images of the task ask for."""
    return ResNetClassifier(2, 2, **budget(task), **common(task))


def make_backbone(task: Task, side: int) -> BaseEstimator:
    """Return EfficientNet-Lite0 with real weights of ImageNet, all of it trained."""
    backbone = "tf_efficientnet_lite0"
    return BackboneClassifier(
        backbone,
        weights=save_lite_weights(backbone, task.folder),
        image_size=(side, side),
        unfreeze_after=0,
        backbone_lr_factor=1.0,
        max_epochs=BACKBONE_EPOCHS,
        **common(task),
    )


def budget(task: Task) -> dict[str, int]:
    """Return the length of training and the batch size by the rule of the library."""
    batch_size = auto_batch_size(task.n_images)
    return {
        "batch_size": batch_size,
        "max_epochs": auto_max_epochs(task.n_images, task.n_classes, batch_size),
    }


def common(task: Task) -> dict[str, object]:
    """Return what all networks are given."""
    return {"class_weight": "balanced", "random_state": task.seed}


MODELS = {
    "SVM": ModelToMeasure("svm", make_svm, has_seeds=False),
    "LipNet-4": ModelToMeasure("network", partial(make_lipnet, depth=4)),
    "LipNet-8": ModelToMeasure("network", partial(make_lipnet, depth=8)),
    "ResNet(2, 2)": ModelToMeasure("network", make_resnet),
    "EfficientNet-Lite0": ModelToMeasure("backbone", partial(make_backbone, side=128)),
    "EfficientNet-Lite0, 64 px": ModelToMeasure(
        "backbone", partial(make_backbone, side=64)
    ),
}
