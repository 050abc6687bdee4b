"""Thresholds that keep a bound, against all thresholds tried one by one."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from emclassify.metrics import (
    operating_point,
    precision_at_recall,
    recall_at_fpr,
    recall_at_precision,
)

BOUNDS = ["min_recall", "min_precision", "max_fpr"]


def every_point(truth, score, weight):
    """All thresholds, by counting: (threshold, precision, recall, fpr)."""
    for threshold in [np.inf, *sorted(set(score.tolist()), reverse=True)]:
        called = score >= threshold
        hit, false = weight[called & truth].sum(), weight[called & ~truth].sum()
        precision = hit / (hit + false) if hit + false > 0 else 1.0
        yield (
            threshold,
            precision,
            hit / weight[truth].sum(),
            false / weight[~truth].sum(),
        )


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 25),
    st.sampled_from(BOUNDS),
    st.sampled_from([0.0, 0.1, 0.5, 0.8, 0.95, 1.0]),
    st.booleans(),
)
def test_against_all_thresholds(seed, n, name, bound, weighted):
    rng = np.random.default_rng(seed)
    truth = np.arange(n) < rng.integers(1, n)
    score = rng.integers(0, 6, n) / 5  # with ties
    weight = rng.integers(1, 4, n).astype(float) if weighted else np.ones(n)
    point = operating_point(truth, score, sample_weight=weight, **{name: bound})
    kept = [
        (threshold, precision, recall, fpr)
        for threshold, precision, recall, fpr in every_point(truth, score, weight)
        if {
            "min_recall": recall >= bound - 1e-9,
            "min_precision": precision >= bound - 1e-9,
            "max_fpr": fpr <= bound + 1e-9,
        }[name]
    ]
    wanted = 1 if name == "min_recall" else 2
    best = max(row[wanted] for row in kept)
    got = point.precision if name == "min_recall" else point.recall
    assert np.nan_to_num(got, nan=1.0) == pytest.approx(best)
    # The point is one of those, with all its figures.
    same = next(row for row in kept if row[0] == point.threshold)
    assert np.nan_to_num(point.precision, nan=1.0) == pytest.approx(same[1])
    assert (point.recall, point.fpr) == pytest.approx(same[2:])


def test_by_hand():
    truth = np.array(["bad", "good", "bad", "good", "good"])
    score = np.array([0.2, 0.3, 0.6, 0.7, 0.9])
    params = {"pos_label": "good"}
    assert recall_at_fpr(truth, score, max_fpr=0.0, **params) == pytest.approx(2 / 3)
    assert recall_at_fpr(truth, score, max_fpr=0.5, **params) == 1
    assert precision_at_recall(truth, score, min_recall=0.5, **params) == 1
    assert precision_at_recall(truth, score, min_recall=0.8, **params) == 0.75
    assert recall_at_precision(truth, score, min_precision=0.9, **params) == 2 / 3
    assert recall_at_precision(truth, -score, min_precision=0.9, **params) == 0


def test_of_two_as_good_the_better_other_figure():
    # Recall 1 at both lower thresholds; the higher one has fewer false positives.
    point = operating_point([0, 0, 1], [0.1, 0.2, 0.9], min_recall=0.5)
    assert point.threshold == 0.9
    point = operating_point([0, 0, 1, 1], [0.1, 0.8, 0.8, 0.9], max_fpr=1.0)
    assert (point.threshold, point.fpr) == (0.8, 0.5)


@pytest.mark.parametrize(
    ("truth", "score", "params", "message"),
    [
        ([0, 1], [0.1, 0.2], {}, "exactly one of min_recall, min_precision, max_fpr"),
        ([0, 1], [0.1, 0.2], {"max_fpr": 0.1, "min_recall": 0.1}, "exactly one of"),
        ([0, 1], [0.1, 0.2], {"max_fpr": 1.5}, "max_fpr must be a number from 0 to 1"),
        ([0, 1], [0.1, 0.2], {"max_fpr": np.nan}, "max_fpr must be a number"),
        ([0, 0], [0.1, 0.2], {"max_fpr": 0.1}, "two classes; it holds 1: \\[0\\]"),
        ([0, 1, 2], [1, 2, 3], {"max_fpr": 0.1}, "two classes; it holds 3"),
        ([0, 1], [0.1, np.nan], {"max_fpr": 0.1}, "y_score contains NaN"),
        (["a", "b"], [1, 2], {"max_fpr": 0.1}, "pos_label"),
        (["a", "b"], [1, 2], {"max_fpr": 0.1, "pos_label": "c"}, "'c' is not a label"),
        ([0, 1], [1, 2, 3], {"max_fpr": 0.1}, "inconsistent"),
        (
            [0, 1],
            [1, 2],
            {"max_fpr": 0.1, "sample_weight": [0, 1]},
            "without weight",
        ),
    ],
)
def test_refused(truth, score, params, message):
    with pytest.raises(ValueError, match=message):
        operating_point(truth, score, **params)
