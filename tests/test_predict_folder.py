"""predict_folder: a row for each image in a folder, whatever is wrong with some."""

import os

import numpy as np
import pytest
import tifffile
from image_files import RNG, X, Y, encoded, keys, read, write_image, write_stack

import emclassify
from emclassify import predict_folder, svm_baseline
from emclassify.readers._image_file import read_image


@pytest.fixture(scope="module")
def svm():
    return svm_baseline(features=["histogram"], probability=True).fit(X, Y)


@pytest.fixture
def folder(tmp_path):
    """Images of both classes in files of all kinds."""
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    write_image(folder / "image10.png", X[0])
    write_image(folder / "image2.tif", X[20])
    write_image(folder / "sub" / "größe.JPG", X[21])
    write_stack(folder / "run.cxi", X[[1, 22, 2]])
    (folder / "notes.txt").write_text("no image")
    write_image(folder / ".hidden.png", X[0])
    return folder


def test_a_row_for_each_image(svm, folder, tmp_path):
    table = tmp_path / "table.csv"
    assert predict_folder(svm, folder, table, model_name="svm 1") == 6
    assert keys(table) == [
        ("image2.tif", 0),
        ("image10.png", 0),
        ("run.cxi", 0),
        ("run.cxi", 1),
        ("run.cxi", 2),
        ("sub/größe.JPG", 0),
    ]
    rows = read(table)
    assert [row["label"] for row in rows] == svm.predict(
        X[[20, 0, 1, 22, 2, 21]]
    ).tolist()
    probabilities = [float(row["probability_bright"]) for row in rows[:5]]
    expected = svm.predict_proba(X[[20, 0, 1, 22, 2]])[:, 0]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-9)
    assert {row["model"] for row in rows} == {"svm 1"}


def test_several_labels_an_image(folder, tmp_path):
    y = np.stack([Y == "dim", np.ones(40)], axis=1).astype(int)
    cnn = emclassify.ResNetClassifier(n=0, m=0, max_epochs=9, random_state=0)
    cnn.fit(X, y)
    predict_folder(cnn, folder, tmp_path / "t.csv")
    expected = [np.flatnonzero(row) for row in cnn.predict(X[[20, 0, 1, 22, 2]])]
    found = [row["label"] for row in read(tmp_path / "t.csv")]
    assert found[:5] == [" ".join(map(str, labels)) for labels in expected]
    assert "0 1" in found


def test_written_anew_without_watch(svm, folder, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("what was there")
    predict_folder(svm, folder, table)
    once = table.read_bytes()
    predict_folder(svm, folder, table)
    assert table.read_bytes() == once
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", "images"}


def test_another_dataset(svm, tmp_path):
    write_stack(tmp_path / "a.h5", X[:3], "frames")
    predict_folder(svm, tmp_path, tmp_path / "t.csv", dataset="frames", axes="nyx")
    assert keys(tmp_path / "t.csv") == [("a.h5", i) for i in range(3)]


def test_a_stack_is_read_a_part_at_a_time(svm, tmp_path, monkeypatch):
    from emclassify.readers import _incoming_images
    from emclassify.readers._image_stack import ImageStack

    asked = []
    read_rows = ImageStack.__getitem__
    monkeypatch.setattr(
        ImageStack, "__getitem__", lambda s, key: asked.append(key) or read_rows(s, key)
    )
    monkeypatch.setattr(_incoming_images, "_BYTES_PER_READ", 7 * 64)
    write_stack(tmp_path / "a.cxi", X)
    predict_folder(svm, tmp_path, tmp_path / "t.csv", batch_size=5)
    assert keys(tmp_path / "t.csv") == [("a.cxi", i) for i in range(40)]
    assert asked == [slice(i, i + 7) for i in range(0, 40, 7)]


# What is no good.


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bad.png", b"\x89PNG\r\n\x1a\n and no more", "bad.png"),
        ("bad.tif", b"", "empty"),
        ("bad.cxi", b"no HDF5", "not an HDF5 file"),
        ("bad.jpg", encoded(".jpg", X[0])[:-80], "bad.jpg"),
    ],
)
def test_a_corrupt_file(svm, folder, tmp_path, name, content, reason):
    table = tmp_path / "table.csv"
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=reason) as caught:
        predict_folder(svm, folder, table)
    assert name in str(caught.value)
    assert not table.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"images"}
    with pytest.warns(UserWarning, match=f"{name} was left out: "):
        assert predict_folder(svm, folder, table, on_error="skip") == 6
    assert name not in {file for file, _ in keys(table)}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_no_file_that_was_cut_short_is_taken_for_whole(suffix, tmp_path):
    image = RNG.integers(0, 255, (20, 20)).astype(np.uint8)
    whole = encoded(suffix, image)
    path = tmp_path / f"it{suffix}"
    path.write_bytes(whole)
    image = read_image(path, as_gray=False, image_shape=None)
    n_refused = 0
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        try:
            found = read_image(path, as_gray=False, image_shape=None)
        except Exception:
            n_refused += 1
        else:
            # Check sums or marks at the end may be missing, but no pixel.
            np.testing.assert_array_equal(found, image)
    assert n_refused > len(whole) / 3 - 10


def test_images_that_the_model_refuses(tmp_path):
    cnn = emclassify.ResNetClassifier(n=0, m=0, max_epochs=1, random_state=0).fit(X, Y)
    tifffile.imwrite(tmp_path / "small.tif", X[0, :5].astype(np.float32))
    stack = X[:4].astype(np.float32)
    stack[2, 3, 3] = np.nan
    write_stack(tmp_path / "run.cxi", stack)
    table = tmp_path / "t.csv"
    with pytest.raises(ValueError, match=r"run.cxi, image 2 can't be .* NaN"):
        predict_folder(cnn, tmp_path, table)
    with pytest.warns(UserWarning, match="was left out") as caught:
        predict_folder(cnn, tmp_path, table, on_error="skip")
    messages = sorted(str(warning.message) for warning in caught)
    assert messages[0].startswith("run.cxi, image 2 was left out: Input X contains NaN")
    assert messages[1].startswith("small.tif, image 0 was left out: X has images of")
    assert keys(table) == [("run.cxi", 0), ("run.cxi", 1), ("run.cxi", 3)]


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_a_name_with_a_line_break(svm, tmp_path):
    write_image(tmp_path / "a\nb.png", X[0])
    with pytest.raises(ValueError, match="its name has a line break"):
        predict_folder(svm, tmp_path, tmp_path / "t.csv")


def test_empty_and_missing_folders(svm, tmp_path):
    with pytest.raises(ValueError, match="has no image that can be predicted"):
        predict_folder(svm, tmp_path, tmp_path / "t.csv")
    with pytest.raises(NotADirectoryError, match="nowhere"):
        predict_folder(svm, tmp_path / "nowhere", tmp_path / "t.csv")
    with pytest.raises(FileNotFoundError, match=r"path='.*nope.t\.csv': there is no f"):
        predict_folder(svm, tmp_path, tmp_path / "nope" / "t.csv")
    (tmp_path / "a.png").write_bytes(b"bad")
    with (
        pytest.warns(UserWarning, match="a.png was left out"),
        pytest.raises(ValueError, match="could be predicted: all 1 were left out"),
    ):
        predict_folder(svm, tmp_path, tmp_path / "t.csv", on_error="skip")


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_colours_for_a_model_of_greys(svm, tmp_path, name):
    from PIL import Image

    (tmp_path / "images").mkdir()
    Image.fromarray(np.dstack([X[0].astype(np.uint8)] * 3)).save(
        tmp_path / "images" / name
    )
    with pytest.raises(ValueError, match=r"Make colours grey .+ as_gray=True"):
        predict_folder(svm, tmp_path / "images", tmp_path / "t.csv")
    out = tmp_path / "t.csv"
    assert predict_folder(svm, tmp_path / "images", out, as_gray=True) == 1
    assert read(out)[0]["label"] == str(svm.predict(X[:1].astype(np.uint8))[0])


def test_a_table_is_not_named_as_a_packed_one(svm, folder, tmp_path):
    with pytest.raises(ValueError, match=r"p\.csv\.gz: tables are written as plain"):
        predict_folder(svm, folder, tmp_path / "p.csv.gz")
