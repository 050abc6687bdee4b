"""Weights learnt from micrographs: found by name, read in the forms that they come in.

The files themselves can't be had here: these are made in their form.
"""

import pytest
import torch
from backbone_weights import save_backbone

from emclassify import BackboneClassifier
from emclassify.nets import load_backbone
from emclassify.nets._micrograph_weights import MICROGRAPH_WEIGHTS


@pytest.fixture
def net(tmp_path):
    """A network for one channel, as CEM500K's is."""
    return save_backbone(tmp_path, in_chans=1)[0]


@pytest.fixture
def no_downloads(tmp_path, monkeypatch):
    """torch's folder of downloads, empty, and no way to fill it."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))

    def refuse(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    return tmp_path / "hub" / "checkpoints"


def body_of(net):
    return {k: v for k, v in net.state_dict().items() if not k.startswith("fc.")}


def moco(net):
    """MoCo: two copies with a head of two layers each, a queue."""
    copies = {}
    for name, tensor in body_of(net).items():
        # The follower comes first: order must not decide.
        copies[f"module.encoder_k.{name}"] = tensor + 1
        copies[f"module.encoder_q.{name}"] = tensor
    for side in ("encoder_k", "encoder_q"):
        copies[f"module.{side}.fc.0.weight"] = torch.ones(8, 8)
        copies[f"module.{side}.fc.2.bias"] = torch.ones(8)
    copies["module.queue"] = torch.ones(128, 16)
    copies["module.queue_ptr"] = torch.zeros(1, dtype=torch.long)
    return {"epoch": 200, "arch": "resnet50", "state_dict": copies, "optimizer": {}}


def swav(net):
    """SwAV: a projection head and prototypes beside the network."""
    state = {f"module.{name}": tensor for name, tensor in body_of(net).items()}
    state["module.projection_head.0.weight"] = torch.ones(8, 8)
    state["module.prototypes.weight"] = torch.ones(30, 8)
    return {"state_dict": state, "norms": [0.5757, 0.1277]}


def plain_without_head(net):
    """CEM500K as it was published: the network alone, and the scale of its images."""
    return {"state_dict": body_of(net), "norms": [0.5729, 0.1274]}


def data_parallel(net):
    return {f"module.{name}": tensor for name, tensor in net.state_dict().items()}


def whole(net):
    """MicroNet: the network with its classes."""
    return net.state_dict()


def without_batch_counts(net):
    """Files from before torch counted the batches of a normalisation."""
    return {
        f"backbone.{k}": v
        for k, v in body_of(net).items()
        if not k.endswith("num_batches_tracked")
    }


@pytest.mark.parametrize(
    "form",
    [moco, swav, plain_without_head, data_parallel, whole, without_batch_counts],
    ids=lambda form: form.__name__,
)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_forms(form, n_channels, net, tmp_path):
    path = tmp_path / "weights.pth.tar"
    torch.save(form(net), path)
    loaded = load_backbone("test_resnet", n_channels, path).state_dict()
    for name, tensor in body_of(net).items():
        if name.endswith("num_batches_tracked"):
            continue
        if name == "conv1.0.weight":
            # timm repeats one channel, and keeps the sum.
            tensor = tensor.expand(-1, n_channels, -1, -1) / n_channels
        torch.testing.assert_close(loaded[name], tensor)


def test_they_can_be_trained_further(net, tmp_path):
    path = tmp_path / "weights.pth.tar"
    torch.save(moco(net), path)
    X = torch.arange(8 * 32 * 32).reshape(8, 32, 32).numpy() % 255
    clf = BackboneClassifier(
        "test_resnet", weights=path, max_epochs=1, image_size=(32, 32), random_state=0
    )
    assert clf.fit(X, list("abababab")).predict(X).shape == (8,)


def test_two_copies_of_one_rank_are_refused(net, tmp_path):
    body = body_of(net)
    state = {f"{side}.{name}": body[name] for side in "ab" for name in body}
    torch.save(state, tmp_path / "two.pth")
    with pytest.raises(ValueError, match=r"two\.pth.*2 copies.*below a\., b\."):
        load_backbone("test_resnet", 3, tmp_path / "two.pth")


def test_a_missing_layer_below_a_prefix_is_refused(net, tmp_path):
    state = moco(net)
    del state["state_dict"]["module.encoder_q.layer2.0.conv1.weight"]
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(ValueError, match=r"Missing key.*layer2\.0\.conv1\.weight"):
        load_backbone("test_resnet", 1, tmp_path / "part.pth")


def test_a_deeper_network_below_a_prefix_is_refused(net, tmp_path):
    state = data_parallel(net)
    state = {f"net.{name}": tensor for name, tensor in state.items()}
    state["net.module.layer1.1.conv1.weight"] = torch.ones(3)
    torch.save(state, tmp_path / "deep.pth")
    with pytest.raises(ValueError, match=r"Unexpected key.*layer1\.1\.conv1\.weight"):
        load_backbone("test_resnet", 1, tmp_path / "deep.pth")


def test_weights_that_are_no_numbers_are_refused(net, tmp_path):
    state = net.state_dict()
    state["conv1.0.weight"][0] = torch.nan
    torch.save(state, tmp_path / "nan.pth")
    with pytest.raises(ValueError, match=r"nan\.pth.*conv1\.0\.weight.*not finite"):
        load_backbone("test_resnet", 1, tmp_path / "nan.pth")


@pytest.mark.parametrize("name", MICROGRAPH_WEIGHTS)
def test_by_name_without_a_connection(name, no_downloads):
    file = MICROGRAPH_WEIGHTS[name].address.rpartition("/")[2]
    with pytest.raises(ConnectionError, match=rf"{name}.*no route.*{file}"):
        load_backbone("resnet50", 1, name)


def test_by_name_from_the_folder_of_downloads(no_downloads):
    no_downloads.mkdir(parents=True)
    net, path = save_backbone(no_downloads, "resnet50", suffix=".pth", in_chans=1)
    torch.save(moco(net), MICROGRAPH_WEIGHTS["cem500k"].path)
    path.unlink()
    loaded = load_backbone("resnet50", 1, "cem500k")
    assert torch.equal(loaded.conv1.weight, net.conv1.weight)
    assert torch.equal(loaded.layer4[2].bn3.weight, net.layer4[2].bn3.weight)


def test_by_name_for_another_network(no_downloads):
    with pytest.raises(ValueError, match=r"'micronet' are for backbone='resnet50'"):
        load_backbone("resnet18", 1, "micronet")
    with pytest.raises(ConnectionError):
        load_backbone("resnet50.a1_in1k", 1, "micronet")


@pytest.mark.parametrize("weights", MICROGRAPH_WEIGHTS.values(), ids=MICROGRAPH_WEIGHTS)
def test_each_says_whose_it_is(weights):
    assert weights.address.startswith("https://")
    assert "20" in weights.citation
    assert weights.licence
