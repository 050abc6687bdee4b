"""The networks, and LipNetClassifier's face of them."""

import numpy as np
import pytest
import torch
from torch import nn

from emclassify.classifiers import LipNetClassifier
from emclassify.nets import (
    BatchNorm1d,
    BatchNorm2d,
    LipNet2,
    LipNet4,
    LipNet6,
    LipNet8,
    LipNet10,
    conv_block,
    pool,
)
from emclassify.training import (
    RandomAffine,
    RandomHorizontalFlip,
    RandomVerticalFlip,
)


def test_lipnet4_layer_by_layer():
    net = LipNet4((28, 28, 1), 3)
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == 887_657
    x = torch.zeros(2, 1, 28, 28)
    shapes = []
    for layer in [*net.features, *net.head]:
        x = layer(x)
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.Linear):
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [
        (32, 28, 28),
        (32, 26, 26),
        (32, 13, 13),
        (64, 13, 13),
        (64, 11, 11),
        (64, 5, 5),
        (512,),
        (3,),
    ]
    dropped = [m.p for m in net.modules() if isinstance(m, nn.Dropout)]
    assert dropped == [0.25, 0.25, 0.5]
    norms = [m for m in net.modules() if isinstance(m, BatchNorm1d | BatchNorm2d)]
    assert [m.num_features for m in norms] == [32, 32, 64, 64, 512, 3]


def shapes_of(net, image_shape):
    """Kind and output shape of each layer with weights, and of each pooling."""
    height, width, channels = image_shape
    x = torch.zeros(2, channels, height, width)
    shapes = []
    for layer in [*net.features, *net.head]:
        x = layer(x)
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.Linear):
            shapes.append(tuple(x.shape[1:]))
    return shapes


def test_lipnet2_layer_by_layer():
    net = LipNet2((28, 28, 1), 3)
    assert shapes_of(net, (28, 28, 1)) == [
        (32, 25, 25),
        (32, 12, 12),
        (64, 9, 9),
        (64, 4, 4),
        (1024,),
        (3,),
    ]
    # 16·32 + 32, 16·32·64 + 64, 1024·1024 + 1024, 1024·3 + 3
    assert sum(p.numel() for p in net.parameters()) == 544 + 32_832 + 1_049_600 + 3_075


def test_lipnet6_layer_by_layer():
    net = LipNet6((52, 52, 1), 3)
    assert shapes_of(net, (52, 52, 1)) == [
        (32, 52, 52),
        (32, 46, 46),
        (32, 23, 23),
        (64, 23, 23),
        (64, 19, 19),
        (64, 9, 9),
        (128, 9, 9),
        (128, 7, 7),
        (128, 3, 3),
        (512,),
        (128,),
        (3,),
    ]
    dropped = [m.p for m in net.modules() if isinstance(m, nn.Dropout)]
    assert dropped == [0.25, 0.25, 0.25, 0.5, 0.5]


@pytest.mark.parametrize(("net", "n_blocks"), [(LipNet8, 4), (LipNet10, 5)])
def test_deeper_lipnets_continue_the_blocks(net, n_blocks):
    shapes = shapes_of(net((64, 64, 1), 3), (64, 64, 1))
    assert shapes[:6] == shapes_of(LipNet4((64, 64, 1), 3), (64, 64, 1))[:6]
    assert len(shapes) == 3 * n_blocks + 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3), (5, 4), (52, 33)])
@pytest.mark.parametrize("make", [LipNet2, LipNet4, LipNet6, LipNet8, LipNet10])
def test_lipnets_take_any_size(make, shape):
    net = make((*shape, 2), 4)
    assert net(torch.zeros(3, 2, *shape)).shape == (3, 4)
    assert net(torch.zeros(1, 2, *shape)).shape == (1, 4)


@pytest.mark.parametrize("kernel", [2, 3, 4, 7])
@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("size", [(1, 9), (8, 8), (3, 20)])
def test_conv_block_says_its_size(kernel, same, size):
    layers, out = conv_block(2, 5, kernel, size, same=same)
    got = nn.Sequential(*layers)(torch.zeros(2, 2, *size)).shape
    assert got == (2, 5, *out)
    if same:
        assert out == size


def test_pool_says_its_size():
    for size in [(1, 1), (1, 5), (7, 8)]:
        layer, out = pool(size)
        assert layer(torch.zeros(1, 1, *size)).shape[2:] == out


def test_batch_norm_of_one_uses_running_statistics():
    norm = BatchNorm1d(3)
    norm.running_mean += 1
    x = torch.tensor([[1.0, 2.0, 3.0]])
    torch.testing.assert_close(norm(x), x - 1, rtol=1e-4, atol=1e-4)
    pair = torch.cat([x, -x])
    torch.testing.assert_close(
        BatchNorm1d(3)(pair), nn.BatchNorm1d(3)(pair), rtol=0, atol=0
    )


@pytest.mark.parametrize("depth", [0, 3, 5, "4", 4.0, None])
def test_unknown_depth(depth):
    with pytest.raises(ValueError, match="'depth' parameter of LipNetClassifier"):
        LipNetClassifier(depth=depth).fit([[[0.0]], [[1.0]]], [0, 1])


def test_published_recipe():
    clf = LipNetClassifier.as_published(2, max_epochs=2, random_state=0)
    rng = torch.Generator().manual_seed(0)
    X, y = torch.rand(40, 12, 12, generator=rng).numpy(), [0, 1] * 20
    clf.fit(X, y)
    group = clf.net_.optimizer_.param_groups[0]
    assert isinstance(clf.net_.optimizer_, torch.optim.SGD)
    assert (group["momentum"], group["nesterov"]) == (0.9, True)
    assert group["weight_decay"] == 0
    # One batch an epoch: the rate of the third is ready.
    assert group["lr"] == pytest.approx(0.01 / (1 + 2e-6), rel=1e-9)
    # Any rotation, shifts of a tenth, 80 to 100 % of the field, shear of 0.2 rad,
    # splines of order 3, mirrored; then flips both ways.
    affine, *flips = clf.net_.module_.augmentation
    assert isinstance(affine, RandomAffine)
    assert affine.degrees == (-180, 180)
    assert affine.translate == (0.1, 0.1)
    assert [1 / s for s in affine.scale] == pytest.approx([1.0, 0.8])
    assert np.deg2rad(affine.shear) == pytest.approx([0, 0.2], abs=1e-4)
    assert (affine.interpolation, affine.padding_mode) == ("spline", "reflection")
    kinds = [RandomHorizontalFlip, RandomVerticalFlip]
    assert [type(flip) for flip in flips] == kinds
    assert (clf.max_epochs, clf.batch_size) == (2, 128)
    assert LipNetClassifier.as_published().max_epochs == 200
    assert clf.label_smoothing == 0.1
    assert clf.n_iter_no_change == 20
    assert clf.early_stopping
    assert "valid_loss" in clf.history_[0]


def test_dropout_reaches_the_network():
    clf = LipNetClassifier(dropout=0.1, dropout_dense=0.2, max_epochs=1)
    clf.fit([[[0.0]], [[1.0]]], [0, 1])
    layers = clf.net_.module_.modules()
    assert [m.p for m in layers if isinstance(m, nn.Dropout)] == [0.1, 0.1, 0.2]
