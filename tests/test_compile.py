"""The parameter `compile` of the network classifiers."""

import copy
import pickle
import shutil

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from emclassify.classifiers import CNNClassifier
from emclassify.inspection import layer_activations


class Tiny(nn.Sequential):
    """A network with everything that compiling could change."""

    def __init__(self, image_shape, n_classes):
        height, width, channels = image_shape
        super().__init__(
            nn.Conv2d(channels, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(4 * height * width, n_classes),
        )


def tiny(**params):
    params = {"max_epochs": 2, "batch_size": 16, "optimizer": "sgd", **params}
    return CNNClassifier(Tiny, random_state=0, **{"device": "cpu", **params})


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return rng.normal(size=(45, 6, 6)).astype(np.float32), np.arange(45) % 3


@pytest.fixture
def graphs(monkeypatch):
    """What torch.compile traces; it runs as it is, and needs no C++ compiler."""
    traced = []
    compile = torch.compile

    def run_as_it_is(graph, example):
        traced.append(graph)
        return graph.forward

    def traced_only(function, options):
        assert options == {"fallback_random": True, "triton.cudagraphs": False}
        return compile(function, backend=run_as_it_is)

    monkeypatch.setattr(torch, "compile", traced_only)
    yield traced
    torch.compiler.reset()


@pytest.mark.parametrize("compile", ["auto", False])
def test_nothing_is_compiled_on_a_cpu_unless_asked_for(images, graphs, compile):
    tiny(compile=compile).fit(*images).predict(images[0])
    assert not graphs


def test_compiled_network_computes_what_it_computes_uncompiled(images, graphs):
    X, y = images
    random_state, threads = torch.get_rng_state(), torch.get_num_threads()
    compiled = tiny(compile=True).fit(X, y)
    trained = len(graphs)
    assert trained > 0
    proba = compiled.predict_proba(X)
    assert len(graphs) > trained
    np.testing.assert_allclose(
        proba, tiny(compile=False).fit(X, y).predict_proba(X), atol=1e-5
    )
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.get_num_threads() == threads


def test_copies_compile_for_themselves(images, graphs):
    X, y = images
    compiled = tiny(compile=True).fit(X, y)
    proba = compiled.predict_proba(X)
    for copied in (pickle.loads(pickle.dumps(compiled)), copy.deepcopy(compiled)):
        torch.compiler.reset()
        graphs.clear()
        np.testing.assert_array_equal(copied.predict_proba(X), proba)
        assert graphs
    assert clone(compiled).get_params()["compile"] is True


def test_many_networks_in_one_process_are_all_compiled(images, graphs):
    for depth in range(6):

        def net(image_shape, n_classes, depth=depth):
            return nn.Sequential(nn.Flatten(), nn.Linear(36, 3), *[nn.ReLU()] * depth)

        before = len(graphs)
        clf = CNNClassifier(net, max_epochs=1, compile=True, device="cpu").fit(*images)
        clf.predict(images[0])
        assert len(graphs) >= before + 2


def test_layers_of_a_compiled_network_can_be_looked_at(images, graphs):
    X, y = images
    compiled, plain = (tiny(compile=c).fit(X, y) for c in (True, False))
    compiled.predict(X)
    found, expected = (layer_activations(clf, X[:4]) for clf in (compiled, plain))
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(found["0"], expected["0"], atol=1e-5)


def test_network_that_cannot_be_compiled_is_named(images, monkeypatch):
    compile = torch.compile

    def no_compiler(graph, example):
        raise OSError("no g++ anywhere\nmany more lines")

    monkeypatch.setattr(
        torch,
        "compile",
        lambda function, options: compile(function, backend=no_compiler),
    )
    with pytest.raises(RuntimeError, match=r"compile=True.*compile=False.*no g\+\+"):
        tiny(compile=True).fit(*images)
    torch.compiler.reset()


def test_compile_does_not_go_with_accelerate(images):
    pytest.importorskip("accelerate")
    with pytest.raises(ValueError, match="compile=True does not go with device"):
        tiny(compile=True, device="accelerate").fit(*images)


# torch warns of itself as it loads its compiler.
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++")
def test_real_compilation_agrees_to_rounding(images):
    X, y = images
    random_state, threads = torch.get_rng_state(), torch.get_num_threads()
    compiled = tiny(compile=True).fit(X, y)
    proba = compiled.predict_proba(X)
    np.testing.assert_allclose(
        proba, tiny(compile=False).fit(X, y).predict_proba(X), atol=1e-5
    )
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(compiled)).predict_proba(X), proba
    )
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.get_num_threads() == threads
