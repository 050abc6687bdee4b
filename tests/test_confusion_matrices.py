"""Confusion matrices side by side: what shares are of, and what is refused."""

import numpy as np
import pytest

from emclassify.display import ConfusionMatricesDisplay


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def test_predictions_outside_the_labels_count_in_the_shares():
    display = ConfusionMatricesDisplay.from_predictions(
        ["a", "a", "b"], {"m": ["a", "c", "b"]}, labels=["a", "b"]
    )
    assert texts_of(display.axes_[0]) == ["1\n50 %", "1\n100 %"]
    np.testing.assert_array_equal(display.axes_[0].images[0].get_array()[0], [0.5, 0])


def test_shares_of_counts_alone_are_of_rows():
    display = ConfusionMatricesDisplay(
        {"m": [[3, 1], [0, 0]]}, display_labels=["a", "b"]
    ).plot()
    assert texts_of(display.axes_[0]) == ["3\n75 %", "1\n25 %", "0\n0 %"]


def test_names_are_as_many_as_classes():
    with pytest.raises(ValueError, match="holds 3 names for the 2 classes of 'm'"):
        ConfusionMatricesDisplay.from_predictions(
            ["a", "b"], {"m": ["a", "b"]}, display_labels=["a", "b", "c"]
        )
