"""benchmarks/accuracy.py: what it measures, and that a stopped run goes on."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import _accuracy_models
import accuracy
from _accuracy_models import MODELS, ModelToMeasure, Task
from _accuracy_sets import ImageSet, SetToMeasure


@pytest.fixture
def one_set(monkeypatch):
    """A set of 40 images in 10 groups, and a model that says the commonest class.

    The fitted models' tasks are returned, one a fit.
    """
    target = np.array(["a"] * 28 + ["b"] * 12)
    images = ImageSet(np.zeros((40, 4, 4)), target, np.repeat(np.arange(10), 4))
    entry = SetToMeasure(
        lambda folder: images, "accuracy", {"a coin": 0.5}, {"network": 0.9}
    )
    tasks = []

    def make(task):
        tasks.append(task)
        return DummyClassifier()

    monkeypatch.setattr(accuracy, "SETS", {"toy": entry})
    monkeypatch.setattr(accuracy, "MODELS", {"dummy": ModelToMeasure("network", make)})
    return tasks


def run(monkeypatch, out, *args):
    monkeypatch.setattr(sys, "argv", ["accuracy.py", "data", str(out), *args])
    accuracy.main()


def test_records_and_table(one_set, monkeypatch, tmp_path, capsys):
    run(monkeypatch, tmp_path)
    assert [task.n_classes for task in one_set] == [2] * 5
    assert sum(40 - task.n_images for task in one_set) == 40
    table = (tmp_path / "results.md").read_text()
    assert "| toy, accuracy | **dummy** | 0.700 | 0.900 | 5 |" in table
    assert "| toy, accuracy | a coin | 0.500 | | | |" in table
    assert table in capsys.readouterr().out
    tests = [
        json.loads((tmp_path / f"toy-dummy-seed0-fold{fold}.json").read_text())["test"]
        for fold in range(5)
    ]
    # No group is in two folds.
    assert sorted(image for test in tests for image in test) == list(range(40))
    assert sum(len({image // 4 for image in test}) for test in tests) == 10


def test_what_has_a_record_is_not_measured_again(one_set, monkeypatch, tmp_path):
    run(monkeypatch, tmp_path, "--folds", "0", "2")
    assert len(one_set) == 2
    run(monkeypatch, tmp_path)
    assert len(one_set) == 5
    run(monkeypatch, tmp_path, "--folds", "0", "--seeds", "0", "1")
    assert [task.seed for task in one_set] == [0] * 5 + [1]
    run(monkeypatch, tmp_path, "--models")
    assert len(one_set) == 6


@pytest.mark.parametrize("name", ["LipNet-4", "LipNet-8", "ResNet(2, 2)"])
def test_networks_are_trained_by_the_rule(name, tmp_path):
    # A fold of vnc_sstem: ceil(6000 * sqrt(5) / 5141 ** 0.75) = ceil(22.1).
    network = MODELS[name].make(Task(5141, 5, 3, tmp_path))
    assert (network.max_epochs, network.batch_size) == (23, 32)
    assert network.random_state == 3
    assert accuracy.training_of(network)["max_epochs"] == 23


def test_the_svm_and_the_networks_weigh_classes_alike(monkeypatch, tmp_path):
    monkeypatch.setattr(_accuracy_models, "save_lite_weights", lambda *a: "lite0.pth")
    made = {
        name: model.make(Task(100, 2, 0, tmp_path)) for name, model in MODELS.items()
    }
    assert made.pop("SVM")["svc"].class_weight == "balanced"
    assert {network.class_weight for network in made.values()} == {"balanced"}


def test_all_of_the_backbone_is_trained(monkeypatch, tmp_path):
    monkeypatch.setattr(_accuracy_models, "save_lite_weights", lambda *a: "lite0.pth")
    backbone = MODELS["EfficientNet-Lite0"].make(Task(100, 2, 0, tmp_path))
    assert backbone.weights == "lite0.pth"
    assert backbone.image_size == (128, 128)
    assert (backbone.unfreeze_after, backbone.backbone_lr_factor) == (0, 1.0)
