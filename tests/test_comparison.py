import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from emclassify.metrics._bootstrap import bootstrap_scores
from emclassify.metrics._targets import OneLabel
from emclassify.model_selection import corrected_resampled_ttest
from emclassify.model_selection.benchmark._as_text import verdict_sentence
from emclassify.model_selection.benchmark._corrected_ttest import holm


def test_corrected_t_by_hand():
    # differences 1, 2, 3: mean 2, variance 1; 1/3 + 1/2 = 5/6
    result = corrected_resampled_ttest([2, 4, 6], [1, 2, 3], test_train_ratio=0.5)
    t = 2 / math.sqrt(5 / 6)
    assert result.difference == pytest.approx(2)
    assert result.statistic == pytest.approx(t, rel=1e-12)
    # Student's t with two degrees of freedom has a closed form
    assert result.pvalue == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-12)
    quantile = stats.t.ppf(0.975, 2)
    assert result.high - 2 == pytest.approx(quantile * math.sqrt(5 / 6), rel=1e-12)
    assert result.low == pytest.approx(4 - result.high)
    assert result.n_folds == 3


def test_repeats_have_the_freedom_of_one_pass():
    # Three folds, run twice: 1/6 + 1/2 = 2/3, and two degrees of freedom, not five.
    scores = np.array([2.0, 4, 6, 1, 4, 7])
    result = corrected_resampled_ttest(scores, np.zeros(6), test_train_ratio=0.5)
    error = math.sqrt(scores.var(ddof=1) * 2 / 3)
    assert result.pvalue == pytest.approx(2 * stats.t.sf(4 / error, 2), rel=1e-12)
    assert result.high - 4 == pytest.approx(stats.t.ppf(0.975, 2) * error, rel=1e-12)


def test_without_overlap_it_is_the_ordinary_paired_test():
    rng = np.random.RandomState(0)
    a, b = rng.normal(size=(2, 12))
    ours = corrected_resampled_ttest(a, b, test_train_ratio=1e-12)
    theirs = stats.ttest_rel(a, b)
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9)
    assert ours.pvalue == pytest.approx(theirs.pvalue, rel=1e-9)


def test_corrected_t_turns_with_the_models_and_skips_nan():
    a, b = [0.9, 0.8, np.nan, 0.7], [0.8, 0.75, 0.9, 0.5]
    one = corrected_resampled_ttest(a, b, test_train_ratio=0.25)
    two = corrected_resampled_ttest(b, a, test_train_ratio=0.25)
    assert one.n_folds == 3
    assert one.pvalue == pytest.approx(two.pvalue)
    assert one.low == pytest.approx(-two.high)


def test_corrected_t_without_spread():
    same = corrected_resampled_ttest([0.3, 0.4], [0.3, 0.4], test_train_ratio=0.25)
    assert (same.difference, same.pvalue) == (0, 1)
    constant = corrected_resampled_ttest(
        [0.5, 0.6, 0.7], [0.4, 0.5, 0.6], test_train_ratio=0.25
    )
    assert constant.pvalue == 0
    # Two folds agree by chance too often.
    two = corrected_resampled_ttest([0.5, 0.6], [0.4, 0.5], test_train_ratio=0.25)
    assert two.difference == pytest.approx(0.1)
    assert np.isnan([two.statistic, two.pvalue, two.low, two.high]).all()
    single = corrected_resampled_ttest([0.5], [0.4], test_train_ratio=0.25)
    assert single.difference == pytest.approx(0.1)
    assert math.isnan(single.pvalue)


def test_corrected_t_bad_arguments():
    with pytest.raises(ValueError, match="of one length"):
        corrected_resampled_ttest([1, 2], [1], test_train_ratio=0.25)
    with pytest.raises(ValueError, match="test_train_ratio must be above 0"):
        corrected_resampled_ttest([1, 2], [1, 3], test_train_ratio=0)
    with pytest.raises(ValueError, match="confidence_level must be"):
        corrected_resampled_ttest(
            [1, 2], [1, 3], test_train_ratio=1, confidence_level=95
        )


def test_false_alarms_of_the_plain_test_are_mended():
    # Two models that guess with the same skill, compared over overlapping
    # training sets: a shared shift between folds is what the correction is for.
    rng = np.random.RandomState(1)
    plain = corrected = 0
    for _ in range(400):
        difference = rng.normal(size=10) + rng.normal() * 0.5
        plain += stats.ttest_1samp(difference, 0).pvalue < 0.05
        corrected += (
            corrected_resampled_ttest(
                difference, np.zeros(10), test_train_ratio=0.25
            ).pvalue
            < 0.05
        )
    assert plain / 400 > 0.2
    assert corrected / 400 < 0.1


def test_holm_by_hand():
    np.testing.assert_allclose(
        holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]
    )
    np.testing.assert_allclose(holm([0.6, np.nan, 0.7]), [1, np.nan, 1])
    assert holm([]).shape == (0,)


def groupwise(n_groups=40, size=5, share=0.7):
    """Two classes; each group wholly right or wholly wrong."""
    right = np.arange(n_groups) < share * n_groups
    units = np.repeat(np.arange(n_groups), size)
    true = np.tile(np.arange(n_groups * size) % 2, 1)
    return true, np.where(right[units], true, 1 - true), units


def draw(y_true, y_pred, units, n_units, n_bootstrap=4000, seed=0):
    scores = bootstrap_scores(
        {"m": (y_true, y_pred, units)},
        n_units=n_units,
        target=OneLabel(np.arange(2), ["a", "b"]),
        n_bootstrap=n_bootstrap,
        seed=seed,
    )
    return scores["m"]


def test_bootstrap_over_groups_is_binomial():
    # The accuracy of a replicate is the share of right groups drawn: Binomial(40, .7).
    true, predicted, units = groupwise()
    accuracy = draw(true, predicted, units, 40)["accuracy"]
    assert accuracy.mean() == pytest.approx(0.7, abs=0.005)
    assert accuracy.std() == pytest.approx(math.sqrt(0.7 * 0.3 / 40), rel=0.05)
    # Taking the 200 samples for independent would claim far too narrow an interval.
    alone = draw(true, predicted, np.arange(200), 200)["accuracy"]
    assert alone.std() == pytest.approx(math.sqrt(0.7 * 0.3 / 200), rel=0.05)


def test_bootstrap_against_a_plain_loop():
    rng = np.random.RandomState(0)
    true, predicted = rng.randint(2, size=(2, 60))
    units = rng.randint(9, size=60)
    ours = draw(true, predicted, units, 9, n_bootstrap=30, seed=5)["F1_macro"]
    draws = np.random.default_rng(5).integers(9, size=(30, 9))
    for replicate, drawn in zip(ours, draws, strict=True):
        rows = np.concatenate([np.flatnonzero(units == unit) for unit in drawn])
        expected = f1_score(true[rows], predicted[rows], average="macro")
        assert replicate == pytest.approx(expected)


def test_bootstrap_is_paired_and_seeded():
    true, predicted, units = groupwise()
    both = bootstrap_scores(
        {"a": (true, predicted, units), "b": (true, predicted, units)},
        n_units=40,
        target=OneLabel(np.arange(2), ["a", "b"]),
        n_bootstrap=300,
        seed=1,
    )
    np.testing.assert_array_equal(both["a"]["F1_macro"], both["b"]["F1_macro"])
    again = draw(true, predicted, units, 40, n_bootstrap=300, seed=1)
    np.testing.assert_array_equal(again["F1_macro"], both["a"]["F1_macro"])


def test_replicates_without_a_class_are_left_out():
    true = np.array([0, 0, 0, 0, 0, 1])
    recall = draw(true, true, np.arange(6), 6)["TPR_b"]
    assert np.isnan(recall).mean() == pytest.approx((5 / 6) ** 6, abs=0.03)


def verdict(p, differences=(0.05,), means=(0.8, 0.75)):
    names = ["A", "B", "C"][: len(means)]
    rows = [
        {
            "model_a": name,
            "model_b": "A",
            "difference": -difference,
            "low": -difference - 0.01,
            "high": -difference + 0.01,
            "p_adjusted": p_adjusted,
        }
        for name, difference, p_adjusted in zip(names[1:], differences, p, strict=True)
    ]
    return verdict_sentence(
        pd.Series(means, index=names), pd.DataFrame(rows), "F1_macro", 0.95
    )


def test_verdicts():
    assert verdict([0.01]) == (
        "A is better than B by more than noise: macro F1 0.800 against 0.750, a "
        "difference of 0.050 (95 % interval 0.040 to 0.060, p = 0.010)."
    )
    assert verdict([0.4]).startswith("A is ahead of B, but not by more than noise:")
    assert verdict([1.0], [0.0], [0.8, 0.8]).startswith("A and B are level")
    assert "no test" in verdict([np.nan])
    three = verdict([0.0001, 0.4], [0.3, 0.1], [0.8, 0.5, 0.7])
    assert three == (
        "A has the highest macro F1, 0.800. More than noise is its lead over B (0.300, "
        "p < 0.001). Not more than noise is its lead over C (0.100, p = 0.400). The p "
        "values allow for the number of pairs."
    )


def test_verdict_of_models_that_are_level_and_of_a_pair_without_test():
    assert verdict([1.0, 0.4], [0.0, 0.1], [0.8, 0.8, 0.7]) == (
        "A and B have the highest macro F1, 0.800. Not more than noise is their lead "
        "over C (0.100, p = 0.400). The p values allow for the number of pairs."
    )
    assert "lead over C (0.100, no test)" in verdict(
        [0.4, np.nan], [0.3, 0.1], [0.8, 0.5, 0.7]
    )
