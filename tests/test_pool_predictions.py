"""Predictions of cells pooled to images, by hand."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from emclassify import pool_predictions

PROBA = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.4, 0.6]]
GROUPS = ["b", "a", "b", "b"]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("mean", [[0.2, 0.8], [0.6, 0.4]]),
        ("max", [[0.2, 0.8], [0.9, 0.6]]),
        ("noisy_or", [[0.2, 0.8], [1 - 0.1 * 0.5 * 0.6, 1 - 0.9 * 0.5 * 0.4]]),
    ],
)
def test_by_hand(method, expected):
    np.testing.assert_allclose(pool_predictions(PROBA, GROUPS, method=method), expected)


def test_rows_in_the_order_of_images():
    pooled = pool_predictions(PROBA, GROUPS, images=["c", "b", "a"])
    np.testing.assert_allclose(pooled, [[np.nan, np.nan], [0.6, 0.4], [0.2, 0.8]])


def test_what_rounding_adds_is_no_error():
    proba = np.array([[1 + 6e-8, -6e-8]], np.float32)  # 1 and 0 in single precision
    np.testing.assert_array_equal(pool_predictions(proba, [0]), [[1, 0]])
    np.testing.assert_array_equal(
        pool_predictions(proba, [0], method="noisy_or"), [[1, 0]]
    )


@given(
    values=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 4)), min_size=1, max_size=30
    )
)
def test_mean_max_and_noisy_or_are_ordered(values):
    proba = np.array([[p] for p, _ in values])
    groups = [g for _, g in values]
    mean, largest, either = (
        pool_predictions(proba, groups, method=method)
        for method in ("mean", "max", "noisy_or")
    )
    assert len(mean) == len(set(groups))
    assert (mean <= largest + 1e-12).all()
    assert (largest <= either + 1e-12).all()
    assert (either <= 1).all()


@pytest.mark.parametrize(
    ("args", "params", "match"),
    [
        (([[1.5]], [0]), {}, "probabilities"),
        (([[-0.1]], [0]), {}, "probabilities"),
        (([[1.00001]], [0]), {}, "1.00001"),
        (([[np.nan]], [0]), {}, "NaN"),
        (([[0.5]], [0, 1]), {}, "groups has 2 entries for 1 samples"),
        (([[0.5]], [3]), {"images": [1, 2]}, "cells of image 3"),
        (([[0.5]], [1]), {"images": [1, 1]}, "twice"),
        (([[0.5]], [1]), {"method": "sum"}, "method"),
    ],
)
def test_bad_input_is_named(args, params, match):
    with pytest.raises(ValueError, match=match):
        pool_predictions(*args, **params)
