"""CenterCrop cuts the middle out."""

import numpy as np
import pytest

from emclassify import CenterCrop


@pytest.mark.parametrize(
    ("there", "size", "start"),
    [(256, 128, 64), (5, 2, 1), (5, 3, 1), (4, 3, 0), (4, 4, 0)],
)
def test_where_it_cuts(there, size, start):
    X = np.arange(there)[:, np.newaxis] * 1000 + np.arange(there)
    cut = CenterCrop(size).fit_transform(X[np.newaxis])[0]
    np.testing.assert_array_equal(cut, X[start : start + size, start : start + size])


def test_height_width_and_channels():
    X = np.random.default_rng(0).random((3, 9, 8, 2))
    cut = CenterCrop((3, 4)).fit_transform(X)
    np.testing.assert_array_equal(cut, X[:, 3:6, 2:6])


def test_a_view_of_what_it_got():
    X = np.zeros((2, 8, 8), np.uint8)
    assert np.shares_memory(CenterCrop(4).fit_transform(X), X)


@pytest.mark.parametrize("size", [0, -3, (4,), (4, 4, 4), (4, 2.5)])
def test_no_size(size):
    with pytest.raises(ValueError, match="size must be a whole number"):
        CenterCrop(size).fit(np.zeros((2, 8, 8)))


def test_too_large():
    with pytest.raises(ValueError, match=r"size=9 is larger .* 8×10 px"):
        CenterCrop(9).fit(np.zeros((2, 8, 10)))
