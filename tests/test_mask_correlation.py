"""Mask correlation: masks that are known, and what a dataset is."""

import numpy as np
import pytest
from ion_datasets import make_dataset, make_datasets
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold
from sklearn.naive_bayes import GaussianNB

from emclassify import benchmark_classifiers
from emclassify.baselines import MaskCorrelationClassifier
from emclassify.baselines._ion_datasets import scaled
from emclassify.baselines._mask_correlation import correlations, mask_from_labels
from emclassify.baselines._pixel_features import pixel_features

SHAPES = [(20, 24), (24, 18), (22, 22), (19, 27)]


@pytest.fixture(scope="module")
def data():
    return make_datasets(SHAPES)


@pytest.fixture(scope="module")
def fitted(data):
    X, y, groups, _ = data
    known = groups != "D"
    return MaskCorrelationClassifier(random_state=0).fit(
        X[known], y[known], groups=groups[known]
    )


def agreement(mask, truth):
    return np.mean(mask == truth)


def test_correlations_are_pearsons():
    rng = np.random.default_rng(0)
    images, mask = rng.random((5, 6, 7)), rng.random((6, 7)) > 0.4
    expected = [np.corrcoef(image.ravel(), mask.ravel())[0, 1] for image in images]
    np.testing.assert_allclose(correlations(images, mask), expected)
    assert (correlations(np.ones((2, 6, 7)), mask) == 0).all()
    assert (correlations(images, np.ones((6, 7), bool)) == 0).all()


def test_mask_from_labels():
    images, labels, background = make_dataset((20, 24), n_off=20, n_on=20)
    mask = mask_from_labels(scaled(images), labels == "off")
    assert agreement(mask, background) > 0.98


def test_pixel_features_depend_on_no_ion_by_itself():
    images, *_ = make_dataset((15, 17))
    features = pixel_features(scaled(images))
    assert features.shape == (15 * 17, 10)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(features.std(axis=0), 1)
    rng = np.random.default_rng(0)
    brightness = rng.lognormal(sigma=3, size=(len(images), 1, 1))
    again = pixel_features(scaled((images * brightness)[rng.permutation(len(images))]))
    np.testing.assert_allclose(again, features, atol=1e-6)


def test_pixel_features_of_one_ion():
    features = pixel_features(scaled(np.random.default_rng(0).random((1, 6, 6))))
    assert features.shape == (36, 10)
    assert np.isfinite(features).all()


def test_a_new_dataset_of_another_size(data, fitted):
    X, y, groups, backgrounds = data
    new = groups == "D"
    mask = fitted.predict_masks(X[new], groups=groups[new])["D"]
    assert agreement(mask, backgrounds["D"]) > 0.9
    np.testing.assert_array_equal(fitted.predict(X[new], groups=groups[new]), y[new])


def test_without_groups_images_are_of_one_new_dataset(data, fitted):
    X, _, groups, _ = data
    new = groups == "D"
    np.testing.assert_array_equal(
        fitted.decision_function(X[new]),
        fitted.decision_function(X[new], groups=groups[new]),
    )


def test_datasets_of_fit_keep_their_masks(data, fitted):
    X, _, _, backgrounds = data
    for name in "ABC":
        assert agreement(fitted.masks_[name], backgrounds[name]) > 0.95
    # One image by itself would give no mask.
    alone = fitted.decision_function(X[:1], groups=["A"])
    together = fitted.decision_function(X[:14], groups=["A"] * 14)
    np.testing.assert_allclose(alone, together[:1])


def test_fit_without_groups_knows_one_dataset():
    images, y, background = make_dataset((20, 20))
    clf = MaskCorrelationClassifier().fit(images, y)
    assert agreement(clf.masks_[None], background) > 0.95
    assert clf.score(images, y) == 1
    other, labels, _ = make_dataset((25, 30), seed=3)
    named = clf.predict(other, groups=np.full(len(other), "new"))
    assert np.mean(named == labels) > 0.8
    with pytest.raises(ValueError, match=r"\(25, 30, 1\).*\(20, 20, 1\).*with groups"):
        clf.predict(other)


def test_masks_that_are_known_are_taken(data, fitted):
    X, y, groups, backgrounds = data
    new = groups == "D"
    exact = fitted.decision_function(X[new], groups[new], masks=backgrounds)
    alone = fitted.decision_function(X[new], masks=backgrounds["D"])
    np.testing.assert_array_equal(exact, alone)
    upside_down = fitted.predict(X[new], masks=~backgrounds["D"])
    assert (upside_down != y[new]).all()
    clf = MaskCorrelationClassifier(random_state=0).fit(
        X, y, groups=groups, masks={"B": ~backgrounds["B"]}
    )
    np.testing.assert_array_equal(clf.masks_["B"], ~backgrounds["B"])
    assert agreement(clf.masks_["A"], backgrounds["A"]) > 0.95


def test_a_dataset_of_one_class_trains_no_pixels_but_has_a_mask(data):
    X, y, groups, _ = data
    keep = (groups != "B") | (y == "on")
    clf = MaskCorrelationClassifier(random_state=0).fit(
        X[keep], y[keep], groups=groups[keep]
    )
    assert set(clf.masks_) == set("ABCD")


@pytest.mark.parametrize("swap", [False, True])
def test_labels_of_any_kind(data, swap):
    X, y, groups, backgrounds = data
    labels = np.where(y == "off", 7, -3) if swap else np.where(y == "off", -3, 7)
    clf = MaskCorrelationClassifier(off_label=7 if swap else None, random_state=0)
    clf.fit(X, labels, groups=groups)
    assert agreement(clf.masks_["A"], backgrounds["A"]) > 0.95
    np.testing.assert_array_equal(clf.predict(X, groups=groups), labels)
    assert clf.classes_.tolist() == [-3, 7]


def test_both_classes_are_equally_probable_at_the_threshold(data, fitted):
    X, _, groups, _ = data
    new = groups == "D"
    odds = fitted.decision_function(X[new], groups[new])
    mask = fitted.predict_masks(X[new], groups[new])["D"]
    correlation = correlations(scaled(np.stack(X[new])), mask)
    # "on" is the second class, and its correlation with the background is low.
    np.testing.assert_array_equal(odds > 0, correlation < fitted.threshold_)
    proba = fitted.predict_proba(X[new], groups[new])
    np.testing.assert_array_equal(proba[:, 1] > 0.5, odds > 0)
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize(
    "pixel_estimator",
    [GaussianNB(), RandomForestClassifier(10, random_state=0)],
)
def test_any_classifier_of_pixels(data, pixel_estimator):
    X, y, groups, _ = data
    new = groups == "D"
    clf = MaskCorrelationClassifier(pixel_estimator, n_pixels=100, random_state=0)
    clf.fit(X[~new], y[~new], groups=groups[~new])
    assert type(clf.pixel_estimator_) is type(pixel_estimator)
    assert np.mean(clf.predict(X[new], groups=groups[new]) == y[new]) > 0.9


def test_in_a_benchmark_by_dataset(data):
    X, y, groups, _ = data
    result = benchmark_classifiers(
        {"mask": MaskCorrelationClassifier(random_state=0)},
        X,
        y,
        groups=groups,
        cv=GroupKFold(2),
        scoring={"AUC": "roc_auc"},
        n_bootstrap=10,
    )
    assert result.overview(["accuracy"]).loc["mask", "accuracy"] > 0.9
    assert (result.to_frame()["AUC"] > 0.9).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"groups": None}, r"differ in size: X\[0\] has shape \(20, 24, 1\), X\[14\]"),
        ({"groups": ["A"] * 56}, "Images of dataset 'A' differ in size"),
        ({"masks": {"A": np.ones((3, 3), bool)}}, r"mask of dataset 'A'.*\(20, 24\)"),
        ({"masks": {"A": np.ones((20, 24))}}, "type float64.*type bool"),
        ({"masks": np.ones((20, 24), bool)}, "a dict by dataset; got ndarray"),
        ({"masks": {"A": None}, "groups": None, "X": slice(14)}, "one array without"),
    ],
)
def test_refused_in_fit(data, settings, message):
    X, y, groups, _ = data
    settings = {"groups": groups, "X": slice(None), **settings}
    which = settings.pop("X")
    with pytest.raises(ValueError, match=message):
        MaskCorrelationClassifier().fit(X[which], y[which], **settings)


def test_refused_labels(data):
    X, y, groups, _ = data
    with pytest.raises(ValueError, match="off_label='up' is not a label"):
        MaskCorrelationClassifier(off_label="up").fit(X, y, groups=groups)
    by_dataset = np.where(groups < "C", "off", "on")
    with pytest.raises(ValueError, match="No dataset has images of both classes"):
        MaskCorrelationClassifier().fit(X, by_dataset, groups=groups)


def test_masks_of_one_kind_train_no_pixels(data):
    X, y, groups, backgrounds = data
    everywhere = {name: np.ones_like(mask) for name, mask in backgrounds.items()}
    clf = MaskCorrelationClassifier().fit(X, y, groups=groups, masks=everywhere)
    with pytest.raises(ValueError, match="all background, or all sample"):
        clf.predict(X[:14])
