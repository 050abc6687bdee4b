"""Saved and loaded: the same estimator again, or a refusal that says what and where."""

import functools
import inspect
import json
import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import sklearn
import test_common
import torch
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from skorch.callbacks import Callback
from skorch.exceptions import DeviceWarning
from test_common import ESTIMATORS, SmallNet
from torch import nn

import emclassify
from emclassify import (
    CNNClassifier,
    FeatureExtractor,
    FullyConvolutionalClassifier,
    ImageOverSampler,
    LipNetClassifier,
    ResizeImages,
    SeedEnsembleClassifier,
    svm_baseline,
)
from emclassify.inspection import saliency
from emclassify.metrics import operating_point
from emclassify.nets import ResNet
from emclassify.training import RandomAffine, RandomHorizontalFlip

OF_THE_TESTS = [
    thing
    for thing in vars(test_common).values()
    if inspect.isclass(thing) and thing.__module__ == "test_common"
] + [type(test_common.make_noise)]
METHODS = ("predict", "predict_proba", "decision_function", "transform")


def make_images(n=24, size=8, random_state=0):
    """Images of two classes, the first half brighter."""
    rng = np.random.default_rng(random_state)
    X = rng.integers(0, 255, (n, size, size)).astype(np.uint8)
    X[n // 2 :] //= 3
    return X, np.repeat(["bright", "dim"], n // 2)


def small_cnn(**params):
    settings = {"widths": (4,), "max_epochs": 1, "random_state": 0, **params}
    return FullyConvolutionalClassifier(**settings)


def through_file(estimator, path, **options):
    emclassify.save(estimator, path)
    return emclassify.load(path, **options)


def assert_same_answers(one, other, X):
    asked = [name for name in METHODS if hasattr(one, name)]
    for name in asked:
        expected, got = getattr(one, name)(X), getattr(other, name)(X)
        assert got.dtype == expected.dtype
        for a, b in zip(expected, got, strict=True):
            np.testing.assert_array_equal(a, b)
    return asked


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_every_public_estimator(estimator, tmp_path):
    estimator = clone(estimator)
    if "max_epochs" in estimator.get_params():
        estimator.set_params(max_epochs=1)
    X, y = make_images()
    estimator.fit(X, y)
    again = through_file(estimator, tmp_path / "it.emc", trusted=OF_THE_TESTS)
    assert type(again) is type(estimator)
    assert set(vars(again)) == set(vars(estimator))
    ours, theirs = estimator.get_params(), again.get_params()
    assert {k: str(v) for k, v in theirs.items()} == {
        k: str(v) for k, v in ours.items()
    }
    if hasattr(estimator, "fit_resample"):
        for a, b in zip(
            clone(estimator).set_params(random_state=0).fit_resample(X, y),
            clone(again).set_params(random_state=0).fit_resample(X, y),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)
    else:
        assert assert_same_answers(estimator, again, X)


AROUND = {
    "svm": svm_baseline(),
    "svm with probabilities": svm_baseline(probability=True),
    "linear svm": svm_baseline("linear"),
    "logistic regression": make_pipeline(
        FeatureExtractor(["moments"]), StandardScaler(), LogisticRegression()
    ),
    "resized": make_pipeline(ResizeImages((6, 6)), small_cnn()),
    "calibrated": CalibratedClassifierCV(small_cnn(), cv=2),
    "isotonic": CalibratedClassifierCV(small_cnn(), cv=2, method="isotonic"),
    "one against the rest": OneVsRestClassifier(small_cnn()),
    "principal components": make_pipeline(
        FeatureExtractor(["moments"]), PCA(2), LinearDiscriminantAnalysis()
    ),
    "voting": VotingClassifier([("a", small_cnn()), ("b", small_cnn())]),
    "bagged": make_pipeline(
        FeatureExtractor(["moments"]),
        BaggingClassifier(SVC(), n_estimators=2, random_state=0),
    ),
    "balanced bagging": make_pipeline(
        FeatureExtractor(["moments"]),
        BalancedBaggingClassifier(SVC(), n_estimators=2, random_state=0),
    ),
    "stacked": StackingClassifier([("a", small_cnn()), ("b", small_cnn())], cv=2),
    "sampled": make_sampling_pipeline(ImageOverSampler(random_state=0), small_cnn()),
    "log": make_pipeline(FunctionTransformer(np.log1p), small_cnn()),
    "ensemble of pipelines": SeedEnsembleClassifier(
        make_pipeline(ResizeImages((6, 6)), small_cnn()), n_members=2, random_state=0
    ),
    "a network's class": CNNClassifier(
        functools.partial(ResNet, n=0, m=0), max_epochs=1, optimizer=torch.optim.RMSprop
    ),
    "augmented": small_cnn(augmentation=[RandomAffine(5), RandomHorizontalFlip(0.3)]),
    "published recipe": LipNetClassifier.as_published(2, max_epochs=1),
    "random state": small_cnn(random_state=np.random.RandomState(3)),
    "device": small_cnn(device=torch.device("cpu"), class_weight={"dim": 2.0}),
}


@pytest.mark.parametrize("name", AROUND)
def test_pipelines_and_wrappers(name, tmp_path):
    X, y = make_images()
    model = clone(AROUND[name]).fit(X, y)
    assert assert_same_answers(model, through_file(model, tmp_path / "it.emc"), X)


def test_several_labels_an_image(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, np.stack([y == "dim", np.arange(24) % 3 == 0], axis=1))
    assert_same_answers(model, through_file(model, tmp_path / "it.emc"), X)


def test_frozen_inside_calibration(tmp_path):
    X, y = make_images()
    frozen = FrozenEstimator(small_cnn().fit(X, y))
    model = CalibratedClassifierCV(frozen, method="temperature").fit(X, y)
    assert_same_answers(model, through_file(model, tmp_path / "it.emc"), X)


@pytest.mark.parametrize(
    "y",
    [
        np.repeat([3, -1], 12),
        np.repeat([0.0, 7.0], 12),
        np.repeat([True, False], 12),
        np.repeat(["Å", "日本"], 12),
        np.array(["a"] * 12 + ["b"] * 12, dtype=object),
    ],
    ids=lambda y: str(y.dtype),
)
def test_labels_of_any_kind(y, tmp_path):
    X, _ = make_images()
    model = small_cnn().fit(X, y)
    again = through_file(model, tmp_path / "it.emc")
    np.testing.assert_array_equal(again.classes_, model.classes_)
    assert again.classes_.dtype == model.classes_.dtype


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_training_goes_on_as_if_never_saved(optimizer, tmp_path):
    # Two channels: their weights lie in another order in memory than their arrays.
    X, y = make_images(size=12)
    X = np.stack([X, X[::-1]], axis=-1)
    model = LipNetClassifier(
        2, max_epochs=1, optimizer=optimizer, warm_start=True, random_state=0
    ).fit(X, y)
    again = through_file(model, tmp_path / "it.emc")
    for classifier in (model, again):
        classifier.fit(X, y).partial_fit(X, y)
    assert_same_answers(model, again, X)
    losses = [[epoch["train_loss"] for epoch in m.history_] for m in (model, again)]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 3


def test_inspection_of_a_loaded_network(tmp_path):
    X, y = make_images()
    model = make_pipeline(ResizeImages((6, 6)), small_cnn()).fit(X, y)
    again = through_file(model, tmp_path / "it.emc")
    maps = [saliency(classifier, X) for classifier in (model, again)]
    np.testing.assert_array_equal(*maps)


def test_metadata_requests_are_kept(tmp_path):
    X, y = make_images()
    with sklearn.config_context(enable_metadata_routing=True):
        cnn = small_cnn().set_fit_request(sample_weight=True, groups="micrograph")
        model = make_pipeline(ResizeImages((6, 6)), cnn)
        model.fit(X, y, sample_weight=np.ones(24))
        again = through_file(model, tmp_path / "it.emc")
        requests = again[-1].get_metadata_routing().fit.requests
    assert requests == {"sample_weight": True, "groups": "micrograph"}


def global_state():
    return np.random.get_state()[1]  # noqa: NPY002


def test_data_classes_of_ours(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, y)
    model.operating_point_ = operating_point([0, 0, 1], [0.1, 0.7, 0.6], max_fpr=0.5)
    again = through_file(model, tmp_path / "it.emc")
    assert again.operating_point_ == model.operating_point_


def test_state_that_is_not_the_callers_business(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, y)
    before = torch.random.get_rng_state(), global_state()
    again = through_file(model, tmp_path / "it.emc")
    assert torch.equal(before[0], torch.random.get_rng_state())
    np.testing.assert_array_equal(before[1], global_state())
    # What scikit-learn changes in place must be writable.
    assert again.classes_.flags.writeable


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
            r"Pipeline.steps\[1\]\[1\].estimators_\[0\].tree_ can't be kept: it is of",
        ),
        (
            CNNClassifier(lambda s, n: double_net(s, n), max_epochs=1),
            "CNNClassifier.net can't be kept: it is a lambda",
        ),
        (GridSearchCV(small_cnn(), {"lr": [0.1]}, cv=2), "save its best_estimator_"),
    ],
    ids=["forest", "lambda", "search"],
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


def test_parameters_changed_since_fit(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, y).set_params(widths=(5,))
    with pytest.raises(ValueError, match="not those of the network of FullyConv"):
        emclassify.save(model, tmp_path / "it.emc")


def test_holding_itself(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, y)
    model.callbacks_seen_ = [model]
    with pytest.raises(TypeError, match=r"callbacks_seen_\[0\] can't be kept: it hold"):
        emclassify.save(model, tmp_path / "it.emc")


def test_callbacks_and_memory_are_left_out(tmp_path):
    X, y = make_images()
    cnn = small_cnn(callbacks=[Callback()])
    model = make_pipeline(ResizeImages((6, 6)), cnn, memory=str(tmp_path / "cache"))
    model.fit(X, y)
    with pytest.warns(UserWarning, match="kept without its callbacks"):
        emclassify.save(model, tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc")
    assert again.memory is None
    assert again[-1].callbacks is None
    assert model[-1].callbacks
    assert_same_answers(model, again, X)


# Devices.


def on_a_gpu(model):
    """Make a fitted model look as if it came from a machine with a GPU."""
    model.device = model.device_ = model.net_.device = "cuda:3"
    return model


def test_fitted_on_a_gpu_loads_without(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, y)
    expected = model.predict_proba(X)
    emclassify.save(on_a_gpu(model), tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc")
    assert again.device_ == "cpu"
    assert again.device == "cuda:3"
    np.testing.assert_array_equal(again.predict_proba(X), expected)


def test_fitted_on_a_gpu_unpickles_without():
    X, y = make_images()
    model = small_cnn().fit(X, y)
    expected = model.predict_proba(X)
    pickled = pickle.dumps(on_a_gpu(model))
    with pytest.warns(DeviceWarning):
        again = pickle.loads(pickled)
    assert again.device_ == "cpu"
    np.testing.assert_array_equal(again.predict_proba(X), expected)


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
