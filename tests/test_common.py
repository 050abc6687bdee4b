"""Every public estimator passes every check: scikit-learn's and our own."""

import importlib
import inspect
import math
import pkgutil

import pytest
import torch
from devices import ON_CPU
from image_checks import IMAGE_CHECKS, check_other_size_refused
from imblearn.utils.estimator_checks import estimator_checks_generator
from packaging.version import Version
from sampler_checks import SAMPLER_CHECKS, make_noise, seeded
from sklearn.base import BaseEstimator, clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

import emclassify
from emclassify.baselines import BackboneExtractor, ClippedScaler
from emclassify.classifiers import (
    BackboneClassifier,
    CNNClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    OffSampleNetClassifier,
    ResNetClassifier,
    SeedEnsembleClassifier,
)
from emclassify.model_selection import (
    BoundedThresholdClassifierCV,
    ClassThresholdClassifierCV,
    RejectClassifierCV,
)
from emclassify.preprocessing import (
    CenterCrop,
    ParticleCropper,
    PixelSizeScaler,
    ResizeImages,
)
from emclassify.sampling import ArtificialImageSampler

# Backbones with random weights say so, in every check.
pytestmark = pytest.mark.filterwarnings("ignore:.* has random weights:UserWarning")


class SmallNet:
    """A network of one hidden layer: the machinery around it is what is checked."""

    def __call__(self, image_shape, n_classes):
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(image_shape), 16),
            nn.ReLU(),
            nn.Linear(16, n_classes),
        )

    def __repr__(self):
        # No address: pytest-xdist needs the same test ids in every worker.
        return "SmallNet()"


class SureNet(SmallNet):
    """Its probabilities are next to 0 and 1: a threshold that splits them is a half."""

    def __call__(self, image_shape, n_classes):
        return nn.Sequential(super().__call__(image_shape, n_classes), Decide())

    def __repr__(self):
        return "SureNet()"


class Decide(nn.Module):
    """All for the highest score, once training is over."""

    def forward(self, scores):
        if self.training:
            return scores
        return torch.where(scores == scores.amax(1, keepdim=True), 20.0, -20.0)


# Where the defaults are too slow or too small for thirty one-pixel samples. The high
# rate is for the check on class weights: few batches have to overrule 99 % of them.
# Batches hold the 20 samples of the checks on order at once: how float32 rounds depends
# on the length of a batch.
QUICK = {"max_epochs": 20, "batch_size": 32, "lr": 0.03}
SETTINGS = {
    ArtificialImageSampler: {"generator": make_noise},
    BoundedThresholdClassifierCV: {
        # A check wants the more probable class predicted.
        "estimator": CNNClassifier(SureNet(), **QUICK, random_state=0),
        "min_recall": 0.8,
        "cv": 2,
    },
    BackboneClassifier: {
        **QUICK,
        "max_epochs": 12,
        "lr": 0.05,
        "unfreeze_after": 4,
        "backbone_lr_factor": 0.1,
        "backbone": "test_resnet",
        "weights": "random",
        "image_size": (32, 32),
    },
    # One by one: how float32 rounds depends on the length of a batch.
    BackboneExtractor: {
        "backbone": "test_resnet",
        "weights": "random",
        "image_size": (32, 32),
        "batch_size": 1,
    },
    CenterCrop: {"size": 1},
    CNNClassifier: {**QUICK, "net": SmallNet()},
    ClassThresholdClassifierCV: {
        "estimator": CNNClassifier(SureNet(), **QUICK, random_state=0),
        "cv": 2,
    },
    FullyConvolutionalClassifier: {**QUICK, "widths": (4, 8)},
    # With 20 epochs one image and twenty differ by more than the 1e-7 that the checks
    # allow, on an Intel Xeon.
    FusionClassifier: {**QUICK, "lr": 0.2, "max_epochs": 40},
    LipNetClassifier: {**QUICK, "batch_size": 20, "lr": 0.1},
    OffSampleNetClassifier: {**QUICK, "lr": 0.01, "max_epochs": 10},
    PixelSizeScaler: {"pixel_size": 2.0, "input_pixel_size": 4.0},
    # Nothing is rejected: the checks want labels of y.
    RejectClassifierCV: {
        "estimator": CNNClassifier(SmallNet(), **QUICK, random_state=0),
        "max_error": 1.0,
        "cv": 2,
    },
    ResNetClassifier: {**QUICK, "n": 1, "m": 1},
    ResizeImages: {"output_shape": (4, 4)},
    SeedEnsembleClassifier: {
        "estimator": CNNClassifier(SmallNet(), **QUICK),
        "n_members": 2,
    },
}
# Takes images of any size after fit: that is what it is for.
ANY_SIZE = {
    BackboneClassifier,
    BackboneExtractor,
    FullyConvolutionalClassifier,
    ParticleCropper,
    PixelSizeScaler,
    ResizeImages,
}
# Takes tables of features, no images.
OF_TABLES = {ClippedScaler}


def public_estimators():
    """All estimator classes in the rooms' `__all__`."""
    found = set()
    for room in pkgutil.iter_modules(emclassify.__path__):
        if room.name.startswith("_"):
            continue
        module = importlib.import_module(f"emclassify.{room.name}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if (
                inspect.isclass(thing)
                and issubclass(thing, BaseEstimator)
                and not inspect.isabstract(thing)
            ):
                found.add(thing)
    return sorted(found, key=lambda cls: cls.__name__)


OLDER_TORCH = Version(torch.__version__) < Version("2.13")
ESTIMATORS = [cls(**SETTINGS.get(cls, {})) for cls in public_estimators()]
SAMPLERS = [thing for thing in ESTIMATORS if hasattr(thing, "fit_resample")]


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: {})
def test_sklearn_checks(estimator, check):
    of_lipnet = isinstance(estimator, LipNetClassifier)
    if of_lipnet and "subset_invariance" in str(check) and OLDER_TORCH:
        pytest.skip("torch before 2.13 rounds by the length of a batch: 5e-7, not 1e-7")
    by_batch = isinstance(estimator, BackboneClassifier)
    if by_batch and "methods_subset_invariance" in str(check) and not ON_CPU:
        # A GPU picks its algorithms by the length of a batch, and each rounds its way.
        estimator = clone(estimator).set_params(device="cpu")
    check(estimator)


@pytest.mark.parametrize("check", IMAGE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "estimator",
    [e for e in ESTIMATORS if e not in SAMPLERS and type(e) not in OF_TABLES],
    ids=lambda e: type(e).__name__,
)
def test_image_checks(estimator, check):
    if check is check_other_size_refused and type(estimator) in ANY_SIZE:
        pytest.skip("takes images of any size: that is what it is for")
    check(type(estimator).__name__, estimator)


@pytest.mark.parametrize(
    ("sampler", "check"),
    [pair for sampler in SAMPLERS for pair in estimator_checks_generator(sampler)],
    ids=lambda thing: getattr(thing, "func", type(thing)).__name__,
)
def test_imblearn_checks(sampler, check):
    # Some checks compare two draws, and leave it to the sampler that they are equal.
    check(seeded(sampler))


@pytest.mark.parametrize("check", SAMPLER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
def test_sampler_checks(sampler, check):
    check(type(sampler).__name__, sampler)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_the_checks_run_at_all(estimator):
    # With the tag off, scikit-learn's checks pass because they don't run.
    tags = estimator.__sklearn_tags__()
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array == (type(estimator) not in OF_TABLES)
    assert not tags.no_validation
    assert not tags.non_deterministic


def test_all_names_exist():
    for name in emclassify.__all__:
        thing = getattr(emclassify, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert thing.__name__ == name
