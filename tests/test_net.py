"""Losses that are read once an epoch are those that are read batch by batch."""

import numpy as np
import torch
from devices import ON_CPU

from emclassify import LipNetClassifier
from emclassify.training._training_net import TrainingNet


def make_images():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 8, 8)), np.arange(60) % 2
    X[y == 1] += 1
    return X, y


class AlwaysOneSync(TrainingNet):
    """As on a GPU."""

    one_sync = property(lambda self: True, lambda self, value: None)


def test_history_and_weights_are_the_same(monkeypatch):
    X, y = make_images()
    settings = {"max_epochs": 3, "batch_size": 16, "random_state": 0}
    settings |= {"early_stopping": True, "validation_fraction": 0.3}
    plain = LipNetClassifier(**settings).fit(X, y)
    monkeypatch.setattr(
        "emclassify.training._make_training_net.TrainingNet", AlwaysOneSync
    )
    once = LipNetClassifier(**settings).fit(X, y)
    assert type(once.net_) is AlwaysOneSync
    for a, b in zip(plain.history_, once.history_, strict=True):
        a, b = ({**epoch, "dur": 0} for epoch in (a, b))
        assert a == b
    for name, weight in plain.net_.module_.state_dict().items():
        assert torch.equal(weight, once.net_.module_.state_dict()[name])


def test_the_loss_is_read_once_an_epoch(monkeypatch):
    X, y = make_images()
    reads = []
    item, tolist = torch.Tensor.item, torch.Tensor.tolist
    monkeypatch.setattr(
        "emclassify.training._make_training_net.TrainingNet", AlwaysOneSync
    )
    settings = {"max_epochs": 2, "batch_size": 10, "random_state": 0}
    net = LipNetClassifier(**settings, lr_schedule=None)

    def count(read):
        def counted(self):
            if self.is_floating_point():
                reads.append(self.shape)
            return read(self)

        return counted

    monkeypatch.setattr(torch.Tensor, "item", count(item))
    monkeypatch.setattr(torch.Tensor, "tolist", count(tolist))
    net.fit(X, y)
    assert reads.count(torch.Size([6])) == 2  # six batches, two epochs
    assert torch.Size([]) not in reads


def test_a_callback_of_somebody_s_sees_each_batch():
    X, y = make_images()
    net = LipNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    # On a CPU there is nothing to wait for.
    assert net.net_.one_sync is not ON_CPU
    assert "train_loss" in net.history_[-1]["batches"][-1]
