"""Intervals of pooled scores: open at 0 and 1, right as often as they say."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from emclassify.metrics._bootstrap import bootstrap_scores
from emclassify.metrics._intervals import difference_limits, score_limits
from emclassify.metrics._targets import OneLabel, SeveralLabels
from emclassify.model_selection import benchmark_classifiers

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from interval_coverage import FIGURE_WORLDS, figure_coverage


def limits(true, predicted, units, target, level=0.95):
    true, predicted = np.asarray(true), np.asarray(predicted)
    units = np.asarray(units)
    n = units.max() + 1
    drawn = bootstrap_scores(
        {"m": (true, predicted, units)},
        n_units=n,
        target=target,
        n_bootstrap=200,
        seed=0,
    )
    cells = target.cells(true, predicted, units, n)
    return score_limits(cells, target, drawn["m"], level)


TWO = OneLabel(np.arange(2), ["a", "b"])


def test_samples_alone_have_the_exact_limits():
    # Of a: 7 of 8 found; of b: 3 of 5. 9 called a, 7 of them rightly; 4 called b.
    true = np.repeat([0, 1], [8, 5])
    predicted = np.r_[np.zeros(7), 1, np.ones(3), 0, 0].astype(int)
    found = limits(true, predicted, np.arange(13), TWO)
    for score, (k, n) in {
        "TPR_a": (7, 8),
        "TNR_a": (3, 5),
        "PPV_a": (7, 9),
        "NPV_a": (3, 4),
        "accuracy": (10, 13),
        "TPR_micro": (10, 13),
    }.items():
        exact = stats.binomtest(k, n).proportion_ci(0.95, "exact")
        assert found[score] == pytest.approx((exact.low, exact.high)), score
    # F1 = 2J / (1 + J), where 7 of the 10 that are or are called a are right.
    exact = stats.binomtest(7, 10).proportion_ci(0.95, "exact")
    expected = [2 * j / (1 + j) for j in exact]
    assert found["F1_a"] == pytest.approx(expected)


def test_a_class_never_found_and_one_always_found_stay_open():
    # 8 groups of 5 of each class: a is always found, b never.
    true = np.tile(np.repeat([0, 1], 5), 8)
    units = np.repeat(np.arange(8), 10)
    found = limits(true, np.zeros_like(true), units, TWO)
    edge = 0.025 ** (1 / 8)
    assert found["TPR_a"] == pytest.approx((edge, 1))
    assert found["TPR_b"] == pytest.approx((0, 1 - edge))
    assert found["F1_b"][0] == 0 < found["F1_b"][1] < 1
    # Nothing was called b: there is no precision to bound.
    assert np.isnan(found["PPV_b"]).all()
    low, high = found["balanced_accuracy"]
    assert low < 0.5 < high
    assert found["TPR_macro"] == found["balanced_accuracy"]


def test_averages_know_of_a_class_of_few():
    # 500 of a, all right; 2 of b, both right: the recall of b may be 0.16.
    true = np.repeat([0, 1], [500, 2])
    found = limits(true, true, np.arange(502), TWO)
    low = 0.025 ** (1 / 2)
    assert found["TPR_b"] == pytest.approx((low, 1))
    assert found["TPR_macro"][0] <= (1 + low) / 2
    assert found["TPR_weighted"][0] > 0.98


def test_one_group_has_no_interval():
    true = np.tile([0, 1], 6)
    found = limits(true, true, np.zeros(12, int), TWO)
    assert all(np.isnan(pair).all() for pair in found.values())


def test_one_replicate_has_no_interval_of_an_average():
    result = benchmark_classifiers(
        {"tree": DecisionTreeClassifier(random_state=0)},
        *load_iris(return_X_y=True),
        groups=np.arange(150) // 5,
        n_bootstrap=1,
    )
    table = result.summary().loc["tree"]
    assert np.isnan(table.loc["macro", ["F1_low", "F1_high"]].to_numpy(float)).all()
    assert table.loc["micro", "F1_low"] < table.loc["micro", "F1"]


def test_several_labels():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, (60, 3))
    predicted = np.where(rng.random((60, 3)) < 0.8, true, 1 - true)
    target = SeveralLabels(3, ["x", "y", "z"])
    found = limits(true, predicted, np.arange(60), target)
    k, n = (true & predicted)[:, 1].sum(), true[:, 1].sum()
    exact = stats.binomtest(int(k), int(n)).proportion_ci(0.95, "exact")
    assert found["TPR_y"] == pytest.approx((exact.low, exact.high))
    scores = target.pooled_scores(true, predicted)
    assert set(found) == set(scores)
    for score, (low, high) in found.items():
        assert 0 <= low < scores[score] < high <= 1, score


def test_difference_has_the_quantiles_of_groups():
    rng = np.random.default_rng(0)
    replicates = rng.normal(0.1, 0.02, 4000)
    low, high = difference_limits(0.1, replicates, np.full(5, 20), 0.95)
    half = stats.t.ppf(0.975, 4) * 0.02 * np.sqrt(5 / 4)
    assert (low, high) == pytest.approx((0.1 - half, 0.1 + half), rel=0.05)
    # Models that never differed may do so on a group to come.
    same = difference_limits(0.0, np.zeros(100), np.full(5, 20), 0.95)
    edge = 1 - 0.025 ** (1 / 5)
    assert same == pytest.approx((-edge, edge))
    assert np.isnan(difference_limits(0.0, np.zeros(9), np.full(1, 20), 0.95)).all()


@pytest.mark.slow
@pytest.mark.parametrize("world", FIGURE_WORLDS)
@pytest.mark.parametrize("n_groups", [4, 5, 10, 20, 50])
def test_coverage_of_all_figures(n_groups, world):
    table = figure_coverage(n_groups, world, n_draws=1000, seed=0)
    assert min(table.values()) >= 0.9, table
