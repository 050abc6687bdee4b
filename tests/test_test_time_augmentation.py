"""Predictions from all eight flips and quarter turns of an image."""

import numpy as np
import onnxruntime
import pytest
import torch
from devices import near
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from emclassify import (
    BackboneClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    ResNetClassifier,
    SeedEnsembleClassifier,
    make_liposomes,
    to_onnx,
)
from emclassify._square import turn
from emclassify.inspection import saliency
from emclassify.persistence import load, save

QUICK = {"max_epochs": 3, "precision": "float32", "random_state": 0}
AVERAGED = {**QUICK, "test_time_augmentation": "dihedral"}
NEAR = {"rtol": 0, "atol": 2e-6}


@pytest.fixture(scope="module")
def liposomes():
    return make_liposomes(60, image_size=20, weights=[0.5, 0.3, 0.2], random_state=0)


@pytest.fixture(scope="module")
def plain(liposomes):
    return LipNetClassifier(2, **QUICK).fit(liposomes.images, liposomes.target)


@pytest.fixture(scope="module")
def averaged(liposomes):
    return LipNetClassifier(2, **AVERAGED).fit(liposomes.images, liposomes.target)


def softmax_of_mean_logits(model, views):
    """What is asked for, from the probabilities of each view by itself.

    A softmax of logits and of the logarithm of its result are the same.
    """
    logits = np.mean([np.log(model.predict_proba(view)) for view in views], axis=0)
    raised = np.exp(logits)
    return raised / raised.sum(axis=1, keepdims=True)


def test_probabilities_are_those_of_the_mean_logits(plain, averaged, liposomes):
    X = liposomes.images
    wanted = softmax_of_mean_logits(plain, [turn(X, k) for k in range(8)])
    assert_allclose(averaged.predict_proba(X), wanted, **NEAR)
    assert np.abs(averaged.predict_proba(X) - plain.predict_proba(X)).max() > 0.001


@pytest.mark.parametrize("element", range(1, 8))
def test_turned_and_mirrored_images_are_the_same(plain, averaged, liposomes, element):
    X = liposomes.images
    turned = turn(X, element)
    assert_allclose(averaged.predict_proba(turned), averaged.predict_proba(X), **NEAR)
    assert np.abs(plain.predict_proba(turned) - plain.predict_proba(X)).max() > 0.001


def test_training_is_the_same(plain, averaged):
    for ours, theirs in zip(
        averaged.net_.module_.parameters(), plain.net_.module_.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_oblong_images_have_four(liposomes):
    X = liposomes.images[:, :14]
    plain = LipNetClassifier(2, **QUICK).fit(X, liposomes.target)
    averaged = LipNetClassifier(2, **AVERAGED).fit(X, liposomes.target)
    wanted = softmax_of_mean_logits(plain, [turn(X, k) for k in (0, 2, 4, 6)])
    assert_allclose(averaged.predict_proba(X), wanted, **NEAR)


def test_images_of_several_sizes(liposomes):
    X = [image[: 14 + i % 2 * 6] for i, image in enumerate(liposomes.images)]
    model = FullyConvolutionalClassifier((8,), **AVERAGED).fit(X, liposomes.target)
    mirrored = [image[::-1] for image in X]
    assert_allclose(model.predict_proba(mirrored), model.predict_proba(X), **NEAR)


def test_several_labels_an_image(liposomes):
    X = liposomes.images
    names = liposomes.target_names
    y = (liposomes.target[:, None] == np.array(names)).astype(int)
    plain = ResNetClassifier(1, 0, **QUICK).fit(X, y)
    averaged = ResNetClassifier(1, 0, **AVERAGED).fit(X, y)
    odds = [plain.predict_proba(turn(X, k)) for k in range(8)]
    logits = np.mean([np.log(p / (1 - p)) for p in odds], axis=0)
    assert_allclose(averaged.predict_proba(X), 1 / (1 + np.exp(-logits)), **NEAR)


def test_features_beside_the_image_stay_those_of_the_image(liposomes):
    X, y = liposomes.images, liposomes.target
    model = FusionClassifier(["moments"], **AVERAGED).fit(X, y)
    plain = clone(model).set_params(test_time_augmentation=None).fit(X, y)
    assert np.abs(model.predict_proba(X) - plain.predict_proba(X)).max() > 1e-3


def test_it_is_kept_in_files(averaged, liposomes, tmp_path):
    X = liposomes.images
    save(averaged, tmp_path / "model.emc")
    again = load(tmp_path / "model.emc")
    assert_array_equal(again.predict_proba(X), averaged.predict_proba(X))


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
@pytest.mark.parametrize("ensemble", [False, True])
def test_it_is_in_exported_networks(averaged, liposomes, tmp_path, ensemble):
    X, model = liposomes.images, averaged
    if ensemble:
        member = LipNetClassifier(2, **AVERAGED)
        model = SeedEnsembleClassifier(member, n_members=2, random_state=0)
        model.fit(X, liposomes.target)
    to_onnx(model, tmp_path / "model.onnx", dtype=X.dtype)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    said = session.run(None, {session.get_inputs()[0].name: X})[0]
    assert_allclose(said, model.predict_proba(X), rtol=0, atol=near(1e-5))


def test_a_trained_network_takes_it_up(plain, liposomes):
    X, y = liposomes.images, liposomes.target
    model = clone(plain).set_params(warm_start=True).fit(X, y)
    model.set_params(test_time_augmentation="dihedral", max_epochs=1).fit(X, y)
    turned = model.predict_proba(turn(X, 3))
    assert_allclose(turned, model.predict_proba(X), **NEAR)


def test_what_a_network_looks_at_is_the_image_alone(plain, averaged, liposomes):
    X = liposomes.images[:3]
    wanted = saliency(plain, X, target="uncertain")
    assert_array_equal(saliency(averaged, X, target="uncertain"), wanted)


def test_early_stopping_validates_as_it_predicts(liposomes):
    X, y = liposomes.images, liposomes.target
    stopping = {"early_stopping": True, "validation_fraction": 0.3}
    plain = LipNetClassifier(2, **QUICK, **stopping).fit(X, y)
    averaged = LipNetClassifier(2, **AVERAGED, **stopping).fit(X, y)
    assert averaged.history_[0, "train_loss"] == plain.history_[0, "train_loss"]
    assert averaged.history_[0, "valid_loss"] != plain.history_[0, "valid_loss"]


def test_other_names_are_refused(liposomes):
    model = LipNetClassifier(test_time_augmentation="affine")
    with pytest.raises(InvalidParameterError, match="'test_time_augmentation'"):
        model.fit(liposomes.images, liposomes.target)


@pytest.mark.parametrize(
    ("augmentation", "same"), [("dihedral", True), ("auto", True), (None, False)]
)
def test_auto_goes_by_the_training(liposomes, augmentation, same):
    X, y = liposomes.images, liposomes.target
    model = LipNetClassifier(
        2, **QUICK, augmentation=augmentation, test_time_augmentation="auto"
    ).fit(X, y)
    apart = np.abs(model.predict_proba(turn(X, 1)) - model.predict_proba(X)).max()
    assert (apart < 2e-6) == same


def test_backbones_do_so_by_default():
    assert BackboneClassifier().test_time_augmentation == "auto"
    assert BackboneClassifier.as_published().test_time_augmentation is None
