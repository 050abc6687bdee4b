"""The picture of the learning curve shows what the table says."""

import numpy as np
import pandas as pd
import pytest

from emclassify.review._curve_picture import curve_picture

CURVE = pd.DataFrame(
    {
        "round": [1, 2, 3, 4],
        "n_labels": [0, 20, 60, 100],
        "n_classes": [0, 2, 3, 3],
        "macro_f1": [np.nan, 0.9, 0.6, 0.8],
        "macro_f1_low": [np.nan, 0.7, 0.5, 0.75],
        "macro_f1_high": [np.nan, 0.95, 0.7, 0.85],
    }
)


def test_rounds_are_joined_where_they_knew_the_same_classes():
    (ax,) = curve_picture(CURVE).axes
    few, most = ax.containers
    assert most.lines[0].get_xydata().tolist() == [[60, 0.6], [100, 0.8]]
    assert most.lines[0].get_linestyle() == "-"
    assert few.lines[0].get_xydata().tolist() == [[20, 0.9]]
    assert few.lines[0].get_linestyle() == "None"
    assert few.lines[0].get_markerfacecolor() == "white"
    (segment,) = few.lines[2][0].get_segments()
    assert segment[:, 1].tolist() == pytest.approx([0.7, 0.95])
    assert [text.get_text() for text in ax.texts] == ["round 2", "round 3", "round 4"]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["2 classes", "3 classes"]


def test_without_a_model_there_is_no_picture():
    assert curve_picture(CURVE[:1]) is None
    (ax,) = curve_picture(CURVE[2:]).axes
    assert ax.get_legend() is None
