"""Which device a process takes, and in which precision it computes."""

import multiprocessing
from types import SimpleNamespace
from unittest import mock

import joblib
import numpy as np
import pytest
import torch
from skorch.exceptions import DeviceWarning

from emclassify.training import (
    ImageDataset,
    _runtime,
    isolated,
    resolve_device,
    resolve_precision,
)
from emclassify.training._runtime import cuda_device, device_for_kept


@pytest.fixture
def devices(monkeypatch):
    """Make this process worker `number` (None: the main one) of a machine."""

    def pretend(number, count, visible=None):
        identity = () if number is None else (number,)
        process = SimpleNamespace(_identity=identity)
        monkeypatch.setattr(multiprocessing, "current_process", lambda: process)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        if visible is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return pretend


def test_main_process_takes_the_first_device(devices):
    devices(None, 4)
    assert resolve_device("auto") == torch.device("cuda:0")


def test_workers_take_turns(devices):
    taken = []
    for number in range(1, 7):
        devices(number, 3)
        taken.append(str(resolve_device("auto")))
    assert taken == ["cuda:0", "cuda:1", "cuda:2"] * 2


def test_a_single_device_is_for_all(devices):
    # Also what a worker sees whose CUDA_VISIBLE_DEVICES names one device.
    devices(2, 1, visible="3")
    assert resolve_device("auto") == torch.device("cuda:0")


def test_without_cuda_workers_compute_on_the_cpu(devices, monkeypatch):
    devices(2, 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


def test_a_named_device_is_never_exchanged(devices):
    devices(2, 4)
    assert resolve_device("cuda:3") == torch.device("cuda:3")
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("visible", ["4,7", "4, 7", "GPU-8f,GPU-a1"])
def test_allotted_devices_are_shared_out(devices, visible):
    taken = []
    for number in (1, 2):
        devices(number, 2, visible)
        taken.append(cuda_device())
    assert taken == [0, 1]


@pytest.mark.parametrize("first", [1, 2])
def test_workers_whose_lists_are_turned_round_do_not_meet(devices, first):
    # As dask-cuda does it: the lists differ in order, so equal numbers differ.
    taken = []
    for i, visible in enumerate(["0,1", "1,0"]):
        devices(first + i, 2, visible)
        taken.append(visible.split(",")[cuda_device()])
    assert sorted(taken) == ["0", "1"]


def numbers_of(_):
    with mock.patch.object(torch.cuda, "device_count", return_value=2):
        return multiprocessing.current_process()._identity, cuda_device()


def test_joblib_numbers_its_workers():
    with joblib.parallel_config(backend="loky", n_jobs=2):
        seen = joblib.Parallel()(joblib.delayed(numbers_of)(i) for i in range(8))
    for identity, device in seen:
        assert len(identity) == 1
        assert device == (identity[0] - 1) % 2


@pytest.mark.parametrize("native", [True, False])
def test_auto_precision_is_bfloat16_where_it_pays(monkeypatch, native):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    cpu = torch.device("cpu")
    chosen = [
        resolve_precision("auto", cpu, shape)
        for shape in ((28, 28, 1), (16, 16, 3), (15, 64, 1), (1, 40, 1))
    ]
    wide = "bfloat16" if native else "float32"
    assert chosen == [wide, wide, "float32", "float32"]
    assert resolve_precision("bfloat16", cpu, (1, 1, 1)) == "bfloat16"
    assert resolve_precision("float32", cpu, (64, 64, 1)) == "float32"


def test_a_network_goes_to_a_device_that_is_here(devices):
    devices(None, 2)
    assert device_for_kept("cuda:1") == "cuda:1"
    assert device_for_kept("cuda") == "cuda"
    assert device_for_kept("cpu") == "cpu"
    assert device_for_kept(None) is None
    with pytest.warns(DeviceWarning, match="'cuda:3'.*not on this machine.*'cuda:0'"):
        assert device_for_kept("cuda:3") == "cuda:0"
    devices(None, 0)
    with pytest.warns(DeviceWarning, match="'cuda:1'.*'cpu'"):
        assert device_for_kept("cuda:1") == "cpu"


def answers(queue):
    """Put what a process says of devices, and of what they are asked for."""
    said = [str(resolve_device("auto")), device_for_kept("cuda:0")]
    for refused in (
        lambda: resolve_device("cuda"),
        lambda: isolated(torch.device("cuda:0"), 1).__enter__(),
    ):
        try:
            refused()
        except (RuntimeError, ValueError) as error:
            said.append(str(error))
    queue.put(said)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="nothing forks here"
)
def test_a_fork_leaves_cuda_behind(devices, monkeypatch):
    devices(None, 2)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=answers, args=(queue,), daemon=True)
    child.start()
    child.join(60)
    assert child.exitcode == 0
    auto, kept, by_name, with_network = queue.get()
    assert auto == kept == "cpu"
    for message in (by_name, with_network):
        assert "device" in message
        assert "forked after its parent had used it" in message
        assert '"loky"' in message
    # The parent goes on as before.
    assert resolve_device("auto") == torch.device("cuda:0")


@pytest.mark.parametrize("before", [(False, True), (True, False), (False, False)])
def test_cudnn_repeats_to_the_bit_and_is_as_it_was(before, monkeypatch):
    cudnn = torch.backends.cudnn
    monkeypatch.setattr(cudnn, "deterministic", before[0])
    monkeypatch.setattr(cudnn, "benchmark", before[1])
    with _runtime._repeating(torch.device("cuda")):
        assert cudnn.deterministic
        assert not cudnn.benchmark
    assert (cudnn.deterministic, cudnn.benchmark) == before
    with _runtime._repeating(torch.device("cpu")):
        assert (cudnn.deterministic, cudnn.benchmark) == before


def test_a_named_device_has_its_number(devices, monkeypatch):
    devices(None, 2)
    assert str(resolve_device("cuda")) == "cuda:0"
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert str(resolve_device("cuda")) == "cuda:1"
    assert str(resolve_device("cuda:0")) == "cuda:0"


def test_only_the_device_of_a_training_is_seeded(monkeypatch):
    others = mock.Mock(side_effect=AssertionError)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", others)
    cpu = torch.device("cpu")
    before = torch.get_rng_state()
    with isolated(cpu, 1, seed=3):
        drawn = torch.rand(4)
    assert torch.equal(drawn, torch.rand(4, generator=torch.Generator().manual_seed(3)))
    assert torch.equal(before, torch.get_rng_state())
    of_devices = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    monkeypatch.setattr(torch.cuda, "default_generators", of_devices)
    with isolated(cpu, 1):
        _runtime._seed(torch.device("cuda:1"), 3)
        assert torch.equal(torch.rand(4), drawn)
    assert [generator.initial_seed() for generator in of_devices] == [1, 3]


def test_cached_memory_of_a_gpu_is_free(monkeypatch):
    """Of 1000 bytes 100 are free, 800 more are torch's, of which it uses 0 or 700."""
    gpu = torch.device("cuda:0")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 800)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, device: self)
    for used, fits in [(0, True), (700, False)]:
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device, u=used: u)
        dataset = ImageDataset(np.zeros((4, 5, 20, 1), "u1"))  # 400 bytes
        dataset.move_to(gpu)
        assert (dataset.pinned_for is None) == fits
