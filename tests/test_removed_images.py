"""Pictures of removed images and of embeddings."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA

from emclassify import EmbeddingOutlierRemover, IntensityOutlierRemover
from emclassify.display import EmbeddingDisplay, RemovedImagesDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def cleaned():
    X = np.random.default_rng(0).normal(50, 1, (60, 6, 6))
    y = np.tile(["full", "empty"], 30)
    X[4], X[9] = 90, 30
    remover = IntensityOutlierRemover()
    remover.fit_resample(X, y)
    return remover, X, y


def drawn(ax):
    return ax.images[0].get_array()


def test_strangest_first_under_their_labels(cleaned):
    remover, X, y = cleaned
    sheet = RemovedImagesDisplay.from_sampler(remover, X, y)
    order = sorted([4, 9], key=lambda i: -remover.outlier_scores_[i])
    assert [ax.get_title() for ax in sheet.axes_] == [
        f"{y[i]}\n{remover.outlier_scores_[i]:.3g}" for i in order
    ]
    for ax, i in zip(sheet.axes_, order, strict=True):
        np.testing.assert_array_equal(drawn(ax), X[i])
    assert sheet.figure_.get_suptitle() == "2 removed"


def test_one_grey_scale_for_all(cleaned):
    sheet = RemovedImagesDisplay.from_sampler(*cleaned)
    limits = {ax.images[0].get_clim() for ax in sheet.axes_}
    assert len(limits) == 1
    low, high = limits.pop()
    assert 30 <= low < 50 < high <= 90


def test_no_more_than_asked_for(cleaned):
    remover, X, _ = cleaned
    sheet = RemovedImagesDisplay.from_sampler(remover, X, n_images=1)
    assert len(sheet.axes_) == 1
    assert "\n" not in sheet.axes_[0].get_title()
    assert sheet.figure_.get_suptitle() == "2 removed, the 1 strangest"


def test_nothing_removed():
    X = np.random.default_rng(0).normal(50, 1, (20, 6, 6))
    remover = IntensityOutlierRemover(n_std=50)
    remover.fit_resample(X, [0, 1] * 10)
    sheet = RemovedImagesDisplay.from_sampler(remover, X)
    assert sheet.figure_.get_suptitle() == "nothing removed"
    assert len(sheet.axes_) == 0


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_channels(channels, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(100, 2, (40, 6, 5, channels)).astype(dtype)
    X[3] = 200
    remover = IntensityOutlierRemover()
    remover.fit_resample(X, [0, 1] * 20)
    sheet = RemovedImagesDisplay.from_sampler(remover, X)
    colour = (3,) if channels in (3, 4) else ()
    assert drawn(sheet.axes_[0]).shape == (6, 5, *colour)


def test_flat_rows_and_several_labels(cleaned):
    _, X, y = cleaned
    labels = np.stack([y == "full", y == "full", y == "empty"], axis=1).astype(int)
    remover = IntensityOutlierRemover(multilabel=True, image_shape=(6, 6))
    rows = X.reshape(60, 36)
    remover.fit_resample(rows, labels)
    sheet = RemovedImagesDisplay.from_sampler(
        remover, rows, labels, target_names=["F", "f", "e"]
    )
    assert {ax.get_title().split("\n")[0] for ax in sheet.axes_} == {"F + f", "e"}
    assert drawn(sheet.axes_[0]).shape == (6, 6)


def test_other_images_are_refused(cleaned):
    remover, X, _ = cleaned
    with pytest.raises(ValueError, match="X has 59 images; the sampler was given 60"):
        RemovedImagesDisplay.from_sampler(remover, X[1:])


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
