"""BackboneExtractor: what timm gives, behind a transformer's interface."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import timm
import torch
from backbone_weights import save_backbone
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import emclassify
from emclassify import BackboneExtractor

RANDOM = "ignore:.* has random weights:UserWarning"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network of timm with weights, and the file that they were saved to."""
    return save_backbone(tmp_path_factory.mktemp("weights"))


def make_images(*shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(dtype)


def normalised(images):
    """Images (n, h, w, c), each channel of mean 0 and deviation 1, for torch."""
    x = torch.from_numpy(images).permute(0, 3, 1, 2).double()
    mean, std = x.mean((0, 2, 3)), x.std((0, 2, 3), correction=0)
    x = (x.float() - mean.float()[:, None, None]) / std.float()[:, None, None]
    # Contiguous, also in the strides of a single channel.
    return x.flatten().view(x.shape)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize(
    "name", ["test_resnet", "test_efficientnet", "test_convnext", "test_vit"]
)
def test_features_are_those_of_timm_to_the_bit(name, suffix, tmp_path):
    net, path = save_backbone(tmp_path, name, suffix)
    side = 160 if name == "test_vit" else 100
    images = make_images(6, side, side, 3)
    extractor = BackboneExtractor(name, weights=path, batch_size=6, device="cpu")
    extractor.fit(images)
    for mine, theirs in zip(
        extractor.net_.net.net.state_dict().values(),
        net.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(mine, theirs)
    with torch.inference_mode():
        x = normalised(images)
        expected = net.forward_head(net.forward_features(x), pre_logits=True)
    features = extractor.transform(images)
    assert features.dtype == np.float32
    assert torch.equal(torch.from_numpy(features), expected)


@pytest.mark.parametrize("n_channels", [1, 2, 4])
def test_first_layer_is_adapted_as_timm_does(n_channels, weights):
    _, path = weights
    net = timm.create_model(
        "test_resnet",
        pretrained=True,
        pretrained_cfg_overlay={"file": str(path)},
        in_chans=n_channels,
        num_classes=0,
    ).eval()
    images = make_images(4, 96, 96, n_channels)
    with torch.inference_mode():
        expected = net(normalised(images)).numpy()
    extractor = BackboneExtractor(
        "test_resnet", weights=path, batch_size=4, device="cpu"
    )
    np.testing.assert_array_equal(extractor.fit_transform(images), expected)


def test_photographs_are_normalised_as_by_timm(tmp_path):
    # test_efficientnet: another mean in each channel.
    net, path = save_backbone(tmp_path, "test_efficientnet")
    images = make_images(3, 96, 96, 3)
    transform = timm.data.create_transform(
        **timm.data.resolve_data_config({"input_size": (3, 96, 96)}, model=net),
        no_aug=False,
    ).transforms[-2:]  # to a tensor of 0 to 1, and normalise
    x = torch.stack([transform[1](transform[0](image)) for image in images])
    with torch.inference_mode():
        expected = net.forward_head(net.forward_features(x), pre_logits=True)
    extractor = BackboneExtractor(
        "test_efficientnet", weights=path, normalization="pretrained", device="cpu"
    )
    features = extractor.fit_transform(images)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-6)
    with (
        pytest.warns(UserWarning, match="not on one scale"),
        pytest.raises(ValueError, match="0 to 255; X holds 0 to 510"),
    ):
        extractor.transform(2 * images.astype(np.uint16))


def test_image_normalisation_forgets_brightness_and_contrast(weights):
    images = make_images(3, 20, 20).astype(float)
    extractor = BackboneExtractor(
        "test_resnet", weights=weights[1], normalization="image"
    ).fit(images)
    np.testing.assert_allclose(
        extractor.transform(7 * images + 100),
        extractor.transform(images),
        rtol=1e-3,
        atol=1e-5,
    )


def test_layers_by_name_are_averaged_over_positions(weights):
    net, path = weights
    images = make_images(2, 96, 96, 3)
    extractor = BackboneExtractor(
        "test_resnet", weights=path, layers=["layer1", "fc"], device="cpu"
    ).fit(images)
    with torch.inference_mode():
        x = normalised(images)
        maps = net.layer1(net.maxpool(net.act1(net.bn1(net.conv1(x)))))
        expected = torch.cat([maps.mean((2, 3)), net(x)], dim=1)
    features = extractor.transform(images)
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    names = extractor.get_feature_names_out()
    assert names[0] == "layer1_0"
    assert names[-1] == f"fc_{net.num_classes - 1}"
    assert len(names) == features.shape[1] == extractor.n_features_out_


def test_tokens_of_a_transformer_are_averaged(tmp_path):
    net, path = save_backbone(tmp_path, "test_vit")
    images = make_images(2, 160, 160, 3)
    features = BackboneExtractor(
        "test_vit", weights=path, layers=["blocks.1"]
    ).fit_transform(images)
    with torch.inference_mode():
        tokens = net.forward_intermediates(
            normalised(images), indices=[1], output_fmt="NLC", return_prefix_tokens=True
        )[1][0]
        expected = torch.cat(tokens[::-1], dim=1).mean(1)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["layer5"], "'layer5', which is no layer .* Near are layer"),
        ("layer1", "must be an array-like or None"),
        ([], "list of different names"),
        (["fc", "fc"], "list of different names"),
    ],
)
def test_refused_layers(layers, message, weights):
    extractor = BackboneExtractor("test_resnet", layers=layers, weights=weights[1])
    with pytest.raises(ValueError, match=message):
        extractor.fit(make_images(2, 20, 20))


def test_small_images_are_enlarged_and_given_sizes_kept(weights):
    _, path = weights
    images = make_images(3, 100, 30)

    def features(images, image_size):
        extractor = BackboneExtractor(
            "test_resnet",
            weights=path,
            image_size=image_size,
            normalization="image",
        )
        return extractor.fit_transform(images)

    np.testing.assert_array_equal(features(images, None), features(images, (100, 96)))
    assert not np.allclose(features(images, None), features(images, (32, 32)))


def test_images_of_different_sizes(weights):
    images = [make_images(*size) for size in [(20, 30), (99, 120), (20, 30), (7, 200)]]
    extractor = BackboneExtractor("test_resnet", weights=weights[1]).fit(images)
    features = extractor.transform(images)
    alone = [extractor.transform([image])[0] for image in images]
    np.testing.assert_allclose(features, alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_images_in_files_are_read_by_the_batch(batch_size, weights, tmp_path):
    images = make_images(11, 20, 20)
    extractor = BackboneExtractor(
        "test_resnet", weights=weights[1], batch_size=batch_size, image_size=(32, 32)
    )
    expected = extractor.fit_transform(images)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = images
        np.testing.assert_array_equal(extractor.fit_transform(file["x"]), expected)
    mapped = np.memmap(tmp_path / "x", np.uint8, "w+", shape=images.shape)
    mapped[:] = images
    np.testing.assert_array_equal(extractor.fit_transform(mapped), expected)


def test_in_a_cached_pipeline_and_a_search(weights, tmp_path):
    y = np.repeat(["dim", "bright"], 10)
    images = make_images(20, 16, 16) // 2 + 100 * (y == "bright")[:, None, None]
    pipeline = make_pipeline(
        BackboneExtractor("test_resnet", weights=weights[1], image_size=(32, 32)),
        StandardScaler(),
        LogisticRegression(),
        memory=str(tmp_path / "cache"),
    )
    pipeline[:-1].set_output(transform="pandas")
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1]}, cv=2)
    assert search.fit(images, y).best_score_ == 1
    names = search.best_estimator_[:-1].get_feature_names_out()
    assert names[0] == "pooled_0"
    # One entry a fold and one for all: the features are computed once for both C.
    entries = list((tmp_path / "cache").rglob("output.pkl"))
    assert len(entries) == 2 * 3


def test_copies_need_no_file(weights, tmp_path):
    _, path = save_backbone(tmp_path)
    images = make_images(3, 20, 20)
    extractor = BackboneExtractor("test_resnet", weights=path).fit(images)
    expected = extractor.transform(images)
    path.unlink()
    copy = pickle.loads(pickle.dumps(extractor))
    np.testing.assert_array_equal(copy.transform(images), expected)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_keeps_the_parameters_of_fit(weights, tmp_path, kind):
    images = make_images(4, 64, 64, 1)
    given = kind(weights[1])
    extractor = clone(BackboneExtractor("test_resnet", weights=given))
    extractor.fit(images).set_params(image_size=(32, 32), layers=["layer1"])
    emclassify.save(extractor, tmp_path / "it.emc")
    again = emclassify.load(tmp_path / "it.emc")
    np.testing.assert_array_equal(again.transform(images), extractor.transform(images))
    kept = again.get_params()["weights"]
    assert kept == given
    assert isinstance(kept, kind)
    card = emclassify.read_model_card(tmp_path / "it.emc")
    assert card["parameters"]["weights"] == str(given)


def test_a_copy_holds_nothing_on_a_gpu_that_transform_took_it_to(weights, monkeypatch):
    extractor = BackboneExtractor("test_resnet", weights=weights[1], device="cpu")
    extractor.fit(make_images(2, 20, 20))
    extractor.net_.to("meta")  # in the place of a GPU, as after `load`
    assert extractor.device_ == "cpu"
    monkeypatch.setattr(torch.nn.Module, "cpu", lambda module: "on the CPU")
    assert extractor.__getstate__()["net_"] == "on the CPU"


def test_random_weights_are_said_aloud_and_repeatable():
    images = make_images(2, 20, 20)

    def features(seed):
        extractor = BackboneExtractor(
            "test_resnet", weights="random", random_state=seed
        )
        with pytest.warns(UserWarning, match="test_resnet has random weights"):
            return extractor.fit_transform(images)

    np.testing.assert_array_equal(features(0), features(0))
    assert not np.allclose(features(0), features(1))


def test_bfloat16_is_near(weights):
    images = make_images(2, 64, 64)
    exact, rough = (
        BackboneExtractor(
            "test_resnet", weights=weights[1], precision=precision
        ).fit_transform(images)
        for precision in ("float32", "bfloat16")
    )
    assert rough.dtype == np.float32
    assert not np.array_equal(exact, rough)
    assert np.linalg.norm(exact - rough) < 0.03 * np.linalg.norm(exact)


@pytest.mark.parametrize("wrong", [(64,), (31, 64), (32.5, 32), 64])
def test_refused_image_size(wrong, weights):
    extractor = BackboneExtractor("test_resnet", weights=weights[1], image_size=wrong)
    with pytest.raises(ValueError, match="image_size"):
        extractor.fit(make_images(2, 20, 20))


@pytest.mark.filterwarnings(RANDOM)
def test_size_that_the_network_does_not_take():
    name = "inception_v3"
    extractor = BackboneExtractor(name, weights="random", image_size=(32, 32))
    with pytest.raises(ValueError, match=r"20×20 px .*\(32, 32\).*\(299, 299\)"):
        extractor.fit(make_images(2, 20, 20))


@pytest.mark.slow
@pytest.mark.filterwarnings(RANDOM)
def test_vgg16_gives_both_hidden_dense_layers():
    images = make_images(2, 40, 50)
    extractor = BackboneExtractor(weights="random", random_state=0).fit(images)
    features = extractor.transform(images)
    assert features.shape == (2, 8192)
    net = extractor.net_.net.net
    x = torch.nn.functional.interpolate(
        normalised(images[..., None]), (224, 224), mode="bilinear", antialias=True
    )
    with torch.inference_mode():
        hidden = net.pre_logits.act1(net.pre_logits.fc1(net.forward_features(x)))
        last = net.pre_logits.act2(net.pre_logits.fc2(hidden))
    expected = torch.cat([hidden, last], dim=1)[:, :, 0, 0]
    np.testing.assert_array_equal(features, expected)


def test_a_forked_process_learns_and_extracts(weights):
    images = make_images(400, 96, 96, 3)
    extractor = BackboneExtractor("test_resnet", weights=weights[1], device="cpu")
    expected = extractor.fit_transform(images)
    found = Parallel(n_jobs=2, backend="multiprocessing", timeout=60)(
        delayed(does)(images) for does in (extractor.transform, extractor.fit_transform)
    )
    np.testing.assert_allclose(found[0], expected, atol=1e-4)
    np.testing.assert_allclose(found[1], expected, atol=1e-4)
