"""The benchmark of models that give a sample several labels."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, hamming_loss, make_scorer
from sklearn.model_selection import cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier

from emclassify import LipNetClassifier, benchmark_classifiers
from emclassify.display import CoverageRiskDisplay, GroupScoresDisplay
from emclassify.metrics import per_class_scores
from emclassify.model_selection import (
    ClassThresholdClassifierCV,
    MultilabelStratifiedGroupKFold,
)

NAMES = ["nucleus", "cytosol", "Golgi"]
MODELS = {
    "linear": OneVsRestClassifier(LogisticRegression(max_iter=1000)),
    "neighbours": KNeighborsClassifier(11),  # probabilities as a list
    "dummy": DummyClassifier(strategy="most_frequent"),
}


@pytest.fixture(scope="module")
def data():
    X, y = make_multilabel_classification(
        160, n_features=10, n_classes=3, n_labels=1, random_state=0
    )
    return X, y, np.arange(160) // 8


@pytest.fixture(scope="module")
def result(data):
    X, y, plate = data
    return benchmark_classifiers(
        MODELS,
        X,
        y,
        groups=plate,
        cv=4,
        target_names=NAMES,
        scoring={"hamming": make_scorer(hamming_loss, greater_is_better=False)},
        random_state=0,
        n_bootstrap=200,
    )


def test_figures_against_per_class_scores(result, data):
    X, y, plate = data
    cv = list(MultilabelStratifiedGroupKFold(4).split(X, y, plate))
    assert result.settings["cv"].startswith("MultilabelStratifiedGroupKFold")
    for name, model in MODELS.items():
        predicted = cross_val_predict(model, X, y, cv=cv)
        expected = per_class_scores(y, predicted, target_names=NAMES, zero_division=0)
        found = result.summary().loc[name][expected.columns]
        np.testing.assert_allclose(found, expected.loc[found.index], rtol=1e-12)
        row = result.overview().loc[name]
        assert row["accuracy_pooled"] == accuracy_score(y, predicted)
        assert row["F1_macro_pooled"] == f1_score(
            y, predicted, average="macro", zero_division=0
        )
        folds = [f1_score(y[t], predicted[t], average="macro") for _, t in cv]
        assert row["F1_macro"] == pytest.approx(np.mean(folds))
    assert result.multilabel
    assert result.classes.tolist() == [0, 1, 2]
    assert -0.5 < result.overview().loc["linear", "hamming"] < 0


def test_predictions_and_scores(result, data):
    _, y, plate = data
    frame = result.out_of_fold("neighbours").sort_values("sample")
    assert frame["group"].tolist() == plate.tolist()
    truth = frame[[f"true_{name}" for name in NAMES]].to_numpy()
    np.testing.assert_array_equal(truth, y)
    score = frame[[f"score_{name}" for name in NAMES]].to_numpy()
    predicted = frame[[f"pred_{name}" for name in NAMES]].to_numpy()
    np.testing.assert_array_equal(predicted, score > 0.5)
    assert result.class_scores("neighbours")[1] == "probability"


def test_by_group_and_by_fold(result, data):
    _, y, plate = data
    sample, _, predicted = result.codes("linear")
    table = result.by_group("linear")
    assert table["n"].tolist() == [8] * 20
    for group, row in table.iterrows():
        of_group = plate[sample] == group
        rows = sample[of_group]
        assert row["accuracy"] == accuracy_score(y[rows], predicted[of_group])
        present = y[rows].any(axis=0)
        f1 = f1_score(y[rows], predicted[of_group], average=None, zero_division=0)
        assert row["F1_macro"] == pytest.approx(f1[present].mean())
    assert result.by_fold().loc["linear"].shape == (6, 5)


def test_bootstrap_against_a_plain_loop(result, data):
    _, y, plate = data
    sample, _, predicted = result.codes("linear")
    n = result.pooled.n_units
    draws = np.random.default_rng(result.settings["bootstrap_seed"]).integers(
        n, size=(200, n)
    )
    ours = result.pooled.replicates["linear"]["F1_micro"]
    for replicate, drawn in zip(ours[:20], draws[:20], strict=True):
        rows = np.concatenate([np.flatnonzero(plate[sample] == g) for g in drawn])
        expected = f1_score(y[sample[rows]], predicted[rows], average="micro")
        assert replicate == pytest.approx(expected)


def test_models_against_each_other_in_words(result):
    table = result.compare()
    assert len(table) == 3
    assert (table["pooled_low"] <= table["pooled_difference"]).all()
    assert "has the highest macro F1" in result.verdict()
    text = str(result)
    assert "cytosol" in text
    assert "micro" in text


def test_no_confusion_matrix_across_labels(result, tmp_path):
    with pytest.raises(ValueError, match="no confusion matrix across several labels"):
        result.confusion_matrix("linear")
    with pytest.raises(ValueError, match="one label a sample; this benchmark has sev"):
        CoverageRiskDisplay.from_result(result)
    display = result.plot()
    assert len(display.axes_) == 0
    GroupScoresDisplay.from_result(result)
    plt.close("all")
    page = result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h3>Confusion matrix</h3>" not in page
    assert "<h3>Mistakes</h3>" not in page
    assert "A sample may have several labels" in page
    assert page.count("<div") == page.count("</div>")
    # Samples of each label, of 160.
    counts = result.y.sum(axis=0)
    for name, count in zip(NAMES, counts, strict=True):
        assert re.search(rf'<th scope="row">{name}</th><td>{count}</td>', page)


def test_sparse_labels_and_a_cache(result, data, tmp_path):
    X, y, plate = data
    settings = {"groups": plate, "cv": 4, "target_names": NAMES, "n_bootstrap": 10}
    model = {"linear": MODELS["linear"]}
    for _ in range(2):
        again = benchmark_classifiers(
            model, X, sparse.csr_matrix(y), **settings, cache_dir=tmp_path
        )
        np.testing.assert_array_equal(
            again.codes("linear")[2], result.codes("linear")[2]
        )
    assert len(list(tmp_path.iterdir())) == 4


def test_networks_with_and_without_tuned_thresholds():
    rng = np.random.default_rng(0)
    y = (rng.random((60, 2)) < [0.5, 0.3]).astype(int)
    X = rng.normal(size=(60, 8, 8))
    X[:, :4] += 2 * y[:, :1, None]
    X[:, 4:] += 2 * y[:, 1:, None]
    network = LipNetClassifier(
        max_epochs=10, batch_size=10, augmentation=None, random_state=0
    )
    tuned = ClassThresholdClassifierCV(clone(network), cv=2)
    result = benchmark_classifiers(
        {"network": network, "tuned": tuned},
        X,
        y,
        groups=np.arange(60) // 3,
        cv=2,
        n_bootstrap=10,
    )
    assert result.summary().loc[("network", "0"), "F1"] > 0.8
    np.testing.assert_array_equal(
        result.class_scores("network")[0], result.class_scores("tuned")[0]
    )


class Says(ClassifierMixin, BaseEstimator):
    """Gives back what it was told to say."""

    def __init__(self, said):
        self.said = said

    def fit(self, X, y):
        self.classes_ = np.arange(3)
        return self

    def predict(self, X):
        return np.tile(self.said, (len(X), 1)) if np.ndim(self.said) else X[:, 0] > 0


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (0, r"predicts an array of shape \(40,\); y is an indicator matrix of 3 col"),
        ([0, 1], r"array of shape \(40, 2\); y is an indicator matrix of 3 columns"),
        ([0, 1, 2], "predicts '2'; an indicator matrix holds 0 and 1"),
    ],
)
def test_other_predictions_are_refused(said, message, data):
    X, y, _ = data
    with pytest.raises(ValueError, match=message):
        benchmark_classifiers({"odd": Says(said)}, X, y, cv=4)


def test_data_that_are_refused(data):
    X, y, _ = data
    with pytest.raises(ValueError, match="4 names for 3 classes"):
        benchmark_classifiers(MODELS, X, y, target_names=list("abcd"))
    rare = y.copy()
    rare[:, 2] = np.arange(160) == 7
    with pytest.raises(ValueError, match="no sample of class 2 in its training side"):
        benchmark_classifiers(MODELS, X, rare, cv=4)
    model = {"forest": RandomForestClassifier(5, random_state=0)}
    with pytest.warns(UserWarning, match="Fold . has no sample of class 2"):
        result = benchmark_classifiers(
            model, X, rare, cv=4, n_bootstrap=10, on_missing_class="warn"
        )
    # The forest that never saw label 2 has no column for it, and a probability of 0.
    fold = next(f for f, (_, test) in enumerate(result.folds) if 7 in test)
    frame = result.out_of_fold("forest")
    assert (frame.loc[frame["fold"] == fold, "score_2"] == 0).all()
    assert result.summary().loc[("forest", "2"), "TPR"] == 0
