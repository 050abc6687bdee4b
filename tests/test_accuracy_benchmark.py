"""benchmarks/accuracy.py: what it measures, and that a stopped run goes on."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning

from emclassify import (
    BackboneClassifier,
    LipNetClassifier,
    ResNetClassifier,
    svm_baseline,
)

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
    assert len(one_set) == 5
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


def test_nothing_is_set_but_seeds_and_where_weights_lie(monkeypatch, tmp_path):
    monkeypatch.setattr(_accuracy_models, "save_lite_weights", lambda *a: "lite0.pth")
    defaults = {
        "SVM": svm_baseline(),
        "LipNet-4": LipNetClassifier(4, random_state=3),
        "LipNet-8": LipNetClassifier(8, random_state=3),
        "ResNet(2, 2)": ResNetClassifier(2, 2, random_state=3),
        "EfficientNet-Lite0": BackboneClassifier(weights="lite0.pth", random_state=3),
    }
    made = {name: model.make(Task(3, tmp_path)) for name, model in MODELS.items()}
    assert {name: repr(model) for name, model in made.items()} == {
        name: repr(model) for name, model in defaults.items()
    }


def test_a_record_says_how_long_a_network_was_trained():
    X = np.random.default_rng(0).random((20, 16, 16))
    network = LipNetClassifier(2, max_epochs=1, random_state=0)
    with pytest.warns(ConvergenceWarning):
        network.fit(X, np.arange(20) % 2)
    said = json.loads(json.dumps(accuracy.training_of(network)))
    assert said == {"max_epochs_": 1, "batch_size_": 16, "converged_": False}
    assert accuracy.training_of(svm_baseline()) == {}
