"""max_epochs="auto" and batch_size="auto": what they are, and who copes with them."""

import math
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from torch import nn

import emclassify
from emclassify import (
    BackboneClassifier,
    CNNClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    OffSampleNetClassifier,
    ResNetClassifier,
    SeedEnsembleClassifier,
)
from emclassify.inspection import LearningRateRangeDisplay, network_embedding


def linear(image_shape, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(image_shape), n_classes))


def images(n, n_classes=3, seed=0):
    """Tiny ones that the mean tells apart."""
    y = np.arange(n) % n_classes
    X = np.random.default_rng(seed).normal(size=(n, 2, 2)) + 2 * y[:, None, None]
    return X, y


def network(**params):
    return CNNClassifier(linear, augmentation=None, random_state=0, **params)


def length(clf):
    """What is said, and what was done."""
    epochs = clf.history_.to_list()
    assert len(epochs) == clf.max_epochs_
    batches = epochs[-1]["batches"]
    assert max(batch["train_batch_size"] for batch in batches) <= clf.batch_size_
    return clf.max_epochs_, clf.batch_size_, len(epochs) * len(batches)


@pytest.mark.parametrize(
    "kind",
    [
        BackboneClassifier,
        CNNClassifier,
        FullyConvolutionalClassifier,
        FusionClassifier,
        LipNetClassifier,
        OffSampleNetClassifier,
        ResNetClassifier,
    ],
)
def test_default_of_every_network(kind):
    params = kind().get_params()
    assert params["max_epochs"] == "auto"
    assert params["batch_size"] == (32 if kind is BackboneClassifier else "auto")


@pytest.mark.parametrize("recipe", [LipNetClassifier, OffSampleNetClassifier])
def test_published_recipes_are_in_numbers(recipe):
    published = recipe.as_published()
    assert published.max_epochs == {LipNetClassifier: 200}.get(recipe, 20)
    assert published.batch_size == 128


@pytest.mark.parametrize(
    ("n", "n_classes", "given", "expected"),
    [
        (20, 3, {}, (150, 16, 300)),  # at least 300 steps
        (20, 3, {"batch_size": 4}, (100, 4, 500)),
        (300, 5, {"max_epochs": 2}, (2, 32, 20)),
        (1000, 5, {"batch_size": 500}, (150, 500, 300)),
        (1000, 5, {"batch_size": 500, "max_epochs": 3}, (3, 500, 6)),
    ],
)
def test_by_hand(n, n_classes, given, expected):
    assert length(network(**given).fit(*images(n, n_classes))) == expected


def test_rows_that_are_trained_on_count():
    X, y = images(300, 5)
    half = (np.arange(300) < 150).astype(float)
    clf = network(max_epochs=1).fit(X, y, sample_weight=half)
    assert clf.batch_size_ == 16
    clf = network(max_epochs=1).fit(X, y, sample_weight=2 * half + 1e-9)
    assert clf.batch_size_ == 32
    held_out = network(max_epochs=1, early_stopping=True, validation_fraction=0.2)
    assert held_out.fit(X, y).batch_size_ == 16


def test_several_labels_count_one_more():
    X, y = images(2000, 5)
    one = network(batch_size=2000).fit(X[:400], y[:400])
    several = network(batch_size=2000).fit(X, np.eye(5, dtype=int)[y])
    # 1500 · √(6 / 2000) is 82.2, and 300 batches are more; with small ones it is 83.
    assert several.max_epochs_ == one.max_epochs_ == 300
    small = network(batch_size=200).fit(X, np.eye(5, dtype=int)[y])
    assert small.max_epochs_ == 83


def test_training_goes_on_with_other_sets():
    # On a GPU batches have multiples of eight.
    clf = network(max_epochs=1, warm_start=True, device="cpu").fit(*images(40))
    assert clf.batch_size_ == 16
    clf.fit(*images(400))
    assert clf.batch_size_ == 32
    assert clf.history_[-1, "batches", :, "train_batch_size"] == [31] * 10 + [30] * 3
    clf.set_params(batch_size=200).fit(*images(400))
    assert clf.history_[-1, "batches", :, "train_batch_size"] == [200, 200]
    clf.set_params(batch_size="auto").partial_fit(*images(40))
    assert clf.batch_size_ == 16


def test_stream_of_batches():
    clf = network()
    for seed in range(3):
        clf.partial_fit(*images(30, seed=seed), classes=[0, 1, 2])
    assert clf.batch_size_ == 16
    assert len(clf.history_) == 3
    assert clf.predict_proba(images(5)[0]).shape == (5, 3)


def test_training_that_was_stopped_goes_on(tmp_path):
    X, y = images(40)
    whole = network().fit(X, y)

    class Stop(Exception):
        pass

    def die(clf, after):
        original = emclassify.training.EpochCheckpoint.on_epoch_end

        def stop(self, net, **kwargs):
            original(self, net, **kwargs)
            if self.epochs_ == after:
                raise Stop

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(emclassify.training.EpochCheckpoint, "on_epoch_end", stop)
            with pytest.raises(Stop):
                clf.fit(X, y)

    clf = network(checkpoint_dir=tmp_path)
    die(clf, 7)
    clf = network(checkpoint_dir=tmp_path).fit(X, y)
    assert length(clf) == length(whole)
    assert_array_equal(clf.predict_proba(X), whole.predict_proba(X))


def test_files_and_pickles(tmp_path):
    X, y = images(30)
    clf = LipNetClassifier(2, max_epochs=2, random_state=0).fit(X, y)
    emclassify.save(clf, tmp_path / "model")
    for again in (
        emclassify.load(tmp_path / "model"),
        pickle.loads(pickle.dumps(clf)),
    ):
        assert (again.max_epochs_, again.batch_size_) == (2, 16)
        assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
        assert len(again.set_params(warm_start=True).fit(X, y).history_) == 4


def test_pickle_from_before():
    X, y = images(30)
    state = network(max_epochs=2, batch_size=8).fit(X, y).__getstate__()
    del state["max_epochs_"], state["batch_size_"]
    again = network()
    again.__setstate__(state)
    assert (again.max_epochs_, again.batch_size_) == (2, 8)


def test_ensemble_range_and_inspection():
    X, y = images(30)
    ensemble = SeedEnsembleClassifier(network(), n_members=2, random_state=0).fit(X, y)
    assert [length(member)[1] for member in ensemble.estimators_] == [16, 16]
    display = LearningRateRangeDisplay.from_estimator(
        LipNetClassifier(2, random_state=0), X, y, n_batches=6
    )
    assert len(display.losses) == 6
    clf = LipNetClassifier(2, max_epochs=1, random_state=0).fit(X, y)
    assert len(network_embedding(clf, X)) == 30  # two batches


@pytest.mark.parametrize("name", ["max_epochs", "batch_size"])
@pytest.mark.parametrize("bad", [0, 1.5, "long", None])
def test_bad_values(name, bad):
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        network(**{name: bad}).fit(*images(20))
