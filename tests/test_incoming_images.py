"""A folder that is watched: each image gets one row, also if the watch is killed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import h5py
import numpy as np
import pytest
from image_files import CXI, RNG, X, Y, encoded, keys, read, write_image, write_stack

import emclassify
from emclassify import predict_folder, svm_baseline

# A child of a background job has SIGINT ignored, unless it sets the handler.
CODE = """
import signal, sys, emclassify
signal.signal(signal.SIGINT, signal.default_int_handler)
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


def test_links_to_nothing_are_named(svm, tmp_path, monkeypatch):
    folder = tmp_path / "images"
    folder.mkdir()
    write_image(folder / "a.png", X[0])
    (folder / "b.png").symlink_to("moved.png")
    (folder / "c.tif").symlink_to("c.tif")
    with pytest.raises(ValueError, match=r"b\.png can't be predicted: No such file"):
        predict_folder(svm, folder, tmp_path / "t.csv")
    table = tmp_path / "t.csv"
    for predict in (
        lambda: predict_folder(svm, folder, table, on_error="skip"),
        lambda: watch_steps(
            monkeypatch, svm, folder, table, [nothing] * 9, on_error="skip"
        ),
    ):
        table.unlink(missing_ok=True)
        with pytest.warns(UserWarning, match="was left out") as told:
            predict()
        assert keys(table) == [("a.png", 0)]
        assert [str(one.message).split()[0] for one in told] == ["b.png", "c.tif"]


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


def test_a_table_of_one_page_is_gone_on_with_for_others(svm, tmp_path, monkeypatch):
    write_stack(tmp_path / "run.cxi", X[:4])
    table = tmp_path / "t.csv"
    for page in (2, 0, None, 2):
        steps = [nothing] * 3
        watch_steps(monkeypatch, svm, tmp_path, table, steps, page=page)
    assert keys(table) == [("run.cxi", i) for i in (2, 0, 1, 3)]


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
    # One that is left for it to do: only then is it known to have started.
    write_slowly(watch.folder / "last.png", encoded(".png", X[0]))
    expected["last.png", 0] = X[0]
    watch.wait_for(len(expected))
    assert watch.end(signal.SIGINT) == ("ended\n", "")
    assert watch.process.returncode == 0
    assert Counter(keys(watch.table)) == Counter(expected.keys())
    images = [expected[key] for key in keys(watch.table)]
    labels = [row["label"] for row in read(watch.table)]
    assert labels == svm.predict(np.stack(images)).tolist()
