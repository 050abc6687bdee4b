"""Proposed masks: the background is among the clusters."""

import numpy as np
import pytest
from ion_datasets import make_dataset

from emclassify.baselines import MaskCorrelationClassifier, propose_masks


@pytest.fixture(scope="module")
def dataset():
    return make_dataset((24, 30))


def test_the_background_comes_first(dataset):
    images, _, background = dataset
    proposals = propose_masks(images, 2, random_state=0)
    assert np.mean((proposals.clusters == 0) == background) > 0.95
    # So does its side of the first component.
    first = proposals.components[..., 0]
    assert np.mean((first > 0) == background) > 0.9
    assert proposals.explained_variance_ratio[0] > 0.5


def test_clusters_and_components(dataset):
    images, *_ = dataset
    proposals = propose_masks(images, 4, n_components=2, random_state=0)
    assert set(proposals.clusters.ravel()) == {0, 1, 2, 3}
    assert proposals.components.shape == (24, 30, 2)
    again = propose_masks(images, 4, n_components=2, random_state=0)
    np.testing.assert_array_equal(again.clusters, proposals.clusters)
    rim = np.ones((24, 30), bool)
    rim[1:-1, 1:-1] = False
    shares = [rim[proposals.clusters == k].mean() for k in range(4)]
    assert shares == sorted(shares, reverse=True)


def test_an_object_array_of_images(dataset):
    images, *_ = dataset
    ragged = np.empty(len(images), dtype=object)
    ragged[:] = list(images)
    given, expected = (propose_masks(X, 3, random_state=0) for X in (ragged, images))
    np.testing.assert_array_equal(given.clusters, expected.clusters)


def test_a_mask_that_was_picked_classifies(dataset):
    images, labels, _ = dataset
    picked = np.isin(propose_masks(images, 3, random_state=0).clusters, [0])
    clf = MaskCorrelationClassifier().fit(images, labels, masks=picked)
    np.testing.assert_array_equal(clf.masks_[None], picked)
    assert clf.score(images, labels) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_clusters": 10}, "n_clusters=10 is more than .* 9"),
        ({"n_clusters": 2, "n_components": 3}, "n_components=3 is more than 2 images"),
        ({"n_clusters": 0}, "'n_clusters' parameter"),
    ],
)
def test_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        propose_masks(np.random.default_rng(0).random((2, 3, 3)), **settings)
