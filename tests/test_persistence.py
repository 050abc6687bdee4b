"""Saved and loaded: the same estimator again, or a refusal that says what and where."""

import functools
import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
import test_common
import torch
from devices import HERE
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from round_trip import assert_same_answers, make_images, small_cnn, through_file
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from skorch.exceptions import DeviceWarning
from test_common import ESTIMATORS, OF_TABLES

import emclassify
from emclassify import (
    CNNClassifier,
    FeatureExtractor,
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


@pytest.mark.filterwarnings("ignore:.* has random weights:UserWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_every_public_estimator(estimator, tmp_path):
    estimator = clone(estimator)
    if "max_epochs" in estimator.get_params():
        estimator.set_params(max_epochs=1)
    X, y = make_images()
    if type(estimator) in OF_TABLES:
        X = X.reshape(len(X), -1)
    estimator.fit(X, y)
    again = through_file(estimator, tmp_path / "it.emc", trusted=OF_THE_TESTS)
    assert type(again) is type(estimator)
    assert set(vars(again)) == set(vars(estimator))
    ours, theirs = estimator.get_params(), again.get_params()
    assert {k: str(v) for k, v in theirs.items()} == {
        k: str(v) for k, v in ours.items()
    }
    if hasattr(estimator, "fit_resample"):
        if "random_state" in ours:
            estimator.set_params(random_state=0)
            again.set_params(random_state=0)
        pairs = zip(estimator.fit_resample(X, y), again.fit_resample(X, y), strict=True)
        for a, b in pairs:
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
    "best features": make_pipeline(
        FeatureExtractor(["moments"]), SelectKBest(mutual_info_classif, k=3), SVC()
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


@pytest.mark.parametrize(
    "model",
    [
        MultiOutputClassifier(SVC()),
        ClassifierChain(SVC(), chain_method="decision_function"),
        KNeighborsClassifier(algorithm="brute"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_several_labels_of_scikit_learns_classifiers(model, tmp_path):
    X, y = make_images()
    y = np.stack([y == "dim", np.arange(24) % 3 == 0], axis=1).astype(int)
    model = make_pipeline(FeatureExtractor(["moments"]), model).fit(X, y)
    again = through_file(model, tmp_path / "it.emc")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    card = emclassify.read_model_card(tmp_path / "it.emc")
    assert card["classes"] == [[0, 1], [0, 1]]


def test_columns_of_a_table(tmp_path):
    X, y = make_images()
    table = pd.DataFrame(X[:, 0], columns=list("abcdefgh"))
    columns = make_column_transformer(
        (StandardScaler(), ["a", "c"]),
        (PCA(2), slice(4, 7)),
        remainder="passthrough",
    )
    model = make_pipeline(columns, SVC()).fit(table, y)
    assert_same_answers(model, through_file(model, tmp_path / "it.emc"), table)


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


def test_a_random_state_in_two_places(tmp_path):
    # The parameter, which splits off the validation set, and the one that trains.
    X, y = make_images(48)
    model = small_cnn(
        random_state=np.random.RandomState(0), early_stopping=True, warm_start=True
    ).fit(X, y)
    again = through_file(model, tmp_path / "it.emc")
    assert again._rng is again.random_state
    assert_same_answers(model.fit(X, y), again.fit(X, y), X)


@pytest.mark.filterwarnings("ignore:.*:UserWarning:accelerate")
def test_trained_by_accelerate(tmp_path):
    X, y = make_images()
    model = small_cnn(device="accelerate", warm_start=True).fit(X, y)
    again = through_file(model, tmp_path / "it.emc")
    assert_same_answers(model, again, X)
    assert_same_answers(model.fit(X, y), again.fit(X, y), X)


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


# Devices.


def on_a_gpu(model):
    """Make a fitted model look as if it came from a machine with a GPU."""
    model.device = model.device_ = model.net_.device = "cuda:99"
    return model


def test_fitted_on_a_gpu_loads_without(tmp_path):
    X, y = make_images()
    model = small_cnn().fit(X, y)
    expected = model.predict_proba(X)
    emclassify.save(on_a_gpu(model), tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc")
    assert again.device_ == str(HERE)
    assert again.device == "cuda:99"
    np.testing.assert_array_equal(again.predict_proba(X), expected)


def test_fitted_on_a_gpu_unpickles_without():
    X, y = make_images()
    model = small_cnn().fit(X, y)
    expected = model.predict_proba(X)
    pickled = pickle.dumps(on_a_gpu(model))
    with pytest.warns(DeviceWarning):
        again = pickle.loads(pickled)
    assert again.device_ == str(HERE)
    np.testing.assert_array_equal(again.predict_proba(X), expected)


def test_a_pickle_holds_the_network_once():
    X = np.random.default_rng(0).normal(size=(20, 28, 28))
    clf = LipNetClassifier(max_epochs=1, device="cpu").fit(X, np.arange(20) % 2)
    weights = sum(w.nbytes for w in clf.net_.module_.state_dict().values())
    # Once for the weights, twice for what Adam has of each.
    assert len(pickle.dumps(clf)) < 3.1 * weights
    again = pickle.loads(pickle.dumps(clf))
    assert again.net_.module is again.net_.module_
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
