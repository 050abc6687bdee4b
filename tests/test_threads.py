"""Training on all cores: the same to rounding, to the bit with as many threads."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from emclassify import LipNetClassifier, OffSampleNetClassifier, ResNetClassifier
from emclassify.training import _runtime, isolated

QUICK = {"max_epochs": 2, "batch_size": 16, "random_state": 0, "device": "cpu"}
NETWORKS = [
    LipNetClassifier(2, lr=0.003, **QUICK),
    ResNetClassifier(1, 1, **QUICK),
    OffSampleNetClassifier(**QUICK),
]


@pytest.fixture(scope="module")
def images():
    """Simulated images whose halves tell two classes apart."""
    rng = np.random.default_rng(0)
    y = np.array(["left", "right"])[np.arange(40) % 2]
    X = rng.normal(100, 10, (40, 18, 18))
    X[y == "left", :, :9] += 60
    X[y == "right", :, 9:] += 60
    return X.astype(np.float32), y


@pytest.mark.parametrize("network", NETWORKS, ids=lambda net: type(net).__name__)
def test_the_number_of_threads_changes_no_more_than_rounding(network, images):
    X, y = images
    network.set_params(augmentation=None, precision="float32")
    one, two, again = (
        network.set_params(n_threads=n).fit(X, y).predict_proba(X) for n in (1, 2, 2)
    )
    np.testing.assert_array_equal(two, again)
    np.testing.assert_allclose(one, two, atol=1e-3)
    np.testing.assert_array_equal(one.argmax(1), two.argmax(1))


def test_all_cores_in_the_main_process_and_a_share_in_workers():
    code = """
import joblib, torch
from emclassify import LipNetClassifier
clf = LipNetClassifier(random_state=0)
cores = joblib.cpu_count()
assert clf._threads() == min(torch.get_num_threads(), cores), clf._threads()
n_jobs = 2
found = joblib.Parallel(n_jobs=n_jobs)(joblib.delayed(clf._threads)() for _ in range(4))
assert set(found) == {max(cores // n_jobs, 1)}, found
print("shared out")
"""
    environment = {k: v for k, v in os.environ.items() if "NUM_THREADS" not in k}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "shared out" in done.stdout


@pytest.fixture
def three_threads(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(_runtime, "cpu_count", lambda: 8)
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("asks_first", [False, True])
def test_a_new_thread_does_not_take_the_number_of_a_training(three_threads, asks_first):
    """Neither for its own training nor, afterwards, for all that come."""
    cpu = torch.device("cpu")
    inside, asked, found = threading.Event(), threading.Event(), []

    def second():
        inside.wait(60)
        if asks_first:
            assert torch.get_num_threads() == 1
        asked.set()
        with isolated(cpu):
            found.append(torch.get_num_threads())
        found.append(torch.get_num_threads())

    def third():
        found.append(torch.get_num_threads())

    threads = [threading.Thread(target=target) for target in (second, third)]
    threads[0].start()
    with isolated(cpu, 1):
        assert torch.get_num_threads() == 1
        inside.set()
        assert asked.wait(60)
    for thread in threads:
        if thread is threads[1]:
            thread.start()
        thread.join(60)
    assert found == [3, 3, 3]
    assert torch.get_num_threads() == 3
