"""Coverage and risk, by hand and by counting."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from emclassify.metrics import area_under_coverage_risk, coverage_risk_curve


def test_known_by_hand():
    # Sorted by confidence: right, wrong, right, right, wrong.
    true = np.array(["a", "b", "a", "b", "a"])
    predicted = np.array(["b", "b", "b", "b", "a"])
    confidence = np.array([0.1, 0.9, 0.8, 0.3, 0.5])
    coverage, risk, thresholds = coverage_risk_curve(true, predicted, confidence)
    np.testing.assert_allclose(coverage, [0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(risk, [0, 1 / 2, 1 / 3, 1 / 4, 2 / 5])
    np.testing.assert_array_equal(thresholds, [0.9, 0.8, 0.5, 0.3, 0.1])
    area = area_under_coverage_risk(true, predicted, confidence)
    assert area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4 + 2 / 5) / 5)


def test_equally_confident_samples_are_accepted_together():
    coverage, risk, thresholds = coverage_risk_curve(
        [0, 0, 0, 1], [0, 1, 0, 1], [1, 1, 1, 0]
    )
    np.testing.assert_allclose(coverage, [0.75, 1])
    np.testing.assert_allclose(risk, [1 / 3, 1 / 4])
    assert thresholds.tolist() == [1, 0]
    # Without any order, the area is the error rate.
    assert area_under_coverage_risk([0, 0, 1], [0, 1, 0], [2, 2, 2]) == 2 / 3


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.booleans())
def test_against_counting(seed, n, weighted):
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, 3, (2, n))
    confidence = rng.integers(0, 8, n) / 8
    weight = rng.integers(0, 3, n) if weighted else np.ones(n)
    weight[0] = 1
    given_weight = weight if weighted else None
    coverage, risk, thresholds = coverage_risk_curve(
        true, predicted, confidence, sample_weight=given_weight
    )
    assert thresholds.tolist() == sorted(set(confidence[weight > 0]), reverse=True)
    for share, rate, threshold in zip(coverage, risk, thresholds, strict=True):
        accepted = confidence >= threshold
        wrong = accepted & (true != predicted)
        assert share == pytest.approx(weight[accepted].sum() / weight.sum())
        assert rate == pytest.approx(weight[wrong].sum() / weight[accepted].sum())
    # A weight of 2 is a sample twice.
    twice = np.repeat(np.arange(n), weight.astype(int))
    assert area_under_coverage_risk(
        true[twice], predicted[twice], confidence[twice]
    ) == pytest.approx(
        area_under_coverage_risk(
            true, predicted, confidence, sample_weight=given_weight
        )
    )


@given(st.integers(0, 2**32 - 1))
def test_the_best_order_has_the_least_area(seed):
    rng = np.random.default_rng(seed)
    wrong = rng.random(20) < 0.3
    zeros = np.zeros(20)
    any_order = area_under_coverage_risk(zeros, wrong, rng.permutation(20))
    best = area_under_coverage_risk(zeros, wrong, ~wrong + np.arange(20) / 20)
    worst = area_under_coverage_risk(zeros, wrong, wrong + np.arange(20) / 20)
    assert best <= any_order <= worst


def test_inputs_stay_as_they_are():
    true, predicted, confidence = np.eye(3)
    for array in (true, predicted, confidence):
        array.flags.writeable = False
    coverage_risk_curve(true, predicted, confidence, sample_weight=[1, 0, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0], [1, 1]), "inconsistent numbers of samples"),
        (([0, 1], [0, 1], [1, np.nan]), "confidence contains NaN"),
        (([], [], []), "no samples"),
        ((["a", "b"], [0, 1], [1, 1]), "Mix of label input types"),
        (([0, 1], [0, 1], [[1, 0], [0, 1]]), "1d array"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        coverage_risk_curve(*arguments)
    with pytest.raises(ValueError, match=message):
        area_under_coverage_risk(*arguments)


def test_weights_refused():
    for weight, message in (
        ([0, 0], "at least one non-zero"),
        ([1, -1], "Negative values"),
        ([1], "weight"),
    ):
        with pytest.raises(ValueError, match=message):
            coverage_risk_curve([0, 1], [0, 1], [1, 1], sample_weight=weight)
