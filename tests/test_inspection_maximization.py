"""The images that excite filters most: what they must look like, and repeatability."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from torch import nn

from emclassify import (
    CNNClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    ResizeImages,
)
from emclassify.inspection import (
    FilterMaximizationDisplay,
    layer_activations,
    maximize_activation,
)

EDGE = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


class EdgeNet(nn.Module):
    """Filters known by hand: an edge, its transpose, and one that is always dead."""

    def __init__(self, image_shape, n_classes):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.relu = nn.ReLU()
        self.dense = nn.Linear(3, n_classes)
        with torch.no_grad():
            kernels = np.stack([EDGE, EDGE.T, np.zeros((3, 3))])[:, None]
            self.conv.weight.copy_(torch.as_tensor(kernels))
            self.conv.bias.copy_(torch.tensor([0.0, 0.0, -1.0]))

    def forward(self, images):
        return self.dense(self.relu(self.conv(images)).mean((2, 3)))


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def edge():
    X = 100 + 20 * np.random.default_rng(0).normal(size=(30, 14, 17))
    clf = CNNClassifier(
        EdgeNet, max_epochs=1, lr=1e-9, weight_decay=0.0, random_state=0
    )
    return clf.fit(X, np.arange(30) % 2), X


@pytest.fixture(scope="module")
def digits():
    data = load_digits(n_class=4)
    X, y = data.images[:120].astype(np.uint8), data.target[:120]
    clf = LipNetClassifier(
        max_epochs=6, batch_size=16, augmentation=None, random_state=0
    )
    return clf.fit(X, y), X


def patches(image):
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    return windows.reshape(-1, 9)


@pytest.mark.parametrize(("channel", "kernel"), [(0, EDGE), (1, EDGE.T)])
def test_optimum_of_an_edge_filter_is_made_of_edges(edge, channel, kernel):
    clf, X = edge
    (image,) = maximize_activation(clf, "conv", channel, random_state=0)[..., 0]
    assert image.shape == (14, 17)
    assert image.dtype == np.float32
    response = correlate2d(image - image.mean(), kernel, mode="valid").ravel()
    excited = patches(image)[response > np.quantile(response, 0.75)]
    similar = [np.corrcoef(patch, kernel.ravel())[0, 1] for patch in excited]
    assert np.median(similar) > 0.75
    # Images of noise answer less, at the same contrast.
    noise = np.random.default_rng(1).normal(
        image.mean(), image.std(), size=(20, *image.shape)
    )
    of_noise = np.maximum([correlate2d(n, kernel, mode="valid") for n in noise], 0)
    assert np.maximum(response, 0).mean() > 2 * of_noise.mean(axis=(1, 2)).max()
    # Pixel units, not those of the network.
    assert abs(image.mean() - X.mean()) < 3 * X.std()


def strength(clf, images, layer, channels):
    """Mean positive answer of each image's own channel."""
    maps = layer_activations(clf, images, [layer])
    (maps,) = maps.values()
    return np.array(
        [np.maximum(maps[i, ..., c], 0).mean() for i, c in enumerate(channels)]
    )


@pytest.mark.parametrize("layer", [0, 2, "features.11"])
def test_activation_is_larger_than_before_and_than_for_data(digits, layer):
    clf, X = digits
    channels = [1, 6, 12, 30]
    start = maximize_activation(
        clf, layer, channels, n_steps=1, lr=1e-9, random_state=0
    )
    # The start is faint noise about the mean image.
    assert np.std(start) == pytest.approx(0.1 * X.std(), rel=0.2)
    found = maximize_activation(clf, layer, channels, n_steps=60, random_state=0)
    after = strength(clf, found, layer, channels)
    assert (after > strength(clf, start, layer, channels)).all()
    # Noise of the same contrast about the mean of the data, which the network sees
    # as zero.
    contrast = np.sqrt(((found - X.mean()) ** 2).mean(axis=(1, 2, 3), keepdims=True))
    noise = X.mean() + contrast * np.random.default_rng(0).normal(size=found.shape)
    assert (after > strength(clf, noise, layer, channels)).all()


def test_output_layer_gives_the_image_of_a_class(digits):
    clf, _ = digits
    found = maximize_activation(clf, "head.6", n_steps=40, random_state=0)
    assert found.shape == (4, 8, 8, 1)
    assert clf.predict(found).tolist() == [0, 1, 2, 3]


def test_same_seed_same_images_whatever_else_is_asked_for(digits):
    clf, _ = digits
    some = maximize_activation(clf, 1, [2, 9], n_steps=8, random_state=3)
    assert np.array_equal(
        some, maximize_activation(clf, 1, [2, 9], n_steps=8, random_state=3)
    )
    every = maximize_activation(clf, 1, n_steps=8, random_state=3)
    assert every.shape == (32, 8, 8, 1)
    np.testing.assert_allclose(every[[2, 9]], some, rtol=0.01, atol=0.05)
    other = maximize_activation(clf, 1, [2, 9], n_steps=8, random_state=4)
    assert not np.allclose(some, other)


@pytest.mark.parametrize("random_state", [None, 0])
def test_leaves_no_trace(digits, random_state):
    clf, X = digits
    module = clf.net_.module_
    expected = clf.predict_proba(X)
    torch_state = torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    module.train()
    try:
        maximize_activation(clf, 0, 0, n_steps=2, random_state=random_state)
        assert all(part.training for part in module.modules())
    finally:
        module.eval()
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    now = module.state_dict()
    assert all(torch.equal(value, now[name]) for name, value in weights.items())
    assert not any(part._forward_hooks for part in module.modules())
    assert all(p.requires_grad for p in module.parameters())
    assert np.array_equal(clf.predict_proba(X), expected)


def test_dead_channel_stays_flat(edge):
    clf, X = edge
    (image,) = maximize_activation(
        clf, "relu", [2], n_steps=100, decay=0.1, random_state=0
    )
    assert image.std() < 1e-3 * X.std()
    FilterMaximizationDisplay(image[np.newaxis], layer="relu").plot()


def test_regularisation(edge):
    clf, X = edge
    settings = {"layer": 0, "channels": 0, "n_steps": 60, "random_state": 0}
    plain = maximize_activation(clf, decay=0.0, blur=0.0, **settings)
    decayed = maximize_activation(clf, decay=0.2, blur=0.0, **settings)
    assert decayed.std() <= 0.1 / 0.2 * X.std() < plain.std()

    def roughness(image):
        return np.diff(image, axis=2).std() / image.std()

    blurred = maximize_activation(clf, decay=0.02, blur=0.5, **settings)
    assert roughness(blurred) < roughness(decayed)


def test_normalization_by_image_and_channels():
    X = np.random.default_rng(0).normal(size=(20, 6, 7, 3)).astype(np.float32)
    clf = LipNetClassifier(max_epochs=1, normalization="image", random_state=0)
    clf.fit(X, [0, 1] * 10)
    display = FilterMaximizationDisplay.from_estimator(
        clf, 0, [4, 8], n_steps=5, random_state=0
    )
    assert display.images.shape == (2, 6, 7, 3)
    assert display.im_.get_array().shape[2] == 4  # colour, and gaps seen through
    display.figure_.canvas.draw()


def test_images_of_any_size():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(6, 6) if i < 6 else (9, 12)) for i in range(12)]
    clf = FullyConvolutionalClassifier(widths=(4,), max_epochs=1, random_state=0)
    clf.fit(X, [0, 1] * 6)
    with pytest.raises(ValueError, match=r"give image_size=\(height, width\)"):
        maximize_activation(clf, 0)
    found = maximize_activation(clf, 0, n_steps=2, image_size=(10, 7), random_state=0)
    assert found.shape == (4, 10, 7, 1)


def test_fusion_and_pipelines():
    X = load_digits().images[:30].astype(np.uint8)
    fusion = FusionClassifier(max_epochs=1, random_state=0)
    pipeline = make_pipeline(ResizeImages((7, 6)), fusion).fit(X, [0, 1] * 15)
    found = maximize_activation(pipeline, -1, [0, 1], n_steps=2, random_state=0)
    assert found.shape == (2, 7, 6, 1)


def test_one_pixel_images():
    X = np.random.default_rng(0).normal(size=(12, 1, 1))
    clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, [0, 1] * 6)
    found = maximize_activation(clf, 0, [0, 1], n_steps=3, random_state=0)
    assert found.shape == (2, 1, 1, 1)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"layer": "conv"}, "layer='conv' is not in the network"),
        ({"channels": 64}, "from 0 to 63, the channels of layer 'features.11'"),
        ({"n_steps": 0}, "'n_steps' parameter of maximize_activation"),
        ({"lr": 0}, "'lr' parameter"),
        ({"decay": 1.0}, "'decay' parameter"),
        ({"blur": -0.1}, "'blur' parameter"),
        ({"jitter": 0.6}, "'jitter' parameter"),
        ({"random_state": "now"}, "'random_state' parameter"),
        ({"image_size": (8, 0)}, "image_size must be"),
        ({"image_size": 8}, "image_size must be"),
        ({"image_size": (9, 9)}, "was fitted on images of shape"),
    ],
)
def test_wrong_parameters(digits, params, message):
    with pytest.raises(ValueError, match=message):
        maximize_activation(digits[0], **params)


def test_display(digits):
    clf, _ = digits
    _, ax = plt.subplots()
    display = FilterMaximizationDisplay.from_estimator(
        clf, 0, [3, 7, 30], n_steps=3, random_state=0, ax=ax
    )
    assert display.ax_ is ax
    assert display.layer == "features.0"
    np.testing.assert_array_equal(
        display.images,
        maximize_activation(clf, 0, [3, 7, 30], n_steps=3, random_state=0),
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["3, 7, 30"]
    one = FilterMaximizationDisplay.from_estimator(clf, 0, 5, n_steps=2, random_state=0)
    assert [label.get_text() for label in one.ax_.get_yticklabels()] == ["5"]
    one.figure_.canvas.draw()
