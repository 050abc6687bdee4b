"""save: what is kept by name, what is refused or left out, how files are written."""

import json
import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from round_trip import assert_same_answers, make_images, small_cnn, through_file
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from skorch.callbacks import Callback
from test_common import SmallNet
from torch import nn

import emclassify
from emclassify import (
    CNNClassifier,
    FeatureExtractor,
    FusionClassifier,
    LipNetClassifier,
    ResizeImages,
    svm_baseline,
)

# What a user wrote: kept by name.


class Halve(TransformerMixin, BaseEstimator):
    """A user's transformer."""

    def fit(self, X, y=None):
        self.image_shape_ = X.shape[1:]
        return self

    def transform(self, X):
        return X / 2


def double_net(image_shape, n_classes):
    n_pixels = int(np.prod(image_shape))
    return nn.Sequential(nn.Flatten(), nn.Linear(n_pixels, n_classes))


class Noise(nn.Module):
    """A user's augmentation, with a buffer."""

    def __init__(self, sigma):
        super().__init__()
        self.register_buffer("sigma", torch.tensor(sigma))

    def forward(self, images):
        return images + self.sigma * torch.randn_like(images)


@pytest.mark.parametrize(
    ("model", "trusted"),
    [
        (CNNClassifier(double_net, max_epochs=1), [double_net]),
        (make_pipeline(Halve(), small_cnn()), [Halve]),
        (small_cnn(augmentation=Noise(0.5)), [Noise]),
        (CNNClassifier(SmallNet(), max_epochs=1), [SmallNet]),
    ],
    ids=["function", "transformer", "module", "instance"],
)
def test_users_own_must_be_trusted(model, trusted, tmp_path):
    X, y = make_images()
    model = clone(model).fit(X, y)
    emclassify.save(model, tmp_path / "it.emc")
    name = f"{trusted[0].__module__}.{trusted[0].__qualname__}"
    with pytest.raises(ValueError, match=f"needs {name}, which is not part of"):
        emclassify.load(tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc", trusted=trusted)
    assert_same_answers(model, again, X)


def test_trusted_of_another_kind(tmp_path):
    with pytest.raises(TypeError, match="classes and functions; got 'os'"):
        emclassify.load(tmp_path / "it.emc", trusted=["os"])


# What can't be kept.


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            make_pipeline(FeatureExtractor(["length"]), RandomForestClassifier(2)),
            r"Pipeline.steps\[1\]\[1\].estimators_\[0\].tree_ can't be kept: it is of"
            r" .*\."
            r" Leave it out, or keep the model with skops or joblib",
        ),
        (
            make_pipeline(FeatureExtractor(["length"]), SGDClassifier(tol=None)),
            r"Pipeline.steps\[1\]\[1\].\w* can't be kept: .* skops or joblib",
        ),
        (
            make_pipeline(FeatureExtractor(["length"]), MLPClassifier(2, tol=10.0)),
            r"Pipeline.steps\[1\]\[1\].\w* can't be kept: .* skops or joblib",
        ),
        (
            CNNClassifier(lambda s, n: double_net(s, n), max_epochs=1),
            "CNNClassifier.net can't be kept: it is a lambda",
        ),
        (GridSearchCV(small_cnn(), {"lr": [0.1]}, cv=2), "save its best_estimator_"),
        (
            make_pipeline(FeatureExtractor(["length"]), SVC(C=np.longdouble(2))),
            r"Pipeline.steps\[1\]\[1\].C can't be kept: it is of numpy.longdouble",
        ),
    ],
    ids=["forest", "sgd", "perceptron", "lambda", "search", "longdouble"],
)
def test_refused_when_saved(model, message, tmp_path):
    X, y = make_images()
    model = clone(model).fit(X, y)
    with pytest.raises(TypeError, match=message):
        emclassify.save(model, tmp_path / "it.emc")
    assert not list(tmp_path.iterdir())


def test_no_estimator_or_not_fitted(tmp_path):
    with pytest.raises(TypeError, match="estimator must be an estimator; got 3"):
        emclassify.save(3, tmp_path / "it.emc")
    with pytest.raises(NotFittedError):
        emclassify.save(small_cnn(), tmp_path / "it.emc")


SMALL = {"max_epochs": 1, "precision": "float32", "random_state": 0}
CHANGED = [
    (FusionClassifier(mask="otsu", **SMALL), {"mask": "full"}),
    (FusionClassifier(["moments"], **SMALL), {"families": ["thesis"]}),
    (LipNetClassifier(2, **SMALL), {"test_time_augmentation": "dihedral"}),
    (LipNetClassifier(2, test_time_augmentation="auto", **SMALL), {"augmentation": []}),
    (LipNetClassifier(2, **SMALL), {"depth": 4, "normalization": "image"}),
    (CNNClassifier(double_net, **SMALL), {"net": None, "batch_size": 3}),
    (small_cnn(), {"widths": (5,), "mask": "last"}),
]


@pytest.mark.parametrize(
    ("model", "changes"), CHANGED, ids=[", ".join(changes) for _, changes in CHANGED]
)
def test_parameters_changed_since_fit(model, changes, tmp_path):
    X, y = make_images()
    model = clone(model).fit(X, y).set_params(**changes)
    path = tmp_path / "it.emc"
    emclassify.save(model, path)
    again = emclassify.load(path, trusted=[double_net])
    assert_same_answers(model, again, X)
    for name, value in changes.items():
        assert getattr(again, name) == value
    # A second file says the same, and training takes over, or refuses, the same.
    assert_same_answers(model, through_file(again, path, trusted=[double_net]), X)
    for one in (model, again):
        one.set_params(warm_start=True)
    try:
        model.fit(X, y)
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            again.fit(X, y)
    else:
        again.fit(X, y)
        assert_same_answers(model, again, X)


def test_holding_itself(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, y)
    model.callbacks_seen_ = [model]
    with pytest.raises(TypeError, match=r"callbacks_seen_\[0\] can't be kept: it hold"):
        emclassify.save(model, tmp_path / "it.emc")


def test_callbacks_are_left_out(tmp_path):
    X, y = make_images()
    model = small_cnn(callbacks=[Callback()]).fit(X, y)
    with pytest.warns(UserWarning, match="kept without its callbacks"):
        emclassify.save(model, tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc")
    assert again.callbacks is None
    assert len(model.callbacks) == 1
    assert_same_answers(model, again, X)


def test_folders_of_this_machine_are_left_out(tmp_path):
    X, y = make_images()
    cnn = small_cnn(checkpoint_dir=str(tmp_path / "checkpoints"))
    model = make_pipeline(ResizeImages((6, 6)), cnn, memory=str(tmp_path / "cache"))
    model.fit(X, y)
    emclassify.save(model, tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc")
    assert again.memory is None
    assert again[-1].checkpoint_dir is None
    assert_same_answers(model, again, X)


# The file.


def test_same_model_same_bytes_but_for_the_date(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, y)
    for name in ("a", "b"):
        emclassify.save(model, tmp_path / name)
    archives = [zipfile.ZipFile(tmp_path / name) for name in ("a", "b")]
    for member in ("estimator.json", "arrays.safetensors"):
        assert archives[0].read(member) == archives[1].read(member)
    for archive in archives:
        archive.close()


def test_no_folder(tmp_path):
    X, y = make_images()
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        emclassify.save(small_cnn().fit(X, y), tmp_path / "nowhere" / "it.emc")


def test_no_half_file_if_writing_fails(tmp_path, monkeypatch):
    X, y = make_images()
    model = small_cnn().fit(X, y)
    emclassify.save(model, tmp_path / "it.emc")
    before = (tmp_path / "it.emc").read_bytes()

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        emclassify.save(model, tmp_path / "it.emc")
    assert (tmp_path / "it.emc").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["it.emc"]


def test_an_svm_is_loaded_without_torch(tmp_path):
    X, y = make_images()
    svm = svm_baseline(features=["length", "histogram"]).fit(X, y)
    emclassify.save(svm, tmp_path / "it.emc")
    np.save(tmp_path / "X.npy", X)
    code = (
        "import sys, json, numpy as np, emclassify\n"
        "model = emclassify.load('it.emc')\n"
        "print(json.dumps(model.decision_function(np.load('X.npy')).tolist()))\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == svm.decision_function(X).tolist()
