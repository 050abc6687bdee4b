"""FullyConvolutionalClassifier: images of different sizes."""

import numpy as np
import pandas as pd
import pytest
from devices import near
from skimage.io import imsave
from sklearn.model_selection import cross_validate

from emclassify import FullyConvolutionalClassifier, LipNetClassifier

SIZES = [(40, 40), (90, 120), (17, 9)]


@pytest.fixture(scope="module")
def discs():
    """Small and large discs on fields of three sizes, as one object array."""
    rng = np.random.default_rng(0)
    X, y = np.empty(60, dtype=object), np.empty(60, dtype="U5")
    for i in range(60):
        height, width = SIZES[i % 3]
        rows, columns = np.ogrid[:height, :width]
        y[i] = ["small", "large"][(i // 3) % 2]
        radius = {"small": 1.5, "large": 4}[y[i]]
        centre = rng.uniform(4, height - 4), rng.uniform(4, width - 4)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        noise = rng.normal(100, 10, (height, width))
        X[i] = (noise + 100 * disc).clip(0, 255).astype(np.uint8)
    return X, y


def model(**params):
    return FullyConvolutionalClassifier(
        (8, 16),
        **{"max_epochs": 30, "batch_size": 8, "lr": 0.01, "random_state": 0, **params},
    )


def test_learns_from_different_sizes_in_one_fit(discs):
    X, y = discs
    clf = model().fit(X[:48], y[:48])
    assert clf.image_shape_ is None
    assert (clf.predict(X[48:]) == y[48:]).mean() >= 0.75
    assert clf.predict_proba([np.zeros((33, 21), np.uint8)]).shape == (1, 2)


def test_predictions_come_in_the_order_of_x(discs):
    X, y = discs
    clf = model(max_epochs=2).fit(X, y)
    together = clf.predict_proba(X)
    alone = np.concatenate([clf.predict_proba([image]) for image in X])
    np.testing.assert_allclose(together, alone, atol=near(1e-6, 2e-4))


def test_lists_and_object_arrays_agree_and_order_does_not_matter(discs):
    X, y = discs
    order = np.random.default_rng(0).permutation(len(X))
    first = model(max_epochs=2).fit(X, y).predict_proba(X)
    second = model(max_epochs=2).fit(list(X[order]), y[order]).predict_proba(X)
    np.testing.assert_array_equal(first, second)


def test_cross_validate_on_object_array(discs):
    X, y = discs
    scores = cross_validate(model(max_epochs=1), X, y, cv=3, error_score="raise")
    assert np.isfinite(scores["test_score"]).all()


def test_early_stopping_with_different_sizes(discs):
    X, y = discs
    clf = model(max_epochs=2, early_stopping=True, validation_fraction=0.3)
    clf.fit(X, y, groups=np.arange(60) // 6)
    assert "valid_loss" in clf.history_[0]


def test_channels_must_agree(discs):
    X, y = discs
    clf = model(max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"3 channels, but .* fitted on images of 1"):
        clf.predict(np.zeros((1, 8, 8, 3)))


@pytest.mark.parametrize("widths", [(), (8, 0), (2.5,)])
def test_bad_widths(discs, widths):
    with pytest.raises(ValueError, match="widths must be"):
        FullyConvolutionalClassifier(widths).fit(*discs)


def test_nothing_stays_of_the_fit_before(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 255, (8, 6, 6), dtype=np.uint8), [0, 1] * 4
    rows = pd.DataFrame(X.reshape(8, -1)).add_prefix("pixel")
    paths = [tmp_path / f"{i}.png" for i in range(8)]
    for path, image in zip(paths, X, strict=True):
        imsave(path, image, check_contrast=False)
    clf = model(max_epochs=1).fit(rows, y)
    assert clf.n_features_in_ == len(clf.feature_names_in_) == 36
    clf.fit(X, y)
    assert clf.n_features_in_ == 6
    assert not hasattr(clf, "feature_names_in_")
    for without in (list(X), [str(path) for path in paths]):
        assert not hasattr(clf.fit(rows, y).fit(without, y), "n_features_in_")
        assert not hasattr(clf, "feature_names_in_")
        assert clf.image_shape_ is None
    lipnet = LipNetClassifier(2, max_epochs=1).fit(X, y)
    assert not hasattr(lipnet.fit([str(p) for p in paths], y), "n_features_in_")
