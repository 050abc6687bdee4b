"""Learning curves of the networks of a benchmark, in its report."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

from emclassify.display._report_learning import learning_table
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
