"""BackboneClassifier: a backbone from timm that is frozen, thawed and fine-tuned."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from backbone_weights import save_backbone
from devices import near
from skorch.callbacks import Callback
from torch import nn

import emclassify
from emclassify import BackboneClassifier
from emclassify.classifiers._length import set_length
from emclassify.nets import BackboneNet, load_backbone
from emclassify.training import EpochCheckpoint

Y = np.repeat(["dim", "bright"], 12)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network of timm with weights, and the file that they were saved to."""
    return save_backbone(tmp_path_factory.mktemp("weights"))


def make_images(*shape):
    noise = np.random.default_rng(0).integers(0, 100, (24, *shape), dtype=np.uint8)
    return noise + 80 * (Y == "bright").astype(np.uint8).reshape(24, *[1] * len(shape))


def model(weights, **params):
    settings = {
        "weights": weights[1],
        "image_size": (32, 32),
        "unfreeze_after": 1,
        "backbone_lr_factor": 0.1,
        "max_epochs": 2,
        "batch_size": 8,
        "random_state": 0,
    }
    return BackboneClassifier("test_resnet", **{**settings, **params})


class Watch(Callback):
    """Keeps the backbone's weights, statistics and learning rates of each epoch."""

    def __init__(self):
        self.states, self.rates = [], []

    def on_batch_end(self, net, training, **kwargs):
        self.rates.append([group["lr"] for group in net.optimizer_.param_groups])

    def on_epoch_end(self, net, **kwargs):
        state = net.module_.net.backbone.state_dict()
        self.states.append({name: part.clone() for name, part in state.items()})


def same(state, other):
    """Which of the entries of two state dicts are equal."""
    return {
        name: torch.equal(part.cpu(), other[name].cpu()) for name, part in state.items()
    }


@pytest.mark.parametrize("unfreeze_after", [0, 2, None])
def test_backbone_changes_only_when_unfrozen(unfreeze_after, weights):
    loaded = load_backbone("test_resnet", 1, weights[1])
    loaded.reset_classifier(0)
    watch = Watch()
    clf = model(
        weights, unfreeze_after=unfreeze_after, max_epochs=4, callbacks=[watch]
    ).fit(make_images(16, 16), Y)
    before = loaded.state_dict()
    for epoch, state in enumerate(watch.states):
        equal = same(before, state)
        if unfreeze_after is None or epoch < unfreeze_after:
            # The running statistics of batch normalisation are among them.
            assert all(equal.values())
        else:
            # Also those far from the head, and the statistics.
            assert not equal["conv1.0.weight"]
            assert not equal["bn1.running_mean"]
            assert not equal["bn1.num_batches_tracked"]
            assert all(p.requires_grad for p in clf.net_.module_.net.parameters())


@pytest.mark.parametrize("lr_schedule", ["one_cycle", "cosine", None, lambda i: 0.5**i])
def test_backbone_has_its_own_rate_throughout(lr_schedule, weights):
    watch = Watch()
    clf = model(
        weights,
        lr=0.01,
        backbone_lr_factor=0.2,
        lr_schedule=lr_schedule,
        callbacks=[watch],
        warm_start=True,
    ).fit(make_images(16, 16), Y)
    first = list(watch.rates)
    clf.fit(make_images(16, 16), Y)
    rates = np.array(watch.rates)
    assert len(rates) == 2 * 2 * 3
    np.testing.assert_allclose(rates[:, 0], 0.2 * rates[:, 1])
    np.testing.assert_allclose(rates[:6], rates[6:])
    assert np.max(first) <= 0.01
    groups = clf.net_.optimizer_.param_groups
    assert [len(group["params"]) for group in groups] == [
        len(list(clf.net_.module_.net.backbone.parameters())),
        2,
    ]


def test_epochs_are_counted_over_calls(weights):
    clf = model(weights, unfreeze_after=2)
    images, classes = make_images(16, 16), ["bright", "dim"]
    frozen = []
    for _ in range(3):
        clf.partial_fit(images, Y, classes=classes)
        frozen.append(clf.net_.module_.net.frozen)
    assert frozen == [True, True, False]


@pytest.mark.parametrize(("first", "then"), [(None, 0), (0, None), (1, 9)])
def test_warm_starts_take_over_when_to_thaw(first, then, weights):
    images, watch = make_images(16, 16), Watch()
    clf = model(weights, unfreeze_after=first, warm_start=True, callbacks=[watch])
    clf.fit(images, Y).set_params(unfreeze_after=then).fit(images, Y)
    assert len(watch.states) == 4
    assert clf.net_.module_.net.frozen == (then != 0)
    # The last epoch of the first fit, and those of the second.
    kept = same(watch.states[1], watch.states[3]).values()
    assert all(kept) if then != 0 else not any(kept)


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_thawing_survives_a_kill(killed_after, weights, tmp_path, monkeypatch):
    settings = {"unfreeze_after": 2, "max_epochs": 4, "checkpoint_dir": tmp_path}
    images = make_images(16, 16)
    expected = model(weights, **settings).fit(images, Y).predict_proba(images)
    write = EpochCheckpoint.on_epoch_end

    def write_and_stop(self, net, **kwargs):
        write(self, net, **kwargs)
        if len(net.history) == killed_after:
            raise InterruptedError

    with monkeypatch.context() as context:
        context.setattr(EpochCheckpoint, "on_epoch_end", write_and_stop)
        with pytest.raises(InterruptedError):
            model(weights, **settings).fit(images, Y)
    again = model(weights, **settings).fit(images, Y)
    assert len(again.history_) == 4
    np.testing.assert_array_equal(again.predict_proba(images), expected)


def test_learns_and_is_repeatable(weights):
    images = make_images(16, 16)
    first, second = (model(weights, lr=0.1, max_epochs=6) for _ in range(2))
    assert first.fit(images, Y).score(images, Y) == 1
    probabilities = second.fit(images, Y).predict_proba(images)
    np.testing.assert_array_equal(first.predict_proba(images), probabilities)
    copy = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(copy.predict_proba(images), probabilities)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_keeps_the_parameters_of_fit(weights, tmp_path, kind):
    images = make_images(40, 40)
    first = model(weights, max_epochs=1).set_params(weights=kind(weights[1]))
    first.fit(images, Y).set_params(image_size=(64, 64))
    emclassify.save(first, tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc")
    assert again.get_params()["weights"] == kind(weights[1])
    expected = first.predict_proba(images)
    np.testing.assert_array_equal(again.predict_proba(images), expected)


def test_several_labels_an_image(weights):
    images = make_images(16, 16)
    y = np.column_stack([Y == "dim", Y == "bright", np.arange(24) % 3 == 0])
    clf = model(weights).fit(images, y.astype(int))
    assert clf.predict(images).shape == (24, 3)


def test_images_of_different_sizes(weights):
    images = make_images(40, 30)
    images = [image[: 20 + i % 3] for i, image in enumerate(images)]
    clf = model(weights, image_size=None).fit(images, Y)
    together = clf.predict_proba(images)
    alone = np.concatenate([clf.predict_proba([image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=near(1e-5, 5e-3))


@pytest.mark.parametrize("frozen", [True, False])
def test_batches_of_one_image(frozen, weights):
    # Of an image that comes down to one position, batch normalisation has no variance.
    net = BackboneNet(
        load_backbone("test_resnet", 1, weights[1]), (32, 32, 1), 2, frozen=frozen
    )
    image = torch.rand(1, 1, 32, 32)
    before = {name: part.clone() for name, part in net.state_dict().items()}
    net.head[0].p = 0.0
    out = net.train()(image)
    assert all(same(before, net.state_dict()).values())
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(norm.training is not frozen for norm in norms)
    torch.testing.assert_close(out, net.eval()(image))


def test_fit_on_batches_of_one_image(weights):
    clf = model(weights, batch_size=1, unfreeze_after=0, max_epochs=1)
    assert np.isfinite(
        clf.fit(make_images(8, 8), Y).predict_proba(make_images(8, 8))
    ).all()


def test_head_stands_on_what_timm_pools(weights):
    net, path = weights
    mine = BackboneNet(load_backbone("test_resnet", 3, path), (96, 96, 3), 4).eval()
    images = torch.rand(2, 3, 96, 96)
    with torch.inference_mode():
        pooled = net.forward_head(net.forward_features(images), pre_logits=True)
        expected = pooled @ mine.head[1].weight.T + mine.head[1].bias
        torch.testing.assert_close(mine(images), expected)


def test_defaults_train_all_layers_of_enlarged_images(weights):
    watch = Watch()
    clf = BackboneClassifier(
        "test_resnet",
        weights=weights[1],
        max_epochs=1,
        callbacks=[watch],
        random_state=0,
    ).fit(make_images(20, 30), Y)
    assert {len(set(rates)) for rates in watch.rates} == {1}
    before = weights[0].state_dict()
    assert not same(watch.states[0], before)["conv1.0.weight"]
    seen = []
    backbone = clf.net_.module_.net.backbone
    backbone.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape))
    clf.predict(make_images(20, 30))
    assert {tuple(shape[2:]) for shape in seen} == {(128, 128)}
    seen.clear()
    clf.predict(make_images(140, 30))
    assert {tuple(shape[2:]) for shape in seen} == {(140, 128)}


def test_length_of_training():
    # A network from scratch has 100, 66 and 24 epochs.
    clf = BackboneClassifier("test_resnet")
    clf.classes_, clf.multilabel_ = np.arange(5), False
    for n_images, epochs in ((300, 40), (2600, 33), (20_000, 15)):
        set_length(clf, n_images)
        assert (clf.max_epochs_, clf.batch_size_) == (epochs, 32)


def test_published_recipe():
    clf = BackboneClassifier.as_published(max_epochs=3)
    told = clf.get_params()
    expected = {
        "backbone": "tf_efficientnet_b7",
        "image_size": None,
        "unfreeze_after": 1,
        "backbone_lr_factor": 0.1,
        "max_epochs": 3,
        "batch_size": 32,
        "lr": 0.001,
    }
    assert {name: told[name] for name in expected} == expected


@pytest.mark.filterwarnings("ignore:.* has random weights:UserWarning")
@pytest.mark.parametrize(
    "name", ["test_vit", "test_convnext", "test_efficientnet", "mobilenetv4_conv_small"]
)
def test_other_backbones(name):
    clf = BackboneClassifier(
        name, weights="random", max_epochs=2, batch_size=5, random_state=0
    )
    assert clf.fit(make_images(12, 9), Y).predict_proba(make_images(30, 9)).shape == (
        24,
        2,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"unfreeze_after": -1},
        {"backbone_lr_factor": 0},
        {"dropout": 1.0},
    ],
)
def test_refused_parameters(wrong, weights):
    with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter"):
        model(weights, **wrong).fit(make_images(8, 8), Y)


def test_thawing_does_not_go_with_accelerate(weights):
    clf = model(weights, device="accelerate", unfreeze_after=1)
    with pytest.raises(ValueError, match="unfreeze_after=1 does not go"):
        clf.fit(make_images(8, 8), Y)


def test_random_weights_are_said_aloud():
    clf = BackboneClassifier("test_resnet", weights="random", max_epochs=1)
    with pytest.warns(UserWarning, match="test_resnet has random weights"):
        clf.fit(make_images(8, 8), Y)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* has random weights:UserWarning")
@pytest.mark.parametrize(
    "name",
    ["tf_efficientnet_b7", "resnet152", "resnetv2_152", "inception_resnet_v2", "vgg16"],
)
def test_backbones_of_the_source(name):
    assert timm.is_model(name)
    clf = BackboneClassifier(
        name, weights="random", max_epochs=1, batch_size=2, random_state=0
    )
    images, y = make_images(20, 20)[10:14], Y[10:14]
    assert np.isfinite(clf.fit(images, y).predict_proba(images)).all()
