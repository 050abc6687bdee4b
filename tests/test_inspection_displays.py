"""The displays of a network's inside: what they draw, and where."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_digits

from emclassify import LipNetClassifier
from emclassify.inspection import (
    ActivationsDisplay,
    FiltersDisplay,
    SaliencyDisplay,
    layer_activations,
    saliency,
)
from emclassify.inspection._grid import n_columns


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def data():
    digits = load_digits(n_class=3)
    X = digits.images[:90].astype(np.uint8)
    X.setflags(write=False)
    return X, np.array(["zero", "one", "two"])[digits.target[:90]]


@pytest.fixture(scope="module")
def clf(data):
    return LipNetClassifier(
        max_epochs=2, batch_size=32, precision="float32", random_state=0
    ).fit(*data)


def test_filters(clf):
    display = FiltersDisplay.from_estimator(clf)
    weight = clf.net_.module_.net.features[0].weight.detach().cpu().numpy()
    np.testing.assert_array_equal(display.filters, weight[:, 0])
    assert display.layer == "features.0"
    low, high = display.im_.get_clim()
    assert -low == high == np.abs(weight).max()
    assert display.im_.cmap.name == "RdBu_r"
    assert display.figure_ is display.ax_.figure
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels == ["0–7", "8–15", "16–23", "24–31"]


def test_filters_of_deeper_layers(clf):
    weight = clf.net_.module_.net.features[8].weight.detach().cpu().numpy()
    mean = FiltersDisplay.from_estimator(clf, "features.8")
    np.testing.assert_allclose(mean.filters, weight.mean(axis=1), atol=1e-7)
    _, ax = plt.subplots()
    one = FiltersDisplay.from_estimator(clf, 2, channel=5, ax=ax)
    np.testing.assert_array_equal(one.filters, weight[:, 5])
    assert one.ax_ is ax
    assert "input 5" in ax.get_title()
    one.filters[:] = 0
    assert weight[:, 5].any()
    one.plot(colorbar=False)
    assert len(one.figure_.axes) == 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"layer": "features.2"}, "has no filters; the convolutions are features.0, "),
        ({"layer": "conv"}, "layer='conv' is not in the network"),
        ({"channel": 1}, "channel must be None or a whole number from 0 to 0"),
        ({"channel": -1}, "got -1"),
        ({"channel": 0.5}, "got 0.5"),
    ],
)
def test_wrong_filters(clf, params, message):
    with pytest.raises(ValueError, match=message):
        FiltersDisplay.from_estimator(clf, **params)


def test_tiles_stand_where_they_should():
    tiles = np.arange(6, dtype=float)[:, None, None] * np.ones((1, 20, 30))
    display = FiltersDisplay(tiles, layer="x").plot()
    sheet = display.im_.get_array()
    gap = 3
    for k in range(6):
        y, x = gap + k // 4 * 23, gap + k % 4 * 33
        assert (sheet[y : y + 20, x : x + 30] == k).all()
    assert sheet.mask.sum() == sheet.size - 6 * 600
    assert [n_columns(n) for n in (1, 3, 5, 16, 32, 64, 512)] == [1, 3, 4, 4, 8, 8, 32]


def test_activations_display(clf, data):
    display = ActivationsDisplay.from_estimator(clf, data[0][0])
    assert [ax.get_title() for ax in display.axes_] == [
        "image",
        "features.0",
        "features.3",
        "features.8",
        "features.11",
    ]
    expected = layer_activations(clf, data[0][:1])
    for name, maps in display.activations.items():
        np.testing.assert_array_equal(maps, expected[name][0])
    assert display.axes_[1].images[0].get_clim() == (0, 1)
    assert len(display.figure_.axes) == 5  # no colour bars


def test_activations_on_one_scale(clf, data):
    _, axes = plt.subplots(1, 3)
    display = ActivationsDisplay.from_estimator(
        clf, data[0][0], [0, "features.2"], raw=True, scale="layer", axes=axes
    )
    assert list(display.axes_) == list(axes)
    both_signs, positive = (ax.images[0] for ax in axes[1:])
    maps = display.activations["features.0"]
    assert both_signs.get_clim() == (-np.abs(maps).max(), np.abs(maps).max())
    assert positive.get_clim()[0] == 0
    assert (both_signs.cmap.name, positive.cmap.name) == ("RdBu_r", "viridis")
    assert len(display.figure_.axes) == 5
    with pytest.raises(ValueError, match="axes holds 2 axes; the image and its layers"):
        display.plot(axes[:2])
    with pytest.raises(ValueError, match="scale must be 'map' or 'layer'"):
        ActivationsDisplay(display.image, display.activations, scale="both").plot()


def test_dead_maps_can_be_drawn():
    for scale in ("map", "layer"):
        ActivationsDisplay(
            np.zeros((5, 5, 1)), {"dead": np.zeros((5, 5, 3))}, scale=scale
        ).plot().figure_.canvas.draw()


def test_saliency_display(clf, data):
    X = data[0][:3]
    display = SaliencyDisplay.from_estimator(clf, X)
    np.testing.assert_array_equal(display.saliency, saliency(clf, X))
    assert display.axes_.shape == (2, 3)
    titles = [ax.get_title() for ax in display.axes_[0]]
    assert titles == clf.predict(X).tolist()
    for ax, found in zip(display.axes_[1], display.saliency, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), found)
        assert ax.images[0].get_clim() == (0, found.max())
    again = SaliencyDisplay.from_estimator(
        clf, X, "two", n_noisy=2, random_state=0, axes=display.axes_
    )
    assert again.figure_ is display.figure_
    assert [ax.get_title() for ax in again.axes_[0]] == ["two"] * 3
    with pytest.raises(ValueError, match=r"X holds 17 images.*room for 16"):
        SaliencyDisplay.from_estimator(clf, data[0][:17])


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_images_of_any_channels_can_be_drawn(channels):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 6, 7, channels))
    display = SaliencyDisplay(images, np.zeros((2, 6, 7)), targets=[0, 1]).plot()
    shape = display.axes_[0, 0].images[0].get_array().shape
    assert shape == ((6, 7, 3) if channels in (3, 4) else (6, 7))
    display.figure_.canvas.draw()


def test_one_pixel_images():
    X = np.random.default_rng(0).normal(size=(12, 1, 1))
    clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 6)
    ActivationsDisplay.from_estimator(clf, X[0]).figure_.canvas.draw()
    SaliencyDisplay.from_estimator(clf, X[:2]).figure_.canvas.draw()


def test_activations_of_several_networks_side_by_side(clf, data):
    small = LipNetClassifier(2, max_epochs=1, random_state=0).fit(*data)
    networks = {"LipNet-4": clf, "LipNet-2": small}
    displays = ActivationsDisplay.from_estimators(
        networks, data[0][0], {"LipNet-4": [0, 1, -1], "LipNet-2": 0}, scale="layer"
    )
    deep, shallow = displays["LipNet-4"], displays["LipNet-2"]
    assert deep.figure_ is shallow.figure_
    titles = [ax.get_title() for ax in deep.axes_]
    assert titles == ["LipNet-4", "features.0", "features.3", "features.11"]
    assert [ax.get_title() for ax in shallow.axes_] == ["LipNet-2", "features.0"]
    for display, network in ((deep, clf), (shallow, small)):
        expected = layer_activations(network, data[0][:1], 0)["features.0"][0]
        np.testing.assert_array_equal(display.activations["features.0"], expected)
    # A column each, the images in one row.
    figure = deep.figure_
    figure.canvas.draw()
    first, second = (d.axes_[0].get_position() for d in (deep, shallow))
    assert first.x1 < second.x0
    assert first.y0 == pytest.approx(second.y0)
    n_bars = 3 + 1
    assert len(figure.axes) == len(deep.axes_) + len(shallow.axes_) + n_bars
    with pytest.raises(ValueError, match=r"got \['LipNet-4', .*\] and \['LipNet-4'\]"):
        ActivationsDisplay.from_estimators(networks, data[0][0], {"LipNet-4": 0})
    with pytest.raises(ValueError, match="at least one network"):
        ActivationsDisplay.from_estimators({}, data[0][0])
