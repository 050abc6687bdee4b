"""predict_folder: a row for each image, also of a folder that grows, also if killed."""

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

import emclassify
from emclassify import predict_folder, svm_baseline
from emclassify.datasets._image_file import read_image

RNG = np.random.default_rng(0)
X = RNG.integers(0, 100, (40, 8, 8)).astype(np.uint8)
X[20:] += 100
Y = np.repeat(["dim", "bright"], 20)
CXI = "/entry_1/data_1/data"
CODE = """
import sys, emclassify
folder, model, table = sys.argv[1:]
emclassify.predict_folder(
    emclassify.load(model), folder, table,
    watch=True, interval=0.05, batch_size=4, on_error="skip", model_name="svm",
)
print("ended")
"""


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


def write_image(path, image):
    path.write_bytes(encoded(path.suffix.lower(), image))


def encoded(suffix, image):
    """The bytes of an image file."""
    buffer = io.BytesIO()
    if suffix == ".tif":
        tifffile.imwrite(buffer, image)
    else:
        Image.fromarray(image).save(buffer, {".png": "PNG", ".jpg": "JPEG"}[suffix])
    return buffer.getvalue()


def write_stack(path, images, dataset=CXI):
    with h5py.File(path, "w") as file:
        file.create_dataset(dataset, data=images, maxshape=(None, *images.shape[1:]))


def read(table):
    with open(table, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def keys(table):
    return [(row["file"], int(row["index"])) for row in read(table)]


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
    predict_folder(svm, tmp_path, tmp_path / "t.csv", dataset="frames")
    assert keys(tmp_path / "t.csv") == [("a.h5", i) for i in range(3)]


def test_a_stack_is_read_a_part_at_a_time(svm, tmp_path, monkeypatch):
    from emclassify.datasets._image_stack import ImageStack
    from emclassify.streaming import _incoming_images

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
    write_image(tmp_path / "small.png", X[0, :5])
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
    assert messages[1].startswith("small.png, image 0 was left out: X has images of")
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


# Watching, in this process: what happens while it sleeps is written down beforehand.


def watch_steps(monkeypatch, model, folder, table, steps, **options):
    """Watch; do one step in each pause, and interrupt after the last."""
    steps = iter(steps)

    def pause(seconds):
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    monkeypatch.setattr(time, "sleep", pause)
    try:
        return predict_folder(model, folder, table, watch=True, **options)
    finally:
        monkeypatch.undo()


def nothing():
    pass


def test_a_file_is_read_when_it_has_not_changed(svm, tmp_path, monkeypatch):
    path, whole = tmp_path / "a.tif", encoded(".tif", X[0])
    rows = []

    def note():
        rows.append(len(read(tmp_path / "t.csv")))

    def write(n_bytes):
        return lambda: (path.write_bytes(whole[:n_bytes]), note())

    steps = [write(50), write(150), write(len(whole)), note, note, note]
    assert watch_steps(monkeypatch, svm, tmp_path, tmp_path / "t.csv", steps) == 1
    assert rows == [0, 0, 0, 0, 1, 1]


def test_a_file_that_stays_broken_is_given_up_and_read_when_mended(
    svm, tmp_path, monkeypatch
):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(".png", X[0])[:60])
    write_image(tmp_path / "b.png", X[1])
    steps = [
        *[nothing] * 20,
        lambda: write_image(path, X[0]),
        *[nothing] * 2,
    ]
    with pytest.warns(UserWarning, match="was left out") as caught:
        watch_steps(
            monkeypatch, svm, tmp_path, tmp_path / "t.csv", steps, on_error="skip"
        )
    assert len(caught) == 1
    assert str(caught[0].message).startswith("a.png was left out: ")
    assert keys(tmp_path / "t.csv") == [("b.png", 0), ("a.png", 0)]
    path.write_bytes(b"")
    (tmp_path / "t.csv").unlink()
    with pytest.raises(ValueError, match=r"a.png can't be predicted: .*empty"):
        watch_steps(monkeypatch, svm, tmp_path, tmp_path / "t.csv", [nothing] * 9)
    # What came before it stays.
    assert keys(tmp_path / "t.csv") == [("b.png", 0)]


def test_a_writer_may_pause(svm, tmp_path, monkeypatch):
    path, whole = tmp_path / "a.png", encoded(".png", X[0])
    path.write_bytes(whole[:60])
    steps = [*[nothing] * 4, lambda: path.write_bytes(whole), nothing, nothing]
    assert watch_steps(monkeypatch, svm, tmp_path, tmp_path / "t.csv", steps) == 1


def test_files_that_go_away(svm, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"bad")
    steps = [nothing, nothing, path.unlink, *[nothing] * 9]
    assert watch_steps(monkeypatch, svm, tmp_path, tmp_path / "t.csv", steps) == 0
    assert keys(tmp_path / "t.csv") == []


def test_a_stack_that_grows(svm, tmp_path, monkeypatch):
    path, table = tmp_path / "a.cxi", tmp_path / "t.csv"
    write_stack(path, X[:0])
    steps = [
        *[nothing] * 2,
        lambda: append(path, X[:3]),
        *[nothing] * 3,
        lambda: append(path, X[3:8]),
        *[nothing] * 2,
    ]
    assert watch_steps(monkeypatch, svm, tmp_path, table, steps, batch_size=2) == 8
    append(path, X[8:9])
    # Another process goes on.
    assert watch_steps(monkeypatch, svm, tmp_path, table, [nothing] * 2) == 1
    assert keys(table) == [("a.cxi", i) for i in range(9)]


def test_a_stack_that_is_still_being_written(svm, tmp_path, monkeypatch):
    path = tmp_path / "a.cxi"
    writer = h5py.File(path, "w")
    writer.create_dataset(CXI, data=X[:4])
    writer.flush()
    steps = [nothing, nothing, writer.close, *[nothing] * 3]
    assert watch_steps(monkeypatch, svm, tmp_path, tmp_path / "t.csv", steps) == 4


def test_interrupted_while_it_writes(svm, tmp_path, monkeypatch):
    for i in range(4):
        write_image(tmp_path / f"{i}.png", X[i])
    sync, calls = os.fsync, []

    def interrupt(descriptor):
        calls.append(descriptor)
        # First the header, then two images, and two again.
        if len(calls) == 3:
            os.write(descriptor, b"half a row,0")
            raise KeyboardInterrupt
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", interrupt)
    steps, table = [nothing] * 3, tmp_path / "t.csv"
    n_rows = watch_steps(monkeypatch, svm, tmp_path, table, steps, batch_size=2)
    assert n_rows == 4
    assert keys(table) == [(f"{i}.png", 0) for i in range(4)]


def test_another_model_does_not_go_on(svm, tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", X[0])
    table = tmp_path / "t.csv"
    steps = [nothing] * 2
    watch_steps(monkeypatch, svm, tmp_path, table, steps, model_name="a")
    assert watch_steps(monkeypatch, svm, tmp_path, table, steps, model_name="a") == 0
    with pytest.raises(ValueError, match="of the model a; this is b"):
        watch_steps(monkeypatch, svm, tmp_path, table, steps, model_name="b")


# Watching, in another process that is killed.


class Watch:
    """A process that watches a folder."""

    def __init__(self, tmp_path):
        self.folder = tmp_path / "incoming"
        self.folder.mkdir()
        self.table = tmp_path / "table.csv"
        self.model = tmp_path / "model.emc"

    def start(self):
        argv = [str(path) for path in (self.folder, self.model, self.table)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE, *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, number):
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)

    def n_rows(self):
        return self.table.read_bytes().count(b"\n") - 1 if self.table.exists() else -1

    def wait_for(self, n_rows):
        deadline = time.monotonic() + 60
        while self.n_rows() < n_rows:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, (self.n_rows(), n_rows)
            time.sleep(0.01)


def write_slowly(path, content):
    """Write a file in two parts."""
    half = len(content) // 2
    with open(path, "wb") as file:
        file.write(content[:half])
        file.flush()
        time.sleep(RNG.uniform(0, 0.04))
        file.write(content[half:])


def append(path, images):
    """Let a stack grow, as soon as its reader lets go of it."""
    for _ in range(500):
        try:
            with h5py.File(path, "a") as file:
                stack = file[CXI]
                stack.resize(len(stack) + len(images), axis=0)
                stack[len(stack) - len(images) :] = images
            return
        except BlockingIOError:
            time.sleep(0.01)
    raise AssertionError("the reader never lets go")


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
@pytest.mark.parametrize(
    "n_kills", [1, pytest.param(30, marks=pytest.mark.slow)], ids=str
)
def test_killed_at_any_moment_no_row_is_lost_and_none_comes_twice(
    svm, tmp_path, n_kills
):
    watch = Watch(tmp_path)
    emclassify.save(svm, watch.model)
    write_stack(watch.folder / "grows.cxi", X[:3])
    expected = {("grows.cxi", i): X[i] for i in range(3)}
    n_in_stack, n_files = 3, 0
    for kill in range(n_kills):
        n_before = watch.n_rows()
        watch.start()
        until = time.monotonic() + RNG.uniform(0, 0.8)
        while time.monotonic() < until:
            for suffix in (".png", ".tif"):
                image, name = X[n_files % 40], f"{n_files}{suffix}"
                write_slowly(watch.folder / name, encoded(suffix, image))
                expected[name, 0] = image
                n_files += 1
            more = X[np.arange(n_in_stack, n_in_stack + 2) % 40]
            append(watch.folder / "grows.cxi", more)
            for image in more:
                expected["grows.cxi", n_in_stack] = image
                n_in_stack += 1
        if kill % 3 != 2:
            # Not while it starts, but at its work.
            watch.wait_for(max(n_before, 0) + 1)
            time.sleep(RNG.uniform(0, 0.2))
        watch.end(signal.SIGKILL)
    watch.start()
    watch.wait_for(len(expected))
    assert watch.end(signal.SIGINT) == ("ended\n", "")
    assert watch.process.returncode == 0
    assert Counter(keys(watch.table)) == Counter(expected.keys())
    images = [expected[key] for key in keys(watch.table)]
    labels = [row["label"] for row in read(watch.table)]
    assert labels == svm.predict(np.stack(images)).tolist()
