"""A file is written as a whole, or is what it was."""

import os

import pytest

from emclassify._whole_file import whole_file, whole_folder, whole_path


def test_it_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "it.bin"
    with whole_file(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["it.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_changes_if_something_is_raised(tmp_path, error):
    path = tmp_path / "it.bin"
    path.write_bytes(b"old")

    def write_and_raise():
        with whole_file(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        write_and_raise()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["it.bin"]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_likewise(tmp_path, is_there):
    path = tmp_path / "it"
    if is_there:
        (path / "pictures").mkdir(parents=True)
        (path / "mine.csv").write_text("kept")
        (path / "pictures" / "0.jpg").write_text("old")

    def write(error=None):
        with whole_folder(path) as beside:
            (beside / "pictures").mkdir()
            (beside / "pictures" / "0.jpg").write_text("new")
            if error is not None:
                raise error

    with pytest.raises(KeyboardInterrupt):
        write(KeyboardInterrupt())
    assert os.listdir(tmp_path) == ["it"] * is_there
    if is_there:
        assert (path / "pictures" / "0.jpg").read_text() == "old"
    write()
    assert os.listdir(tmp_path) == ["it"]
    assert (path / "pictures" / "0.jpg").read_text() == "new"
    assert (path / "mine.csv").exists() == is_there


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_a_pipe_stays_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (
        pytest.raises(FileExistsError, match="is no regular file"),
        whole_path(tmp_path / "pipe"),
    ):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_what_a_killed_process_left_is_not_gone_on_with(tmp_path):
    left = tmp_path / f".it.bin.{os.getpid()}.part"
    left.write_bytes(b"half")
    with whole_path(tmp_path / "it.bin") as beside:
        assert beside == left
        assert not beside.exists()
        beside.write_bytes(b"new")
    assert os.listdir(tmp_path) == ["it.bin"]
