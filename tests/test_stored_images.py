"""Images that stay in their files: the same results, without all of them in memory."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from emclassify import (
    FeatureExtractor,
    FullyConvolutionalClassifier,
    ImageOverSampler,
    LipNetClassifier,
    ParticleCropper,
    ResizeImages,
)
from emclassify.readers._stored_images import StoredImages

N = 40
KINDS = ["memmap", "zarr", "h5py", "paths", "array of paths"]


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    y = np.repeat(["dim", "bright"], N // 2)
    X = rng.integers(0, 150, (N, 9, 8)) + 60 * (y == "bright")[:, None, None]
    return X.astype(np.uint8), y


@pytest.fixture(scope="module")
def stored(images, tmp_path_factory):
    """The same images in each kind of storage."""
    X, _ = images
    folder = tmp_path_factory.mktemp("images")
    mapped = np.memmap(folder / "x", dtype=X.dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    blocks = zarr.create_array(
        store=folder / "x.zarr", shape=X.shape, chunks=(7, 9, 8), dtype=X.dtype
    )
    blocks[:] = X
    paths = [folder / f"{i}.png" for i in range(N)]
    for path, image in zip(paths, X, strict=True):
        Image.fromarray(image).save(path)
    with h5py.File(folder / "x.h5", "w") as file:
        file["x"] = X
    with h5py.File(folder / "x.h5") as file:
        yield {
            "memmap": np.memmap(folder / "x", dtype=X.dtype, mode="r", shape=X.shape),
            "zarr": zarr.open_array(folder / "x.zarr", mode="r"),
            "h5py": file["x"],
            "paths": paths,
            "array of paths": np.array([str(path) for path in paths]),
        }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "classifier",
    [
        LipNetClassifier(max_epochs=2, random_state=0),
        LipNetClassifier(max_epochs=2, random_state=0, early_stopping=True),
        FullyConvolutionalClassifier(widths=(4, 8), max_epochs=2, random_state=0),
    ],
    ids=["plain", "early stopping", "fully convolutional"],
)
def test_a_network_learns_the_same(images, stored, kind, classifier):
    X, y = images
    expected = classifier.fit(X, y).predict_proba(X)
    got = classifier.fit(stored[kind], y).predict_proba(stored[kind])
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_features_are_the_same(images, stored, kind, n_jobs):
    X, _ = images
    extractor = FeatureExtractor(n_jobs=n_jobs)
    expected = extractor.fit_transform(X)
    np.testing.assert_array_equal(extractor.fit_transform(stored[kind]), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_resizing_is_the_same(images, stored, kind):
    X, _ = images
    expected = ResizeImages((4, 5)).fit_transform(X)
    got = ResizeImages((4, 5)).fit_transform(stored[kind])
    np.testing.assert_array_equal(got, expected)
    assert got.dtype == expected.dtype


def test_paths_in_cross_validation(images, stored):
    X, y = images
    pipeline = make_pipeline(
        ResizeImages((6, 6)), LipNetClassifier(max_epochs=2, random_state=0)
    )
    np.testing.assert_array_equal(
        cross_val_predict(pipeline, stored["array of paths"], y, cv=2),
        cross_val_predict(pipeline, X, y, cv=2),
    )


@pytest.mark.parametrize("kind", ["memmap", "zarr", "h5py"])
def test_others_read_an_array_whole(images, stored, kind):
    X, _ = images
    cropper = ParticleCropper(margin=1)
    np.testing.assert_array_equal(
        cropper.fit_transform(stored[kind]), cropper.fit_transform(X)
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "memmap"])
def test_rows_in_any_order(images, stored, kind):
    X, _ = images
    read = StoredImages(stored[kind], lambda X: X[..., np.newaxis])
    for rows in (
        slice(3, 9),
        slice(None, None, -7),
        np.array([5, 3, 3, 39, 0]),
        np.array([7, 8, 9]),
        np.array([9, 8, 7]),
        np.array([8, 7, 9]),  # the last is the largest
        np.array([30, 2, 17, 39]),
        np.array([], dtype=int),
    ):
        np.testing.assert_array_equal(read[rows], X[rows][..., np.newaxis])
    np.testing.assert_array_equal(list(read), X[..., np.newaxis])
    assert read.shape == (N, 9, 8, 1)


@pytest.mark.parametrize("kind", ["memmap", "zarr", "h5py", "paths"])
def test_small_batches_are_those_from_memory(images, stored, kind):
    # Of thirty batches of four, some have their largest row last.
    X, y = images
    clf = LipNetClassifier(2, max_epochs=3, batch_size=4, random_state=0)
    expected = clf.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(clf.fit(stored[kind], y).predict_proba(X), expected)


def test_never_all_at_once(images, stored):
    class Watched:
        """Counts the images that are asked for at a time."""

        __module__ = "h5py"
        shape, dtype, ndim = stored["h5py"].shape, stored["h5py"].dtype, 3
        most = 0

        def __getitem__(self, rows):
            part = images[0][rows]
            self.most = max(self.most, len(part))
            return part

    X = Watched()
    classifier = LipNetClassifier(batch_size=8, max_epochs=1, normalization="image")
    classifier.fit(X, images[1])
    X.most = 0
    classifier.predict(X)
    assert X.most == 8


def test_a_file_that_is_no_image_is_named(images, stored, tmp_path):
    _, y = images
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a PNG")
    paths = [*stored["paths"][:-1], broken]
    with pytest.raises(ValueError, match=r"X\[39\] \(.*broken.png\) can't be read"):
        LipNetClassifier(max_epochs=1).fit(paths, y)
    missing = [tmp_path / "missing.png", *stored["paths"][1:]]
    with pytest.raises(ValueError, match=r"X\[0\] \(.*missing.png\) can't be read"):
        FeatureExtractor().fit(missing)


def test_files_of_different_sizes_are_named_but_can_be_resized(
    images, stored, tmp_path
):
    _, y = images
    large = tmp_path / "large.png"
    Image.fromarray(np.zeros((12, 8), np.uint8)).save(large)
    paths = [*stored["paths"][:-1], large]
    with pytest.raises(ValueError, match=r"large.png\) has shape.*ResizeImages"):
        LipNetClassifier(max_epochs=1).fit(paths, y)
    assert ResizeImages((6, 6)).fit_transform(paths).shape == (N, 6, 6)


def test_files_of_another_type_are_named(stored, tmp_path):
    deep = tmp_path / "deep.png"
    Image.fromarray(np.zeros((9, 8), np.uint16)).save(deep)
    with pytest.raises(ValueError, match=r"deep.png\) has shape .* and type uint16"):
        ResizeImages((6, 6)).fit_transform([*stored["paths"], deep])


def test_paths_are_refused_by_what_does_not_read_them(images, stored):
    refusal = r"holds paths of files, which \w+ does not read"
    with pytest.raises(ValueError, match=refusal):
        ParticleCropper().fit(stored["paths"])
    with pytest.raises(ValueError, match=refusal):
        ImageOverSampler().fit_resample(stored["paths"], images[1])


def test_not_a_number_in_storage_is_refused(tmp_path):
    X = np.zeros((300, 4, 4), np.float32)
    X[170, 2, 2] = np.nan
    array = zarr.create_array(store=tmp_path / "x", shape=X.shape, dtype=X.dtype)
    array[:] = X
    with pytest.raises(ValueError, match="NaN"):
        FeatureExtractor().fit_transform(array)


MEMORY = """
import sys
import numpy as np
from torch import nn
from emclassify import CNNClassifier

def anonymous():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024

def net(image_shape, n_classes):
    return nn.Sequential(
        nn.AvgPool2d(64), nn.Flatten(), nn.Linear(16, 4), nn.ReLU(),
        nn.Linear(4, n_classes),
    )

X = np.memmap(sys.argv[1], dtype=np.uint8, mode="r", shape=(6000, 256, 256))
y = np.arange(6000) % 2
small = CNNClassifier(net, max_epochs=1, batch_size=32, random_state=0)
small.fit(X[:64], y[:64])
before = anonymous()
small.fit(X, y).predict(X)
print(anonymous() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_the_batch_not_the_set(tmp_path):
    path = tmp_path / "images"
    with path.open("wb") as file:
        file.truncate(6000 * 256 * 256)  # 375 MiB, sparse
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, path],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert float(run.stdout) < 150  # MiB


def test_advice_fits_what_is_wrong(tmp_path):
    grey = np.zeros((8, 8), np.uint8)
    files = {
        "grey.tif": grey,
        "large.tif": np.zeros((9, 8), np.uint8),
        "deep.tif": grey.astype(np.uint16),
        "rgb.tif": np.dstack([grey] * 3),
        "pages.tif": np.stack([grey] * 2),
    }
    for name, image in files.items():
        kind = "rgb" if image.shape[-1] == 3 else "minisblack"
        tifffile.imwrite(tmp_path / name, image, photometric=kind)
    (tmp_path / "broken.tif").write_bytes(b"II*\0" + bytes(20))
    for name, words in {
        "large.tif": "to one with .+ResizeImages, or to one pixel size",
        "deep.tif": "not on one scale: convert the files",
        "rgb.tif": "Channels must be the same",
        "pages.tif": r"it holds 2 images .+ Here .+read one with .+read_image, or all",
        "broken.tif": "or mend it",
    }.items():
        paths = [tmp_path / "grey.tif", tmp_path / name]
        with pytest.raises(ValueError, match=rf"X\[1\] .+{name}\).+{words}") as caught:
            FeatureExtractor().fit(paths).transform(paths)
        assert ("ResizeImages" in str(caught.value)) == (name == "large.tif")
