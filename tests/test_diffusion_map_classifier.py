"""DiffusionMapClassifier labels clusters by a few samples."""

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from emclassify import make_diffraction_patterns
from emclassify.baselines import DiffusionMapClassifier
from emclassify.features import RadialDensity


def blobs(n=60, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat(["dim", "medium", "bright"], n // 3)
    level = np.repeat([0, 5, 10], n // 3)
    return rng.normal(size=(n, 4, 4)) + level[:, None, None], y


@pytest.mark.parametrize("n_labelled", [1, 5])
def test_a_few_labels_do(n_labelled):
    X, y = blobs()
    few = np.full(60, "", dtype=y.dtype)
    for name in set(y):
        rows = np.flatnonzero(y == name)[:n_labelled]
        few[rows] = name
    clf = DiffusionMapClassifier(3, n_components=2, unlabelled="", random_state=0)
    clf.fit(X, few)
    assert clf.classes_.tolist() == ["bright", "dim", "medium"]
    assert clf.score(X, y) == 1
    new, truth = blobs(seed=1)
    assert clf.score(new, truth) == 1


def test_probabilities_are_the_shares_of_labels_in_the_cluster():
    X, _ = blobs()
    few = np.full(60, -1)
    few[[0, 1, 2, 3]] = [0, 0, 0, 7]  # one expert saw it otherwise
    few[20], few[40] = 1, 2
    clf = DiffusionMapClassifier(3, n_components=2, unlabelled=-1, random_state=0)
    probability = clf.fit(X, few).predict_proba(X)
    assert clf.classes_.tolist() == [0, 1, 2, 7]
    np.testing.assert_allclose(probability[:20], [[0.75, 0, 0, 0.25]] * 20)
    np.testing.assert_allclose(probability[20:40], [[0, 1, 0, 0]] * 20)


def test_a_cluster_without_labels_asks_the_nearest():
    X, y = blobs()
    few = np.where((y == "medium") | (np.arange(60) > 50), "", y)
    few[5:] = np.where(np.arange(5, 60) < 45, "", few[5:])
    clf = DiffusionMapClassifier(
        3, n_components=1, epsilon=400.0, unlabelled="", random_state=0
    ).fit(X, few)
    assert set(clf.predict(X)) == {"dim", "bright"}
    np.testing.assert_allclose(clf.cluster_shares_.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("labels", "unlabelled"),
    [
        (["dim", "off"], "off?"),
        ([False, True], -1),
        (np.array([0, 255], np.uint8), -1),
        (np.array([0, 1], np.int8), 256),
    ],
)
def test_what_a_type_cannot_hold_stands_for_no_class(labels, unlabelled):
    X, _ = blobs()
    y = np.repeat(labels, 30)
    clf = DiffusionMapClassifier(3, n_components=2, unlabelled=unlabelled)
    assert clf.fit(X, y).classes_.tolist() == list(labels)


def test_unlabelled_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="unlabelled='' can be no label in y, which"):
        DiffusionMapClassifier(2, unlabelled="").fit(np.eye(3), [0, 1, 1])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["", "", ""], "No image has a label: all of y is ''"),
        (["a", "b", ""], "n_clusters=8 needs at least as many images.*n_samples=3"),
    ],
)
def test_refused(y, message):
    with pytest.raises(ValueError, match=message):
        DiffusionMapClassifier(unlabelled="").fit(np.eye(3), y)


def test_sorts_diffraction_patterns_with_ten_labels():
    # As the middle of 256 pixels up to twice this frequency.
    params = {"image_size": 128, "q_max": 0.0625}
    data = make_diffraction_patterns(300, random_state=0, **params)
    few = np.full(300, "?", dtype="<U4")
    for name in ("good", "bad"):
        few[np.flatnonzero(data.target == name)[:5]] = name
    model = make_pipeline(
        FunctionTransformer(np.log1p, kw_args={"dtype": np.float32}),
        RadialDensity(24, extent=0.8, standardize=False),
        make_column_transformer((StandardScaler(), slice(24, None))),
        DiffusionMapClassifier(
            8, n_components=6, epsilon=5.0, unlabelled="?", random_state=0
        ),
    ).fit(data.images, few)
    new = make_diffraction_patterns(200, random_state=1, **params)
    assert model.score(new.images, new.target) > 0.85
    # A pattern without a photon is one more shot that hit nothing.
    assert model.predict(np.zeros((1, 128, 128), np.uint16)).tolist() == ["bad"]


def test_labels_of_one_class_say_that_class():
    X, y = blobs()
    few = np.where(np.arange(60) < 3, y, "")
    clf = DiffusionMapClassifier(3, n_components=2, unlabelled="", random_state=0)
    clf.fit(X, few)
    assert set(clf.predict(X)) == {"dim"}
    np.testing.assert_array_equal(clf.predict_proba(X), np.ones((60, 1)))
