"""What people read: numbers and lists."""

import numpy as np
import pytest

from emclassify._words import name_some, number, p_value


def test_numbers():
    assert number(0.98765) == "0.988"
    assert number(-0.0123, 2) == "−0.01"
    assert number(-0.0001, 2) == "0.00"
    assert number(np.nan) == number(np.inf) == "–"


def test_p_values():
    assert p_value(0.0123) == "p = 0.012"
    assert p_value(0.001) == "p = 0.001"
    assert p_value(0.0009) == "p < 0.001"


@pytest.mark.parametrize(
    ("values", "limit", "words"),
    [
        ([], 3, ""),
        (["a"], 3, "a"),
        (["a", "b", "c"], 3, "a, b, c"),
        (["a", "b", "c", "d"], 3, "a, b, c and 1 more"),
        (range(9), 5, "0, 1, 2, 3, 4 and 4 more"),
        (np.array(["full", "empty"]), 1, "full and 1 more"),
        ((letter for letter in "xy"), 2, "x, y"),
    ],
)
def test_lists(values, limit, words):
    assert name_some(values, limit) == words


def test_five_are_named_unless_one_says_otherwise():
    assert name_some("abcdefg") == "a, b, c, d, e and 2 more"
