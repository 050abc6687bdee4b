"""Thresholds of rejection, from confidences alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emclassify.model_selection.thresholds._rejection import (
    error_threshold,
    share_threshold,
)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(4, 40),
    st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]),
)
def test_against_all_thresholds(seed, n, max_error):
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, 2, (2, n))
    confidence = rng.integers(0, 10, n) / 10
    threshold = error_threshold(
        true,
        predicted,
        confidence,
        np.ones(n),
        None,
        max_error=max_error,
        confidence_level=None,
    )
    wrong = true != predicted
    allowed = [
        np.sum(confidence >= bound)
        for bound in set(confidence)
        if wrong[confidence >= bound].mean() <= max_error + 1e-9
    ]
    accepted = confidence >= threshold
    assert accepted.sum() == max(allowed, default=0)
    assert threshold == np.inf or wrong[accepted].mean() <= max_error + 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([0, 0.05, 0.5]))
def test_share_below_threshold(seed, n, max_share):
    scores = np.random.default_rng(seed).integers(0, 15, n) / 7
    threshold = share_threshold(scores, np.ones(n), max_share)
    assert np.mean(scores < threshold) <= max_share + 1e-9
    above = np.unique(scores[scores >= threshold])
    if len(above) > 1:  # the next one up would be too many
        assert np.mean(scores < above[1]) > max_share
