"""svm_baseline: a pipeline whose steps can be searched by name."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import f1_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from emclassify.baselines import ClippedScaler, svm_baseline
from emclassify.features import FeatureExtractor, Histogram


@pytest.fixture(scope="module")
def data():
    """Discs, squares and nothing, in noise; three classes, six groups."""
    rng = np.random.default_rng(0)
    y = np.tile(["disc", "none", "ring"], 24)
    r = np.hypot(*(np.indices((24, 24)) - 11.5))
    shapes = {"disc": r < 6, "none": np.zeros_like(r), "ring": (r > 5) & (r < 8)}
    X = np.stack([shapes[label] * 80.0 for label in y]) + rng.normal(
        100, 20, (72, 24, 24)
    )
    return X.clip(0, 255).astype(np.uint8), y, np.repeat(np.arange(6), 12)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly", "sigmoid"])
def test_learns_and_gives_the_labels_back(data, kernel):
    X, y, groups = data
    scores = cross_validate(svm_baseline(kernel), X, y, groups=groups, cv=GroupKFold(3))
    assert scores["test_score"].mean() > 0.9
    model = svm_baseline(kernel).fit(X, y)
    assert set(model.predict(X)) == {"disc", "none", "ring"}
    assert model.decision_function(X).shape == (72, 3)
    assert not hasattr(model, "predict_proba")


def test_steps_have_their_names():
    model = svm_baseline(C=3.0, gamma=0.1, class_weight=None)
    assert isinstance(model, Pipeline)
    assert list(model.named_steps) == ["features", "scale", "svc"]
    assert isinstance(model["svc"], SVC)
    assert isinstance(svm_baseline("linear")["svc"], LinearSVC)
    assert model.get_params()["svc__C"] == 3.0
    assert model.get_params()["svc__gamma"] == 0.1
    assert model.get_params()["svc__class_weight"] is None
    assert svm_baseline()["svc"].class_weight == "balanced"


def test_by_default_all_families_and_the_measured_setting(data):
    X, y, _ = data
    model = svm_baseline().fit(X, y)
    assert model["features"].families == "all"
    assert (model["svc"].C, model["svc"].gamma) == (10, 0.3)
    Z = model[:-1].transform(X)
    # gamma in units of 1 / (number of features x variance), as "scale" has it.
    np.testing.assert_allclose(Z.shape[1] * Z.var(), 1)
    by_hand = ClippedScaler().fit_transform(model["features"].transform(X))
    assert np.abs(by_hand).max() <= 8
    svc = SVC(C=10, gamma=0.3 / by_hand.shape[1] / by_hand.var())
    svc.set_params(class_weight="balanced").fit(by_hand, y)
    np.testing.assert_allclose(
        svc.decision_function(by_hand), model.decision_function(X), atol=1e-6
    )


def test_the_thesis_has_its_machine(data):
    X, _, _ = data
    model = svm_baseline(families="thesis")
    assert isinstance(model["scale"], StandardScaler)
    assert (model["svc"].C, model["svc"].gamma) == (1, "scale")
    assert model["features"].fit_transform(X).shape == (72, 102)
    assert svm_baseline(families="thesis", C=3.0)["svc"].C == 3.0


@pytest.mark.parametrize("kernel", ["linear", "poly", "sigmoid"])
def test_other_kernels_keep_theirs(kernel):
    model = svm_baseline(kernel)
    assert model["svc"].C == 1
    assert model["scale"].unit_variance == "feature"


# Two processes at once: one may read what joblib has half written of a function.
@pytest.mark.filterwarnings("ignore:Possible name collisions")
def test_grid_search_by_name(data, tmp_path):
    X, y, groups = data
    grid = {
        "svc__C": [0.1, 10],
        "features__families": [["length"], ["histogram", "radial_density"]],
    }
    search = GridSearchCV(
        svm_baseline(memory=str(tmp_path)), grid, cv=GroupKFold(2), n_jobs=2
    )
    search.fit(X, y, groups=groups)
    # The length of a whole image says nothing.
    assert search.best_params_["features__families"] == ["histogram", "radial_density"]
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_probabilities_on_demand(data, kernel):
    X, y, _ = data
    model = svm_baseline(kernel, probability=True, C=2.0).fit(X[::2], y[::2])
    assert isinstance(model["svc"], CalibratedClassifierCV)
    assert model.get_params()["svc__estimator__C"] == 2.0
    proba = model.predict_proba(X[1::2])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (model.classes_[proba.argmax(axis=1)] == y[1::2]).mean() > 0.9


def test_features_can_be_names_or_a_transformer(data):
    X, y, _ = data
    named = svm_baseline(features=["histogram"], n_jobs=2, mask="full")
    assert named["features"].get_params()["families"] == ["histogram"]
    assert named["features"].n_jobs == 2
    own = svm_baseline(features=Histogram())
    np.testing.assert_array_equal(
        own.fit(X, y).decision_function(X), named.fit(X, y).decision_function(X)
    )
    flat = svm_baseline(features=FunctionTransformer(lambda Z: Z.reshape(len(Z), -1)))
    assert flat.fit(X, y).score(X, y) > 0.9


def test_images_in_every_form_give_the_same(data):
    X, y, _ = data
    scores = svm_baseline().fit(X, y).decision_function(X)
    for Z in (X[..., None], X.reshape(len(X), -1)):
        model = svm_baseline(image_shape=(24, 24)).fit(Z, y)
        np.testing.assert_allclose(model.decision_function(Z), scores, atol=1e-9)
    # Greys of another type go other ways, which round otherwise on some processors;
    # libsvm, which stops within 1e-3 by default, makes much of it.
    exact = svm_baseline().set_params(svc__tol=1e-10)
    expected = clone(exact).fit(X, y)
    Z = X.astype(np.float64)
    model = clone(exact).fit(Z, y)
    features = expected[:-1].transform(X)
    np.testing.assert_allclose(model[:-1].transform(Z), features, rtol=0, atol=1e-6)
    scores = expected.decision_function(X)
    np.testing.assert_allclose(model.decision_function(Z), scores, rtol=0, atol=1e-6)


def test_masks_are_used(data):
    X, y, _ = data
    masked = np.stack(
        [
            X,
            np.hypot(*(np.indices((24, 24)) - 11.5))
            < np.where(y == "disc", 6, 9)[:, None, None],
        ],
        axis=-1,
    )
    model = svm_baseline(features=["diameter"]).fit(masked, y)
    truth, told = y == "disc", model.predict(masked) == "disc"
    np.testing.assert_array_equal(told, truth)


def test_constant_features_and_constant_images_do_no_harm(data):
    X, y, _ = data
    model = svm_baseline().fit(X, y)
    assert np.isfinite(model.decision_function(np.zeros((2, 24, 24)))).all()
    # All features that a whole image has are the same for all.
    svm_baseline(features=["length"]).fit(X, y).predict(X)


def test_copies_agree(data):
    X, y, _ = data
    model = svm_baseline(random_state=0).fit(X, y)
    expected = model.decision_function(X)
    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(X, y)):
        np.testing.assert_array_equal(copy.decision_function(X), expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kernel": "laplace"}, "kernel"),
        ({"C": 0}, "C"),
        ({"C": -1.0}, "C"),
        ({"gamma": -1.0}, "gamma"),
        ({"class_weight": "heavy"}, "class_weight"),
        ({"probability": "yes"}, "probability"),
        ({"features": 3}, "features"),
        ({"mask": "circle"}, "mask"),
        ({"kernel": "linear", "gamma": 0.5}, "gamma=0.5 has no effect"),
        (
            {"features": ["length"], "families": "thesis"},
            "families='thesis' has no effect",
        ),
        ({"features": FeatureExtractor(), "mask": "otsu"}, "mask='otsu' has no effect"),
        ({"features": FeatureExtractor(), "n_jobs": 2}, "n_jobs=2 has no effect"),
        (
            {"features": FeatureExtractor(), "image_shape": (2, 3)},
            r"image_shape=\(2, 3\) has no effect",
        ),
    ],
    ids=str,
)
def test_bad_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        svm_baseline(**parameters)


def test_an_unknown_family_is_refused(data):
    with pytest.raises(ValueError, match=r"'hog', which is no feature family"):
        svm_baseline(features=["hog"]).fit(*data[:2])


def test_one_class_is_refused(data):
    with pytest.raises(ValueError, match="class"):
        svm_baseline().fit(data[0], np.ones(len(data[0])))


@pytest.mark.real_data
@pytest.mark.slow
def test_beats_hog_on_electron_micrographs(shared_data):
    from skimage.io import imread

    folder = shared_data / "vnc_sstem"
    table = pd.read_csv(folder / "labels.csv")
    X = np.stack([imread(folder / file) for file in table["file"]])
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(
        svm_baseline(), X, table["label"], groups=table["group"], cv=folds
    )
    # Untuned histogram of gradients, percentiles, PCA and an SVM reach 0.576.
    assert f1_score(table["label"], predicted, average="macro") > 0.9
