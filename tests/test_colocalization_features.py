"""Co-localisation: similarities by hand, and what is compared with what."""

import numpy as np
import pytest
from ion_datasets import make_datasets
from scipy import ndimage

from emclassify.baselines import ColocalizationFeatures

SHAPES = [(20, 24), (24, 18), (22, 22), (19, 27)]


@pytest.fixture(scope="module")
def data():
    return make_datasets(SHAPES, n_off=4, n_on=9)


def cosines(images):
    """Cosines of all pairs after a 3×3 median filter, by loops."""
    rows = []
    for image in images:
        low, top = image.min(), np.percentile(image - image.min(), 99)
        clipped = np.minimum((image - low) / top, 1)
        rows.append(ndimage.median_filter(clipped, 3).ravel())
    return np.array([[a @ b / np.sqrt((a @ a) * (b @ b)) for b in rows] for a in rows])


def test_quantiles_of_the_similarity_to_the_others():
    images = np.random.default_rng(0).gamma(1.0, size=(5, 9, 8))
    features = ColocalizationFeatures(3).fit_transform(images)
    for i, row in enumerate(cosines(images)):
        others = np.delete(row, i)
        expected = [others.min(), np.median(others), others.max()]
        np.testing.assert_allclose(features[i], expected)


def test_without_the_filter_and_alike():
    a, b = np.eye(3), 5 * np.fliplr(np.eye(3))
    quantiles = ColocalizationFeatures(2, median_size=1).fit_transform([a, 2 * a, b])
    # Of two alike, one is the image itself; both diagonals share one pixel of three.
    np.testing.assert_allclose(quantiles, [[1 / 3, 1], [1 / 3, 1], [1 / 3, 1 / 3]])


def test_alone_or_empty():
    image = np.random.default_rng(0).random((1, 6, 6))
    assert (ColocalizationFeatures().fit_transform(image) == 0).all()
    assert (ColocalizationFeatures().fit_transform(np.zeros((3, 6, 6))) == 0).all()


def test_datasets_do_not_mix(data):
    X, _, groups, _ = data
    together = ColocalizationFeatures().fit_transform(X, groups=groups)
    for name in "ABCD":
        of_set = np.stack(X[groups == name])
        alone = ColocalizationFeatures().fit_transform(of_set)
        np.testing.assert_allclose(together[groups == name], alone)


def test_new_datasets_are_compared_with_themselves(data):
    X, _, groups, _ = data
    new = groups == "D"
    features = ColocalizationFeatures().fit(X[~new], groups=groups[~new])
    expected = ColocalizationFeatures().fit_transform(np.stack(X[new]))
    np.testing.assert_allclose(features.transform(X[new]), expected)
    np.testing.assert_allclose(features.transform(X[new], groups=groups[new]), expected)


def test_known_datasets_are_compared_with_what_fit_saw(data):
    X, _, groups, _ = data
    features = ColocalizationFeatures().fit(X, groups=groups)
    expected = features.transform(X, groups=groups)
    np.testing.assert_allclose(features.transform(X[3:4], groups=["A"]), expected[3:4])
    with pytest.raises(ValueError, match=r"dataset 'A'.*\(24, 18, 1\).*\(20, 24, 1\)"):
        features.transform(X[groups == "B"], groups=["A"] * 13)


def test_names():
    features = ColocalizationFeatures(2).fit(np.ones((2, 4, 4)))
    assert features.get_feature_names_out().tolist() == [
        "colocalizationfeatures0",
        "colocalizationfeatures1",
    ]


@pytest.mark.parametrize("wrong", [{"n_quantiles": 0}, {"median_size": 0}])
def test_refused_parameters(wrong, data):
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        ColocalizationFeatures(**wrong).fit(data[0], groups=data[2])
