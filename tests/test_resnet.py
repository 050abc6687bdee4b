"""ResNet(n, m): the layers that the source gives, at any n and m."""

import numpy as np
import pytest
import torch
from torch import nn

from emclassify import ResNetClassifier
from emclassify.nets import ResidualBlock, ResNet


def shapes_of(net, image_shape):
    """Shapes (height, width, channels) that the convolutions put out."""
    shapes = []

    def note(module, inputs, output):
        _, channels, height, width = output.shape
        shapes.append((height, width, channels))

    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    height, width, channels = image_shape
    net.eval()(torch.zeros(1, channels, height, width))
    return shapes


@pytest.mark.parametrize(("n", "m"), [(2, 2), (1, 3), (0, 2), (2, 0), (0, 0)])
def test_convolutions(n, m):
    net = ResNet((128, 128, 1), 2, n=n, m=m)
    assert shapes_of(net, (128, 128, 1)) == [
        (64, 64, 16),
        *[(32, 32, 32)] * (2 * n),
        *[(16, 16, 64)] * (2 * m),
    ]
    # After the last pooling, as after blocks of both kinds.
    width = 64 if m else 32 if n else 16
    assert net.head[-1].in_features == 8 * 8 * width


def test_number_of_weights():
    # 3×3 convolutions without bias, two numbers a channel of normalisation, dense.
    convolutions = 9 * (16 + 16 * 32 + 3 * 32 * 32 + 32 * 64 + 3 * 64 * 64)
    normalisations = 2 * (16 + 4 * 32 + 4 * 64)
    dense = 4096 * 2 + 2
    net = ResNet((128, 128, 1), 2)
    expected = convolutions + normalisations + dense
    assert sum(p.numel() for p in net.parameters()) == expected


@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_of_zero_weights_is_the_identity(stride):
    block = ResidualBlock(3, 5, stride=stride).eval()
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
    x = torch.rand(2, 3, 7, 6)
    out = block(x)
    torch.testing.assert_close(out[:, :3], x[:, :, ::stride, ::stride])
    assert (out[:, 3:] == 0).all()


@pytest.mark.parametrize("image_shape", [(1, 1, 1), (1, 9, 1), (5, 4, 3), (31, 64, 1)])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (0, 1), (1, 0), (0, 0)])
def test_any_size(image_shape, n, m):
    height, width, channels = image_shape
    net = ResNet(image_shape, 3, n=n, m=m)
    assert net(torch.rand(1, channels, height, width)).shape == (1, 3)


def test_classifier_passes_its_parameters_on():
    X, y = np.random.default_rng(0).random((8, 16, 16)), np.arange(8) % 2
    clf = ResNetClassifier(n=1, m=0, dropout=0.2, max_epochs=1, random_state=0)
    net = clf.fit(X, y).net_.module_.net
    assert sum(isinstance(module, ResidualBlock) for module in net.modules()) == 1
    assert next(m for m in net.modules() if isinstance(m, nn.Dropout)).p == 0.2


@pytest.mark.parametrize("wrong", [{"n": -1}, {"m": 1.5}, {"dropout": 1.0}])
def test_refused_parameters(wrong):
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        ResNetClassifier(**wrong).fit(np.zeros((4, 8, 8)), [0, 1, 0, 1])


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_tiny_images_in_bfloat16(size):
    # Gradients of strided convolutions over one pixel are not to be had there.
    rng = np.random.default_rng(0)
    y = np.arange(64) % 2
    X = rng.normal(size=(64, size, size)) + 4 * y[:, None, None]
    clf = ResNetClassifier(
        max_epochs=10, batch_size=16, dropout=0.0, precision="bfloat16", random_state=0
    )
    assert clf.fit(X, y).score(X, y) > 0.9


def test_as_published_has_nothing_of_our_recipe():
    clf = ResNetClassifier.as_published(1, 0, max_epochs=2, random_state=0)
    assert (clf.n, clf.m, clf.max_epochs, clf.dropout) == (1, 0, 2, 0.5)
    assert (clf.lr_schedule, clf.label_smoothing, clf.weight_decay) == (None, 0.0, 0.0)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 8, 8)) + np.repeat([0, 2], 20)[:, None, None]
    clf = clf.fit(X, np.repeat(["dim", "bright"], 20))
    (group,) = clf.net_.optimizer_.param_groups
    assert isinstance(clf.net_.optimizer_, torch.optim.Adam)
    assert group["lr"] == 0.001
    assert group["weight_decay"] == 0
