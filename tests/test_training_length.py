"""The page on the length of training: its table follows the rule, its figures draw."""

import importlib.util
import inspect
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from emclassify import BackboneClassifier, CNNClassifier, LipNetClassifier
from emclassify.training import _convergence
from emclassify.training._budget import auto_batch_size, auto_max_epochs

DOCS = Path(__file__).parents[1] / "docs"


def words_of(page):
    """Return a page of the guide on one line."""
    return " ".join((DOCS / "user_guide" / page).read_text("utf-8").split())


def length(n, n_classes):
    """Return the epochs of a network from scratch, and its updates."""
    epochs, batch = LipNetClassifier().training_length(n, n_classes)
    return epochs, epochs * -(-n // batch)


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


def test_sentences_follow_the_rule():
    page = words_of("training_length.rst")
    sizes = {"vnc_sstem": (5141, 5), "elpv": (2099, 2)}
    sizes |= {"jurkat": (2733, 7), "pneumoniamnist": (5232, 2)}
    of = {
        name: BackboneClassifier().training_length(*n)[0] for name, n in sizes.items()
    }
    assert (
        "by default vnc_sstem has {vnc_sstem} epochs now, elpv {elpv}, jurkat {jurkat} "
        "and pneumoniamnist {pneumoniamnist}"
    ).format(**of) in page
    # The training sides of five folds of the thesis's two sets, and a fold of three.
    assert f"it gives {length(19_934, 3)[1]:,} now" in page
    study = words_of("liposome_study.md")
    assert f'`max_epochs="auto"` would make {length(11_335, 3)[1]:,}' in study
    assert f"would train such a set for {length(1000, 3)[0]} epochs" in study
    told = inspect.getdoc(CNNClassifier)
    assert f"{length(300, 5)[0]} for 300 images of\n    five classes" in told
    assert f"{length(4800, 5)[0]} for 4,800." in told


def test_the_page_says_when_training_was_too_short():
    page = words_of("cnn.rst")
    seen, skill = _convergence._ENOUGH_OF_BUDGET, _convergence._LEARNT
    assert f"fewer than {100 * seen:.0f} % of the images" in page
    assert f"rescaled from 0 for guessing to 1, is below {skill}" in page


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
