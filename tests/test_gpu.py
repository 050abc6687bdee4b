"""What only a GPU can show: the CPU's answers, and the same bits each time.

`make test-gpu` runs these; the rest of the suite runs on a GPU too where there is one.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr
from backbone_weights import save_backbone
from joblib import Parallel, delayed

import emclassify
from emclassify import (
    BackboneClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    LipNetClassifier,
    OffSampleNetClassifier,
    ResNetClassifier,
    SeedEnsembleClassifier,
)
from emclassify.baselines import BackboneExtractor
from emclassify.inspection import (
    FiltersDisplay,
    layer_activations,
    network_embedding,
    saliency,
)

pytestmark = pytest.mark.gpu

GPU = "cuda"
# TF32 has 10 bits of mantissa, bfloat16 7.
NEAR_A_CPU = {"float32": 2e-3, "bfloat16": 0.02}
QUICK = {"max_epochs": 3, "batch_size": 16, "random_state": 0, "device": GPU}
NETWORKS = [
    LipNetClassifier(**QUICK),
    LipNetClassifier(2, early_stopping=True, precision="float32", **QUICK),
    ResNetClassifier(1, 1, **QUICK),
    ResNetClassifier(1, 1, precision="float32", **QUICK),
    OffSampleNetClassifier(**QUICK),
    FullyConvolutionalClassifier((4, 8), **QUICK),
    FusionClassifier(**QUICK),
]
IDS = [f"{type(net).__name__}-{i}" for i, net in enumerate(NETWORKS)]


def images(dtype="uint16", n=64, side=20):
    """Simulated images of two classes that a short training tells apart."""
    rng = np.random.default_rng(0)
    y = np.array(["dim", "bright"])[np.arange(n) % 2]
    X = rng.integers(1000, 20000, (n, side, side)) + 30000 * (
        (y == "bright")[:, None, None] * (np.arange(side) > side // 2)
    )
    if dtype == "uint8":
        return (X // 256).astype(dtype), y
    if dtype == "int16":
        return (X - 30000).astype(dtype), y
    return X.astype(dtype), y


def on_cpu(model):
    """The same network, fetched to the CPU."""
    copy = pickle.loads(pickle.dumps(model))
    copy.net_.module_.to("cpu")
    copy.net_.device = copy.device = copy.device_ = "cpu"
    return copy


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
def test_all_dtypes_as_on_a_cpu(dtype, precision):
    X, y = images(dtype)
    settings = QUICK | {"max_epochs": 8, "precision": precision, "lr": 0.003}
    clf = LipNetClassifier(augmentation=None, **settings).fit(X, y)
    assert clf.device_.startswith(GPU)
    proba = clf.predict_proba(X)
    assert type(proba) is np.ndarray
    np.testing.assert_allclose(
        proba, on_cpu(clf).predict_proba(X), atol=NEAR_A_CPU[precision]
    )
    other = LipNetClassifier(augmentation=None, **settings | {"device": "cpu"})
    np.testing.assert_array_equal(clf.predict(X), other.fit(X, y).predict(X))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_images_beyond_the_memory_of_the_gpu(dtype, monkeypatch):
    X, y = images(dtype)
    clf = LipNetClassifier(precision="float32", **QUICK)
    resident = clf.fit(X, y).predict_proba(X)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (0, 0))
    # Nor is there any that torch holds for the next to come.
    monkeypatch.setattr(torch.cuda, "memory_reserved", torch.cuda.memory_allocated)
    batch_by_batch = clf.fit(X, y).predict_proba(X)
    assert clf.device_ == "cpu" or "do not lie on the device" in clf.net_.captured
    np.testing.assert_array_equal(batch_by_batch, resident)


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_one_seed_gives_the_same_bits(network, tmp_path):
    X, y = images()
    expected = network.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(network.fit(X, y).predict_proba(X), expected)
    order = np.random.default_rng(1).permutation(len(X))
    network.fit(X[order], y[order])
    np.testing.assert_array_equal(network.predict_proba(X), expected)
    if isinstance(network, FusionClassifier):
        return  # reads no stored images
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(network.fit(mapped, y).predict_proba(X), expected)
    blocks = zarr.create_array(
        store=tmp_path / "x.zarr", shape=X.shape, chunks=(7, 20, 20), dtype=X.dtype
    )
    blocks[:] = X
    np.testing.assert_array_equal(network.fit(blocks, y).predict_proba(X), expected)


def test_members_of_an_ensemble_are_those_that_train_alone():
    X, y = images()
    settings = {name: value for name, value in QUICK.items() if name != "random_state"}
    ensemble = SeedEnsembleClassifier(
        LipNetClassifier(**settings), n_members=3, random_state=1
    ).fit(X, y)
    seeds = np.random.RandomState(1).randint(np.iinfo(np.int32).max, size=3)
    alone = [
        LipNetClassifier(random_state=int(seed), **settings).fit(X, y).predict_proba(X)
        for seed in seeds
    ]
    np.testing.assert_array_equal(ensemble.member_probabilities(X), alone)


def test_a_checkpoint_goes_on_to_the_same_bits(tmp_path):
    class Stop(Exception):
        pass

    class StopAfter:
        def __init__(self, n_steps):
            self.n_steps = n_steps

        def __call__(self, step):
            if step >= self.n_steps:
                raise Stop
            return 1.0

    X, y = images()
    clf = LipNetClassifier(**QUICK, lr_schedule=StopAfter(10**6))
    expected = clf.fit(X, y).predict_proba(X)
    broken = LipNetClassifier(
        **QUICK, lr_schedule=StopAfter(6), checkpoint_dir=tmp_path
    )
    with pytest.raises(Stop):
        broken.fit(X, y)
    assert list(tmp_path.iterdir())
    broken.lr_schedule.n_steps = 10**6
    np.testing.assert_array_equal(broken.fit(X, y).predict_proba(X), expected)


def test_cudnn_is_as_it_was():
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    LipNetClassifier(**QUICK).fit(*images())
    assert (cudnn.deterministic, cudnn.benchmark) == before


def run_python(code, *arguments, **environment):
    """Run it in a process of its own; return what it prints."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_deterministic_algorithms_are_honoured():
    code = """
import torchvision_operators
import numpy as np, torch
from test_gpu import NETWORKS, images
torch.use_deterministic_algorithms(True)
X, y = images()
for network in NETWORKS:
    one, two = (network.fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(one, two)
assert torch.are_deterministic_algorithms_enabled()
print("same bits")
"""
    said = run_python(code, CUBLAS_WORKSPACE_CONFIG=":4096:8")
    assert "same bits" in said


ASK = """
import pickle, sys
import numpy as np, torch
import emclassify
folder, expected_device = sys.argv[1:]
X = np.load(f"{folder}/x.npy")
with open(f"{folder}/model.pickle", "rb") as file:
    pickled = pickle.load(file)
for model in (pickled, emclassify.load(f"{folder}/model.emc")):
    assert model.device_.startswith(expected_device), model.device_
    np.testing.assert_allclose(
        model.predict_proba(X), np.load(f"{folder}/proba.npy"), atol=2e-3
    )
print("asked")
"""


def test_fitted_on_a_gpu_predicts_without_one(tmp_path):
    X, y = images()
    clf = LipNetClassifier(precision="float32", **QUICK).fit(X, y)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "proba.npy", clf.predict_proba(X))
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(clf))
    emclassify.save(clf, tmp_path / "model.emc")
    said = run_python(ASK, tmp_path, "cpu", CUDA_VISIBLE_DEVICES="")
    assert "asked" in said


def test_fitted_without_a_gpu_predicts_on_one(tmp_path):
    code = """
import sys
import torchvision_operators
import numpy as np
import emclassify
from emclassify import LipNetClassifier
from test_gpu import images
X, y = images()
clf = LipNetClassifier(max_epochs=3, precision="float32", random_state=0).fit(X, y)
assert clf.device_ == "cpu"
emclassify.save(clf, f"{sys.argv[1]}/model.emc")
np.save(f"{sys.argv[1]}/proba.npy", clf.predict_proba(X))
"""
    run_python(code, tmp_path, CUDA_VISIBLE_DEVICES="")
    clf = emclassify.load(tmp_path / "model.emc")
    assert clf.device_.startswith(GPU)
    X, y = images()
    np.testing.assert_allclose(
        clf.predict_proba(X), np.load(tmp_path / "proba.npy"), atol=2e-3
    )
    clf.set_params(warm_start=True).fit(X, y)
    assert len(clf.history_) == 6


def test_a_forked_worker_takes_the_cpu():
    X, y = images()
    clf = LipNetClassifier(precision="float32", **QUICK).fit(X, y)
    found = Parallel(n_jobs=2, backend="multiprocessing", timeout=120)(
        delayed(clf.predict_proba)(X) for _ in range(2)
    )
    np.testing.assert_allclose(found[0], clf.predict_proba(X), atol=2e-3)


def test_all_symmetries_as_on_a_cpu():
    X, y = images("uint8")
    settings = QUICK | {"precision": "float32", "test_time_augmentation": "dihedral"}
    clf = LipNetClassifier(**settings).fit(X, y)
    np.testing.assert_allclose(
        clf.predict_proba(X), on_cpu(clf).predict_proba(X), atol=2e-3
    )
    mirrored = clf.predict_proba(X[:, ::-1])
    np.testing.assert_allclose(mirrored, clf.predict_proba(X), atol=1e-5)


def test_a_training_that_fails_elsewhere_leaves_the_network_here():
    X, y = images()
    clf = LipNetClassifier(precision="float32", warm_start=True, **QUICK).fit(X, y)
    before = clf.predict_proba(X)
    clf.set_params(device="cpu", lr=1e30, lr_schedule=None, optimizer="sgd")
    with pytest.raises(ValueError, match="no longer finite"):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), before)


def test_a_file_for_other_programs(tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    X, y = images("uint8")
    clf = ResNetClassifier(1, 1, **QUICK).fit(X, y)
    before = clf.predict_proba(X)
    emclassify.to_onnx(clf, tmp_path / "it.onnx", dtype="uint8")
    np.testing.assert_array_equal(clf.predict_proba(X), before)


@pytest.fixture(scope="module")
def fitted():
    X, y = images("float32", n=24)
    return LipNetClassifier(precision="float32", **QUICK).fit(X, y), X


@pytest.mark.parametrize(
    "look",
    [
        lambda clf, X: layer_activations(clf, X[:3])["features.0"],
        lambda clf, X: saliency(clf, X[:3]),
        lambda clf, X: network_embedding(clf, X),
        lambda clf, X: FiltersDisplay.from_estimator(clf).filters,
    ],
    ids=["activations", "saliency", "embedding", "filters"],
)
def test_inspection_returns_numpy(look, fitted):
    clf, X = fitted
    found, expected = look(clf, X), look(on_cpu(clf), X)
    assert type(found) is np.ndarray
    # Not value by value: TF32 may make another pixel the largest of a pooling.
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


def test_backbones(tmp_path):
    X, y = images("uint8", side=32)
    weights = save_backbone(tmp_path)[1]
    extractors = [
        BackboneExtractor(
            "test_resnet", weights=weights, precision="float32", device=device
        )
        for device in (GPU, "cpu")
    ]
    found, expected = (extractor.fit_transform(X) for extractor in extractors)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())
    clf = BackboneClassifier(
        "test_resnet",
        weights=weights,
        image_size=(32, 32),
        unfreeze_after=1,
        **QUICK | {"lr": 0.01},
    )
    proba = clf.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(clf.fit(X, y).predict_proba(X), proba)
    emclassify.save(extractors[0], tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc").set_params(device=GPU)
    np.testing.assert_array_equal(again.transform(X), found)
    assert not any(w.is_cuda for w in again.__getstate__()["net_"].parameters())
    # It thaws in the middle of a training that is captured.
    clf.set_params(unfreeze_after=7, max_epochs=14).fit(X, y)
    assert "not captured" not in clf.net_.captured
