"""The models that `accuracy.py` measures, by name.

A model is one entry of `MODELS`: its kind, which says what it has to reach, and a
function of a `Task` that returns an unfitted estimator. No parameter is set but the
seed, and where the weights of a backbone lie: what is measured are the defaults.
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


@dataclass
class Task:
    """What a model is made for: a seed, and a folder for converted weights."""

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
    """Return LipNet."""
    return LipNetClassifier(depth, random_state=task.seed)


def make_resnet(task: Task) -> BaseEstimator:
    """Return ResNet(2, 2)."""
    return ResNetClassifier(2, 2, random_state=task.seed)


def make_backbone(task: Task) -> BaseEstimator:
    """Return EfficientNet-Lite0 with its real weights of ImageNet."""
    weights = save_lite_weights("tf_efficientnet_lite0", task.folder)
    return BackboneClassifier(weights=weights, random_state=task.seed)


MODELS = {
    "SVM": ModelToMeasure("svm", make_svm, has_seeds=False),
    "LipNet-4": ModelToMeasure("network", partial(make_lipnet, depth=4)),
    "LipNet-8": ModelToMeasure("network", partial(make_lipnet, depth=8)),
    "ResNet(2, 2)": ModelToMeasure("network", make_resnet),
    "EfficientNet-Lite0": ModelToMeasure("backbone", make_backbone),
}
