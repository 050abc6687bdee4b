"""Labels that a model doubts come first."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, ShuffleSplit
from sklearn.svm import LinearSVC

from emclassify.review import doubtful_labels


@pytest.fixture
def data():
    """Two classes far apart; three labels are wrong."""
    rng = np.random.default_rng(0)
    y = np.tile(["a", "b"], 60)
    X = rng.normal(size=(120, 3)) + np.where(y == "b", 4, 0)[:, np.newaxis]
    wrong = [5, 40, 77]
    y[wrong] = np.where(y[wrong] == "a", "b", "a")
    return X, y, wrong


def test_wrong_labels_come_first(data):
    X, y, wrong = data
    table = doubtful_labels(
        LogisticRegression(), X, y, names=[f"i{k}" for k in range(120)]
    )
    assert sorted(table["sample"][:3]) == wrong
    assert table["issue"][:3].all()
    assert (table["predicted"][:3] != table["label"][:3]).all()
    assert table["quality"].is_monotonic_increasing
    np.testing.assert_array_equal(table["label"], y[table["sample"]])
    assert table["name"][0] == f"i{table['sample'][0]}"
    own = np.where(
        table["label"] == "a", table["probability_a"], table["probability_b"]
    )
    np.testing.assert_allclose(table["probability"], own)
    np.testing.assert_allclose(table["margin"], 2 * own - 1)


def test_groups_stay_together(data):
    X, y, _ = data
    groups = np.arange(120) // 10
    seen = []

    class Recording(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            seen.append({float(x) for x in X[:, 0]})
            return super().fit(X, y, sample_weight)

    doubtful_labels(Recording(), X, y, groups=groups, cv=GroupKFold(3))
    for train in seen:
        inside = np.array([float(x) in train for x in X[:, 0]])
        assert all(len(set(inside[groups == g])) == 1 for g in range(12))


def test_bad_input_is_named(data):
    X, y, _ = data
    with pytest.raises(ValueError, match="'estimator' parameter"):
        doubtful_labels(LinearSVC(), X, y)
    with pytest.raises(ValueError, match="each must be predicted once"):
        doubtful_labels(LogisticRegression(), X, y, cv=ShuffleSplit(2, random_state=0))
    with pytest.raises(ValueError, match="y has shape"):
        doubtful_labels(LogisticRegression(), X, np.eye(120))
    with pytest.raises(ValueError, match="names has shape"):
        doubtful_labels(LogisticRegression(), X, y, names=["x"])
