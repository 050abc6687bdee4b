"""A picture of where images lie in an embedding."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA

from emclassify import EmbeddingOutlierRemover
from emclassify.display import EmbeddingDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_embedding_is_the_plane_of_principal_components():
    embedded = np.random.default_rng(0).normal(size=(50, 4)) * [5, 3, 1, 1]
    display = EmbeddingDisplay.from_embedding(embedded)
    pca = PCA(2, svd_solver="full")
    np.testing.assert_allclose(display.points, pca.fit_transform(embedded))
    share = 100 * pca.explained_variance_ratio_[1]
    assert display.ax_.get_ylabel() == f"principal component 2 ({share:.0f} %)"
    assert display.ax_.get_legend() is None


def test_embedding_of_a_sampler_rings_what_it_removed():
    X = np.random.default_rng(0).normal(50, 1, (60, 6, 6))
    y = np.tile(["full", "empty"], 30)
    remover = EmbeddingOutlierRemover()
    remover.fit_resample(X, y)
    _, ax = plt.subplots()
    display = EmbeddingDisplay.from_sampler(remover, y, ax=ax)
    assert display.ax_ is ax
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["empty (30)", "full (30)", "removed (3)"]
    rings = ax.collections[-1].get_offsets()
    gone = np.setdiff1d(np.arange(60), remover.sample_indices_)
    np.testing.assert_allclose(rings, display.points[gone])


def test_images_without_a_class_are_drawn():
    points = np.random.default_rng(0).normal(size=(5, 2))
    y = [0.0, np.nan, 0.0, np.nan, np.nan]
    ax = EmbeddingDisplay.from_embedding(points, y).ax_
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["0.0 (2)", "nan (3)"]
    assert [len(each.get_offsets()) for each in ax.collections] == [2, 3]


@pytest.mark.parametrize("shape", [(20, 1), (20, 2)])
def test_embeddings_of_few_dimensions(shape):
    embedded = np.random.default_rng(0).normal(size=shape)
    assert EmbeddingDisplay.from_embedding(embedded).points.shape == (20, 2)
    assert not EmbeddingDisplay.from_embedding(np.ones(shape)).points.any()


def test_bad_embeddings_are_refused():
    with pytest.raises(ValueError, match="embedded contains NaN"):
        EmbeddingDisplay.from_embedding(np.full((5, 2), np.nan))
    with pytest.raises(ValueError, match="one class for each image"):
        EmbeddingDisplay.from_embedding(np.ones((5, 2)), np.ones((5, 3)))
    with pytest.raises(ValueError, match="inconsistent"):
        EmbeddingDisplay.from_embedding(np.ones((5, 2)), [1, 2])


def test_names_that_begin_with_an_underscore():
    embedded = np.random.default_rng(0).normal(size=(6, 3))
    display = EmbeddingDisplay.from_embedding(embedded, ["_off", "on"] * 3)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == [" _off (3)", "on (3)"]
