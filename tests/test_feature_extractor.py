"""FeatureExtractor: which families, in which order, with which parameters."""

import numpy as np
import pytest

from emclassify.features import (
    EdgeDensity,
    FeatureExtractor,
    Histogram,
    Moments,
    RadialDensity,
)
from emclassify.features._feature_extractor import FAMILIES, THESIS


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, size=(7, 20, 20))
    return np.stack([grey, rng.random((7, 20, 20)) > 0.4], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "families", "n_features"),
    [("thesis", THESIS, 102), ("all", FAMILIES, 1368)],
)
def test_a_set_is_its_families_side_by_side(X, name, families, n_features):
    extractor = FeatureExtractor(name)
    got = extractor.fit_transform(X)
    alone = [family().fit_transform(X) for family in families.values()]
    assert got.shape == (7, n_features)
    np.testing.assert_array_equal(got, np.hstack(alone))
    assert extractor.families_ == list(families)


def test_the_default_are_the_eight_of_the_thesis(X):
    assert len(THESIS) == 8
    np.testing.assert_array_equal(
        FeatureExtractor().fit_transform(X), FeatureExtractor("thesis").fit_transform(X)
    )


def test_a_model_fitted_when_all_were_eight_says_what_it_said(X):
    extractor = FeatureExtractor("thesis").fit(X)
    expected = extractor.transform(X)
    del extractor.families_
    extractor.families = "all"
    np.testing.assert_array_equal(extractor.transform(X), expected)
    assert extractor.fit_transform(X).shape == (7, 1368)


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_alone_is_its_transformer(X, name):
    extractor, family = FeatureExtractor([name]), FAMILIES[name]()
    np.testing.assert_array_equal(extractor.fit_transform(X), family.fit_transform(X))
    assert list(extractor.get_feature_names_out()) == list(
        family.get_feature_names_out()
    )


def test_the_order_is_the_callers(X):
    extractor = FeatureExtractor(("length", "diameter", "maximum_width")).fit(X)
    assert list(extractor.get_feature_names_out()) == [
        "length",
        "diameter",
        "maximum_width",
    ]


@pytest.mark.parametrize(
    ("family", "parameters", "transformer"),
    [
        (
            "histogram",
            {"n_bins": 5, "value_range": (0, 200), "statistics": False},
            Histogram(5, value_range=(0, 200), statistics=False),
        ),
        (
            "moments",
            {"moments_order": 4, "moments_weights": "mask", "log_hu": False},
            Moments(4, weights="mask", log_hu=False),
        ),
        (
            "radial_density",
            {"n_rings": 5, "extent": 2, "standardize": False},
            RadialDensity(5, extent=2, standardize=False),
        ),
        (
            "edge_density",
            {"n_rings": 6, "extent": 0.8, "standardize": False},
            EdgeDensity(6, extent=0.8, standardize=False),
        ),
    ],
)
def test_parameters_reach_their_family(X, family, parameters, transformer):
    got = FeatureExtractor([family], **parameters).fit_transform(X)
    np.testing.assert_array_equal(got, transformer.fit_transform(X))


@pytest.mark.parametrize("families", [["hog"], "hog", ["length", 3]])
def test_an_unknown_family_is_named_and_the_valid_ones_listed(X, families):
    with pytest.raises(ValueError, match=r"('hog'|3).*no feature family.*") as error:
        FeatureExtractor(families).fit(X)
    assert all(f'"{name}"' in str(error.value) for name in FAMILIES)


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ([], "empty"),
        ("length", r"give \['length'\]"),
        (["length", "length"], "more than once"),
        (None, "families"),
    ],
)
def test_families_that_make_no_list(X, families, message):
    with pytest.raises(ValueError, match=message):
        FeatureExtractor(families).fit(X)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_bins": 0},
        {"value_range": (1, 0)},
        {"moments_order": 0},
        {"moments_weights": "x"},
        {"n_rings": -1},
        {"extent": 0},
        {"log_hu": "yes"},
    ],
    ids=str,
)
def test_bad_parameters_are_named(X, parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        FeatureExtractor(**parameters).fit(X)


def test_parameters_are_not_changed_by_fit(X):
    families = ["length", "moments"]
    extractor = FeatureExtractor(families)
    before = dict(extractor.get_params())
    extractor.fit(X)
    assert extractor.get_params() == before
    assert extractor.families is families


def test_memory_is_bounded_by_chunks():
    import tracemalloc

    X = np.random.default_rng(0).integers(0, 256, (3000, 32, 32, 2)).astype(np.uint8)
    extractor = FeatureExtractor().fit(X)
    peaks = []
    for n in (1000, 3000):
        tracemalloc.start()
        result = extractor.transform(X[:n])
        peaks.append(tracemalloc.get_traced_memory()[1] - 2 * result.nbytes)
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
