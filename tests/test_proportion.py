"""Intervals of proportions: exact ones by scipy, coverage by simulation."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binomtest

from emclassify.metrics._proportion import proportion_interval, proportion_limits

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from interval_coverage import (
    DEGREES,
    SHARES,
    SIZES,
    proportion_coverage,
)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (3, 20), (20, 20), (1, 1)])
def test_interval_without_groups_is_the_exact_one(k, n):
    hits = np.arange(n) < k
    exact = binomtest(k, n).proportion_ci(0.9, "exact")
    for groups in (None, np.arange(n)):
        low, high = proportion_interval(hits, groups, 0.9)
        assert (low, high) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize("size", [2, 20, 500])
def test_without_a_hit_or_a_miss_groups_count(size):
    exact = binomtest(0, 6).proportion_ci(0.9, "exact")
    groups = np.repeat(np.arange(6), size)
    none = proportion_interval(np.zeros(6 * size, bool), groups, 0.9)
    assert none == pytest.approx((0, exact.high))
    assert none[1] == pytest.approx(0.393, abs=5e-4)
    assert proportion_interval(np.ones(6 * size, bool), groups, 0.9) == pytest.approx(
        (1 - exact.high, 1)
    )


def test_a_hit_more_never_lowers_a_limit():
    # One mistake among 120 must not promise less error than none does.
    groups = np.repeat(np.arange(6), 20)
    limits = [
        proportion_interval(np.arange(120) < k, groups, 0.95) for k in (0, 1, 2, 5, 20)
    ]
    assert (np.diff([high for _, high in limits]) > 0).all()


def test_one_large_group_is_no_crowd():
    # 1,000 samples in one group, 1 in each of 5: little more than a single group.
    hits = np.zeros(1005, bool)
    groups = np.concatenate([np.zeros(1000), np.arange(1, 6)])
    assert proportion_interval(hits, groups, 0.95)[1] > 0.95


def test_copies_in_a_group_count_once():
    # 7 copies of each of 11 samples: as 10 samples (a degree of freedom is the mean's),
    # and wider by Student's t of 10 degrees of freedom in place of 76.
    once = np.arange(11) < 4
    found = proportion_interval(np.repeat(once, 7), np.repeat(np.arange(11), 7), 0.95)
    n = 10 * (stats.t.ppf(0.975, 76) / stats.t.ppf(0.975, 10)) ** 2
    k = 4 / 11 * n
    assert found == pytest.approx(
        (stats.beta.ppf(0.025, k, n - k + 1), stats.beta.ppf(0.975, k + 1, n - k))
    )
    # Groups that are all the same tell of no likeness within them.
    even = np.tile([True, False], 11), np.repeat(np.arange(11), 2)
    plain = proportion_interval(even[0], None, 0.95)
    assert proportion_interval(*even, 0.95) == pytest.approx(plain)


def test_no_interval_without_samples_or_from_one_group():
    assert np.isnan(proportion_interval(np.zeros(0, bool), None, 0.95)).all()
    assert np.isnan(proportion_interval(np.zeros(0, bool), np.zeros(0), 0.95)).all()
    assert np.isnan(proportion_interval(np.ones(5, bool), np.zeros(5), 0.95)).all()


def test_many_shares_are_computed_at_once():
    rng = np.random.default_rng(0)
    sizes = rng.integers(0, 9, (12, 40))
    hits = rng.binomial(sizes, 0.3)
    together = np.array(proportion_limits(hits, sizes, 0.95))
    for column in range(40):
        groups = np.repeat(np.arange(12), sizes[:, column])
        each = np.concatenate(
            [
                np.arange(m) < k
                for k, m in zip(hits.T[column], sizes.T[column], strict=True)
            ]
        )
        assert together[:, column] == pytest.approx(
            proportion_interval(each, groups, 0.95)
        )


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [4, 6, 10, 20, 50])
@pytest.mark.parametrize("sizes", SIZES)
def test_coverage_of_groups_from_independent_to_all_or_nothing(sizes, n_groups):
    table = proportion_coverage(n_groups, sizes, n_draws=3000, seed=1)
    assert table.shape == (len(SHARES), len(DEGREES))
    assert table.min() >= 0.93
