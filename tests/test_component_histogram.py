"""Histograms of a component: counts known by hand, classes, axes, errors."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA

from emclassify.display import ComponentHistogramDisplay


def test_counts_by_hand():
    display = ComponentHistogramDisplay.from_values(
        [0.0, 0.1, 0.9, 1.0, 2.0], ["a", "b", "a", "a", "b"], n_bins=2
    )
    np.testing.assert_allclose(display.edges_, [0, 1, 2])
    assert {k: v.tolist() for k, v in display.counts_.items()} == {
        "a": [2, 1],
        "b": [1, 1],
    }
    assert [t.get_text() for t in display.ax_.get_legend().get_texts()] == [
        "a (3)",
        "b (2)",
    ]
    assert display.figure_ is display.ax_.figure


def test_component_is_the_principal_one():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) * [5, 2, 1, 1]
    y = X[:, 0] > 0
    pca = PCA(2, svd_solver="full").fit(X)
    for component in (1, 2):
        display = ComponentHistogramDisplay.from_embedding(X, y, component=component)
        expected = pca.transform(X)[:, component - 1]
        np.testing.assert_allclose(display.values, expected)
        share = round(100 * pca.explained_variance_ratio_[component - 1])
        assert display.ax_.get_xlabel() == (
            f"principal component {component} ({share} %)"
        )
    assert sum(display.counts_["True"]) == y.sum()


def test_without_classes_and_on_given_axes():
    _, ax = plt.subplots()
    display = ComponentHistogramDisplay.from_values([1, 2, 3], name="size", ax=ax)
    assert display.ax_ is ax
    assert list(display.counts_) == [""]
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "size"


def test_classes_beyond_the_colours_differ():
    y = np.repeat([f"class {k:02}" for k in range(12)], 2)
    ax = ComponentHistogramDisplay.from_values(np.arange(24.0), y).ax_
    filled = [patch for patch in ax.patches if patch.get_fill()]
    looks = {(patch.get_facecolor(), patch.get_hatch()) for patch in filled}
    assert len(looks) == len(filled) == 12
    assert [patch.get_hatch() for patch in filled] == [None] * 10 + ["//"] * 2


@pytest.mark.parametrize(
    ("y", "found"),
    [
        ([0.0, np.nan, 0.0, np.nan, np.nan], {"0.0": 2, "nan": 3}),
        (np.array(["a", None, "a", "b", None], object), {"a": 2, "b": 1, "None": 2}),
        (["", "a", "", "a", "a"], {"": 2, "a": 3}),
    ],
)
def test_images_without_a_class_are_counted(y, found):
    display = ComponentHistogramDisplay.from_values(np.arange(5.0), y)
    assert {k: int(n.sum()) for k, n in display.counts_.items()} == found
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == [f"{name} ({n})" for name, n in found.items()]


def test_an_embedding_without_spread():
    display = ComponentHistogramDisplay.from_embedding(np.ones((5, 2)), list("aabbb"))
    assert display.counts_["b"].sum() == 3
    assert "(0 %)" in display.ax_.get_xlabel()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda d: d.from_embedding(np.eye(3), component=4),
            "component must be from 1",
        ),
        (
            lambda d: d.from_embedding(np.eye(3), component=0),
            "component must be from 1",
        ),
        (lambda d: d.from_embedding([[1.0, np.nan]] * 2), "embedded contains NaN"),
        (lambda d: d.from_values([1.0, np.inf]), "values contains inf"),
        (lambda d: d.from_values([1.0, 2.0], ["a"]), "inconsistent numbers"),
        (lambda d: d.from_values([1.0, 2.0], np.eye(2)), "one class for each image"),
    ],
)
def test_errors(call, match):
    with pytest.raises(ValueError, match=match):
        call(ComponentHistogramDisplay)


def test_names_that_begin_with_an_underscore():
    display = ComponentHistogramDisplay.from_values([0, 1, 2, 3], ["_off", "on"] * 2)
    assert list(display.counts_) == ["_off", "on"]
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == [" _off (2)", "on (2)"]
