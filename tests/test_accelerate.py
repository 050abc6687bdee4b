"""One network trained by two processes: what they share, and what comes out.

Run as a script by the launcher, this file is one of the processes.
"""

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from emclassify import CNNClassifier, LipNetClassifier

pytest.importorskip(
    "accelerate",
    reason='Accelerate is not installed: pip install "emclassify[accelerate]"',
)


def plain_net(image_shape, n_classes):
    """A network that sees each sample by itself: no batch norm, no dropout."""
    height, width, channels = image_shape
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * height * width, n_classes),
    )


def make_data():
    """101 images: batches of 15 and 14, which two processes can't halve."""
    rng = np.random.default_rng(0)
    y = np.array(["none", "square"])[np.arange(101) % 2]
    X = rng.normal(size=(101, 12, 12))
    X[y == "square", 4:8, 4:8] += 0.7
    return X, y, rng.uniform(0.2, 2.5, 101)


def plain(device, **parameters):
    settings = {"batch_size": 16, "max_epochs": 3, "random_state": 0} | parameters
    return CNNClassifier(
        plain_net,
        augmentation=None,
        precision="float32",
        device=device,
        **settings,
    )


def lipnet(device, **parameters):
    return LipNetClassifier(
        2, batch_size=16, max_epochs=3, random_state=0, device=device, **parameters
    )


def state(model):
    return [tensor.cpu().numpy() for tensor in model.net_.module_.state_dict().values()]


def refusal(fit, *args):
    try:
        fit(*args)
    except ValueError as error:
        return str(error)
    return None


def all_fits(device):
    """Everything that one process has to show, by name."""
    X, y, weight = make_data()
    shown = {}
    for name, model in {
        "plain": plain(device).fit(X, y, sample_weight=weight),
        "one_by_one": plain(device, batch_size=1, max_epochs=1).fit(X[:9], y[:9]),
        "again": plain(device, warm_start=True).fit(X, y).fit(X, y),
        "lipnet": lipnet(device, early_stopping=True).fit(X, y),
    }.items():
        loss = model.history_[:, "train_loss"]
        copy = pickle.loads(pickle.dumps(model))
        shown[name] = (state(model), loss, copy.predict_proba(X), model.device_)
    return shown


def main(folder):
    rank = int(os.environ["RANK"])
    shown = all_fits("accelerate")
    X, y, _ = make_data()
    shown["refused"] = [
        refusal(plain("accelerate", random_state=None).fit, X, y),
        refusal(plain("accelerate").fit, X[rank:], y[rank:]),
    ]
    Path(folder, f"{rank}.pickle").write_bytes(pickle.dumps(shown))
    # A process that leaves while the other still talks to it may take it along, and
    # gloo's own threads may end a process that cleans up after them.
    torch.distributed.barrier()
    Path(folder, f"{rank}.left").touch()
    while not Path(folder, f"{1 - rank}.left").exists():
        time.sleep(0.01)
    os._exit(0)


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """What two processes show, under the launcher, with gloo between them."""
    folder = tmp_path_factory.mktemp("processes")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*launcher, "--nproc-per-node=2", __file__, folder],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path]),
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [pickle.loads((folder / f"{i}.pickle").read_bytes()) for i in (0, 1)]


@pytest.fixture(scope="module")
def alone():
    return all_fits("cpu")


@pytest.mark.parametrize("name", ["plain", "one_by_one", "again", "lipnet"])
def test_both_processes_end_with_the_same_network(processes, name):
    (weights, loss, proba, _), (others, other_loss, other_proba, _) = (
        shown[name] for shown in processes
    )
    for tensor, other in zip(weights, others, strict=True):
        np.testing.assert_array_equal(tensor, other)
    np.testing.assert_array_equal(loss, other_loss)
    np.testing.assert_array_equal(proba, other_proba)


@pytest.mark.parametrize("name", ["plain", "one_by_one", "again"])
def test_the_network_is_that_of_one_process(processes, alone, name):
    weights, loss, proba, device = processes[0][name]
    expected, expected_loss, expected_proba, _ = alone[name]
    for tensor, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(tensor, other, atol=1e-5)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    np.testing.assert_allclose(proba, expected_proba, atol=1e-5)
    assert device == "cpu"


def test_the_processes_did_share_the_batches(processes, alone):
    # Batch norm sees half a batch in each: the one thing that is not as in one process.
    ours, theirs = processes[0]["lipnet"][0], alone["lipnet"][0]
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(ours, theirs, strict=True))


def test_different_batches_are_refused(processes):
    for shown in processes:
        for message in shown["refused"]:
            assert "random_state must be an int" in message
            assert "the same images" in message


def test_one_process_trains_as_without_a_launcher():
    X, y, weight = make_data()
    shared, single = (
        plain(device).fit(X, y, sample_weight=weight)
        for device in ("accelerate", "auto")
    )
    assert torch.device(shared.device_).type == torch.device(single.device_).type
    for tensor, other in zip(state(shared), state(single), strict=True):
        np.testing.assert_array_equal(tensor, other)


def test_a_missing_accelerate_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ImportError, match=r"emclassify\[accelerate\]"):
        plain("accelerate").fit(*make_data()[:2])


if __name__ == "__main__":
    main(sys.argv[1])
