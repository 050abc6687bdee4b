"""OffSampleNet is the published table, layer by layer."""

import numpy as np
import pytest
import torch
from torch import nn

from emclassify import CNNClassifier, OffSampleNetClassifier
from emclassify.nets import OffSampleNet
from emclassify.persistence import load, save

# (kind, output without the batch, trained, not trained), as Keras counts.
TABLE = [
    ("Conv2d", (16, 56, 56), 3 * 3 * 1 * 16 + 16, 0),
    ("BatchNorm2d", (16, 56, 56), 2 * 16, 2 * 16),
    ("ReLU", (16, 56, 56), 0, 0),
    ("Conv2d", (16, 56, 56), 3 * 3 * 16 * 16 + 16, 0),
    ("BatchNorm2d", (16, 56, 56), 2 * 16, 2 * 16),
    ("ReLU", (16, 56, 56), 0, 0),
    ("MaxPool2d", (16, 18, 18), 0, 0),
    ("Conv2d", (32, 18, 18), 3 * 3 * 16 * 32 + 32, 0),
    ("BatchNorm2d", (32, 18, 18), 2 * 32, 2 * 32),
    ("ReLU", (32, 18, 18), 0, 0),
    ("Conv2d", (32, 18, 18), 3 * 3 * 32 * 32 + 32, 0),
    ("BatchNorm2d", (32, 18, 18), 2 * 32, 2 * 32),
    ("ReLU", (32, 18, 18), 0, 0),
    ("MaxPool2d", (32, 6, 6), 0, 0),
    ("Flatten", (1152,), 0, 0),
    ("Linear", (256,), 1152 * 256 + 256, 0),
    ("ReLU", (256,), 0, 0),
    ("Linear", (256,), 256 * 256 + 256, 0),
    ("ReLU", (256,), 0, 0),
    ("Linear", (2,), 256 * 2 + 2, 0),
]


def layers_of(net, images):
    """Return the rows of the table for a network, in the order of the data's way."""
    rows = []

    def note(module, inputs, output):
        moving = [b for name, b in module.named_buffers() if name.startswith("running")]
        rows.append(
            (
                type(module).__name__,
                tuple(output.shape[1:]),
                sum(p.numel() for p in module.parameters()),
                sum(b.numel() for b in moving),
            )
        )

    for module in net.modules():
        if not list(module.children()):
            module.register_forward_hook(note)
    net.eval()(images)
    return rows


def test_table_of_the_source():
    rows = layers_of(OffSampleNet((56, 56, 1), 2), torch.zeros(1, 1, 56, 56))
    assert rows == TABLE
    trained, moving = (sum(row[k] for row in rows) for k in (2, 3))
    assert trained == 378_034
    assert trained + moving == 378_226


@pytest.mark.parametrize("image_shape", [(1, 1, 1), (1, 7, 1), (2, 5, 3), (57, 20, 1)])
def test_any_size(image_shape):
    height, width, channels = image_shape
    net = OffSampleNet(image_shape, 3)
    assert net(torch.rand(1, channels, height, width)).shape == (1, 3)


def test_classifier_holds_the_network():
    X, y = np.random.default_rng(0).random((8, 56, 56)), np.arange(8) % 2
    clf = OffSampleNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    assert isinstance(clf.net_.module_.net, OffSampleNet)


def test_published_recipe():
    X, y = np.random.default_rng(0).random((12, 8, 8)), np.arange(12) % 2
    clf = OffSampleNetClassifier.as_published(
        max_epochs=3, batch_size=4, random_state=0
    ).fit(X, y)
    (group,) = clf.net_.optimizer_.param_groups
    recipe = {name: group[name] for name in ("lr", "momentum", "nesterov")}
    assert recipe == {"lr": 0.01, "momentum": 0.9, "nesterov": False}
    assert group["weight_decay"] == 0
    assert isinstance(clf.net_.module_.augmentation, nn.Identity)
    assert OffSampleNetClassifier.as_published(lr=0.1).lr == 0.1


def test_published_recipe_from_a_file(tmp_path):
    X, y = np.random.default_rng(0).random((12, 8, 8)), np.arange(12) % 2
    clf = OffSampleNetClassifier.as_published(max_epochs=1, random_state=0).fit(X, y)
    save(clf, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.optimizer is clf.optimizer
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))


def test_brightness_of_an_ion_does_not_matter():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = rng.random((40, 9, 9))
    X[y == 1, 3:6, 3:6] += 2
    clf = OffSampleNetClassifier(max_epochs=5, random_state=0).fit(X, y)
    factor = 10.0 ** rng.uniform(-2, 4, (40, 1, 1))
    np.testing.assert_allclose(
        clf.predict_proba(factor * X), clf.predict_proba(X), atol=1e-3
    )


def test_it_has_all_parameters_of_its_parent():
    parents = set(CNNClassifier().get_params()) - {"net"}
    assert set(OffSampleNetClassifier().get_params()) == parents
