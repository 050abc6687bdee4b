"""The page on the length of training: its table follows the rule, its figures draw."""

import importlib.util
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from emclassify.training._budget import auto_batch_size, auto_max_epochs

DOCS = Path(__file__).parents[1] / "docs"


def test_the_table_follows_the_rule():
    page = (DOCS / "user_guide" / "training_length.rst").read_text("utf-8")
    number = r"([\d,]+)\n"
    rows = re.findall(rf"   \* - {number}" + rf"     - {number}" * 5, page)
    assert len(rows) == 7
    for row in rows:
        n, n_classes, batch, epochs, seen, updates = (
            int(cell.replace(",", "")) for cell in row
        )
        assert batch == auto_batch_size(n)
        assert epochs == auto_max_epochs(n, n_classes, batch)
        assert seen == epochs * n
        assert updates == epochs * -(-n // batch)


@pytest.mark.parametrize(
    ("name", "n_axes", "n_lines"), [("draw_curves", 6, 5), ("draw_batches", 1, 4)]
)
def test_figures(name, n_axes, n_lines, monkeypatch):
    monkeypatch.chdir(DOCS / "figures")
    spec = importlib.util.spec_from_file_location("figures", "training_length.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    getattr(module, name)()
    axes = plt.gcf().axes
    drawn = [line for ax in axes for line in ax.lines if len(line.get_xdata()) > 1]
    assert len(axes) == n_axes
    assert len(drawn) >= n_lines
    plt.close("all")


def test_the_table_can_be_made_again(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(DOCS.parent / "benchmarks"))
    curves = importlib.import_module("learning_curves")
    table = tmp_path / "curves.csv"
    arguments = "learning_curves.py . TABLE --set liposomes --images 60 --side 12"
    arguments = arguments.replace("TABLE", str(table)).split()
    monkeypatch.setattr(sys, "argv", [*arguments, "--epochs", "1", "3"])
    curves.main()
    made = pd.read_csv(table)
    kept = pd.read_csv(DOCS / "results" / "training_length.csv")
    assert list(made) == list(kept)
    assert made["epoch"].tolist() == [1, 1, 2, 3]
    assert made["images_seen"].tolist() == [60, 60, 120, 180]
    assert made["updates"].tolist() == [2, 2, 4, 6]
    assert made["test_macro_f1"].between(0, 1).all()
