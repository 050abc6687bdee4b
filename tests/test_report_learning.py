"""Learning curves of the networks of a benchmark, in its report."""

import re

import numpy as np
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

from emclassify.display._report_learning import (
    learning_figures,
    learning_key,
    learning_table,
)
from emclassify.model_selection import benchmark_classifiers


class Epochs(GaussianNB):
    """Says that it learnt for four epochs."""

    converged_ = True
    history_ = ()
    learning_curve_ = {
        "train_loss": np.array([0.9, 0.5, 0.3, 0.2]),
        "valid_loss": np.array([np.nan, 0.6, 0.5, 0.5]),
    }


def test_learning_curves_of_each_fold(tmp_path):
    X, y = load_digits(n_class=2, return_X_y=True)
    models = {"net": Epochs(), "Bayes": GaussianNB()}
    settings = {"cv": 3, "n_bootstrap": 20, "cache_dir": tmp_path / "cache"}
    for _ in range(2):  # the second time from the cache
        result = benchmark_classifiers(models, X, y, random_state=0, **settings)
        table = learning_table(result, "net")
        assert table["fold"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
        assert table["epoch"].tolist() == [1, 2, 3, 4] * 3
        assert table["train_loss"].tolist() == [0.9, 0.5, 0.3, 0.2] * 3
        assert table["valid_loss"].isna().sum() == 3
        assert learning_table(result, "Bayes").empty
    text = result.to_html(tmp_path / "r.html").read_text(encoding="utf-8")
    for what in ("Training loss", "Validation loss"):
        assert text.count(f'aria-label="{what} by epoch, each fold, net"') == 1
    assert text.count("<h4>Learning curves</h4>") == 1
    assert "still learning" not in text


class Unfinished(Epochs):
    """Was still learning in the folds that have sample 0 in their training side."""

    def fit(self, X, y, sample_weight=None):
        self.converged_ = not (load_digits().data[0] == X).all(axis=1).any()
        return super().fit(X, y)


def test_folds_that_were_still_learning_are_marked(tmp_path):
    X, y = load_digits(n_class=2, return_X_y=True)
    result = benchmark_classifiers({"net": Unfinished()}, X, y, cv=3, n_bootstrap=20)
    key = learning_key(result, "net")
    held = next(i for i, (_, test) in enumerate(result.folds) if 0 in test)
    assert [row["fold"] for row in key] == [0, 1, 2]
    assert [row["still_learning"] for row in key] == [i != held for i in range(3)]
    assert len({row["colour"] for row in key}) == 3
    text = result.to_html(tmp_path / "r.html").read_text(encoding="utf-8")
    for fold in range(3):
        marked = re.search(rf"</svg>fold {fold}(, still learning)?</li>", text)
        assert bool(marked[1]) == (fold != held)
    svgs = re.findall(
        r'<svg[^>]*aria-label="Training loss by epoch.*?</svg>', text, re.S
    )
    (svg,) = svgs
    done = [{**row, "still_learning": False} for row in key]
    plain = learning_figures(learning_table(result, "net"), done, "x", "net")[0]["svg"]
    assert svg.count("<path") > plain.count("<path")  # the circles
    # Epochs are whole numbers.
    assert not re.search(r">\s*\d\.5\s*<", svg)
