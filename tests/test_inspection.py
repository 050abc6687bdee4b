"""Activations and saliency: answers known by hand, and no trace left."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from scipy.signal import correlate
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from emclassify import (
    CNNClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    ResizeImages,
    ResNetClassifier,
)
from emclassify.inspection import (
    ActivationsDisplay,
    FiltersDisplay,
    layer_activations,
    saliency,
)
from emclassify.inspection._network import check_channels, gradient

LAST = "head.6"


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
        max_epochs=2, batch_size=32, precision="float32", random_state=0, device="cpu"
    ).fit(*data)


class Linear(nn.Module):
    """One dense layer with weights known by hand, on images of two channels."""

    def __init__(self, image_shape, n_classes):
        super().__init__()
        height, width, channels = image_shape
        self.dense = nn.Linear(height * width * channels, n_classes)

    def forward(self, images):
        return self.dense(images.flatten(1))


@pytest.fixture(scope="module")
def linear():
    X = np.random.default_rng(0).normal(size=(20, 4, 5, 2)) * [1, 7]
    clf = CNNClassifier(Linear, max_epochs=1, augmentation=None, random_state=0)
    return clf.fit(X, np.arange(20) % 2), X


def state(clf):
    """All that inspection might change in a classifier."""
    module = clf.net_.module_
    return (
        [part.training for part in module.modules()],
        [len(part._forward_hooks) for part in module.modules()],
        [(p.requires_grad, p.grad) for p in module.parameters()],
        {name: value.clone() for name, value in module.state_dict().items()},
        module.precision,
        torch.get_num_threads(),
        torch.get_rng_state(),
        np.random.get_state()[1].copy(),  # noqa: NPY002
    )


def assert_same_state(before, after):
    assert before[:2] == after[:2]
    for (needs, grad), (needs_now, grad_now) in zip(before[2], after[2], strict=True):
        assert needs == needs_now
        assert (grad is None) == (grad_now is None)
        assert grad is None or torch.equal(grad, grad_now)
    assert before[3].keys() == after[3].keys()
    assert all(torch.equal(value, after[3][name]) for name, value in before[3].items())
    assert before[4:6] == after[4:6]
    assert torch.equal(before[6], after[6])
    assert np.array_equal(before[7], after[7])


@pytest.mark.parametrize(
    "look",
    [
        lambda clf, X: layer_activations(clf, X),
        lambda clf, X: saliency(clf, X),
        lambda clf, X: saliency(clf, X, n_noisy=2),
        lambda clf, X: FiltersDisplay.from_estimator(clf),
    ],
)
def test_looking_leaves_no_trace(look, clf, data):
    X = data[0][:5]
    expected = clf.predict_proba(X)
    module = clf.net_.module_
    module.train()
    module.net.features[0].eval()
    module.precision = "bfloat16"
    try:
        before = state(clf)
        look(clf, X)
        assert_same_state(before, state(clf))
    finally:
        module.eval()
        module.precision = "float32"
    assert np.array_equal(clf.predict_proba(X), expected)


def test_hooks_are_gone_after_an_error(clf, data):
    before = state(clf)
    with pytest.raises(ValueError, match="was fitted on images of shape"):
        layer_activations(clf, data[0][:, :5])
    clf.net_.module_.net.features[3].register_forward_hook(fail)
    try:
        with pytest.raises(ZeroDivisionError):
            layer_activations(clf, data[0])
    finally:
        clf.net_.module_.net.features[3]._forward_hooks.clear()
    assert_same_state(before, state(clf))


def fail(*_):
    raise ZeroDivisionError


def test_activations_are_the_convolution(clf, data):
    X, _ = data
    found = layer_activations(clf, X[:3], raw=True)["features.0"]
    assert found.shape == (3, 8, 8, 32)
    assert found.dtype == np.float32
    module = clf.net_.module_
    normal = (X[:3] - module.mean.item()) / module.std.item()
    convolution = module.net.features[0]
    kernel = convolution.weight[7, 0].detach().numpy().astype(float)
    for image, maps in zip(normal, found, strict=True):
        expected = correlate(image, kernel, mode="same") + convolution.bias[7].item()
        np.testing.assert_allclose(maps[..., 7], expected, atol=1e-4)


def test_convolutions_are_shown_after_normalisation_and_relu(clf, data):
    X = data[0][:3]
    found = layer_activations(clf, X)
    relus = ["features.2", "features.5", "features.10", "features.13"]
    expected = layer_activations(clf, X, relus)
    for name, relu in zip(found, relus, strict=True):
        assert found[name].min() == 0
        np.testing.assert_array_equal(found[name], expected[relu])
    assert layer_activations(clf, X, raw=True)["features.0"].min() < 0


def test_residual_blocks_are_shown_after_their_relu(data):
    resnet = ResNetClassifier(max_epochs=1, random_state=0).fit(*data)
    found = layer_activations(resnet, data[0][:4])
    assert min(maps.min() for maps in found.values()) == 0
    raw = layer_activations(resnet, data[0][:4], raw=True)
    assert list(raw) == list(found)
    blocks = [
        n
        for n, m in resnet.net_.module_.net.named_modules()
        if n and hasattr(m, "ends_in_relu")
    ]
    expected = layer_activations(resnet, data[0][:4], blocks)
    for block in blocks:
        second = f"{block}.convolutions.3"
        np.testing.assert_array_equal(found[second], expected[block])


def test_activations_of_the_last_layer_are_the_logits(clf, data):
    X, _ = data
    logits = layer_activations(clf, X, LAST)[LAST].astype(float)  # three batches
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, clf.predict_proba(X), atol=1e-6)


def test_layers_by_name_and_number(clf, data):
    found = layer_activations(clf, data[0][:2], [-1, "features.2", 0, "features.11"])
    assert list(found) == ["features.11", "features.2", "features.0"]
    assert found["features.2"].min() == 0  # after the ReLU
    one = layer_activations(clf, data[0][:2], np.int64(1))
    assert list(one) == ["features.3"]
    assert list(layer_activations(clf, data[0][:2])) == [
        "features.0",
        "features.3",
        "features.8",
        "features.11",
    ]


@pytest.mark.parametrize("layer", ["conv1", "", 4, -5, True, 1.5, None])
def test_unknown_layer(clf, data, layer):
    with pytest.raises(ValueError, match=r"features\.0 \(Conv2d\), features\.1 \(Ba"):
        layer_activations(clf, data[0][:2], [layer])


class Odd(nn.Module):
    """Works in place, has a layer that is never used, and one that gives a pair."""

    def __init__(self, image_shape, n_classes):
        super().__init__()
        self.conv = nn.Conv2d(image_shape[2], 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.unused = nn.Conv2d(1, 1, 1)
        self.pair = nn.MaxPool2d(2, return_indices=True)
        self.dense = nn.Linear(4, n_classes)

    def forward(self, images):
        maps = self.relu(self.conv(images))
        return self.dense(self.pair(maps)[0].amax((2, 3)))


def test_odd_layers(data):
    odd = CNNClassifier(Odd, max_epochs=1, random_state=0).fit(*data)
    X = data[0][:4]
    found = layer_activations(odd, X, ["conv", "relu"])
    np.testing.assert_array_equal(found["conv"], found["relu"])
    raw = layer_activations(odd, X, ["conv", "relu"], raw=True)
    assert raw["conv"].min() < 0
    np.testing.assert_array_equal(raw["conv"].clip(min=0), found["relu"])
    with pytest.raises(ValueError, match="'unused' takes no part in"):
        layer_activations(odd, X, "unused")
    with pytest.raises(ValueError, match="'pair' returns no tensor"):
        layer_activations(odd, X, "pair")


def test_no_convolution(linear):
    clf, X = linear
    with pytest.raises(ValueError, match=r"no convolution.*dense \(Linear\)"):
        layer_activations(clf, X)
    assert layer_activations(clf, X, "dense")["dense"].shape == (20, 2)
    with pytest.raises(ValueError, match="gives no maps"):
        ActivationsDisplay.from_estimator(clf, X[0], "dense")


def test_saliency_of_a_linear_network_is_its_weights(linear):
    clf, X = linear
    module = clf.net_.module_
    weight = module.net.dense.weight.detach().cpu().numpy().reshape(2, 2, 4, 5)
    by_hand = np.abs(weight / module.std.cpu().numpy()).max(axis=1)
    np.testing.assert_allclose(saliency(clf, X, 1), [by_hand[1]] * 20, rtol=1e-5)
    predicted = clf.predict(X)
    np.testing.assert_allclose(saliency(clf, X), by_hand[predicted], rtol=1e-5)
    target = np.arange(20) % 2
    np.testing.assert_allclose(saliency(clf, X, target), by_hand[target], rtol=1e-5)
    noisy = saliency(clf, X, 0, n_noisy=3, random_state=0)
    np.testing.assert_allclose(noisy, [by_hand[0]] * 20, rtol=1e-5)


def test_saliency_is_the_difference_quotient(clf, data):
    image = data[0][4].astype(np.float64)
    found = saliency(clf, image[np.newaxis], "two")
    assert found.shape == (1, 8, 8)
    assert found.dtype == np.float32
    step = 0.005
    strongest = np.argsort(found[0].ravel())[-3:]
    for pixel in zip(*np.unravel_index(strongest, (8, 8)), strict=True):
        both = np.stack([image, image])
        both[0][pixel] += step
        both[1][pixel] -= step
        up, down = layer_activations(clf, both, LAST)[LAST][:, 1]  # one, two, zero
        assert found[0][pixel] == pytest.approx(abs(up - down) / (2 * step), rel=0.05)


def test_noise_of_saliency_is_repeatable(clf, data):
    X = data[0][:4]
    plain = saliency(clf, X)
    noisy = saliency(clf, X, n_noisy=3, random_state=1)
    assert np.array_equal(noisy, saliency(clf, X, n_noisy=3, random_state=1))
    assert not np.array_equal(noisy, saliency(clf, X, n_noisy=3, random_state=2))
    assert not np.allclose(noisy, plain)
    without = saliency(clf, X, n_noisy=1, noise=0, random_state=0)
    np.testing.assert_allclose(without, plain, rtol=1e-5)


def test_saliency_under_no_grad(clf, data):
    with torch.no_grad():
        assert saliency(clf, data[0][:2]).max() > 0


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("three", "target='three' is not among the classes of LipNetClassifier"),
        (["one", "two"], r"one for each of the 4 images; got shape \(2,\)"),
    ],
)
def test_wrong_target(clf, data, target, message):
    with pytest.raises(ValueError, match=message):
        saliency(clf, data[0][:4], target)


def test_no_gradient():
    with pytest.raises(ValueError, match="can't be differentiated"):
        gradient(torch.zeros(2), torch.zeros(2, requires_grad=True))
    images = torch.zeros(2, requires_grad=True)
    unrelated = torch.zeros(2, requires_grad=True) * 2
    assert gradient(unrelated, images).tolist() == [0, 0]


def test_pipeline_transforms_the_image_first(data):
    X, y = data
    larger = X.repeat(2, axis=1).repeat(2, axis=2)
    resize = ResizeImages((8, 8))
    pipeline = make_pipeline(
        "passthrough", make_pipeline(resize, LipNetClassifier(max_epochs=1))
    ).fit(larger, y)
    small = resize.transform(larger)
    last = pipeline[-1][-1]
    for look in (saliency, lambda clf, X: layer_activations(clf, X, 0)["features.0"]):
        np.testing.assert_array_equal(look(pipeline, larger[:3]), look(last, small[:3]))
    display = ActivationsDisplay.from_estimator(pipeline, larger[0], 0)
    np.testing.assert_array_equal(display.image[..., 0], small[0])


def test_pipeline_with_a_sampler(data):
    X, y = data
    pipeline = make_imblearn_pipeline(
        RandomOverSampler(random_state=0),
        LipNetClassifier(max_epochs=1, image_shape=(8, 8), random_state=0),
    ).fit(X.reshape(90, -1), y)
    display = ActivationsDisplay.from_estimator(pipeline, X[0].ravel(), 0)
    np.testing.assert_array_equal(display.image[..., 0], X[0])
    assert saliency(pipeline, X[:2].reshape(2, -1)).shape == (2, 8, 8)


def test_other_estimators(data):
    X, y = data
    flat = X.reshape(90, -1)
    forest = LogisticRegression()
    with pytest.raises(TypeError, match="it is LogisticRegression"):
        layer_activations(forest, X)
    with pytest.raises(TypeError, match="last step of the pipeline is LogisticReg"):
        saliency(make_pipeline("passthrough", forest).fit(flat, y), flat)
    for unfitted in (LipNetClassifier(), make_pipeline(LipNetClassifier())):
        with pytest.raises(NotFittedError):
            FiltersDisplay.from_estimator(unfitted)


def test_fusion_of_images_and_features(data):
    X, y = data
    fusion = FusionClassifier(max_epochs=1, precision="float32", random_state=0)
    fusion.fit(X[:30], y[:30])
    logits = layer_activations(fusion, X[:5], "head.1")["head.1"].astype(float)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, fusion.predict_proba(X[:5]), atol=1e-6)
    assert saliency(fusion, X[:5]).shape == (5, 8, 8)


def test_images_of_any_size():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(6, 6) if i < 6 else (9, 12)) for i in range(12)]
    clf = FullyConvolutionalClassifier(widths=(4,), max_epochs=1, random_state=0)
    clf.fit(X, [0, 1] * 6)
    assert saliency(clf, X[6:]).shape == (6, 9, 12)
    assert layer_activations(clf, X[:6], 0)["features.0"].shape == (6, 6, 6, 4)
    with pytest.raises(ValueError, match=r"image 6 has shape \(9, 12, 1\)"):
        layer_activations(clf, X)


@pytest.mark.parametrize("channels", [3, -1, [0, 5], [], [[0]], 0.5, "0", True])
def test_wrong_channels(channels):
    with pytest.raises(ValueError, match="channels must be whole numbers from 0 to 2"):
        check_channels(channels, 3, "conv")
