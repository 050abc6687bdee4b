"""A network says when it wasn't trained enough, and only then."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

import emclassify
from emclassify import (
    CNNClassifier,
    FullyConvolutionalClassifier,
    LipNetClassifier,
    ResNetClassifier,
)
from emclassify.training import why_not_converged


def images(n=120, n_classes=3, seed=0, noise=1.0):
    """Bars, blobs and frames in noise: turned and flipped, they are what they were."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    X = rng.normal(scale=noise, size=(n, 12, 12))
    for image, kind in zip(X, y, strict=True):
        i, j = rng.integers(1, 7, 2)
        if kind == 0:
            image[i : i + 2] += 2
        elif kind == 1:
            image[i : i + 3, j : j + 3] += 3
        else:
            image[i : i + 5, j : j + 5] += 2
            image[i + 1 : i + 4, j + 1 : j + 4] -= 2
    return X, y


def fit(network, data):
    """Fit; return the warning of convergence, or None."""
    # A GPU draws other numbers and deals other batches: a verdict may be another.
    network.set_params(device="cpu")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        network.fit(*data)
    found = [w for w in caught if w.category is ConvergenceWarning]
    assert len(found) <= 1  # one a fit
    assert network.converged_ == (not found)
    return str(found[0].message) if found else None


SHALLOW = {"depth": 2, "batch_size": 16, "random_state": 0}
UNDERTRAINED = {
    "1 epoch": (LipNetClassifier(**SHALLOW, max_epochs=1), images()),
    "2 epochs": (LipNetClassifier(**SHALLOW, max_epochs=2), images()),
    "3 epochs": (LipNetClassifier(**SHALLOW, max_epochs=3), images(noise=1.5)),
    "1 large batch": (LipNetClassifier(max_epochs=3, random_state=0), images()),
    "2 classes": (LipNetClassifier(**SHALLOW, max_epochs=2), images(n_classes=2)),
    "few images": (LipNetClassifier(**SHALLOW, max_epochs=3), images(30)),
    "resnet, 1 epoch": (ResNetClassifier(1, 1, max_epochs=1, random_state=0), images()),
    "resnet, 3": (
        ResNetClassifier(1, 1, max_epochs=3, batch_size=32, random_state=0),
        images(noise=1.5),
    ),
    "maps": (FullyConvolutionalClassifier(max_epochs=2, random_state=0), images()),
    "cnn": (CNNClassifier(max_epochs=1, random_state=0), images()),
    "low rate": (LipNetClassifier(**SHALLOW, max_epochs=20, lr=1e-6), images()),
    "lower rate": (LipNetClassifier(**SHALLOW, max_epochs=40, lr=1e-7), images()),
    "low, sgd": (
        LipNetClassifier(**SHALLOW, max_epochs=20, lr=1e-6, optimizer="sgd"),
        images(),
    ),
    "low, resnet": (
        ResNetClassifier(1, 1, max_epochs=20, lr=1e-6, batch_size=16, random_state=0),
        images(),
    ),
    "high rate": (LipNetClassifier(**SHALLOW, max_epochs=20, lr=30.0), images()),
    "high, 2 classes": (
        LipNetClassifier(**SHALLOW, max_epochs=20, lr=100.0),
        images(n_classes=2),
    ),
    "high, adam": (
        LipNetClassifier(**SHALLOW, max_epochs=20, lr=30.0, optimizer="adam"),
        images(),
    ),
    "high, constant": (
        LipNetClassifier(**SHALLOW, max_epochs=10, lr=10.0, lr_schedule=None),
        images(),
    ),
    "one class": (
        LipNetClassifier(
            **SHALLOW, max_epochs=20, lr=1e-7, class_weight={0: 50.0, 1: 0.01, 2: 0.01}
        ),
        images(),
    ),
    "several labels": (
        LipNetClassifier(**SHALLOW, max_epochs=1),
        (images()[0], np.eye(3, dtype=int)[images()[1]]),
    ),
}
CONVERGED = {
    f"{type(network).__name__}, {n_classes} classes, {n} images, seed {seed}": (
        network,
        images(n, n_classes, seed, noise=0.3),
    )
    for n_classes in (2, 3)
    for n in (60, 120)
    for seed, network in enumerate(
        [
            LipNetClassifier(2, max_epochs=60, batch_size=8, lr=0.002, random_state=1),
            LipNetClassifier(2, max_epochs=60, batch_size=16, random_state=2),
            LipNetClassifier(4, max_epochs=60, batch_size=16, random_state=3),
            ResNetClassifier(1, 1, max_epochs=60, batch_size=16, random_state=4),
            FullyConvolutionalClassifier(max_epochs=60, batch_size=8, random_state=5),
        ]
    )
}


@pytest.mark.parametrize("name", UNDERTRAINED)
def test_undertrained_networks_say_so(name):
    message = fit(*UNDERTRAINED[name])
    assert message is not None
    assert "may not be trained enough: it" in message
    assert "max_epochs" in message or "lr" in message


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVERGED)
def test_trained_networks_do_not(name):
    check_good(*CONVERGED[name])


@pytest.mark.parametrize("name", list(CONVERGED)[11:14:2])
def test_some_trained_networks_do_not(name):
    check_good(*CONVERGED[name])


def check_good(network, data):
    message = fit(network, data)
    assert network.score(*data) > 0.95  # it is a good fit
    assert message is None


def test_reasons_by_hand():
    half, good = np.array([[75, 25], [25, 75]]), np.array([[97, 3], [3, 97]])
    falling, flat = np.linspace(1, 0.5, 5), [1.0, 0.6, *[0.5] * 8]
    long = {"images_seen": 1000, "budget": 1000, "stopped": False}
    assert why_not_converged(falling, good, **long) is None
    assert why_not_converged(falling, half, **long) == "falling"
    slower = [1.0, 0.75, 0.6, 0.55, 0.5]  # 0.09 of 0.5 in the last 30 %
    assert why_not_converged(slower, half, **long) is None
    assert why_not_converged(flat, half, **long) is None
    poor = np.array([[65, 35], [35, 65]])
    assert why_not_converged(flat, poor, **long) == "hardly learnt"
    better = np.array([[80, 20], [20, 80]])
    assert why_not_converged(flat, better, **long) is None
    short = {**long, "images_seen": 500}
    assert why_not_converged(flat, better, **short) == "short"
    assert why_not_converged(flat, better, **{**short, "stopped": True}) is None
    # Balanced: nine tenths right is no skill where nine tenths are of one class.
    rare = np.array([[900, 0], [99, 1]])
    assert why_not_converged(flat, rare, **long) == "hardly learnt"
    assert why_not_converged(flat, [[5, 0], [0, 0]] * np.array(1), **long) is None


def test_a_rare_class_that_is_missed_is_no_end_of_training():
    """Of 21 classes, 20 always found and one in ten of the last: a skill of 0.95."""
    confusion = np.diag([100] * 20 + [1])
    confusion[-1, 0] = 9
    length = {"images_seen": 500, "budget": 1000, "stopped": False}
    flat = [1.0, 0.6, *[0.5] * 8]
    assert why_not_converged(flat, confusion, **length) == "short"
    whole = {**length, "images_seen": 1000}
    assert why_not_converged(flat, confusion, **whole) is None
    assert why_not_converged(np.linspace(1, 0.5, 5), confusion, **whole) == "falling"
    # Found more often than missed, it is learnt.
    confusion[-1, [0, -1]] = 4, 6
    assert why_not_converged(flat, confusion, **length) is None
    # The same of labels, of which an image may have several.
    labels = np.array([[[100, 0], [0, 100]]] * 20 + [[[190, 0], [9, 1]]])
    assert why_not_converged(flat, labels, **length) == "short"


def test_labels_that_are_never_said_but_for_a_constant_one():
    """A label that all images have, or none, says nothing of the others."""
    tables = np.array([[[27, 0], [33, 0]], [[20, 0], [40, 0]], [[60, 0], [0, 0]]])
    given = {"images_seen": 1000, "budget": 1000, "stopped": False}
    flat = [1.0, 0.6, *[0.5] * 8]
    assert why_not_converged(flat, tables, **given) == "one class"
    # A skill of 0.03 in the mean of the two; the third would make 0.35 of it.
    tables[0] = [26, 1], [30, 3]
    assert why_not_converged(flat, tables, **given) == "hardly learnt"
    assert why_not_converged(flat, tables[2:], **given) is None


def test_early_stopping_is_judged_by_the_epoch_it_keeps():
    X = np.random.default_rng(0).normal(size=(80, 8, 8))
    y = np.arange(80) % 2
    network = LipNetClassifier(
        early_stopping=True,
        max_epochs=60,
        augmentation=None,
        dropout=0,
        dropout_dense=0,
        random_state=0,
    )
    message = fit(network, (X, y))
    # The last epochs have learnt the noise by heart; the first one is kept.
    assert np.argmin(network.learning_curve_["valid_loss"]) == 0
    assert network.learning_curve_["train_accuracy"][-1] > 0.9
    assert np.bincount(network.predict(X)).tolist() == [80]
    assert "little better than guessing" in message
    first = network.learning_curve_["train_accuracy"][0]
    assert f"its training accuracy is {first:.2f}" in message


class StopsEarly(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise KeyboardInterrupt


@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_end_by_a_callback_is_no_early_stopping(early_stopping):
    network = LipNetClassifier(
        **SHALLOW,
        lr=0.006,
        max_epochs=60,
        callbacks=[StopsEarly()],
        early_stopping=early_stopping,
        n_iter_no_change=30,
    )
    message = fit(network, images(900, n_classes=2, noise=0.9))
    assert len(network.history_) == 3
    assert "after 3 epochs of" in message


def test_a_class_that_is_never_said():
    """Two of three classes learnt well: a skill of 0.47."""
    confusion = np.array([[98, 2, 0], [3, 97, 0], [4, 2, 0]])
    given = {"images_seen": 1000, "budget": 1000, "stopped": False}
    flat = [1.0, 0.6, *[0.5] * 8]
    assert why_not_converged(flat, confusion, **given) == "never said"
    assert why_not_converged(flat, confusion, **{**given, "stopped": True}) is None
    confusion[2] = 3, 0, 3
    assert why_not_converged(flat, confusion, **given) is None
    # A class that is known, but not in this training, can't be said.
    confusion[2] = 0
    assert why_not_converged(flat, confusion, **given) is None


def test_the_warning_names_the_class_that_is_never_said():
    X, y = images(120, n_classes=2, noise=0.3)
    # Three images of a third class that nothing tells from the first.
    labels = np.array(["bar", "blob"])[y]
    labels[np.flatnonzero(y == 0)[:3]] = "odd"
    message = fit(
        LipNetClassifier(2, max_epochs=40, batch_size=16, random_state=0),
        (X, labels),
    )
    assert "it never says odd (3 images)" in message
    assert "class_weight" in message


def test_learning_curve_and_its_file(tmp_path):
    X, y = images(60)
    clf = LipNetClassifier(2, max_epochs=3, batch_size=16, random_state=0)
    with pytest.raises(AttributeError, match="no learning_curve_ before fit"):
        _ = clf.learning_curve_
    clf.set_params(early_stopping=True).fit(X, y)
    curve = clf.learning_curve_
    assert list(curve) == ["train_loss", "train_accuracy", "valid_loss"]
    assert all(values.shape == (3,) for values in curve.values())
    assert 0 <= curve["train_accuracy"].min() <= curve["train_accuracy"].max() <= 1
    emclassify.save(clf, tmp_path / "model")
    again = emclassify.load(tmp_path / "model")
    assert again.converged_ == clf.converged_
    for name, values in curve.items():
        np.testing.assert_array_equal(again.learning_curve_[name], values)
