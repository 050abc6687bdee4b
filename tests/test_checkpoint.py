"""Training that is killed goes on, and ends as if it had not been."""

import importlib
import multiprocessing
import os
import signal
import sys
import time

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import EpochTimer

from emclassify import CNNClassifier, FullyConvolutionalClassifier, LipNetClassifier
from emclassify.training import EpochCheckpoint, training_key

QUICK = {"max_epochs": 6, "batch_size": 16, "random_state": 0}


def make_images(n=80):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 8, 8))
    y = np.arange(n) % 2
    X[y == 1, :4] += 1
    return X, y


def weights(classifier):
    return classifier.net_.module_.state_dict()


def assert_same(a, b):
    for name, tensor in weights(a).items():
        assert torch.equal(tensor, weights(b)[name]), name
    histories = [
        [{k: v for k, v in epoch.items() if k not in ("dur", "batches")} for epoch in h]
        for h in (a.history_, b.history_)
    ]
    assert histories[0] == histories[1]


class Killed(Exception):
    pass


@pytest.fixture
def stop_after(monkeypatch):
    """Let training end with an error after the checkpoint of some epoch."""

    def arrange(n_epochs):
        write = EpochCheckpoint.on_epoch_end

        def write_and_stop(self, net, **kwargs):
            write(self, net, **kwargs)
            if len(net.history) == n_epochs:
                raise Killed

        monkeypatch.setattr(EpochCheckpoint, "on_epoch_end", write_and_stop)

    yield arrange
    monkeypatch.undo()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"early_stopping": True, "n_iter_no_change": 2},
        {"lr_schedule": "cosine", "optimizer": "sgd", "precision": "float32"},
        {"lr_schedule": None, "augmentation": "affine", "normalization": "image"},
        {"lr_schedule": lambda step: 1 / (1 + step), "class_weight": "balanced"},
    ],
    ids=["defaults", "early_stopping", "sgd", "affine", "schedule"],
)
def test_goes_on_and_ends_the_same(settings, tmp_path, stop_after, monkeypatch):
    X, y = make_images()
    whole = LipNetClassifier(**QUICK, **settings).fit(X, y)
    for n_epochs in (1, 4):
        stop_after(n_epochs)
        with pytest.raises(Killed):
            LipNetClassifier(**QUICK, **settings, checkpoint_dir=tmp_path).fit(X, y)
        monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 1
    net = LipNetClassifier(**QUICK, **settings, checkpoint_dir=tmp_path).fit(X, y)
    assert_same(whole, net)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("early_stopping", [False, True])
def test_killed_after_the_last_epoch_it_says_the_same(
    early_stopping, tmp_path, stop_after, monkeypatch
):
    X, y = make_images()
    X = np.random.default_rng(1).normal(size=X.shape)  # nothing to learn
    settings = {**QUICK, "early_stopping": early_stopping}
    with pytest.warns(ConvergenceWarning) as whole:
        assert not LipNetClassifier(**settings).fit(X, y).converged_
    stop_after(6)
    with pytest.raises(Killed):
        LipNetClassifier(**settings, checkpoint_dir=tmp_path).fit(X, y)
    monkeypatch.undo()
    with pytest.warns(ConvergenceWarning) as resumed:
        net = LipNetClassifier(**settings, checkpoint_dir=tmp_path).fit(X, y)
    assert not net.converged_
    assert str(resumed[0].message) == str(whole[0].message)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("error", [Killed, KeyboardInterrupt])
@pytest.mark.parametrize(
    "changed",
    [
        {"early_stopping": True, "random_state": None},
        {"warm_start": True, "random_state": None},
        {"warm_start": True},
    ],
    ids=str,
)
def test_takes_up_what_the_same_network_began(changed, error, tmp_path, monkeypatch):
    X, y = make_images(40)
    settings = {**QUICK, "max_epochs": 4, **changed, "checkpoint_dir": tmp_path}
    write = EpochCheckpoint.on_epoch_end

    def write_and_stop(self, net, **kwargs):
        write(self, net, **kwargs)
        if len(net.history) == 2:
            stop(error)

    clf = LipNetClassifier(**settings)
    with monkeypatch.context() as patch:
        patch.setattr(EpochCheckpoint, "on_epoch_end", write_and_stop)
        with pytest.raises(error):
            clf.fit(X, y)
    assert len(list(tmp_path.iterdir())) == 1
    clf.fit(X, y)
    assert len(clf.history_) == 4
    assert not list(tmp_path.iterdir())


def stop(error):
    """Not from a callback: that would be the end of training, not of the fit."""
    raise error


def test_another_type_of_device_starts_anew(tmp_path):
    clf = LipNetClassifier(**QUICK, checkpoint_dir=tmp_path)
    images, target = make_images(40)
    train, valid, _ = clf._prepare(images, target)
    digests = np.zeros(1)
    keys = set()
    for clf.device_ in ("cpu", "cuda:0", "cuda:1"):
        keys.add(training_key(clf, clf.net_.module_, (train, valid), digests))
    assert len(keys) == 2


def test_images_of_different_sizes_and_several_labels(
    tmp_path, stop_after, monkeypatch
):
    X, _ = make_images(40)
    X = [image[: 6 + i % 3] for i, image in enumerate(X)]
    y = np.random.default_rng(0).integers(2, size=(40, 2))
    settings = {**QUICK, "widths": (4,)}
    whole = FullyConvolutionalClassifier(**settings).fit(X, y)
    stop_after(3)
    with pytest.raises(Killed):
        FullyConvolutionalClassifier(**settings, checkpoint_dir=tmp_path).fit(X, y)
    monkeypatch.undo()
    again = FullyConvolutionalClassifier(**settings, checkpoint_dir=tmp_path)
    assert_same(whole, again.fit(X, y))


@pytest.mark.parametrize(
    "other",
    [
        lambda X, y: (X + 1, y, {}),
        lambda X, y: (X, 1 - y, {}),
        lambda X, y: (X, y, {"lr": 0.01}),
        lambda X, y: (X, y, {"max_epochs": 7}),
        lambda X, y: (X, y, {"random_state": 1}),
        lambda X, y: (X, y, {"class_weight": {0: 1, 1: 2}}),
    ],
    ids=["images", "labels", "lr", "epochs", "seed", "weights"],
)
def test_another_training_does_not_take_it_up(other, tmp_path, stop_after, monkeypatch):
    X, y = make_images()
    stop_after(2)
    with pytest.raises(Killed):
        LipNetClassifier(**QUICK, checkpoint_dir=tmp_path).fit(X, y)
    monkeypatch.undo()
    X, y, changed = other(X, y)
    settings = {**QUICK, **changed}
    net = LipNetClassifier(**settings, checkpoint_dir=tmp_path).fit(X, y)
    assert_same(LipNetClassifier(**settings).fit(X, y), net)
    # That of the first is still there.
    assert len(list(tmp_path.iterdir())) == 1


def test_the_progress_bar_starts_where_training_does(
    tmp_path, stop_after, monkeypatch, capsys
):
    X, y = make_images(40)
    settings = {**QUICK, "checkpoint_dir": tmp_path}
    stop_after(4)
    with pytest.raises(Killed):
        LipNetClassifier(**settings).fit(X, y)
    monkeypatch.undo()
    capsys.readouterr()
    LipNetClassifier(**settings, verbose=1).fit(X, y)
    shown = capsys.readouterr().err
    assert "4/6" in shown
    assert "0/6" not in shown


def test_bad_folders_files_and_company(tmp_path, stop_after, monkeypatch):
    X, y = make_images(40)
    with pytest.raises(ValueError, match="checkpoint_dir is given together with call"):
        LipNetClassifier(checkpoint_dir=tmp_path, callbacks=[EpochTimer()]).fit(X, y)
    stop_after(1)
    with pytest.raises(Killed):
        LipNetClassifier(**QUICK, checkpoint_dir=tmp_path).fit(X, y)
    monkeypatch.undo()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=rf"{file.name}, which is damaged"):
        LipNetClassifier(**QUICK, checkpoint_dir=tmp_path).fit(X, y)


# --- SIGKILL --------------------------------------------------------------------------


def fit_in_child(folder, result):
    X, y = make_images(200)
    result.with_suffix(".started").touch()
    net = LipNetClassifier(**{**QUICK, "max_epochs": 40, "checkpoint_dir": folder})
    torch.save(weights(net.fit(X, y)), f"{result}.part")
    os.replace(f"{result}.part", result)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_at_random_moments(tmp_path):
    """At least twenty kills; each training ends as one that was never killed."""
    context = multiprocessing.get_context("spawn")
    folder, result = tmp_path / "checkpoints", tmp_path / "weights.pt"
    started = result.with_suffix(".started")
    start = time.perf_counter()
    fit_in_child(tmp_path / "unharmed", result)
    seconds = time.perf_counter() - start
    known = torch.load(result)
    rng = np.random.default_rng(0)
    kills = went_on = 0
    while kills < 20:
        result.unlink()
        while not result.exists():
            went_on += any(folder.glob("*.pt"))
            started.unlink()
            child = context.Process(target=fit_in_child, args=(folder, result))
            child.start()
            while not started.exists():
                time.sleep(0.01)
            child.join(rng.uniform(0, seconds))
            if child.is_alive():
                os.kill(child.pid, signal.SIGKILL)
                kills += 1
            child.join()
        for name, tensor in torch.load(result).items():
            assert torch.equal(tensor, known[name]), name
    print(f"{kills} kills, {went_on} times from a checkpoint")
    assert went_on >= 10


NETWORK = """
from torch import nn


def make_net(image_shape, n_classes):
    height, width, channels = image_shape
    inputs = height * width * channels
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.1), nn.Linear(inputs, n_classes))
"""


def test_edited_network_function_starts_anew(tmp_path, stop_after, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)

    def fit(old="", new=""):
        (tmp_path / "own_network.py").write_text(NETWORK.replace(old, new), "utf-8")
        sys.modules.pop("own_network", None)
        importlib.invalidate_caches()
        net = importlib.import_module("own_network").make_net
        CNNClassifier(net, **QUICK, checkpoint_dir=tmp_path / "kept").fit(
            *make_images()
        )

    stop_after(1)
    with pytest.raises(Killed):
        fit()
    (first,) = (tmp_path / "kept").glob("*.pt")
    # The module's own words are the same: only the function's code tells.
    with pytest.raises(Killed):
        fit("height * width * channels", "channels * height * width")
    assert len(list((tmp_path / "kept").glob("*.pt"))) == 2
    fit()  # goes on, and ends
    assert not first.exists()
    sys.modules.pop("own_network", None)
