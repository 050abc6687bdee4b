"""Networks that pool and normalise over the particle only."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from emclassify import (
    BackboneClassifier,
    CNNClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    OffSampleNetClassifier,
    ResNetClassifier,
)
from emclassify.nets import (
    BatchNorm2d,
    FullyConvolutionalNet,
    LipNet2,
    LipNet4,
    LipNet6,
    LipNet10,
    MaskedNet,
    OffSampleNet,
    ResNet,
)
from emclassify.persistence import load, save
from emclassify.training import ImageDataset, ImageModule

NETS = [LipNet2, LipNet4, LipNet6, LipNet10, OffSampleNet, ResNet]
QUICK = {"max_epochs": 2, "precision": "float32", "random_state": 0, "device": "cpu"}
CLASSIFIERS = [
    LipNetClassifier,
    ResNetClassifier,
    OffSampleNetClassifier,
    FullyConvolutionalClassifier,
]


class AsSequence(nn.Module):
    """Layers as a network of ours, with nothing after them."""

    def __init__(self, *layers):
        super().__init__()
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential()


def ask(layer, x, mask):
    images = torch.cat([torch.as_tensor(x), torch.as_tensor(mask)], dim=1)
    return MaskedNet(AsSequence(layer))(images.float())


@pytest.fixture
def discs():
    """Particles of two textures in one place or another, on a busy ground."""
    rng = np.random.default_rng(0)
    y = np.repeat(["dim", "bright"], 20)
    rows, columns = np.mgrid[:20, :20]
    X = rng.normal(100, 30, (40, 20, 20, 2))
    for image, label in zip(X, y, strict=True):
        row, column = rng.integers(6, 14, 2)
        mask = np.hypot(rows - row, columns - column) < 5
        image[..., 0][mask] = rng.normal(80 if label == "dim" else 120, 5, mask.sum())
        image[..., 1] = 255 * mask
    return X.astype(np.uint8), y


@pytest.mark.parametrize("shape", [(28, 28), (9, 14), (1, 1)])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("make", [*NETS, FullyConvolutionalNet])
def test_mask_of_all_pixels_changes_nothing(make, training, shape):
    torch.manual_seed(0)
    net = make((*shape, 1), 3).train(training)
    for layer in net.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    images = torch.randn(6, 1, *shape)
    masked = MaskedNet(net)
    with torch.no_grad():
        expected = net(images)
        statistics = [b.clone() for b in net.buffers()]
        said = masked(torch.cat([images, torch.ones_like(images)], dim=1))
    assert_allclose(said, expected, atol=2e-4)
    if training:  # moved once more from where they were: by hand below
        return
    for before, after in zip(statistics, net.buffers(), strict=True):
        assert torch.equal(before, after)


def test_batch_norm_takes_the_statistics_of_the_particle():
    x = torch.tensor([[[[1.0, 3, 100]]], [[[5.0, 100, 7]]]])
    mask = torch.tensor([[[[1, 1, 0]]], [[[1, 0, 1]]]]) > 0
    layer = BatchNorm2d(1)
    y = layer(x, mask)
    # Of 1, 3, 5 and 7 the mean is 4, the variance 5, the unbiased one 20 / 3.
    assert_allclose(y[mask].detach(), np.array([-3, -1, 1, 3]) / np.sqrt(5 + 1e-5))
    assert layer.running_mean.item() == pytest.approx(0.4)
    assert layer.running_var.item() == pytest.approx(0.9 + 2 / 3)
    assert layer.num_batches_tracked == 1


@pytest.mark.parametrize("n", [0, 1])
def test_batch_norm_of_nothing_takes_the_running_statistics(n):
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    mask = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    mask.view(-1)[:n] = True
    layer = BatchNorm2d(3)
    layer.running_mean.fill_(0.5)
    y = layer(x, mask)
    assert_allclose(y.detach(), (x.detach() - 0.5) / np.sqrt(1 + 1e-5), atol=1e-6)
    assert_allclose(layer.running_mean, 0.5)
    y.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_pooling_by_hand():
    x = [[[[-1.0, 9, 9, 9], [-3, 9, 9, 9]]]]
    mask = [[[[1, 0, 0, 0], [1, 0, 0, 0]]]]
    largest = ask(nn.MaxPool2d(2), x, mask)
    assert largest.tolist() == [[[[-1.0, 0.0]]]]
    mean = ask(nn.AvgPool2d(2), x, mask)
    assert mean.tolist() == [[[[-2.0, 0.0]]]]
    assert ask(nn.AdaptiveAvgPool2d(1), x, mask).tolist() == [[[[-2.0]]]]
    flat = ask(nn.Flatten(), x, mask)
    assert flat.tolist() == [[-1.0, 0, 0, 0, -3, 0, 0, 0]]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((nn.Conv2d(1, 1, 3, padding=1),), [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]),
        ((nn.Conv2d(1, 1, (3, 2)),), [[1, 1, 0]]),
        ((nn.Conv2d(1, 1, 3, padding=1, stride=2),), [[1, 1], [1, 1]]),
        (
            (nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 1, 2)),
            [[1, 1, 0, 0]] * 2 + [[0] * 4],
        ),
    ],
    ids=["same", "valid", "stride", "even"],
)
def test_mask_of_a_convolution_by_hand(layers, expected):
    """Of the same size it stays; else a pixel belongs whose window holds any."""
    mask = np.array([[[[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]]])
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
            nn.init.ones_(layer.bias)
    # Outside the mask, Flatten leaves nothing.
    said = ask(nn.Sequential(*layers, nn.Flatten()), mask, mask)
    assert said.detach().numpy().ravel().tolist() == np.ravel(expected).tolist()


# Whose last windows are smaller than the image.
@pytest.mark.parametrize("make", [LipNet2, LipNet4, OffSampleNet])
def test_what_no_window_of_the_particle_sees_does_not_matter(make):
    torch.manual_seed(0)
    net = MaskedNet(make((40, 40, 1), 2)).eval()
    images = torch.randn(3, 2, 40, 40)
    images[:, 1] = 0
    images[:, 1, 2:8, 2:8] = 1
    others = images.clone()
    others[:, 0, 36:, 36:] += 50
    with torch.no_grad():
        assert_allclose(net(images), net(others), atol=1e-5)
        others[:, 0, 5, 5] += 500
        assert not torch.allclose(net(images), net(others), atol=1e-3)


@pytest.mark.parametrize("normalization", ["dataset", "image"])
def test_pixels_of_the_particle_are_normalised(discs, normalization):
    X, _ = discs
    module = ImageModule(nn.Identity(), nn.Identity(), "float32", masked=True)
    by_image = normalization == "image"
    module.learn_scales(ImageDataset(X), by_image=by_image)
    said = module.prepare(torch.as_tensor(X)).numpy()
    inside = X[..., 1] > 0
    assert_allclose(said[:, 1], inside)
    particles = [image[mask] for image, mask in zip(said[:, 0], inside, strict=True)]
    means = np.array([p.mean() for p in particles])
    squares = np.array([np.square(p).mean() for p in particles])
    if by_image:
        assert_allclose(means, 0, atol=1e-5)
        assert_allclose(squares, 1, atol=1e-4)
    else:  # every image counts the same
        assert_allclose(means.mean(), 0, atol=1e-5)
        assert_allclose(squares.mean(), 1, atol=1e-4)


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_every_network_learns_particles_and_is_kept(discs, tmp_path, make):
    X, y = discs
    model = make(mask="last", **{**QUICK, "max_epochs": 12}).fit(X, y)
    assert model.score(X, y) > 0.7
    assert isinstance(model.net_.module_.net, MaskedNet)
    save(model, tmp_path / "model.emc")
    again = load(tmp_path / "model.emc")
    assert_allclose(again.predict_proba(X), model.predict_proba(X), atol=1e-6)
    assert again.mask == "last"


def test_two_channels_are_asked_for(discs):
    X, y = discs
    with pytest.raises(ValueError, match=r'LipNetClassifier\(mask="last"\) takes'):
        LipNetClassifier(mask="last", **QUICK).fit(X[..., 0], y)


def test_masks_that_are_all_empty_are_refused_and_one_is_not(discs):
    X, y = discs
    X = X.copy()
    X[0, ..., 1] = 0
    model = LipNetClassifier(mask="last", **QUICK).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    X[..., 1] = 0
    with pytest.raises(ValueError, match="no image has a pixel of a particle"):
        LipNetClassifier(mask="last", **QUICK).fit(X, y)


def test_a_network_that_cannot_be_followed_is_refused(discs):
    X, y = discs

    def net(image_shape, n_classes):
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(n_classes))

    with pytest.raises(ValueError, match=r"Sequential has no .*Sequential called feat"):
        CNNClassifier(net, mask="last", **QUICK).fit(X, y)
    larger = AsSequence(nn.Upsample(scale_factor=2))
    with pytest.raises(ValueError, match="Upsample changes the size of the image"):
        MaskedNet(larger)(torch.ones(1, 2, 4, 4))


def test_mask_cannot_change_while_a_network_trains_on(discs):
    X, y = discs
    model = LipNetClassifier(mask="last", warm_start=True, **QUICK).fit(X, y)
    with pytest.raises(ValueError, match="mask can't change"):
        model.set_params(mask=None).fit(X, y)


def test_networks_of_timm_do_not_take_one(discs):
    with pytest.raises(TypeError, match="mask"):
        BackboneClassifier(mask="last")
    # Its own parameter, for the features beside.
    X, y = discs
    model = FusionClassifier(families=["histogram"], mask="last", **QUICK).fit(X, y)
    assert not isinstance(model.net_.module_.net, MaskedNet)
