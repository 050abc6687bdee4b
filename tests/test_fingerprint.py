"""What tells one thing from another: data, files, and the code behind names."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emclassify._fingerprint import fingerprint

START = """
import functools
import math
import numpy as np

WIDTH = 32
LAYERS = [8, 16]
CALLS = []
COUNTS = {"net": 0}
TIMES = 0


def block(width):
    return width + 1


def net(shape, n_classes):
    global TIMES
    TIMES += 1
    CALLS.append(shape)
    COUNTS["net"] += 1
    return [block(WIDTH) * math.pi, LAYERS, {"a", "b", "c"}]


class Base:
    kernel = 3

    def forward(self, x):
        return x * self.kernel


class Net(Base):
    made = 0
    seen = []

    def __init__(self, depth=2):
        type(self).made += 1
        self.seen.append(depth)
        self.depth = depth

    @staticmethod
    def scale(x):
        return x / 2

    @property
    def size(self):
        return 5

    @functools.lru_cache
    def table(self):
        return 7


def late(x):
    from own_layers import thing
    return thing(x)


part = functools.partial(net, n_classes=3)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that writes own_net.py and imports it afresh."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_layers.py").write_text("def thing(x):\n    return x\n", "utf-8")

    def make(old="", new=""):
        assert old in START
        (tmp_path / "own_net.py").write_text(START.replace(old, new), "utf-8")
        for name in ("own_net", "own_layers"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module("own_net")

    yield make
    for name in ("own_net", "own_layers"):
        sys.modules.pop(name, None)


@pytest.fixture(autouse=True)
def no_bytecode(monkeypatch):
    # Files are rewritten faster than their times tell.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("net", "math.pi", "math.tau"),
        ("net", "width + 1", "width + 2"),
        ("net", "WIDTH = 32", "WIDTH = 64"),
        ("net", "[8, 16]", "[8, 32]"),
        ("net", '"b", "c"', '"b", "d"'),
        ("part", "width + 1", "width + 2"),
        ("part", "n_classes=3", "n_classes=4"),
        ("Net", "x * self", "x + self"),
        ("Net", "kernel = 3", "kernel = 5"),
        ("Net", "x / 2", "x / 3"),
        ("Net", "return 5", "return 6"),
        ("Net", "return 7", "return 8"),
        ("Net", "depth=2", "depth=3"),
    ],
)
def test_edited_code_is_another(module, name, old, new):
    before = fingerprint(getattr(module(), name))
    assert fingerprint(getattr(module("", ""), name)) == before
    assert fingerprint(getattr(module(old, new), name)) != before
    thing = getattr(module("def block", "# a remark\n\ndef block"), name)
    assert fingerprint(thing) == before


def test_instances_and_methods_know_their_class(module):
    def of(own):
        made = own.Net()
        return fingerprint(made), fingerprint(made.forward), fingerprint({"m": [made]})

    before = of(module())
    assert of(module()) == before
    after = of(module("x * self", "x + self"))
    assert all(a != b for a, b in zip(before, after, strict=True))


def test_what_code_changes_itself_does_not_count(module):
    own = module()
    before = fingerprint(own.net), fingerprint(own.Net)
    own.net((1, 1), 2)
    own.Net(4)
    assert own.TIMES == own.Net.made == 1
    assert (fingerprint(own.net), fingerprint(own.Net)) == before
    own.WIDTH = 64  # by hand: what the function sees is another
    assert fingerprint(own.net) != before[0]


def test_modules_that_a_function_imports_late(module, tmp_path):
    own = module()
    before = fingerprint(own.late)
    (tmp_path / "own_layers.py").write_text(
        "def thing(x):\n    return 2 * x\n", "utf-8"
    )
    assert fingerprint(own.late) != before


def test_modules_are_followed_by_what_is_used(module, tmp_path):
    def of(edit=("", "")):
        (tmp_path / "own_user.py").write_text(
            "import own_net\n\ndef user(x):\n    return own_net.block(x)\n", "utf-8"
        )
        module(*edit)
        sys.modules.pop("own_user", None)
        return fingerprint(importlib.import_module("own_user").user)

    before = of()
    assert of(("math.pi", "math.tau")) == before  # block doesn't use it
    assert of(("width + 1", "width + 2")) != before


def test_lambdas_closures_and_recursion():
    def power(n):
        return lambda x: x**n

    assert fingerprint(power(2)) == fingerprint(power(2))
    assert fingerprint(power(2)) != fingerprint(power(3))
    with pytest.raises(Exception, match="lambda"):
        fingerprint([power(2)], lambdas=False)

    def again(n):
        return again(n - 1) if n else 0

    assert fingerprint(again) == fingerprint(again)


def test_the_same_in_another_process(module, tmp_path):
    own = module()
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; import own_net\n"
        "from emclassify._fingerprint import fingerprint\n"
        "print(fingerprint([own_net.net, own_net.Net, own_net.part, own_net.late]))"
    )
    here = fingerprint([own.net, own.Net, own.part, own.late])
    for seed in "12":
        found = subprocess.run(
            [sys.executable, "-B", "-c", code, str(tmp_path), str(Path.cwd())],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
        assert found.stdout.strip() == here


def test_installed_code_counts_by_name_and_version(monkeypatch):
    import sklearn
    from sklearn.svm import SVC

    before = fingerprint(SVC()), fingerprint(np.mean), fingerprint(len)
    monkeypatch.setattr(sklearn, "__version__", "0.1")
    assert fingerprint(SVC()) != before[0]
    assert (fingerprint(np.mean), fingerprint(len)) == before[1:]


# --- files ----------------------------------------------------------------------------

HOLDERS = {
    "path": Path,
    "text": str,
    "list": lambda path: [str(path), "none"],
    "text array": lambda path: np.array([str(path), "none"]),
    "object array": lambda path: np.array([path, path], dtype=object),
    "Series": lambda path: pd.Series([str(path), "none"]),
    "string Series": lambda path: pd.Series([str(path)], dtype="string"),
    "Categorical": lambda path: pd.Series([str(path)] * 2, dtype="category"),
    "frame": lambda path: pd.DataFrame({"a": [1], "path": [str(path)]}),
    "dict": lambda path: {"weights": {"file": str(path)}},
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_files_behind_paths(holder, tmp_path):
    path = tmp_path / "image.tif"
    path.write_bytes(b"abc")
    thing = holder(path)
    before, by_name = fingerprint(thing, files={}), fingerprint(thing)
    assert fingerprint(holder(path), files={}) == before
    path.write_bytes(b"abcd")
    longer = fingerprint(thing, files={})
    os.utime(path, ns=(1, 1))
    assert len({before, longer, fingerprint(thing, files={})}) == 3
    assert fingerprint(thing) == by_name


@pytest.mark.parametrize("text", ["", "\0", "x" * 10_000, ".", "no such file"])
def test_text_that_names_no_file(text):
    assert fingerprint([text], files={}) == fingerprint([text])


def test_stored_arrays(tmp_path):
    h5py = pytest.importorskip("h5py")
    zarr = pytest.importorskip("zarr")
    images = np.arange(40.0).reshape(10, 2, 2)
    path = tmp_path / "images.h5"

    def write(data):
        path.unlink(missing_ok=True)
        with h5py.File(path, "w") as file:
            file["a"], file["b"] = data, data
        zarr.create_array(str(tmp_path / "z"), data=data, overwrite=True)

    def read():
        with h5py.File(path) as file, h5py.File(path, "r", driver="core") as core:
            own = zarr.open_array(str(tmp_path / "z"), mode="r")
            memory = zarr.create_array({}, data=own[:])
            stored = file["a"], file["b"], core["a"], own, memory
            return [fingerprint(array, files={}) for array in stored]

    write(images)
    before = read()
    assert read() == before
    assert len(set(before)) == 4  # "a" is the same by whichever driver
    write(images + 1)
    assert all(a != b for a, b in zip(before, read(), strict=True))


def test_stored_arrays_that_may_change_unseen_count_by_value(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "images.h5", "w") as file:
        file["a"] = np.zeros((4, 2, 2))
        before = fingerprint(file["a"])
        assert fingerprint(file["a"]) == before
        file["a"][3] = 1
        assert fingerprint(file["a"]) != before


@pytest.mark.parametrize("files", [None, {}])
def test_a_path_is_its_text(tmp_path, files):
    (tmp_path / "file").write_text("weights", "utf-8")
    for name in ("file", "none", "."):
        path = tmp_path / name
        told = fingerprint({"weights": path}, files=files)
        assert told == fingerprint({"weights": str(path)}, files=files)
        other = fingerprint({"weights": tmp_path / "other"}, files=files)
        assert told != other


def test_memory_maps_count_by_value(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((4, 2, 2)))
    before = fingerprint(np.load(path, mmap_mode="r"))
    assert fingerprint(np.load(path, mmap_mode="r")) == before
    np.save(path, np.ones((4, 2, 2)))
    assert fingerprint(np.load(path, mmap_mode="r")) != before
