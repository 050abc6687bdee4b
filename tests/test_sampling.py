"""Samplers of images; tests/sampler_checks.py has what holds for all alike."""

import pickle
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.neighbors import NearestNeighbors

from emclassify import make_liposomes
from emclassify.preprocessing import ResizeImages
from emclassify.sampling import (
    ArtificialImageSampler,
    ImageOverSampler,
    ImageSMOTE,
    ImageUnderSampler,
    generate_liposomes,
)

ARTIFICIAL = -1.0


def images_and_labels(counts, shape=(5, 4), dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(list(counts), list(counts.values())))
    return rng.uniform(0, 200, (len(y), *shape)).astype(dtype), y


def numbered_images(n):
    """Image i of n is 1 in pixel i and 0 elsewhere, so mixtures tell their parents."""
    return np.eye(n).reshape(n, 1, n)


def ids_within(images):
    """Numbers of the images that these are, or are mixed of; artificial ones left."""
    rows = images.reshape(len(images), -1)
    rows = rows[~(rows == ARTIFICIAL).all(axis=1)]
    return set(np.flatnonzero((rows != 0).any(axis=0)).tolist())


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what it is trained on and asked about."""

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        self.asked_ = X
        return np.full(len(X), self.classes_[0])


def nothing_real(n_samples, class_label, random_state, image_shape):
    return np.full((n_samples, *image_shape), ARTIFICIAL)


ALL_SAMPLERS = {
    "over": ImageOverSampler(),
    "under": ImageUnderSampler(),
    "under with replacement": ImageUnderSampler(replacement=True),
    "SMOTE 1": ImageSMOTE(k_neighbors=1),
    "SMOTE 3": ImageSMOTE(k_neighbors=3),
    "artificial": ArtificialImageSampler(nothing_real),
}


@pytest.mark.parametrize("name", ALL_SAMPLERS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_nothing_of_a_test_group_is_trained_on(name, data):
    counts = [data.draw(st.integers(low, 25)) for low in (7, 7, 0)]
    n_groups = data.draw(st.integers(2, 12), label="n_groups")
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6), label="data seed"))
    y = rng.permutation(np.repeat(["a", "b", "c"], counts))
    # Uneven groups: the largest may hold most of the images.
    groups = rng.choice(n_groups, len(y), p=rng.dirichlet(np.ones(n_groups)))
    n_splits = min(3, len(set(groups)))
    assume(n_splits > 1)
    sampler = clone(ALL_SAMPLERS[name])
    sampler.set_params(random_state=data.draw(st.integers(0, 1000), label="seed"))
    X = numbered_images(len(y))
    splits = list(GroupKFold(n_splits).split(X, y, groups))
    for train, _ in splits:
        n_of_class = np.unique(y[train], return_counts=True)[1]
        assume(len(n_of_class) > 1)
        assume(n_of_class.min() > getattr(sampler, "k_neighbors", 0))
    scores = cross_validate(
        make_pipeline(sampler, Recorder()),
        X,
        y,
        groups=groups,
        cv=splits,
        return_estimator=True,
        error_score="raise",
    )
    for (train, test), fitted in zip(splits, scores["estimator"], strict=True):
        recorder, fitted_sampler = fitted[-1], fitted[0]
        used = ids_within(recorder.X_)
        assert used <= set(train.tolist())
        assert not set(groups[list(used)]) & set(groups[test])
        # The test fold is asked about as it is: neither resampled nor reordered.
        np.testing.assert_array_equal(recorder.asked_, X[test])
        # And the samplers tell the truth about their sources.
        told = fitted_sampler.sample_indices_
        told = set(train[told[told >= 0]].tolist())
        if isinstance(fitted_sampler, ImageSMOTE):
            told = set(train[fitted_sampler.parent_indices_].ravel().tolist())
        assert told == used


@pytest.mark.parametrize("name", ["over", "SMOTE 1"])
def test_the_property_test_would_see_a_leak(name):
    # Resampled before the split, as it should not be, with one group for each row.
    y = np.repeat(["a", "b"], [20, 6])
    X, y_new = clone(ALL_SAMPLERS[name]).fit_resample(numbered_images(26), y)
    train, test = next(GroupKFold(3).split(X, y_new, np.arange(len(X))))
    assert ids_within(X[train]) & ids_within(X[test])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ImageOverSampler, RandomOverSampler),
        (ImageUnderSampler, RandomUnderSampler),
        (ImageSMOTE, SMOTE),
    ],
)
@pytest.mark.parametrize("strategy", ["auto", "dict", "callable"])
def test_same_as_imbalanced_learn_on_rows(ours, theirs, strategy):
    counts = {"a": 20, "b": 9, "c": 7}
    X, y = images_and_labels(counts)
    wanted = {"a": 12, "b": 8} if ours is ImageUnderSampler else {"b": 15, "c": 11}
    strategy = {"auto": "auto", "dict": wanted, "callable": lambda y: wanted}[strategy]
    params = {"sampling_strategy": strategy, "random_state": 3}
    X_new, y_new = ours(**params).fit_resample(X, y)
    expected, y_expected = theirs(**params).fit_resample(X.reshape(len(X), -1), y)
    np.testing.assert_array_equal(y_new, y_expected)
    np.testing.assert_allclose(X_new.reshape(len(X_new), -1), expected, rtol=1e-12)


@pytest.mark.parametrize("ours", [ImageOverSampler, ImageUnderSampler, ImageSMOTE])
def test_a_function_is_asked_once(ours):
    X, y = images_and_labels({"a": 20, "b": 9})
    answers = [{"a": 12}, {"a": 15}]
    if ours is not ImageUnderSampler:
        answers = [{"b": 12}, {"b": 15}]
    sampler = ours(sampling_strategy=lambda y: answers.pop(0), random_state=0)
    _, y_new = sampler.fit_resample(X, y)
    counts = dict(zip(*np.unique(y_new, return_counts=True), strict=True))
    # What is reported is what was done.
    ((label, n),) = sampler.sampling_strategy_.items()
    assert (label, n) == ("a", 12) if ours is ImageUnderSampler else ("b", 3)
    assert counts == {"a": 20, "b": 9} | {label: 12}


@pytest.mark.parametrize(
    "ours", [ImageOverSampler, ImageUnderSampler, ImageSMOTE, ArtificialImageSampler]
)
def test_lists_of_classes_are_for_cleaning_only(ours):
    sampler = ours(nothing_real) if ours is ArtificialImageSampler else ours()
    (line,) = [t for t in ours.__doc__.splitlines() if "sampling_strategy :" in t]
    assert "list" not in line
    X, y = images_and_labels({"a": 20, "b": 9})
    with pytest.raises(ValueError, match=r"'sampling_strategy' parameter .*\['b'\]"):
        sampler.set_params(sampling_strategy=["b"]).fit_resample(X, y)


def test_groups_and_masks_go_with_their_copies():
    X, y = images_and_labels({"a": 15, "b": 4}, (6, 6, 2), "uint8")
    X[..., 1] = X[..., 1] > 100
    groups = np.arange(len(y)) % 5
    for sampler in (ImageOverSampler(), ImageUnderSampler()):
        X_new, _ = sampler.fit_resample(X, y)
        source = sampler.sample_indices_
        np.testing.assert_array_equal(X_new[..., 1], X[source, ..., 1])
        assert set(groups[source]) <= set(groups)
        assert len(source) == len(X_new)


def test_images_of_different_sizes():
    X = [np.full((4 + i, 7, 1), i, np.uint8) for i in range(9)]
    y = np.repeat(["a", "b"], [6, 3])

    def make(n_samples, class_label, random_state, image_shape):
        assert image_shape is None
        return [np.full((3, 3 + i, 1), 99, np.uint8) for i in range(n_samples)]

    over = ImageOverSampler(random_state=0)
    X_new, _ = over.fit_resample(X, y)
    assert [image[0, 0, 0] for image in X_new] == over.sample_indices_.tolist()
    X_new, y_new = ImageUnderSampler(random_state=0).fit_resample(X, y)
    assert isinstance(X_new, list)
    assert len(X_new) == len(y_new) == 6
    X_new, _ = ArtificialImageSampler(make).fit_resample(X, y)
    assert [image.shape for image in X_new[9:]] == [(3, 3, 1), (3, 4, 1), (3, 5, 1)]
    assert ResizeImages((8, 8)).fit_transform(X_new).shape == (12, 8, 8, 1)
    with pytest.raises(ValueError, match=r"different sizes.*ResizeImages"):
        ImageSMOTE(k_neighbors=1).fit_resample(X, y)


# SMOTE


def test_mixtures_are_what_their_parents_and_weights_say():
    X, y = images_and_labels({"a": 20, "b": 8, "c": 6})
    sampler = ImageSMOTE(k_neighbors=2, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    parents, weights = sampler.parent_indices_, sampler.parent_weights_
    expected = np.einsum("np,np...->n...", weights, X[parents])
    np.testing.assert_allclose(X_new, expected)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_array_equal(y[parents[:, 0]], y_new)
    np.testing.assert_array_equal(y[parents[:, 1]], y_new)
    new = np.arange(len(X_new)) >= len(X)
    assert (sampler.sample_indices_[new] == -1).all()
    np.testing.assert_array_equal(sampler.sample_indices_[~new], np.arange(len(X)))
    assert (parents[new, 0] != parents[new, 1]).all()
    # One parent is among the two nearest of the other in its class.
    for pair in parents[new]:
        rows = np.flatnonzero(y == y[pair[0]])
        near = NearestNeighbors(n_neighbors=3).fit(X[rows].reshape(len(rows), -1))
        found = near.kneighbors(X[pair].reshape(2, -1), return_distance=False)
        assert pair[1] in rows[found[0]] or pair[0] in rows[found[1]]


def test_mask_of_a_mixture_is_that_of_the_heavier_parent():
    X, y = images_and_labels({"a": 12, "b": 5}, (6, 6, 2), "uint8")
    X[..., 1] = 255 * (X[..., 1] > 100)
    sampler = ImageSMOTE(k_neighbors=2, random_state=0)
    X_new, _ = sampler.fit_resample(X, y)
    assert set(np.unique(X_new[..., 1])) == {0, 255}
    heavier = sampler.parent_weights_.argmax(axis=1)
    source = sampler.parent_indices_[np.arange(len(X_new)), heavier]
    np.testing.assert_array_equal(X_new[..., 1], X[source, ..., 1])
    # What the masks are does not change which images are neighbours.
    blank = X.copy()
    blank[..., 1] = 0
    X_blank, _ = clone(sampler).fit_resample(blank, y)
    np.testing.assert_array_equal(X_blank[..., 0], X_new[..., 0])
    mixed, _ = clone(sampler).set_params(mask=None).fit_resample(X, y)
    assert len(np.unique(mixed[..., 1])) > 2


def test_mixtures_of_integers_are_rounded():
    X, y = images_and_labels({"a": 12, "b": 5}, dtype="uint8")
    sampler = ImageSMOTE(k_neighbors=2, random_state=0)
    X_new, _ = sampler.fit_resample(X, y)
    exact, _ = clone(sampler).fit_resample(X.astype(float), y)
    np.testing.assert_array_equal(X_new, np.rint(exact).astype(np.uint8))


def test_identical_images_mix_to_themselves():
    X = np.zeros((12, 3, 3))
    y = np.repeat(["a", "b"], [8, 4])
    sampler = ImageSMOTE(k_neighbors=2, random_state=0)
    X_new, _ = sampler.fit_resample(X, y)
    assert X_new.shape == (16, 3, 3)
    assert not X_new.any()
    assert (y[sampler.parent_indices_] == "b").sum() == 2 * 8


@pytest.mark.parametrize(("count", "word"), [(1, "1 image,"), (5, "5 images,")])
def test_too_few_neighbours_named(count, word):
    X, y = images_and_labels({"full": 20, "empty": count, "uncertain": 9})
    with pytest.raises(ValueError, match=rf"Class 'empty' has {word}.*k_neighbors=5"):
        ImageSMOTE().fit_resample(X, y)
    # A class that is not to grow may be as small as it is.
    ImageSMOTE(sampling_strategy={"uncertain": 15}).fit_resample(X, y)


def test_mask_asked_for_but_not_there():
    X, y = images_and_labels({"a": 12, "b": 8})
    with pytest.raises(ValueError, match=r'ImageSMOTE\(mask="last"\).*1 channel'):
        ImageSMOTE(mask="last").fit_resample(X, y)


# Artificial images


def test_generator_is_told_what_to_make():
    told = []

    def make(n_samples, class_label, random_state, image_shape):
        told.append((n_samples, class_label, random_state, image_shape))
        return np.full((n_samples, *image_shape), len(told))

    X, y = images_and_labels({"a": 9, "b": 4, "c": 7}, (5, 4, 2), "int64")
    sampler = ArtificialImageSampler(make, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert [(n, label, shape) for n, label, _, shape in told] == [
        (5, "b", (5, 4, 2)),
        (2, "c", (5, 4, 2)),
    ]
    assert all(type(label) is str for _, label, _, _ in told)
    assert told[0][2] != told[1][2]
    assert y_new[20:].tolist() == ["b"] * 5 + ["c"] * 2
    assert (X_new[20:25] == 1).all()
    assert (X_new[25:] == 2).all()
    seeds = {label: seed for _, label, seed, _ in told}
    told.clear()
    sampler.set_params(sampling_strategy={"b": 6, "c": 8}).fit_resample(X, y)
    assert {label: seed for _, label, seed, _ in told} == seeds


def test_generator_of_three_parameters():
    X, y = images_and_labels({0: 9, 1: 4}, dtype="float32")

    def make(n, label, seed):
        assert type(label) is int
        return np.full((n, 5, 4), 7, np.uint8)

    X_new, _ = ArtificialImageSampler(make).fit_resample(X, y)
    assert X_new.dtype == np.float32
    assert (X_new[13:] == 7).all()


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (np.zeros((4, 5, 4), np.uint8), r"class_label='b'.* gave 4 images; expected 5"),
        (
            np.zeros((5, 4, 4), np.uint8),
            r"\(4, 4, 1\).*those of X are of .*\(5, 4, 1\)",
        ),
        (np.zeros((5, 5, 4, 3), np.uint8), r"\(5, 4, 3\) .*\(5, 4, 1\)"),
        (np.full((5, 5, 4), 0.5), r"float64 with values .* X's dtype uint8"),
        (np.full((5, 5, 4), 300), r"int64 with values from 300 to 300"),
        (np.full((5, 5, 4), np.nan), "contains NaN: image 0 and 4 others of 5"),
        (None, "array"),
        ([], "holds no images"),
    ],
    ids=["count", "shape", "channels", "float", "range", "NaN", "None", "empty"],
)
def test_bad_generators_named(made, match):
    X, y = images_and_labels({"a": 9, "b": 4}, dtype="uint8")
    sampler = ArtificialImageSampler(lambda n_samples, class_label, random_state: made)
    with pytest.raises(ValueError, match=match):
        sampler.fit_resample(X, y)


def test_generator_has_to_be_given():
    X, y = images_and_labels({"a": 9, "b": 4})
    with pytest.raises(ValueError, match=r"'generator' parameter .* Got None"):
        ArtificialImageSampler().fit_resample(X, y)


def test_liposomes_with_their_masks_fill_small_classes():
    weights = {"unilamellar": 0.7, "multilamellar": 0.2, "uncertain": 0.1}
    liposomes = make_liposomes(30, weights=weights, image_size=24, random_state=0)
    X = np.stack([liposomes.images, liposomes.masks], axis=-1)
    make = partial(generate_liposomes, dose=20.0)
    sampler = pickle.loads(pickle.dumps(ArtificialImageSampler(make, random_state=1)))
    X_new, y_new = clone(sampler).fit_resample(X, liposomes.target)
    assert X_new.shape == (63, 24, 24, 2)
    assert set(np.unique(X_new[..., 1])) == {0, 1}
    assert (X_new[..., 1].any(axis=(1, 2))).all()
    assert set(np.unique(y_new, return_counts=True)[1]) == {21}
    again, _ = sampler.fit_resample(X, liposomes.target)
    np.testing.assert_array_equal(again, X_new)


def test_generate_liposomes():
    images = generate_liposomes(3, "empty", 0, (16, 16, 1), task="encapsulation")
    assert images.shape == (3, 16, 16, 1)
    assert generate_liposomes(2, "uncertain", 0).shape == (2, 64, 64)
    assert generate_liposomes(2, "uncertain", 0, (16, 16)).shape == (2, 16, 16)
    direct = make_liposomes(
        3, task="encapsulation", weights={"empty": 1}, image_size=16, random_state=0
    )
    np.testing.assert_array_equal(images[..., 0], direct.images)
    for shape in ((16, 20, 1), (16, 16, 3)):
        with pytest.raises(ValueError, match="square images"):
            generate_liposomes(3, "empty", 0, shape, task="encapsulation")
    with pytest.raises(ValueError, match=r"class 'empty', which task='lamellarity'"):
        generate_liposomes(3, "empty", 0)
    with pytest.raises(ValueError, match="name of one of"):
        generate_liposomes(3, 1, 0)
