"""Two processes never work in one folder of rounds; a dead one keeps nobody out."""

import os
import subprocess
import sys

import pytest

from emclassify.review._one_process import FolderInUseError, alone_in

HOLD = """
import sys
from pathlib import Path
from emclassify.review._one_process import alone_in
with alone_in(Path(sys.argv[1])):
    (Path(sys.argv[1]) / "work").touch()
    print("in", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "rounds")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "in\n"
    yield process
    process.kill()
    process.communicate(timeout=60)


def enter(folder):
    with alone_in(folder):
        pass


def test_another_process_is_named(holder, tmp_path):
    words = rf"rounds is in use by process {holder.pid}, since 20.+nothing was changed"
    with pytest.raises(FolderInUseError, match=words):
        enter(tmp_path / "rounds")
    # Asking has not unlocked it.
    with pytest.raises(FolderInUseError, match=words):
        enter(tmp_path / "rounds")
    holder.communicate("\n", timeout=60)
    enter(tmp_path / "rounds")


def test_a_killed_process_keeps_nobody_out(holder, tmp_path):
    holder.kill()
    holder.wait(60)
    assert str(holder.pid) in (tmp_path / "rounds" / ".lock").read_text()
    with alone_in(tmp_path / "rounds"):
        assert str(os.getpid()) in (tmp_path / "rounds" / ".lock").read_text()


def test_a_lock_file_that_says_nothing(holder, tmp_path):
    with open(tmp_path / "rounds" / ".lock", "r+b") as file:
        file.truncate(0)
    with pytest.raises(FolderInUseError, match="in use by another process"):
        enter(tmp_path / "rounds")


def test_what_stays_empty_is_removed(tmp_path):
    enter(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path / "new"):
        raise ZeroDivisionError
    assert not (tmp_path / "new").exists()
    with alone_in(tmp_path / "new"):
        (tmp_path / "new" / "round").touch()
    assert sorted(os.listdir(tmp_path / "new")) == [".lock", "round"]
