"""Folds for samples of several labels."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, cross_validate
from sklearn.tree import DecisionTreeClassifier

from emclassify.model_selection import MultilabelStratifiedGroupKFold


def draw_labels(n=600, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((n, 6)) < np.geomspace(0.5, 0.02, 6)).astype(int), rng


def imbalance(y, folds):
    """Largest deviation of a label's share in a test fold from its share in y."""
    return max(abs(y[test].mean(0) / y.mean(0) - 1).max() for _, test in folds)


def test_every_label_has_its_share_in_every_fold():
    y, _ = draw_labels(2000)
    ours = imbalance(y, MultilabelStratifiedGroupKFold(5).split(y, y))
    plain = imbalance(y, KFold(5, shuffle=True, random_state=0).split(y, y))
    assert ours < plain / 2


def test_groups_are_kept_together_and_shares_better_than_by_group_alone():
    y, rng = draw_labels()
    groups = rng.integers(60, size=len(y))
    folds = list(MultilabelStratifiedGroupKFold(5).split(y, y, groups))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
    assert imbalance(y, folds) < imbalance(y, GroupKFold(5).split(y, y, groups))


def test_by_hand():
    # Label 1 is rarest (two samples): one in each fold. Then label 0 fills up.
    y = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0], [0, 0]])
    tests = [test.tolist() for _, test in MultilabelStratifiedGroupKFold(2).split(y, y)]
    assert tests == [[0, 2, 4], [1, 3, 5]]


@settings(max_examples=60)
@given(
    n=st.integers(4, 40),
    n_labels=st.integers(2, 5),
    n_groups=st.integers(2, 6),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**16),
    shuffle=st.booleans(),
)
def test_folds_part_the_samples(n, n_labels, n_groups, share, seed, shuffle):
    rng = np.random.default_rng(seed)
    y = (rng.random((n, n_labels)) < share).astype(int)
    groups = np.concatenate([np.arange(n_groups), rng.integers(n_groups, size=n)])[:n]
    n_splits = min(3, len(np.unique(groups)))
    cv = MultilabelStratifiedGroupKFold(
        n_splits, shuffle=shuffle, random_state=seed if shuffle else None
    )
    tests = [test for _, test in cv.split(y, y, groups)]
    assert len(tests) == n_splits
    assert all(len(test) for test in tests)
    np.testing.assert_array_equal(np.sort(np.concatenate(tests)), np.arange(n))


def test_same_seed_same_folds_and_other_seed_others():
    y, _ = draw_labels(100)
    folds = [
        [
            test.tolist()
            for _, test in MultilabelStratifiedGroupKFold(
                4, shuffle=True, random_state=seed
            ).split(y, y)
        ]
        for seed in (0, 0, 1)
    ]
    assert folds[0] == folds[1] != folds[2]


def test_takes_sparse_labels_and_serves_cross_validate():
    y, rng = draw_labels(120)
    X = rng.normal(size=(len(y), 3))
    cv = MultilabelStratifiedGroupKFold(3)
    dense, thin = (list(cv.split(X, labels)) for labels in (y, sparse.csr_array(y)))
    for (a, b), (c, d) in zip(dense, thin, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)
    groups = np.arange(len(y)) // 4
    scores = cross_validate(
        DecisionTreeClassifier(max_depth=1),
        X,
        y,
        groups=groups,
        cv=clone(cv, safe=False),
    )
    assert len(scores["test_score"]) == 3


def test_bad_input():
    y, _ = draw_labels(10)
    with pytest.raises(ValueError, match="n_splits"):
        MultilabelStratifiedGroupKFold(1)
    with pytest.raises(ValueError, match="random_state"):
        MultilabelStratifiedGroupKFold(random_state=0)
    cv = MultilabelStratifiedGroupKFold(4)
    with pytest.raises(ValueError, match=r"y must be an indicator.*StratifiedGroup"):
        next(cv.split(y, y[:, 0]))
    with pytest.raises(ValueError, match=r"n_splits=4 .* 2 groups"):
        next(cv.split(y, y, np.arange(10) % 2))
    with pytest.raises(ValueError, match=r"n_splits=4 .* 3 samples"):
        next(cv.split(y[:3], y[:3]))
