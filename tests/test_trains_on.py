"""A network that trains on takes over what its parameters say by now, or refuses."""

import inspect
import pickle
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from backbone_weights import save_backbone

import emclassify
from emclassify import (
    BackboneClassifier,
    CNNClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    OffSampleNetClassifier,
    ResNetClassifier,
)

N = 24


def images(n=N):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    return rng.normal(size=(n, 8, 8)) + y[:, None, None], y


class OtherNet(torch.nn.Module):
    def __init__(self, image_shape, n_classes):
        super().__init__()
        self.flat = torch.nn.Flatten()
        self.dense = torch.nn.Linear(int(np.prod(image_shape)), n_classes)

    def forward(self, images):
        return self.dense(self.flat(images))


QUICK = {"max_epochs": 1, "batch_size": 16, "random_state": 0}
NETWORKS = [
    LipNetClassifier(2, **QUICK),
    ResNetClassifier(1, 1, **QUICK),
    FullyConvolutionalClassifier((4, 8), **QUICK),
    OffSampleNetClassifier(**QUICK),
    CNNClassifier(OtherNet, **QUICK),
    FusionClassifier(["moments"], **QUICK),
    BackboneClassifier("test_resnet", image_size=(32, 32), **QUICK),
]
IDS = [type(network).__name__ for network in NETWORKS]


def groups_of(clf):
    return clf.net_.optimizer_.param_groups


def last(clf, key):
    return [b[key] for b in clf.history_[-1]["batches"] if key in b]


def halve(n):
    return 0.5


# For each parameter that is used: another value, and how to see that it was used.
USED = {
    "max_epochs": (3, lambda clf: len(clf.history_) == 1 + 3),
    "batch_size": (6, lambda clf: last(clf, "train_batch_size") == [6] * 4),
    "lr": (0.01, lambda clf: max(g["initial_lr"] for g in groups_of(clf)) > 0),
    "optimizer": ("sgd", lambda clf: type(clf.net_.optimizer_) is torch.optim.SGD),
    "lr_schedule": (halve, lambda clf: groups_of(clf)[-1]["lr"] == clf.lr / 2),
    "weight_decay": (
        0.25,
        lambda clf: {g["weight_decay"] for g in groups_of(clf)} == {0.25},
    ),
    "loss": ("focal", lambda clf: "Focal" in type(clf.net_.criterion_).__name__),
    "label_smoothing": (0.2, lambda clf: clf.net_.criterion_.label_smoothing == 0.2),
    "class_weight": ({0: 1.0, 1: 3.0}, lambda clf: True),
    "early_stopping": (True, lambda clf: "valid_loss" in clf.history_[-1]),
    "validation_fraction": (0.25, lambda clf: True),
    "n_iter_no_change": (1, lambda clf: True),
    "warm_start": (True, lambda clf: True),
    "unfreeze_after": (0, lambda clf: all(g["params"] for g in groups_of(clf))),
    "backbone_lr_factor": (
        0.5,
        lambda clf: min(g.get("lr_factor", 1) for g in groups_of(clf)) == 0.5,
    ),
    "augmentation": (
        None,
        lambda clf: isinstance(clf.net_.module_.augmentation, torch.nn.Identity),
    ),
    "test_time_augmentation": (
        "dihedral",
        lambda clf: clf.net_.module_.averaged,
    ),
    "precision": ("bfloat16", lambda clf: clf.net_.module_.precision == "bfloat16"),
    "compile": (False, lambda clf: not clf.net_.module_.compiled),
    "device": ("cpu", lambda clf: clf.device_ == "cpu"),
    "n_threads": (1, lambda clf: clf._threads() == 1),
    "verbose": (1, lambda clf: True),
    "random_state": (
        7,
        lambda clf: (
            clf._rng.get_state()[2] == drawn_once(7).get_state()[2]
            and np.array_equal(clf._rng.get_state()[1], drawn_once(7).get_state()[1])
        ),
    ),
    "callbacks": ([], lambda clf: True),
    "checkpoint_dir": ("a folder", lambda clf: True),
}
FIXED = {
    "net": torch.nn.Identity,
    "normalization": "image",
    "image_shape": (8, 8),
    "depth": 4,
    "dropout": 0.4,
    "dropout_dense": 0.4,
    "n": 2,
    "m": 2,
    "widths": (8, 8),
    "families": ["histogram"],
    "mask": "last",
    "backbone": "test_vit",
    "weights": "imagenet",
    "image_size": (64, 64),
}


def drawn_once(seed):
    rng = np.random.RandomState(seed)
    rng.randint(np.iinfo(np.int32).max)
    return rng


@cache
def fitted(name):
    network = NETWORKS[IDS.index(name)]
    if name == "BackboneClassifier":
        with TemporaryDirectory() as folder:
            network.set_params(weights=save_backbone(Path(folder))[1])
            return pickle.dumps(network.fit(*images()))
    return pickle.dumps(network.fit(*images()))


CASES = [
    pytest.param(type(network).__name__, name, id=f"{type(network).__name__}-{name}")
    for network in NETWORKS
    for name in inspect.signature(type(network)).parameters
]


@pytest.mark.parametrize(("network", "name"), CASES)
def test_every_parameter_is_used_or_refused(network, name, tmp_path):
    X, y = images()
    clf = pickle.loads(fitted(network)).set_params(warm_start=True)
    net = clf.net_
    if name in FIXED:
        before, proba = dict(vars(clf)), clf.predict_proba(X)
        value = FIXED[name]
        if name == "normalization" and clf.normalization == value:
            value = "dataset"
        if name == "mask" and isinstance(clf, FusionClassifier):
            value = "full"  # its own, for the features beside
        clf.set_params(**{name: value})
        for train_on in (clf.fit, clf.partial_fit):
            with pytest.raises(ValueError, match=rf"{name} can't change in a network"):
                train_on(X, y)
        clf.set_params(**{name: before[name]})
        assert vars(clf) == before
        np.testing.assert_array_equal(clf.predict_proba(X), proba)
        return
    value, is_used = USED[name]
    weights = {k: v.cpu().clone() for k, v in net.module_.state_dict().items()}
    clf.set_params(**{name: tmp_path / value if name == "checkpoint_dir" else value})
    clf.fit(X, y)
    assert is_used(clf)
    assert len(clf.history_) > 1  # it went on
    changed = [
        float((v.cpu() - weights[k]).abs().max())
        for k, v in clf.net_.module_.state_dict().items()
        if k.endswith("weight")
    ]
    assert 0 < max(changed) < 1  # from where it was
    assert clf.predict_proba(X).shape == (N, 2)


@pytest.mark.parametrize("setting", [{"batch_size": 5}, {"optimizer": "sgd"}])
def test_partial_fit_takes_over_settings(setting):
    X, y = images()
    clf = LipNetClassifier(2, **QUICK).partial_fit(X, y, classes=[0, 1])
    clf.set_params(**setting).partial_fit(X, y)
    (name,) = setting
    assert USED[name][1](clf) if name == "optimizer" else True
    assert sum(last(clf, "train_batch_size")) == N
    if name == "batch_size":
        assert max(last(clf, "train_batch_size")) == 5
    assert len(clf.history_) == 2


def test_the_optimizer_keeps_what_it_knows():
    X, y = images()
    clf = LipNetClassifier(2, warm_start=True, **QUICK).fit(X, y)
    clf.set_params(batch_size=24).fit(X, y)
    steps = {int(s["step"]) for s in clf.net_.optimizer_.state.values()}
    assert steps == {2 + 1}
    clf.set_params(optimizer="adam").fit(X, y)
    steps = {int(s["step"]) for s in clf.net_.optimizer_.state.values()}
    assert steps == {1}


def test_settings_that_did_not_change_leave_the_net_alone():
    X, y = images()
    clf = LipNetClassifier(2, warm_start=True, image_shape=[8, 8], **QUICK).fit(X, y)
    net = clf.net_
    clf.set_params(image_shape=(8, 8), max_epochs=2).fit(X, y)
    assert clf.net_ is net


def test_a_kept_model_trains_on(tmp_path):
    X, y = images()
    clf = LipNetClassifier(2, warm_start=True, **QUICK).fit(X, y)
    emclassify.save(clf, tmp_path / "model")
    again = emclassify.load(tmp_path / "model")
    again.set_params(batch_size=6).fit(X, y)
    assert USED["batch_size"][1](again)
    with pytest.raises(ValueError, match="depth can't change"):
        again.set_params(depth=4).fit(X, y)
