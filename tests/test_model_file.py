"""Damaged and hostile files: nothing runs, and one error says which file and why."""

import json
import pickle
import struct
import sys
import tracemalloc
import zipfile

import joblib
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.base import BaseEstimator

import emclassify
from emclassify import FullyConvolutionalClassifier, read_model_card, svm_baseline
from emclassify.persistence._model_file import MEMBERS

REFUSED = "can't be loaded as a model of emclassify"
RNG = np.random.default_rng(0)
X = RNG.integers(0, 255, (24, 6, 6)).astype(np.uint8)
Y = np.repeat(["a", "b"], 12)


class Bomb:
    """Says when it goes off."""

    exploded = False

    def __reduce__(self):
        return explode, ()


def explode():
    Bomb.exploded = True


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """A model's members, {name: bytes}."""
    path = tmp_path_factory.mktemp("models") / "it.emc"
    cnn = FullyConvolutionalClassifier(widths=(2,), max_epochs=1, random_state=0)
    emclassify.save(cnn.fit(X, Y), path)
    return unzipped(path)


def unzipped(path):
    with zipfile.ZipFile(path) as archive:
        return Members({name: archive.read(name) for name in archive.namelist()})


class Members(dict):
    """What hypothesis can name in few words."""

    def __repr__(self):
        return "members"


def write(path, members, **options):
    """Write a zip of (name, data) pairs, as they are."""
    pairs = members.items() if isinstance(members, dict) else members
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in pairs:
            archive.writestr(name, data)
    return path


def refused(path, reason):
    __tracebackhide__ = True
    with pytest.raises(ValueError, match=REFUSED) as caught:
        emclassify.load(path)
    message = str(caught.value)
    assert str(path) in message
    assert reason in message
    assert "\n" not in message
    assert not Bomb.exploded


def load_unless_refused(path):
    """Return the model or, if it is refused by an error of ours, None."""
    try:
        return emclassify.load(path)
    except ValueError as error:
        if REFUSED not in str(error):
            raise
        return None


def with_tree(path, members, tree):
    """Write the model with another estimator.json."""
    return write(path, {**members, "estimator.json": json.dumps(tree)})


def test_members_are_as_said(members, tmp_path):
    assert set(members) == set(MEMBERS)
    again = emclassify.load(write(tmp_path / "it", members))
    assert isinstance(again, FullyConvolutionalClassifier)


# No zip at all.


def test_pickles(tmp_path):
    for name, dump in (("it.pkl", pickle.dump), ("it.joblib", joblib.dump)):
        with open(tmp_path / name, "wb") as file:
            dump(Bomb(), file)
        refused(tmp_path / name, "looks like a pickle, which is never read")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it is empty"), (b"hello", "no zip archive"), (b"PK", "BadZipFile")],
)
def test_other_files(content, reason, tmp_path):
    (tmp_path / "it").write_bytes(content)
    refused(tmp_path / "it", reason)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        emclassify.load(tmp_path / "nowhere")
    with pytest.raises(OSError):
        emclassify.load(tmp_path)


# Zips that no model is.


@pytest.mark.parametrize(
    "name",
    [
        "../card.json",
        "/card.json",
        "C:\\card.json",
        "sub/../card.json",
        "estimator.pkl",
        "CARD.JSON",
        "card.json/",
    ],
)
def test_other_names(name, members, tmp_path):
    extra = [*members.items(), (name, pickle.dumps(Bomb()))]
    refused(write(tmp_path / "it", extra), f"member {name!r}, which no model has")


def test_name_cut_by_a_null(members, tmp_path):
    path = write(tmp_path / "it", {**members, "card.jsonXpkl": b"{}"})
    path.write_bytes(path.read_bytes().replace(b"card.jsonXpkl", b"card.json\0pkl"))
    refused(path, "which no model has")


def test_a_name_twice(members, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = write(tmp_path / "it", [*members.items(), ("card.json", b"{}")])
    refused(path, "two members 'card.json'")


def test_a_small_file_that_unpacks_to_a_large_one(members, tmp_path):
    bomb = {**members, "estimator.json": b" " * 10_000_000}
    path = write(tmp_path / "it", bomb, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 200_000
    refused(path, "is compressed")


def test_a_size_that_is_not_there(members, tmp_path):
    path = write(tmp_path / "it", members)
    data = bytearray(path.read_bytes())
    # Sizes in the first entry of the directory: packed and unpacked.
    start = data.index(b"PK\x01\x02")
    data[start + 20 : start + 28] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(data)
    refused(path, "")


def test_encrypted(members, tmp_path):
    path = write(tmp_path / "it", members)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refused(path, "is encrypted")


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_is_missing(name, members, tmp_path):
    rest = {other: data for other, data in members.items() if other != name}
    refused(write(tmp_path / "it", rest), name)


def test_cut_short_anywhere(members, tmp_path):
    whole = write(tmp_path / "it", members).read_bytes()
    for length in [*range(0, len(whole) - 1, 97), len(whole) - 1]:
        (tmp_path / "it").write_bytes(whole[:length])
        refused(tmp_path / "it", "")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_byte_changed_anywhere(data, members, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "changed.emc"
    content = bytearray(write(path, members).read_bytes())
    where = data.draw(st.integers(0, len(content) - 1))
    content[where] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    model = load_unless_refused(path)
    # A date or the like: what matters is under a check sum.
    assert model is None or model.widths == (2,)


# What is inside.


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format_version": 2}, "its format has the version 2; emclassify"),
        ({"format_version": "1"}, "its format has the version '1'"),
        ({"format_version": True}, "its format has the version True"),
        ({"format": "something else"}, "does not say 'emclassify model'"),
    ],
)
def test_other_formats(change, reason, members, tmp_path):
    card = {**json.loads(members["card.json"]), **change}
    path = write(tmp_path / "it", {**members, "card.json": json.dumps(card)})
    refused(path, reason)
    with pytest.raises(ValueError, match=reason[:20]):
        read_model_card(path)


def named(kind, name):
    """A classifier whose parameter `net` is whatever the name says."""
    tag = {"kind": kind, "name": name}
    if kind in ("module", "object", "estimator", "fields"):
        tag["state"] = {}
    if kind == "estimator":
        tag["requests"] = {"kind": "dict", "items": []}
    return tag


@pytest.mark.parametrize("kind", ["named", "module", "object", "estimator", "fields"])
@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "antigravity.geohash",
        "test_model_file.Bomb",
        "emclassify.cli.main",
        "emclassify.persistence.load",
        "emclassify.readers.load_image_folder",
        "emclassify.nets.nn",
        "emclassify.training._runtime.os",
        "sklearn.datasets.load_files",
        "sklearn.utils.Bunch",
        "sklearn.pipeline.joblib",
        "sklearn.tests.test_base.K",
        "torch.load",
        "torch.optim.lr_scheduler.LambdaLR",
        "numpy.load",
        "numpy.lib.format.read_array",
        "",
    ],
)
def test_other_classes_and_functions(kind, name, members, tmp_path):
    refused(with_tree(tmp_path / "it", members, named(kind, name)), name)
    assert "antigravity" not in sys.modules
    assert "sklearn.tests" not in sys.modules


def test_a_known_function_where_a_network_belongs(members, tmp_path):
    tree = json.loads(members["estimator.json"])
    tree["name"] = "emclassify.classifiers.CNNClassifier"
    tree["state"]["net"] = named("named", "torch.optim.SGD")
    refused(with_tree(tmp_path / "it", members, tree), "")


@pytest.mark.parametrize("tree", [None, 3, [], "x", {}, {"kind": "pickle"}])
def test_no_estimator(tree, members, tmp_path):
    refused(with_tree(tmp_path / "it", members, tree), "")


def test_nested_too_deeply(members, tmp_path):
    deep = {**members, "estimator.json": "[" * 100_000 + "]" * 100_000}
    refused(write(tmp_path / "it", deep), "nested too deeply")


def test_a_network_larger_than_its_weights(members, tmp_path):
    tree = json.loads(members["estimator.json"])
    tree["state"]["widths"]["items"] = [1_000_000]
    path = with_tree(tmp_path / "it", members, tree)
    refused(path, "the weights are not those of the network")


def test_strings_wider_than_the_file(members, tmp_path):
    tree = {"kind": "items", "shape": [2], "width": 2**30, "items": ["a", "b"]}
    tracemalloc.start()
    refused(with_tree(tmp_path / "it", members, tree), "strings of 1073741824 char")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<Q", 2**62),
        struct.pack("<Q", 300_000_000) + b" " * 1000,
        struct.pack("<Q", 2) + b"{}" + b"left over",
        struct.pack("<Q", 71)
        + b'{"0":{"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,8]}}'
        + b"12345678",
        b"",
    ],
    ids=["beyond the file", "too long", "left over", "absurd shape", "empty"],
)
def test_headers_of_arrays(header, members, tmp_path):
    refused(write(tmp_path / "it", {**members, "arrays.safetensors": header}), "")


def paths_in(tree, path=()):
    """All paths to nodes of a JSON tree."""
    yield path
    if isinstance(tree, list):
        tree = dict(enumerate(tree))
    if isinstance(tree, dict):
        for key, part in tree.items():
            yield from paths_in(part, (*path, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "items", "name"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_part_replaced_by_anything(data, members, tmp_path_factory):
    tree = json.loads(members["estimator.json"])
    *way, last = data.draw(st.sampled_from([p for p in paths_in(tree) if p]))
    node = tree
    for key in way:
        node = node[key]
    node[last] = data.draw(JSON)
    path = tmp_path_factory.getbasetemp() / "replaced.emc"
    model = load_unless_refused(with_tree(path, members, tree))
    assert model is None or isinstance(model, BaseEstimator)


def test_a_part_of_scikit_learn_cannot_be_told_to_call(tmp_path):
    # A step's attribute that shadows a method is data, and is never called.
    svm = svm_baseline(features=["length"]).fit(X, Y)
    emclassify.save(svm, path := tmp_path / "it.emc")
    members = unzipped(path)
    tree = json.loads(members["estimator.json"])
    tree["state"]["steps"][0]["items"][1]["state"]["__setstate__"] = "x"
    again = emclassify.load(with_tree(path, members, tree))
    np.testing.assert_array_equal(again.predict(X), svm.predict(X))


def test_a_cache_that_may_be_anybodys_is_not_taken(tmp_path):
    svm = svm_baseline(features=["length"]).fit(X, Y)
    emclassify.save(svm, path := tmp_path / "it.emc")
    members = unzipped(path)
    tree = json.loads(members["estimator.json"])
    tree["state"]["memory"] = str(tmp_path / "cache")
    again = emclassify.load(with_tree(path, members, tree))
    assert again.memory is None


def test_metadata_requests_reach_nothing_else(members, tmp_path):
    tree = json.loads(members["estimator.json"])
    request = {"kind": "dict", "items": [["device", "cuda"]]}
    tree["requests"] = {"kind": "dict", "items": [["params", request]]}
    refused(with_tree(tmp_path / "it", members, tree), "")


def test_card_of_a_broken_file(members, tmp_path):
    path = write(tmp_path / "it", {**members, "card.json": b"[" * 10})
    with pytest.raises(ValueError, match=REFUSED):
        read_model_card(path)
