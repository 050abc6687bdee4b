"""BenchmarkResult.by_fold and by_group: scores taken apart."""

import numpy as np
import pandas as pd
import pytest
from benchmark_data import MODELS, make_data
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score, f1_score, precision_score, roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedKFold

from emclassify.model_selection import benchmark_classifiers


@pytest.fixture(scope="module")
def two_classes():
    X, y, groups = make_data()
    y = np.where(y == "full", "on", "off")
    return X, y, groups


@pytest.fixture(scope="module")
def result(two_classes):
    X, y, groups = two_classes
    return benchmark_classifiers(
        MODELS,
        X,
        y,
        groups=groups,
        cv=GroupKFold(4),
        scoring={"AUC": "roc_auc"},
        n_bootstrap=10,
        random_state=0,
    )


def test_folds_against_scikit_learn(result, two_classes):
    _, y, _ = two_classes
    table = result.by_fold(["accuracy", "AUC", "F1_off", "PPV_off"])
    assert table.columns.tolist() == ["accuracy", "AUC", "F1_off", "PPV_off"]
    frame = result.out_of_fold("bayes")
    for fold, (_, test) in enumerate(result.folds):
        of_fold = frame[frame["fold"] == fold]
        truth, predicted = y[test], of_fold["y_pred"]
        expected = [
            accuracy_score(truth, predicted),
            roc_auc_score(truth == "on", of_fold["score_on"]),
            f1_score(truth, predicted, pos_label="off"),
            precision_score(truth, predicted, pos_label="off"),
        ]
        np.testing.assert_allclose(table.loc[("bayes", fold)], expected)


def test_mean_and_sd_follow_the_folds(result):
    table = result.by_fold(["accuracy"])
    assert table.loc["stump"].index.tolist() == [0, 1, 2, 3, "mean", "sd"]
    folds = table.loc["stump", "accuracy"].iloc[:4].to_numpy(dtype=float)
    assert table.loc[("stump", "mean"), "accuracy"] == pytest.approx(folds.mean())
    assert table.loc[("stump", "sd"), "accuracy"] == pytest.approx(
        np.std(folds, ddof=1)
    )
    overview = result.overview(["accuracy"])
    assert overview.loc["stump", "accuracy_sd"] == pytest.approx(np.std(folds, ddof=1))


def test_scores_of_scoring_are_there_by_default(result):
    columns = ["accuracy", "F1_macro", "PPV_macro", "TPR_macro", "AUC"]
    assert result.by_fold().columns.tolist() == columns
    with pytest.raises(ValueError, match="metric='recall' is not among the scores"):
        result.by_fold(["recall"])


def test_a_failed_fold_has_no_scores(two_classes):
    class FailsTwice(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            if len(X) == 130:  # two folds test five groups, two test four
                raise RuntimeError("no")
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), "on")

    X, y, groups = two_classes
    with pytest.warns(UserWarning, match="failed in fold"):
        result = benchmark_classifiers(
            {"a": FailsTwice()},
            X,
            y,
            groups=groups,
            cv=GroupKFold(4),
            error_score=np.nan,
            n_bootstrap=10,
        )
    scores = result.by_fold(["accuracy"]).loc["a", "accuracy"]
    assert scores.iloc[:4].isna().sum() == 2
    assert scores["mean"] == pytest.approx(scores.iloc[:4].mean())
    assert result.by_group("a")["n"].sum() == 80


def test_groups_against_scikit_learn(result, two_classes):
    _, y, groups = two_classes
    table = result.by_group("stump", ["accuracy", "F1_on"])
    frame = result.out_of_fold("stump").sort_values("sample")
    assert table["n"].sum() == 180
    assert sorted(table.index) == sorted(set(groups))
    for group, row in table.iterrows():
        rows = groups == group
        predicted = frame["y_pred"].to_numpy()[rows]
        assert row["n"] == rows.sum()
        assert row["accuracy"] == pytest.approx(accuracy_score(y[rows], predicted))
        f1 = f1_score(y[rows], predicted, pos_label="on")
        expected = f1 if "on" in y[rows] else np.nan
        assert row["F1_on"] == pytest.approx(expected, nan_ok=True)


def test_worst_first_and_of_equals_the_larger(result):
    table = result.by_group("stump")
    assert table["accuracy"].is_monotonic_increasing
    assert table.columns.tolist() == [
        "n",
        "accuracy",
        "balanced_accuracy",
        "F1_macro",
    ]
    by_f1 = result.by_group("stump", ["F1_macro"])
    assert by_f1["F1_macro"].is_monotonic_increasing


def test_ties_and_repeats_by_hand():
    X = np.zeros((12, 1))
    y = np.array(["a", "b"] * 6)
    groups = np.array(["p"] * 2 + ["q"] * 4 + ["r"] * 6)
    twice = [
        (np.arange(2, 12), np.arange(2)),
        (np.arange(2, 12), np.arange(2)),
        (np.r_[:2, 6:12], np.arange(2, 6)),
        (np.arange(6), np.arange(6, 12)),
    ]
    result = benchmark_classifiers(
        {"a": DummyClassifier(strategy="constant", constant="a")},
        X,
        y,
        groups=groups,
        cv=twice,
        n_bootstrap=10,
    )
    expected = pd.DataFrame(
        {"n": [6, 4, 4], "accuracy": [0.5, 0.5, 0.5]},
        index=pd.Index(["r", "p", "q"], name="group"),
    )
    pd.testing.assert_frame_equal(result.by_group("a", ["accuracy"]), expected)


def test_what_is_refused(result, two_classes):
    with pytest.raises(ValueError, match="'AUC' is not a built-in score: accuracy"):
        result.by_group("bayes", ["AUC"])
    with pytest.raises(ValueError, match="No model is called 'net'"):
        result.by_group("net")
    X, y, _ = two_classes
    without = benchmark_classifiers(
        {"bayes": MODELS["bayes"]}, X, y, cv=StratifiedKFold(2), n_bootstrap=10
    )
    with pytest.raises(ValueError, match="had no groups"):
        without.by_group("bayes")
