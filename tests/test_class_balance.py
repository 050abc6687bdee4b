"""Tests of what each class of a simulated set gets."""

from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from emclassify import (
    make_cell_images,
    make_diffraction_patterns,
    make_ion_images,
    make_liposomes,
)
from emclassify.datasets._class_balance import check_weights

NAMES = ["a", "b", "c"]


@pytest.mark.parametrize("of", [dict, pd.Series, MappingProxyType])
def test_weights_by_name(of):
    shares = check_weights(of({"c": 3, "a": 1}), NAMES, "a letter")
    assert shares.tolist() == [0.25, 0, 0.75]
    with pytest.raises(ValueError, match="'d', which a letter does not have"):
        check_weights(of({"d": 3, "a": 1}), NAMES, "a letter")


@pytest.mark.parametrize("of", [list, np.array, pd.Series])
def test_weights_in_order(of):
    assert check_weights(of([1, 0, 3]), NAMES, "a letter").tolist() == [0.25, 0, 0.75]


def test_a_series_that_names_a_class_twice():
    with pytest.raises(ValueError, match="more than one number for the class 'a'"):
        check_weights(pd.Series([1, 2, 3], index=["a", "a", "b"]), NAMES, "a letter")


@pytest.mark.parametrize(
    ("make", "size", "weights"),
    [
        (make_ion_images, {"image_size": 8}, {"on": 0.9, "off": 0.1}),
        (make_liposomes, {}, {"uncertain": 0.9, "unilamellar": 0.1}),
        (
            make_cell_images,
            {"image_size": 32, "multilabel": False},
            {"cytosol": 0.9, "nucleoli": 0.1},
        ),
        (
            make_diffraction_patterns,
            {"image_size": 32, "q_max": 0.02},
            {"debris": 0.9, "single": 0.1},
        ),
    ],
)
def test_every_simulator_takes_a_series_by_its_labels(make, size, weights):
    told = {"n_groups": 2, "random_state": 0, **size}
    targets = [
        make(10, weights=given, **told).target
        for given in (weights, pd.Series(weights), MappingProxyType(weights))
    ]
    assert max(np.unique(targets[0], return_counts=True)[1]) == 9
    for target in targets[1:]:
        np.testing.assert_array_equal(target, targets[0])


def test_ten_numbers_for_the_cells_default_locations():
    numbers = np.arange(1, 11)
    params = {"image_size": 32, "multilabel": False, "random_state": 0}
    by_list, by_series = (
        make_cell_images(20, weights=weights, **params).target
        for weights in (numbers.tolist(), pd.Series(numbers))
    )
    np.testing.assert_array_equal(by_list, by_series)
