"""load_backbone: where weights come from, and what is said when there are none."""

import subprocess
import sys
import time
from importlib.metadata import version
from unittest.mock import Mock

import pytest
import timm
import torch
from backbone_weights import save_backbone

from emclassify.nets import _import_timm, load_backbone


@pytest.fixture
def no_hub(tmp_path, monkeypatch):
    """A hub that can't be reached, and an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.invalid")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_offline_without_weights_is_an_error_at_once(no_hub):
    begin = time.perf_counter()
    with pytest.raises(ConnectionError, match=r"test_resnet .*hub\.invalid.*weights"):
        load_backbone("test_resnet", 3)
    assert time.perf_counter() - begin < 5


def test_offline_with_weights_in_the_cache(no_hub):
    snapshot = no_hub / "models--timm--test_resnet.r160_in1k" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    net, path = save_backbone(no_hub)
    path.rename(snapshot / "model.safetensors")
    refs = snapshot.parents[1] / "refs"
    refs.mkdir()
    (refs / "main").write_text("abc")
    begin = time.perf_counter()
    loaded = load_backbone("test_resnet", 3)
    assert time.perf_counter() - begin < 5
    assert torch.equal(loaded.conv1[0].weight, net.conv1[0].weight)


@pytest.mark.parametrize("n_classes", [0, 7])
@pytest.mark.parametrize("in_chans", [1, 5])
def test_weights_of_other_classes_and_channels(n_classes, in_chans, tmp_path):
    net, path = save_backbone(tmp_path, num_classes=n_classes, in_chans=in_chans)
    loaded = load_backbone("test_resnet", in_chans, path)
    for mine, theirs in zip(
        loaded.state_dict().values(), net.state_dict().values(), strict=True
    ):
        assert torch.equal(mine, theirs)
    grey = load_backbone("test_resnet", 1, str(path))
    torch.testing.assert_close(
        grey.conv1[0].weight, net.conv1[0].weight.sum(1, keepdim=True)
    )


def test_weights_of_another_network(tmp_path):
    _, path = save_backbone(tmp_path, "test_efficientnet")
    with pytest.raises(ValueError, match=r"don't fit backbone='test_resnet'.*Missing"):
        load_backbone("test_resnet", 3, path)


def test_incomplete_weights_are_refused(tmp_path):
    net, _ = save_backbone(tmp_path)
    state = net.state_dict()
    del state["layer2.0.conv1.weight"]
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(ValueError, match=r"Missing key.*layer2\.0\.conv1\.weight"):
        load_backbone("test_resnet", 1, tmp_path / "part.pth")


def test_whole_network_and_garbage_are_refused(tmp_path):
    net, _ = save_backbone(tmp_path)
    torch.save(net, tmp_path / "whole.pth")
    (tmp_path / "garbage.pth").write_bytes(b"no weights")
    (tmp_path / "garbage.safetensors").write_bytes(b"no weights")
    torch.save([1, 2], tmp_path / "list.pth")
    for name in ("whole.pth", "garbage.pth", "garbage.safetensors", "list.pth"):
        with pytest.raises(ValueError, match=rf"{name}.* can't be read as weights"):
            load_backbone("test_resnet", 3, tmp_path / name)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="'imagenet' is no file"):
        load_backbone("test_resnet", 3, "imagenet")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet81", "Near are resnet"),
        ("resnet18.a7", "knows no weights 'a7'; it knows .*resnet18.a1_in1k"),
        ("hf-hub:timm/resnet18", "is not in timm"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=message):
        load_backbone(name, 3, "random")


def test_network_without_pretrained_weights():
    with pytest.raises(ValueError, match=r"no pretrained weights .*'resnetv2_152'"):
        load_backbone("resnetv2_152", 3)


def test_layers_that_timm_would_leave_random_are_refused(tmp_path):
    # timm can't fold a space-to-depth stem to two channels, and only logs it.
    _, path = save_backbone(tmp_path, "tresnet_m")
    with pytest.raises(ValueError, match=r"tresnet_m.*random init"):
        load_backbone("tresnet_m", 2, path)


@pytest.mark.filterwarnings("ignore:.* has random weights:UserWarning")
def test_size_of_a_network_made_for_one():
    name = "vit_tiny_patch16_224"
    assert timm.create_model(name).patch_embed.img_size != (64, 32)
    net = load_backbone(name, 1, "random", image_size=(64, 32))
    assert net.patch_embed.img_size == (64, 32)


def test_missing_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r"emclassify\[pretrained\]"):
        load_backbone("test_resnet", 3, "random")


@pytest.mark.parametrize(
    ("failure", "wanted", "said"),
    [
        (
            RuntimeError("operator torchvision::nms does not exist"),
            "torch == 9.8.1",
            r"torchvision 0\.99\.1 and torch 9\.8\.1\+cpu don't fit: they come from "
            r"different builds.*nms does not exist.*install .*torch torchvision",
        ),
        (
            ImportError("_C.so: undefined symbol"),
            "torch==9.9.0",
            r"torchvision 0\.99\.1 .* made for torch 9\.9\.0 .*undefined symbol",
        ),
    ],
)
def test_torchvision_that_does_not_fit(monkeypatch, failure, wanted, said):
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "timm":
                raise failure

    versions = {"torch": "9.8.1+cpu", "torchvision": "0.99.1"}
    monkeypatch.setattr(_import_timm, "version", versions.get)
    monkeypatch.setattr(_import_timm, "requires", lambda name: ["numpy", wanted])
    monkeypatch.delitem(sys.modules, "timm")
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    with pytest.raises(ImportError, match=said):
        load_backbone("test_resnet", 3, "random")


def test_torchvision_of_this_environment():
    # Without the stand-in of tests/torchvision_operators.py, as a user has it.
    def run(*lines):
        command = [sys.executable, "-c", "\n".join(lines)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=300
        )

    if not run("import torchvision").returncode:
        pytest.skip("torchvision and torch fit here")
    done = run(
        "from emclassify.nets import load_backbone",
        "for again in range(2):",
        "    try: load_backbone('test_resnet', 3, 'random')",
        "    except ImportError as error: print(error)",
    )
    both = f"torchvision {version('torchvision')} and torch {version('torch')} don't"
    assert done.stdout.count(both) == 2, done.stderr


def test_a_download_that_breaks_off(no_hub, monkeypatch):
    def create_model(name, **settings):
        raise OSError("connection reset")

    monkeypatch.setattr("huggingface_hub.utils.get_session", lambda: Mock())
    monkeypatch.setattr(timm, "create_model", create_model)
    with pytest.raises(ConnectionError, match=r"test_resnet can't be fetched: .*reset"):
        load_backbone("test_resnet", 3)
