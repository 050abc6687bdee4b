"""Contact sheets of removed images."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from emclassify import IntensityOutlierRemover
from emclassify.display import RemovedImagesDisplay


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


def test_masks_do_not_set_the_grey_scale():
    X = np.ones((40, 6, 6, 2))
    X[..., 0] = np.random.default_rng(0).normal(5e-4, 1e-5, (40, 6, 6))
    X[3, ..., 0] = 9e-4
    remover = IntensityOutlierRemover()
    remover.fit_resample(X, ["full", "empty"] * 20)
    sheet = RemovedImagesDisplay.from_sampler(remover, X)
    low, high = sheet.axes_[0].images[0].get_clim()
    assert 4e-4 < low < high <= 9e-4  # the masks are 1
    sheet = RemovedImagesDisplay([X[3], X[4]], [2, 1]).plot()
    assert sheet.axes_[0].images[0].get_clim() == (X[4, ..., 0].min(), 9e-4)


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
