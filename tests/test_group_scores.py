"""The worst groups, in the picture and in the report."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from benchmark_data import MODELS, make_data
from sklearn.model_selection import GroupKFold

from emclassify.display import GroupScoresDisplay
from emclassify.model_selection import benchmark_classifiers


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result():
    X, y, groups = make_data()
    names = np.array([f"<grid {g}>" for g in groups])
    return benchmark_classifiers(
        MODELS, X, y, groups=names, cv=GroupKFold(3), n_bootstrap=10, random_state=0
    )


def test_bars_are_the_worst_groups(result):
    display = GroupScoresDisplay.from_result(result, n_worst=4)
    assert len(display.axes_) == 2
    for ax, name in zip(display.axes_, result.names, strict=True):
        worst = result.by_group(name).head(4)
        bars = [patch.get_width() for patch in ax.patches]
        np.testing.assert_allclose(bars, worst["accuracy"])
        labels = [label.get_text() for label in ax.get_yticklabels()]
        expected = [f"{group} (n = {n})" for group, n in worst["n"].items()]
        assert labels == ["all groups", *expected]
        assert ax.get_title(loc="left") == f"{name}: 4 worst of 18 groups"
        # The strip above has all of them.
        (strip,) = [line for line in ax.lines if line.get_marker() == "o"]
        assert len(strip.get_xdata()) == 18


def test_another_score_on_axes_given(result):
    figure, axes = plt.subplots(1, 2)
    display = GroupScoresDisplay.from_result(
        result, metric="F1_macro", n_worst=99, axes=axes
    )
    assert display.figure_ is figure
    assert axes[0].get_xlabel() == "macro F1"
    assert axes[0].get_title(loc="left") == "bayes: all 18 groups"
    with pytest.raises(ValueError, match="axes holds 1 axes for 2 models"):
        GroupScoresDisplay.from_result(result, axes=plt.gca())


def test_groups_without_a_score():
    table = pd.DataFrame({"n": [3, 2], "TPR_on": [0.5, np.nan]}, index=["a", "b"])
    display = GroupScoresDisplay({"CNN": table}, metric="TPR_on").plot()
    display.figure_.canvas.draw()
    texts = [text.get_text() for text in display.axes_[0].texts]
    assert texts == ["median 0.50", "0.50", "–"]


def test_the_report_lists_them(result, tmp_path):
    html = result.to_html(tmp_path / "report.html").read_text("utf-8")
    assert html.count("<h3>Worst groups</h3>") == 2
    assert "The 10 worst of 18 groups by accuracy; the median of all is" in html
    table = html.split("<h3>Worst groups</h3>")[2].split("</table>")[0]
    worst = result.by_group("stump")
    for group, row in worst.head(10).iterrows():
        name = group.replace("<", "&lt;").replace(">", "&gt;")
        cells = f"{name}</th><td>10</td><td>{row['accuracy']:.2f}</td>"
        assert cells in table
    assert table.count("<tr>") == 11


def test_a_report_without_groups_has_none(tmp_path):
    X, y, _ = make_data()
    result = benchmark_classifiers({"a": MODELS["stump"]}, X, y, cv=2, n_bootstrap=10)
    html = result.to_html(tmp_path / "report.html").read_text("utf-8")
    assert "Worst groups" not in html
