"""Small models, and their way through a file and back."""

import numpy as np

import emclassify
from emclassify import FullyConvolutionalClassifier

METHODS = ("predict", "predict_proba", "decision_function", "transform")


def make_images(n=24, size=8, random_state=0):
    """Images of two classes, the first half brighter."""
    rng = np.random.default_rng(random_state)
    X = rng.integers(0, 255, (n, size, size)).astype(np.uint8)
    X[n // 2 :] //= 3
    return X, np.repeat(["bright", "dim"], n // 2)


def small_cnn(**params):
    settings = {"widths": (4,), "max_epochs": 1, "random_state": 0, **params}
    return FullyConvolutionalClassifier(**settings)


def through_file(estimator, path, **options):
    emclassify.save(estimator, path)
    return emclassify.load(path, **options)


def assert_same_answers(one, other, X):
    asked = [name for name in METHODS if hasattr(one, name)]
    for name in asked:
        expected, got = getattr(one, name)(X), getattr(other, name)(X)
        assert got.dtype == expected.dtype
        for a, b in zip(expected, got, strict=True):
            np.testing.assert_array_equal(a, b)
    return asked
