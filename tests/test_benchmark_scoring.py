"""Scorers of benchmark_classifiers: checked first, and NaN alone where they fail."""

import numpy as np
import pytest
import sklearn
from benchmark_data import flat, make_data
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.naive_bayes import GaussianNB

from emclassify import benchmark_classifiers


class Counting(GaussianNB):
    """Counts its fits."""

    fits = 0

    def fit(self, X, y, sample_weight=None):
        type(self).fits += 1
        return super().fit(X, y, sample_weight)


class SilentInFold(ClassifierMixin, BaseEstimator):
    """Predicts the first class; its probabilities fail where the mark is tested."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def predict_proba(self, X):
        if (np.asarray(X)[:, 0] == 99).any():
            raise RuntimeError("no probabilities today")
        return np.tile([1.0, 0, 0], (len(X), 1))


def broken(y_true, y_pred):
    raise RuntimeError("scorer broken on purpose")


def broken_at_times(estimator, X, y):
    if (np.asarray(X)[:, 0] == 99).any():
        raise RuntimeError("scorer broken on purpose")
    return {"first": 0.25, "second": 0.75}


@pytest.fixture(scope="module")
def data():
    X, y, _ = make_data()
    X = X.reshape(len(X), -1)
    X[0, 0] = 99
    return X, y


@pytest.fixture(autouse=True)
def count(monkeypatch):
    monkeypatch.setattr(Counting, "fits", 0)


@pytest.mark.parametrize("error_score", ["raise", np.nan])
@pytest.mark.parametrize(
    "scoring", ["f1_marco", ["accuracy", "f1_marco"], {"mine": "f1_marco"}]
)
def test_misspelt_metric_is_noticed_before_any_fit(data, scoring, error_score):
    X, y = data
    with pytest.raises(ValueError, match="f1_marco"):
        benchmark_classifiers(
            {"nb": Counting()}, X, y, scoring=scoring, error_score=error_score
        )
    assert Counting.fits == 0


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        # As scikit-learn says it, before and since 1.9.
        ("precision", "multiclass|pos_label=1 is not a valid label"),
        (["accuracy", "roc_auc"], "multi_class"),
        (make_scorer(broken), "broken on purpose"),
        ({"fold": "accuracy"}, "'fold' is a column of the result already"),
        (accuracy_score, "make_scorer"),
    ],
)
def test_metric_that_is_not_for_such_labels_is_noticed_before_any_fit(
    data, scoring, message
):
    X, y = data
    with pytest.raises((ValueError, RuntimeError), match=message):
        benchmark_classifiers({"nb": Counting()}, X, y, scoring=scoring)
    assert Counting.fits == 0


SCORERS = ["accuracy", "roc_auc_ovr", "neg_log_loss", "f1_macro", "top_k_accuracy"]


@pytest.mark.parametrize("scoring", SCORERS)
def test_metrics_that_are_fine_pass(data, scoring):
    X, y = data
    models = {"nb": GaussianNB()}
    result = benchmark_classifiers(models, X, y, cv=3, scoring=scoring, n_bootstrap=10)
    assert result.to_frame()[scoring].notna().all()


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision", "f1_micro"])
def test_metrics_of_several_labels_pass(data, scoring):
    from sklearn.neighbors import KNeighborsClassifier

    X, y = data
    Y = np.column_stack([y == "full", y != "empty"]).astype(int)
    result = benchmark_classifiers(
        {"knn": KNeighborsClassifier()}, X, Y, cv=3, scoring=scoring, n_bootstrap=10
    )
    assert scoring in result.metrics


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision", "neg_log_loss"])
def test_metrics_of_two_classes_pass(data, scoring):
    X, y = data
    result = benchmark_classifiers(
        {"nb": GaussianNB()}, X, y == "full", cv=3, scoring=scoring, n_bootstrap=10
    )
    assert scoring in result.metrics


def test_failing_scorer_is_nan_alone(data):
    X, y = data
    models = {"nb": GaussianNB()}
    scoring = {"good": "accuracy", "bad": make_scorer(broken), "roc": "roc_auc_ovr"}
    with pytest.warns(
        UserWarning, match="Score 'bad' of estimator 'nb' failed in fold"
    ):
        result = benchmark_classifiers(
            models, X, y, cv=3, scoring=scoring, error_score=np.nan, n_bootstrap=10
        )
    plain = benchmark_classifiers(models, X, y, cv=3, n_bootstrap=10)
    frame = result.to_frame()
    assert frame["bad"].isna().all()
    assert frame["roc"].notna().all()
    assert_array_equal(frame["good"], frame["accuracy"])
    assert_array_equal(frame["accuracy"], plain.to_frame()["accuracy"])
    assert result.out_of_fold("nb").equals(plain.out_of_fold("nb"))
    assert frame["error"].str.contains("bad: RuntimeError: scorer broken").all()
    assert result.verdict() == plain.verdict()
    assert "nan" in str(result.overview()["bad"]).lower()


def test_failing_callable_is_nan_alone(data):
    X, y = data
    with pytest.warns(UserWarning, match="Score 'score' of estimator 'nb' failed"):
        result = benchmark_classifiers(
            {"nb": GaussianNB()},
            X,
            y,
            cv=3,
            scoring=broken_at_times,
            error_score=np.nan,
            n_bootstrap=10,
        )
    frame = result.to_frame()
    assert frame["first"].isna().sum() == 1
    assert frame["second"].dropna().tolist() == [0.75, 0.75]
    assert "score" not in frame
    assert frame["accuracy"].notna().all()


def always_broken(estimator, X, y):
    raise RuntimeError("scorer broken on purpose")


def returns_text(estimator, X, y):
    return {"first": 0.25, "second": "good"}


@pytest.mark.parametrize(
    ("scoring", "name"), [(always_broken, "score"), (returns_text, "second")]
)
def test_callable_without_a_number_is_nan_alone(data, scoring, name):
    X, y = data
    settings = {"cv": 3, "scoring": scoring, "n_bootstrap": 10}
    models = {"nb": GaussianNB()}
    with pytest.raises((RuntimeError, ValueError), match=r"on purpose|convert"):
        benchmark_classifiers(models, X, y, **settings)
    with pytest.warns(UserWarning, match=f"Score '{name}'"):
        result = benchmark_classifiers(models, X, y, error_score=np.nan, **settings)
    assert result.to_frame()[name].isna().all()
    assert result.to_frame()["accuracy"].notna().all()


def test_failing_probabilities_keep_the_predictions(data):
    X, y = data
    models = {"silent": SilentInFold(), "nb": GaussianNB()}
    settings = {"cv": 3, "n_bootstrap": 10}
    with pytest.raises(RuntimeError, match="no probabilities"):
        benchmark_classifiers(models, X, y, **settings)
    with pytest.warns(UserWarning, match="no class scores in fold 0, only"):
        result = benchmark_classifiers(models, X, y, error_score=np.nan, **settings)
    frame = result.to_frame().query("estimator == 'silent'")
    assert frame["accuracy"].notna().all()
    rows = result.out_of_fold("silent")
    assert len(rows) == len(y)
    assert rows["score_empty"].isna().sum() == (rows["fold"] == 0).sum() > 0
    assert (rows["score_empty"].dropna() == 1).all()
    assert result.class_scores("silent") == (None, None)


def test_what_failed_is_not_kept_in_the_cache(data, tmp_path):
    X, y = data
    settings = {"cv": 3, "n_bootstrap": 10, "cache_dir": tmp_path, "random_state": 0}
    settings |= {"scoring": broken_at_times, "error_score": np.nan}
    for _ in range(2):
        with pytest.warns(UserWarning, match="failed in fold"):
            benchmark_classifiers({"nb": Counting()}, X, y, **settings)
        assert len(list(tmp_path.glob("*.npz"))) == 2
    assert Counting.fits == 4
    with pytest.warns(UserWarning, match="no class scores"):
        benchmark_classifiers(
            {"s": SilentInFold()}, X, y, **settings | {"scoring": None}
        )
    assert len(list(tmp_path.glob("*.npz"))) == 4


def test_scorers_get_the_weights_that_they_ask_for(data):
    X, y = data
    weight = np.where(y == "full", 10.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        asks = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        plain = make_scorer(accuracy_score).set_score_request(sample_weight=False)
        result = benchmark_classifiers(
            {"nb": GaussianNB().set_fit_request(sample_weight=True)},
            X,
            y,
            cv=3,
            scoring={"weighted": asks, "plain": plain},
            fit_params={"nb": {"sample_weight": weight}},
            n_bootstrap=10,
        )
    rows = result.out_of_fold("nb")
    frame = result.to_frame()
    for fold, of_fold in rows.groupby("fold"):
        expected = accuracy_score(
            of_fold["y_true"],
            of_fold["y_pred"],
            sample_weight=weight[of_fold["sample"]],
        )
        assert_allclose(frame["weighted"][fold], expected)
    assert_array_equal(frame["plain"], frame["accuracy"])
    assert (frame["weighted"] != frame["plain"]).any()


def test_pipelines_and_images_as_before():
    X, y, groups = make_data()
    result = benchmark_classifiers(
        {"nb": flat(GaussianNB())},
        X,
        y,
        groups=groups,
        cv=3,
        scoring={"macro": "f1_macro"},
        n_bootstrap=10,
    )
    assert_allclose(result.to_frame()["macro"], result.to_frame()["F1_macro"])


def test_a_score_under_a_built_in_name_is_no_share(data):
    X, y = data
    costs = {"F1_macro": lambda estimator, X, y: -5.0 - len(y) / 100}
    models = {"a": GaussianNB(), "b": GaussianNB(var_smoothing=0.1)}
    result = benchmark_classifiers(
        models,
        X,
        y,
        cv=[(np.arange(60, 180), np.arange(60)), (np.arange(100), np.arange(100, 180))],
        scoring=costs,
        n_bootstrap=10,
    )
    row = result.means().loc["a"]
    assert row["F1_macro"] == pytest.approx(-5.7)
    assert row["F1_macro_low"] < -5.7 < row["F1_macro_high"]
    assert np.isnan(result.overview().loc["a", "F1_macro_pooled"])
    assert np.isnan(result.compare()["pooled_difference"].item())
    assert list(result.means().columns).count("F1_macro") == 1
    assert 0 < result.summary().loc[("a", "macro"), "F1"] <= 1
