"""A parameter that several estimators share is told in the same words in each."""

import inspect

import pytest
from sklearn.base import BaseEstimator
from sklearn.externals._numpydoc import docscrape

import emclassify
from emclassify import CNNClassifier
from emclassify.classifiers._base import BaseImageClassifier

PUBLIC = [getattr(emclassify, name) for name in emclassify.__all__]
ESTIMATORS = [
    thing
    for thing in PUBLIC
    if inspect.isclass(thing) and issubclass(thing, BaseEstimator)
]
NETWORKS = [cls for cls in ESTIMATORS if issubclass(cls, BaseImageClassifier)]
SHARED = [name for name in inspect.signature(CNNClassifier).parameters if name != "net"]


def shared(cls):
    """What a network has of CNNClassifier's; those of timm can't follow a mask."""
    unmasked = cls.__name__ in ("BackboneClassifier", "FusionClassifier")
    return [name for name in SHARED if name != "mask" or not unmasked]


def told(cls, section="Parameters"):
    return {
        entry.name: (entry.type.partition(", default=")[0], " ".join(entry.desc))
        for entry in docscrape.ClassDoc(cls)[section]
    }


@pytest.mark.parametrize("cls", NETWORKS, ids=lambda cls: cls.__name__)
def test_networks_tell_their_training_alike(cls):
    first, own = told(CNNClassifier), told(cls)
    for name in shared(cls):
        kind, words = own[name]
        assert kind == first[name][0], name
        if (cls.__name__, name) != ("BackboneClassifier", "lr"):
            # What is special to a network comes after what is said of all.
            assert words.startswith(first[name][1]), name


@pytest.mark.parametrize("cls", NETWORKS, ids=lambda cls: cls.__name__)
def test_networks_have_their_parameters_in_one_order(cls):
    signature = list(inspect.signature(cls).parameters)
    assert signature[-len(shared(cls)) :] == shared(cls)
    assert list(told(cls)) == signature or cls.__name__ == "ResNetClassifier"


@pytest.mark.parametrize("name", ["image_shape", "verbose"])
def test_words_shared_by_all_estimators(name):
    words = [told(cls)[name][1] for cls in ESTIMATORS if name in told(cls)]
    stem = {"image_shape": "Shape of the image in a flat row of X"}
    stem["verbose"] = "1 shows a progress bar"
    assert len(words) > 5
    assert all(text.startswith(stem[name]) for text in words)


def test_defaults_are_those_of_the_signature():
    for cls in NETWORKS:
        given = inspect.signature(cls).parameters
        for entry in docscrape.ClassDoc(cls)["Parameters"]:
            for name in entry.name.split(", "):
                _, _, default = entry.type.partition("default=")
                assert default.replace('"', "'") == repr(given[name].default), (
                    f"{cls.__name__}.{name}"
                )


def public_parameters():
    """(where, name, type, words) of what public classes, methods and functions take."""
    for thing in filter(callable, PUBLIC):
        places = {thing.__name__: thing}
        if inspect.isclass(thing):
            places |= {
                f"{thing.__name__}.{name}": method
                for name, method in inspect.getmembers(thing, inspect.isfunction)
                if not name.startswith("_")
                and "_request" not in name
                and method.__module__.startswith("emclassify")
            }
        for where, place in places.items():
            read = (
                docscrape.ClassDoc if inspect.isclass(place) else docscrape.FunctionDoc
            )
            for entry in read(place)["Parameters"]:
                yield where, entry.name, entry.type, " ".join(entry.desc)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("random_state", "int, RandomState instance or None, default=None", None),
        ("n_jobs", "int, default=None", "; None is 1, -1 is all cores."),
        ("verbose", None, "progress"),
    ],
)
def test_one_wording_everywhere(name, kind, words):
    found = [entry for entry in public_parameters() if entry[1] == name]
    assert len(found) > 8
    for where, _, given, text in found:
        assert kind is None or given == kind, where
        assert words is None or words in text, where


def test_groups_are_told_by_the_same_examples():
    found = [text for _, name, _, text in public_parameters() if name == "groups"]
    assert len(found) > 8
    examples = [text.partition("(")[2].partition(")")[0] for text in found]
    assert {text for text in examples if "micrograph" in text} == {
        "micrograph, grid, patient"
    }
