"""scikit-learn's temperature scaling with groups kept apart: what the guide says of it.

No code of ours: the tests hold scikit-learn and our classifiers to the documentation.
"""

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, KFold
from sklearn.neighbors import KNeighborsClassifier

from emclassify import LipNetClassifier
from emclassify.model_selection import benchmark_classifiers


def expected_calibration_error(true, probability, n_bins=10):
    """Mean gap between confidence and accuracy, over bins of confidence."""
    confidence = probability.max(axis=1)
    right = probability.argmax(axis=1) == true
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).sum()
        for b in np.unique(bins)
    ]
    return sum(gaps) / len(true)


@pytest.fixture(scope="module")
def groups_that_differ():
    """Each group has a place, by which it is known again, and a boundary of its own."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 25)
    y = rng.integers(2, size=1500)
    place = rng.normal(scale=20, size=(60, 2))[groups]
    shift = rng.normal(scale=0.8, size=60)[groups]
    signal = 2 * y + shift + rng.normal(scale=0.3, size=1500)
    return np.column_stack([place, signal]), y, groups


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def calibrated(cv, **settings):
    # Sure of itself, and right, where it knows the group.
    overconfident = KNeighborsClassifier(n_neighbors=1)
    return CalibratedClassifierCV(
        overconfident, method="temperature", cv=cv, **settings
    )


def test_no_group_trains_and_calibrates(routing, groups_that_differ):
    X, y, groups = groups_that_differ
    model = calibrated(GroupKFold(4)).fit(X, y, groups=groups)
    folds = GroupKFold(4).split(X, y, groups)
    for (train, _), pair in zip(folds, model.calibrated_classifiers_, strict=True):
        np.testing.assert_array_equal(pair.estimator._fit_X, X[train])


def test_better_than_uncalibrated_and_than_without_groups(routing, groups_that_differ):
    X, y, groups = groups_that_differ
    train, new = groups < 40, groups >= 40
    by_group = calibrated(GroupKFold(4))
    torn = calibrated(KFold(4, shuffle=True, random_state=0))
    said = {
        "plain": KNeighborsClassifier(n_neighbors=1).fit(X[train], y[train]),
        "by group": by_group.fit(X[train], y[train], groups=groups[train]),
        "groups torn": torn.fit(X[train], y[train]),
    }
    said = {name: model.predict_proba(X[new]) for name, model in said.items()}
    loss = {name: log_loss(y[new], p) for name, p in said.items()}
    error = {name: expected_calibration_error(y[new], p) for name, p in said.items()}
    assert loss["by group"] < 0.5 * loss["plain"]
    assert error["by group"] < 0.5 * error["plain"]
    # Calibrated on groups that it was trained on, a model stays too sure.
    assert loss["by group"] < loss["groups torn"]
    assert error["by group"] < 0.5 * error["groups torn"]


def test_one_model_from_a_list_of_splits(groups_that_differ):
    X, y, groups = groups_that_differ
    splits = list(GroupKFold(4).split(X, y, groups))
    model = calibrated(splits, ensemble=False).fit(X, y)
    # A temperature leaves the labels as they are.
    np.testing.assert_array_equal(model.predict(X), y)
    assert model.predict_proba(X).max() < 0.95


def test_networks_in_a_benchmark(routing):
    rng = np.random.default_rng(0)
    y = np.tile(["on", "off"], 24)
    X = rng.normal(size=(48, 8, 8)) + (y == "on")[:, None, None]
    network = LipNetClassifier(max_epochs=2, random_state=0)
    network.set_fit_request(groups=False)
    model = CalibratedClassifierCV(network, method="temperature", cv=GroupKFold(2))
    result = benchmark_classifiers(
        {"network": network, "calibrated": model},
        X,
        y,
        groups=np.arange(48) // 4,
        cv=GroupKFold(3),
        scoring="neg_log_loss",
        n_bootstrap=10,
        return_estimators=True,
    )
    assert len(result.fitted["calibrated"][0].calibrated_classifiers_) == 2
    assert result.by_fold(["neg_log_loss"]).notna().all(axis=None)
