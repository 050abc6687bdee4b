import json
import os
import pickle
import sys
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from backbone_weights import save_backbone
from devices import near
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from torch import nn

import emclassify
from emclassify import (
    BackboneClassifier,
    CenterCrop,
    CNNClassifier,
    FullyConvolutionalClassifier,
    FusionClassifier,
    ImageOverSampler,
    LipNetClassifier,
    OffSampleNetClassifier,
    ParticleCropper,
    PixelSizeScaler,
    PixelStandardizer,
    ResizeImages,
    ResNetClassifier,
    SeedEnsembleClassifier,
    classifiers,
    load_image_folder,
    svm_baseline,
    to_onnx,
)
from emclassify.classifiers import _base
from emclassify.persistence import _onnx_module, _to_onnx
from emclassify.persistence._onnx_module import single_precision
from emclassify.persistence._onnx_steps import module_of_step

# The promise of the documentation.
NEAR = near(1e-5)
# In float32: what the file is to be compared with.
QUICK = {"max_epochs": 2, "precision": "float32", "random_state": 0}


@pytest.fixture(scope="module")
def liposomes():
    return emclassify.make_liposomes(
        60, image_size=20, weights=[0.5, 0.3, 0.2], random_state=0
    )


@pytest.fixture(scope="module")
def lipnet(liposomes):
    return LipNetClassifier(2, **QUICK).fit(liposomes.images, liposomes.target)


@pytest.fixture(scope="module")
def exported(lipnet, tmp_path_factory):
    """Path of that network's file."""
    path = tmp_path_factory.mktemp("exported") / "lip.net.onnx"
    to_onnx(lipnet, str(path), dtype="uint8")
    return path


def in_channels(images):
    """Return 16-bit images of three channels, none like the other."""
    stack = np.stack([images, images[:, ::-1], 255 - images], -1)
    return stack.astype(np.uint16) * 200 + 7


def with_mask(images):
    return np.stack([images, (images > 128).astype(images.dtype)], -1)


def run(path, images):
    session = onnxruntime.InferenceSession(path)
    return session.run(["probabilities", "label"], {"images": images})


def export_and_compare(estimator, X, path, **params):
    """Export, and compare what the file says of X with the estimator."""
    random_state = torch.get_rng_state()
    to_onnx(estimator, path, dtype=X.dtype, **params)
    assert torch.equal(torch.get_rng_state(), random_state)
    probabilities, label = run(path, X)
    expected = estimator.predict_proba(X)
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=NEAR)
    # So that the comparison is worth something.
    assert np.ptp(expected, axis=0).max() > 100 * NEAR
    predicted = estimator.predict(X)
    classes = json.loads(metadata(path)["classes"])
    if json.loads(metadata(path)["multilabel"]):
        np.testing.assert_array_equal(label, predicted)
    else:
        assert [classes[i] for i in label] == predicted.tolist()


def metadata(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def small_net(image_shape, n_classes):
    return nn.Sequential(
        nn.Conv2d(image_shape[-1], 4, 3),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, n_classes),
    )


def test_network_on_images_of_16_bits_in_channels(liposomes, tmp_path):
    X = in_channels(liposomes.images)
    model = LipNetClassifier(4, **QUICK).fit(X, liposomes.target)
    export_and_compare(model, X, tmp_path / "model.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("normalization", ["dataset", "image"])
@pytest.mark.parametrize(
    "classifier",
    [
        *(LipNetClassifier(depth, **QUICK) for depth in (2, 4, 6, 8, 10)),
        ResNetClassifier(**QUICK),
        FullyConvolutionalClassifier(**QUICK),
        OffSampleNetClassifier(**QUICK),
        CNNClassifier(small_net, **QUICK),
    ],
    ids=lambda model: f"{type(model).__name__}{getattr(model, 'depth', '')}",
)
def test_every_network(liposomes, tmp_path, classifier, normalization):
    X = liposomes.images.astype(np.float32) / 255
    model = clone(classifier).set_params(normalization=normalization)
    # Batches enough that even the deepest tells one image from the other.
    model.set_params(max_epochs=10, batch_size=10, lr=0.001).fit(X, liposomes.target)
    export_and_compare(model, X, tmp_path / "model.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("image_size", [None, (32, 40)])
def test_backbone(liposomes, tmp_path, image_size):
    _, weights = save_backbone(tmp_path)
    model = BackboneClassifier(
        "test_resnet", weights=weights, image_size=image_size, **QUICK
    )
    model.fit(liposomes.images, liposomes.target)
    export_and_compare(model, liposomes.images, tmp_path / "model.onnx")


def test_every_classifier_is_tried_here():
    # A new one comes here, or among those that are refused.
    tried = {name for name in globals() if name.endswith("Classifier")}
    assert set(classifiers.__all__) <= tried


def test_whole_pipeline_with_mask_and_several_labels(liposomes, tmp_path):
    X = with_mask(liposomes.images)
    y = np.stack([liposomes.target == "unilamellar", np.arange(len(X)) % 3 == 0], 1)
    model = make_pipeline(
        ResizeImages((13, 17)),
        CenterCrop((12, 14)),
        PixelStandardizer(),
        "passthrough",
        LipNetClassifier(2, **QUICK),
    )
    model.fit(X, y.astype(int))
    export_and_compare(model, X, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("colours", "normalization"), [(1, "image"), (3, "image"), (3, "dataset")]
)
def test_masked_network(colours, normalization, liposomes, tmp_path, monkeypatch):
    X = with_mask(liposomes.images)
    X = np.concatenate([X[..., :1]] * (colours - 1) + [X], -1)
    model = LipNetClassifier(2, mask="last", normalization=normalization, **QUICK)
    model.fit(X, liposomes.target)
    export_and_compare(model, X, tmp_path / "model.onnx")
    golden = np.load(tmp_path / "model.golden.npz")["images"]
    # What a mask is only shows where there are pixels in it and others outside.
    assert golden.shape == (4, 20, 20, colours + 1)
    assert 0.2 < (golden[..., -1] == 0).mean() < 0.8
    if normalization == "image":
        right = _onnx_module._standardized
        monkeypatch.setattr(
            _onnx_module, "_standardized", lambda x, mask: right(x, 0 * mask + 1)
        )
        with pytest.raises(ValueError, match="in onnxruntime, probabilities differ"):
            to_onnx(model, tmp_path / "wrong.onnx", dtype=X.dtype)


def test_ensemble_of_pipelines(liposomes, tmp_path):
    network = FullyConvolutionalClassifier((8, 16), **{**QUICK, "max_epochs": 4})
    member = make_pipeline(ResizeImages((10, 12)), network)
    ensemble = SeedEnsembleClassifier(member, n_members=2, random_state=0)
    ensemble.fit(liposomes.images, liposomes.target)
    export_and_compare(ensemble, liposomes.images, tmp_path / "model.onnx")


def test_images_of_different_sizes_and_a_sampler(liposomes, tmp_path):
    X = [image[: 20 - i % 3] for i, image in enumerate(liposomes.images)]
    # The sampler acts in training only.
    model = make_imblearn_pipeline(
        ResizeImages((12, 12)),
        ImageOverSampler(random_state=0),
        ResNetClassifier(1, 1, normalization="image", **QUICK),
    )
    model.fit(X, liposomes.target)
    path = tmp_path / "model.onnx"
    with pytest.raises(ValueError, match="image_shape must be given: ResizeImages"):
        to_onnx(model, path)
    export_and_compare(model, liposomes.images[:, :15], path, image_shape=(15, 20))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_resizing_is_that_of_the_transformer(dtype, channels):
    rng = np.random.default_rng(0)
    for _ in range(12):
        height, width, *new = rng.integers(1, 50, size=4)
        difference = resized_apart(rng, (3, height, width, channels), new, dtype)
        if dtype == np.float32:
            assert difference.max() <= 3e-5
        else:
            # In which order Pillow sums decides where a half is rounded to.
            assert difference.max() <= 1
            assert (difference > 0).mean() < 0.001


@pytest.mark.parametrize(("side", "new"), [(40, 30), (45, 28), (16, 33), (64, 32)])
def test_resizing_of_squares_is_that_of_the_transformer_to_the_bit(side, new):
    rng = np.random.default_rng(0)
    assert resized_apart(rng, (20, side, side, 1), (new, new), np.uint8).max() == 0


def resized_apart(rng, shape, new_size, dtype):
    """Return how far random images are apart, resized by transformer and module."""
    X = rng.integers(0, 256, size=shape).astype(dtype)
    if shape[-1] == 2:
        X[..., 1] = (X[..., 1] > 128) * 7
    step = ResizeImages(new_size).fit(X)
    module, new_shape, _ = module_of_step(step, shape[1:], dtype != np.float32)
    resized = module(torch.from_numpy(X)).numpy()
    assert resized.shape[1:] == new_shape
    expected = step.transform(X).astype(np.float64)
    if shape[-1] == 2:
        np.testing.assert_array_equal(resized[..., 1], expected[..., 1])
    return np.abs(resized - expected)


def test_a_single_image_and_many(exported, liposomes):
    one, many = (run(exported, liposomes.images[:n])[0] for n in (1, 60))
    np.testing.assert_allclose(one, many[:1], rtol=0, atol=1e-6)


def test_what_is_in_the_files(exported, lipnet):
    golden_path = exported.with_name("lip.net.golden.npz")
    assert set(exported.parent.iterdir()) == {exported, golden_path}
    told = metadata(exported)
    assert told["format"] == "emclassify"
    assert told["format_version"] == "1"
    assert told["emclassify_version"] == emclassify.__version__
    assert told["estimator"] == "LipNetClassifier"
    assert json.loads(told["classes"]) == lipnet.classes_.tolist()
    assert json.loads(told["image_shape"]) == [20, 20, 1]
    assert (told["dtype"], told["multilabel"]) == ("uint8", "false")
    # Nothing of the machine that wrote it.
    content = exported.read_bytes()
    assert b".py" not in content
    assert b"stack_trace" not in content
    golden = np.load(golden_path)
    assert golden["images"].shape == (4, 20, 20)
    assert golden["images"].dtype == np.uint8
    found = run(exported, golden["images"])[0]
    np.testing.assert_allclose(found, golden["probabilities"], rtol=0, atol=1e-5)
    # As the user guide reads them in C#.
    with zipfile.ZipFile(golden_path) as archive:
        file = archive.read("probabilities.npy")
    values = np.frombuffer(file[10 + int.from_bytes(file[8:10], "little") :], "<f8")
    np.testing.assert_array_equal(values, golden["probabilities"].ravel())
    # A program that turns or mirrors images, or mixes them up, does not pass.
    for wrong in (
        golden["images"].transpose(0, 2, 1),
        golden["images"][:, ::-1],
        golden["images"][::-1],
        golden["images"] // 2,
    ):
        found = run(exported, np.ascontiguousarray(wrong))[0]
        assert np.abs(found - golden["probabilities"]).max() > 10 * NEAR


def test_golden_images_are_shown_to_a_network_on_the_cpu(lipnet, tmp_path, monkeypatch):
    """A GPU, here another name of the CPU, rounds to TF32: good files were refused."""
    model = pickle.loads(pickle.dumps(lipnet))
    model.device_ = model.net_.device = "cpu:0"
    asked, forward = [], _base.forward
    monkeypatch.setattr(
        _base, "forward", lambda net, *of: asked.append(net.device) or forward(net, *of)
    )
    to_onnx(model, tmp_path / "model.onnx", dtype="uint8")
    assert asked == ["cpu"]
    assert model.device_ == model.net_.device == "cpu:0"


def test_bfloat16_is_exported_in_single_precision(liposomes, tmp_path):
    half = CNNClassifier(small_net, **{**QUICK, "precision": "bfloat16"})
    half.fit(liposomes.images, liposomes.target)
    before = half.predict_proba(liposomes.images)
    path = tmp_path / "model.onnx"
    to_onnx(half, path, dtype="uint8")
    np.testing.assert_array_equal(half.predict_proba(liposomes.images), before)
    half.net_.module_.precision = "float32"
    single = half.predict_proba(liposomes.images)
    found = run(path, liposomes.images)[0]
    np.testing.assert_allclose(found, single, rtol=0, atol=NEAR)
    assert np.abs(found - before).max() > NEAR


def failing_net(image_shape, n_classes):
    class Stubborn(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(image_shape[0] * image_shape[1], n_classes)

        def forward(self, images):
            logits = self.dense(images.flatten(1))
            return logits if logits.detach().sum().item() > 0 else logits * 1.0

    return Stubborn()


def test_network_that_torch_cannot_export(liposomes, tmp_path):
    model = CNNClassifier(failing_net, **QUICK).fit(liposomes.images, liposomes.target)
    with pytest.raises(ValueError, match="torch can't export CNNClassifier"):
        to_onnx(model, tmp_path / "model.onnx")
    assert not os.listdir(tmp_path)


def test_a_graph_that_says_something_else_is_not_written(
    lipnet, exported, tmp_path, monkeypatch
):
    wrong = onnx.load(exported)
    weights = next(w for w in wrong.graph.initializer if len(w.dims) == 4)
    weights.raw_data = bytes(len(weights.raw_data))
    monkeypatch.setattr(_to_onnx, "_export", lambda *_: wrong)
    with pytest.raises(ValueError, match="in onnxruntime, probabilities differ by"):
        to_onnx(lipnet, tmp_path / "model.onnx", dtype="uint8")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (svm_baseline(), r"step 'features' \(FeatureExtractor\) can't be in an ONNX"),
        (
            make_pipeline(ParticleCropper(), ResizeImages(), LipNetClassifier()),
            r"step 'particlecropper' \(ParticleCropper\)",
        ),
        (
            make_pipeline(make_pipeline(CenterCrop(), PixelSizeScaler(1.0)), SVC()),
            r"step 'pipeline' \(Pipeline\)",
        ),
        (FusionClassifier(), "FusionClassifier can't be exported: the features"),
        (ImageOverSampler(), "ImageOverSampler can't be exported: estimator must be"),
        (ResizeImages(), "ResizeImages can't be exported: estimator must be"),
        (SeedEnsembleClassifier(svm_baseline()), "step 'features'"),
        (LipNetClassifier, "estimator must be an estimator; got <class"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_exported_is_named(tmp_path, estimator, message):
    with pytest.raises(TypeError, match=message):
        to_onnx(estimator, tmp_path / "model.onnx")


def test_a_search_is_refused(liposomes, tmp_path):
    search = GridSearchCV(LipNetClassifier(2, **QUICK), {"dropout": [0.1]}, cv=2)
    search.fit(liposomes.images, liposomes.target)
    with pytest.raises(TypeError, match="is a search; export its best_estimator_"):
        to_onnx(search, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "estimator",
    [
        LipNetClassifier(),
        SeedEnsembleClassifier(),
        make_pipeline(ResizeImages(), LipNetClassifier()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_unfitted(tmp_path, estimator):
    with pytest.raises(NotFittedError):
        to_onnx(estimator, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"path": "model.pt"}, r"path must end in \.onnx; got .*model\.pt"),
        ({"dtype": "float64"}, "dtype must be one of uint8, uint16, float32; got 'flo"),
        ({"dtype": "pixels"}, "dtype must be one of .* got 'pixels'"),
        ({"image_shape": (20,)}, "image_shape must be"),
        ({"image_shape": (30, 20)}, "fitted on images of shape"),
    ],
)
def test_bad_parameters(lipnet, tmp_path, params, message):
    path = tmp_path / params.pop("path", "model.onnx")
    with pytest.raises(ValueError, match=message):
        to_onnx(lipnet, path, **params)


def test_folder_that_is_not_there(lipnet, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        to_onnx(lipnet, tmp_path / "none" / "model.onnx")


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_missing_extra_is_named(lipnet, tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"needs {missing}: .*emclassify\[onnx\]"):
        to_onnx(lipnet, tmp_path / "model.onnx")


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    lipnet, exported, tmp_path, monkeypatch
):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    monkeypatch.setattr(_to_onnx, "_export", lambda *_: onnx.load(exported))

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        to_onnx(lipnet, path, dtype="uint8")
    assert os.listdir(tmp_path) == ["model.onnx"]
    assert path.read_bytes() == b"old"


def real_images(folder, name):
    """Return 1,000 images and their labels of a real set."""
    if name in ("elpv", "vnc_sstem"):
        data = load_image_folder(folder / name, labels=folder / name / "labels.csv")
        X, y = data.images, data.target
    elif name == "jurkat_cellcycle":
        with np.load(folder / name / "jurkat_cellcycle.npz") as data:
            X, y = data["X"], data["y"]
    else:
        with np.load(folder / name / "pneumoniamnist.npz") as data:
            X, y = data["train_images"], data["train_labels"].ravel()
    rows = np.random.default_rng(0).choice(len(X), 1000, replace=False)
    return X[rows], y[rows]


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("vnc_sstem", make_pipeline(ResizeImages((28, 28)), LipNetClassifier(2))),
        (
            "elpv",
            make_pipeline(
                ResizeImages((48, 48)), CenterCrop(44), ResNetClassifier(1, 1)
            ),
        ),
        (
            "jurkat_cellcycle",
            make_pipeline(PixelStandardizer(), FullyConvolutionalClassifier((16, 32))),
        ),
        ("pneumoniamnist", SeedEnsembleClassifier(LipNetClassifier(), n_members=2)),
    ],
)
def test_real_images(shared_data, tmp_path, name, model):
    X, y = real_images(shared_data, name)
    quick = {
        parameter: 2 if parameter.endswith("max_epochs") else 0
        for parameter in model.get_params()
        if parameter.endswith(("max_epochs", "random_state"))
    }
    model.set_params(**quick).fit(X, y)
    path = tmp_path / "model.onnx"
    to_onnx(model, path, dtype=X.dtype)
    found = run(path, X)[0]
    with single_precision(model):
        single = model.predict_proba(X)
    apart = np.abs(found - single).max()
    auto = np.abs(found - model.predict_proba(X)).max()
    print(f"{name}: {apart:.1e} from float32, {auto:.1e} from precision='auto'")
    assert np.ptp(single, axis=0).max() > 0.1
    assert apart <= NEAR
