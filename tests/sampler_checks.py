"""Our own checks of samplers, for images: what imbalanced-learn's don't feed.

Each check takes a name and a sampler; tests/test_common.py runs them on every public
sampler.
"""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.under_sampling.base import BaseCleaningSampler
from sklearn.base import clone

COUNTS = {"a": 12, "b": 7, "c": 9}


class NoiseMaker:
    """A generator for ArtificialImageSampler: whole numbers from 0 to 9."""

    def __repr__(self):
        # Names of tests hold it; pytest-xdist wants them alike in all processes.
        return "noise"

    def __call__(self, n_samples, class_label, random_state, image_shape):
        rng = np.random.default_rng(random_state)
        shape = (6, 5, 1) if image_shape is None else image_shape
        return rng.integers(0, 10, (n_samples, *shape)).astype(np.uint8)


make_noise = NoiseMaker()


def make_images(*shape, dtype="float64"):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(list(COUNTS), list(COUNTS.values())))
    return rng.integers(0, 100, (len(y), *shape)).astype(dtype), y


def seeded(sampler):
    """Return a copy that draws the same each time, if it draws at all."""
    sampler = clone(sampler)
    if "random_state" in sampler.get_params(deep=False):
        sampler.set_params(random_state=0)
    return sampler


def resampled(sampler, X, y, **params):
    sampler = seeded(sampler).set_params(**params)
    return sampler, *sampler.fit_resample(X, y)


def check_sources(X, X_new, y, y_new, source):
    """Whatever has a source is it, label and all."""
    assert len(source) == len(X_new) == len(y_new)
    copies = np.flatnonzero(source >= 0)
    for row in copies:
        np.testing.assert_array_equal(X_new[row], X[source[row]])
        assert y_new[row] == y[source[row]]


def check_forms(name, sampler):
    """Every form and dtype comes back as it went in; what has a source is it."""
    for dtype in ("uint8", ">u2", "int64", "float16", "float32", "float64", "bool"):
        for shape in ((6, 5), (6, 5, 1), (6, 5, 2), (6, 5, 3), (30,)):
            if dtype == "bool" and "Artificial" in name:
                continue
            X, y = make_images(*shape, dtype=dtype)
            X.flags.writeable = False
            model, X_new, y_new = resampled(sampler, X, y)
            assert X_new.dtype == X.dtype
            assert X_new.shape[1:] == X.shape[1:]
            if not isinstance(sampler, BaseCleaningSampler):
                assert len(set(np.unique(y_new, return_counts=True)[1])) == 1
            check_sources(X, X_new, y, y_new, model.sample_indices_)


def check_flat_rows(name, sampler):
    """Flat rows with image_shape give the same images, flat."""
    X, y = make_images(6, 5, 2)
    model, X_new, y_new = resampled(sampler, X, y)
    flat, flat_new, flat_y = resampled(
        sampler, X.reshape(len(X), -1), y, image_shape=(6, 5, 2)
    )
    np.testing.assert_array_equal(flat_new, X_new.reshape(len(X_new), -1))
    np.testing.assert_array_equal(flat_y, y_new)
    np.testing.assert_array_equal(flat.sample_indices_, model.sample_indices_)


def check_sequences(name, sampler):
    """Lists and object arrays of images come back as such, with the same images."""
    X, y = make_images(6, 5, 1, dtype="uint8")
    _, expected, y_expected = resampled(sampler, X, y)
    _, listed, y_new = resampled(sampler, list(X), y)
    assert isinstance(listed, list)
    np.testing.assert_array_equal(np.stack(listed), expected)
    np.testing.assert_array_equal(y_new, y_expected)
    objects = np.empty(len(X), dtype=object)
    for i, image in enumerate(X):
        objects[i] = image[..., 0]
    _, new, _ = resampled(sampler, objects, y)
    assert new.dtype == object
    np.testing.assert_array_equal(np.stack(list(new)), expected[..., 0])


def check_input_untouched(name, sampler):
    """X is as before, and changing what is returned does not change it."""
    X, y = make_images(6, 5)
    before = X.copy()
    _, X_new, y_new = resampled(sampler, X, y)
    X_new += 1
    y_new[:] = "z"
    np.testing.assert_array_equal(X, before)
    assert "z" not in y


def check_same_seed(name, sampler):
    """The same seed gives the same; the global random state is neither used."""
    X, y = make_images(6, 5)
    _, first, _ = resampled(sampler, X, y)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    _, second, _ = resampled(pickle.loads(pickle.dumps(sampler)), X, y)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def check_strategy(name, sampler):
    """sampling_strategy is imbalanced-learn's: here a dict, or a list of classes."""
    X, y = make_images(6, 5)
    if isinstance(sampler, BaseCleaningSampler):
        # All images of a class alike but two, one further off than the other.
        X, y = np.repeat(X, 5, axis=0), np.repeat(y, 5)
        for label in COUNTS:
            X[y == label] = 50
            X[np.flatnonzero(y == label)[:2]] = [[[0]], [[120]]]
        for wanted in (["a", "c"], ["b"]):
            _, _, y_new = resampled(sampler, X, y, sampling_strategy=wanted)
            for label, count in COUNTS.items():
                cleaned = (y_new == label).sum() < 5 * count
                assert cleaned == (label in wanted)
        return
    over = isinstance(sampler, BaseOverSampler)
    wanted = {"b": 10, "c": 11} if over else {"a": 8, "c": 3}
    _, _, y_new = resampled(sampler, X, y, sampling_strategy=wanted)
    for label, count in {**COUNTS, **wanted}.items():
        assert (y_new == label).sum() == count


def check_bad_input(name, sampler):
    """NaN, another length of y and too many axes are refused, and change nothing."""
    X, y = make_images(6, 5)
    used, _, _ = resampled(sampler, X, y)
    before = dict(vars(used))
    bad = X.copy()
    bad[4, 1, 1] = np.nan
    for X_bad, match in (
        (bad, "NaN: image 4 of 28"),
        (X[:-1], "inconsistent numbers of samples"),
        (X[:, None, :, :, None], "dimensions"),
        (X[:0], "sample|shape"),
    ):
        with pytest.raises(ValueError, match=match):
            clone(sampler).fit_resample(X_bad, y)
        with pytest.raises(ValueError, match=match):
            used.fit_resample(X_bad, y)
        assert vars(used).keys() == before.keys()
        assert all(vars(used)[name] is value for name, value in before.items())


def check_containers(name, sampler):
    """Tensors, columns of images and labels of pandas' types keep what they hold."""
    X, y = make_images(6, 5, dtype="float32")
    _, X_new, y_new = resampled(sampler, X, y)
    tensor = torch.tensor(X, requires_grad=True)
    for Z in (tensor, np.ma.masked_array(X, mask=False), X[..., None][..., ::-1]):
        _, images, labels = resampled(sampler, Z, y)
        np.testing.assert_array_equal(images.reshape(X_new.shape), X_new)
        np.testing.assert_array_equal(labels, y_new)
    column = pd.Series(list(X), index=np.arange(len(X)) + 3, name="image")
    _, images, labels = resampled(sampler, column, y)
    assert isinstance(images, pd.Series)
    assert images.name == "image"
    np.testing.assert_array_equal(np.stack(list(images)), X_new)
    two = y == "a"
    _, _, expected = resampled(sampler, X, two)
    for dtype in ("category", "boolean", bool):
        given = pd.Series(two, name="label").astype(dtype)
        _, _, labels = resampled(sampler, X, given)
        assert labels.dtype == given.dtype
        assert labels.name == "label"
        assert labels.astype(bool).tolist() == expected.tolist()
    indicator = pd.DataFrame({name: y == name for name in "abc"})
    _, _, expected = resampled(sampler, X, indicator.to_numpy().astype(int))
    for dtype in ("boolean", "Int64"):
        _, _, labels = resampled(sampler, X, indicator.astype(dtype))
        assert (labels.dtypes == dtype).all()
        np.testing.assert_array_equal(labels.to_numpy(dtype=int), expected)
    pair = pd.DataFrame({"a": two, "other": ~two}).astype("Int64")
    _, _, labels = resampled(sampler, X, pair)
    assert labels.shape[1] == 2
    assert (labels.sum(axis=1) == 1).all()


def check_strange_named(name, sampler):
    """Generators, masked images and missing labels are refused by name."""
    X, y = make_images(6, 5)
    masked = np.ma.masked_array(X, mask=np.arange(X.size).reshape(X.shape) == 5)
    for Z, message in (
        ((image for image in X), "X is a generator"),
        ({"images": X}, "X is a dict of 'images'"),
        (masked, "X is a masked array, 1 of its"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            resampled(sampler, Z, y)
    missing = y.astype(object)
    for blank in (np.nan, None, pd.NA):
        missing[4] = blank
        for labels in (missing, missing.tolist(), pd.Series(missing, dtype="string")):
            with pytest.raises(ValueError, match="y has no label for sample 4"):
                resampled(sampler, X, labels)


SAMPLER_CHECKS = [
    check_bad_input,
    check_containers,
    check_flat_rows,
    check_forms,
    check_input_untouched,
    check_same_seed,
    check_sequences,
    check_strange_named,
    check_strategy,
]
