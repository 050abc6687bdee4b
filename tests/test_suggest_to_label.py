"""Images that teach much are suggested first."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from emclassify.model_selection import find_duplicates
from emclassify.review import suggest_to_label


@pytest.fixture
def images():
    """Four kinds of images, in places of their own."""
    rng = np.random.default_rng(0)
    where = np.repeat([[0, 0], [9, 0], [0, 9], [9, 9]], 25, axis=0)
    return rng.normal(size=(100, 12, 12)), where + rng.normal(0, 0.5, (100, 2))


def test_diverse_takes_one_of_each_kind(images):
    X, points = images
    table = suggest_to_label(X, 4, embedding=points, random_state=0)
    assert sorted(table["sample"] // 25) == [0, 1, 2, 3]
    assert table["n_in_cluster"].tolist() == [25] * 4
    cluster_of = table.attrs["cluster_of"]
    assert all(len(set(cluster_of[k * 25 : (k + 1) * 25])) == 1 for k in range(4))
    assert table["margin"].isna().all()


def test_a_single_image_is_suggested(images):
    assert suggest_to_label(images[0][:1], 1, random_state=0)["sample"].tolist() == [0]


def test_uncertain_is_where_the_model_is(images):
    _, points = images
    y = points[:, 0] > 4.5
    points = points.copy()
    points[:6, 0] = 4.4  # at the border
    model = LogisticRegression().fit(points[10:], y[10:])
    table = suggest_to_label(
        points, 3, model, embedding=points, avoid_duplicates=False, random_state=0
    )
    assert table["margin"].max() < 0.99
    borderline = suggest_to_label(
        points, 1, model, embedding=points, avoid_duplicates=False, random_state=0
    )
    assert borderline["margin"][0] < 0.5


def test_never_a_labelled_one_nor_one_twice(images):
    X, points = images
    labelled = np.arange(100) % 4 != 0
    table = suggest_to_label(X, 25, labelled=labelled, embedding=points, random_state=0)
    assert sorted(table["sample"]) == list(range(0, 100, 4))
    by_number = suggest_to_label(
        X, 5, labelled=np.flatnonzero(labelled), embedding=points, random_state=0
    )
    assert not labelled[by_number["sample"]].any()


def test_of_many_equal_images_one_is_enough():
    # More than are paired with each other.
    X = np.random.default_rng(0).normal(size=(120, 12, 12))
    X[:100] = X[0]
    done = np.zeros(120, dtype=bool)
    done[[0, *range(100, 110)]] = True
    points = X.reshape(120, -1)
    duplicates = find_duplicates(X)
    for pairs in (None, duplicates):
        settings = {"embedding": points, "duplicates": pairs, "random_state": 0}
        table = suggest_to_label(X, 6, labelled=done, **settings)
        assert table["sample"].min() >= 110
    table = suggest_to_label(X, 6, **settings)
    assert (table["sample"] < 100).sum() <= 1


def test_never_two_of_a_pair(images):
    X, points = images
    X = X.copy()
    X[50:] = X[:50][:, ::-1] * 2 + 1  # mirrored copies
    table = suggest_to_label(X, 50, embedding=points, random_state=0)
    assert len(set(table["sample"] % 50)) == 50
    known = suggest_to_label(X, 5, labelled=[0, 1, 2], embedding=points, random_state=0)
    assert not set(known["sample"] % 50) & {0, 1, 2}


def test_groups_are_balanced(images):
    X, _ = images
    groups = np.random.default_rng(1).permutation(np.repeat([0, 1], [80, 20]))
    points = np.zeros((100, 1)) + np.arange(100)[:, np.newaxis] % 10
    table = suggest_to_label(X, 10, groups=groups, embedding=points, random_state=0)
    # A fifth of the images is of group 1, and about a fifth of what is suggested.
    assert 1 <= (table["group"] == 1).sum() <= 4


def test_same_seed_same_suggestions(images):
    X, _ = images
    first, second = (suggest_to_label(X, 6, random_state=3) for _ in range(2))
    assert first["sample"].tolist() == second["sample"].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 101}, "100 of 100 images are without a label"),
        ({"n": 3, "strategy": "uncertain"}, "needs an estimator"),
        ({"n": 3, "labelled": [True]}, r"labelled has shape \(1,\)"),
        ({"n": 3, "labelled": [200]}, "numbers beyond 0 to 99"),
        ({"n": 3, "embedding": np.zeros((2, 2))}, r"embedding has shape \(2, 2\)"),
        ({"n": 3, "embedding": np.full((100, 2), np.nan)}, "embedding contains NaN"),
        ({"n": 3, "groups": [None] * 100}, "groups is missing"),
    ],
)
def test_bad_input_is_named(images, options, message):
    with pytest.raises(ValueError, match=message):
        suggest_to_label(images[0], **options)
