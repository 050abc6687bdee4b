"""The networks, and LipNetClassifier's face of them."""

import pytest
import torch
from torch import nn

from emclassify.classifiers import LipNetClassifier
from emclassify.nets import BatchNorm1d, BatchNorm2d, LipNet4, conv_block, pool


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


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3), (5, 4), (52, 33)])
def test_lipnet4_takes_any_size(shape):
    net = LipNet4((*shape, 2), 4)
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


def test_dropout_reaches_the_network():
    clf = LipNetClassifier(dropout=0.1, dropout_dense=0.2, max_epochs=1)
    clf.fit([[[0.0]], [[1.0]]], [0, 1])
    layers = clf.net_.module_.modules()
    assert [m.p for m in layers if isinstance(m, nn.Dropout)] == [0.1, 0.1, 0.2]
