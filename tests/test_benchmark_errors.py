"""What benchmark_classifiers refuses, and what it survives."""

import warnings

import numpy as np
import pytest
from benchmark_data import MODELS, NAMES, flat, make_data
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score
from sklearn.model_selection import (
    KFold,
)
from sklearn.naive_bayes import GaussianNB

from emclassify.display._report_tables import overview_rows
from emclassify.model_selection import benchmark_classifiers


@pytest.fixture(scope="module")
def data():
    return make_data()


class Fails(GaussianNB):
    """Fails where sample 0 is in the training side."""

    def fit(self, X, y):
        if (X == 99).any():
            raise RuntimeError("broken on purpose")
        return super().fit(X, y)


def test_torn_group_is_refused(data):
    X, y, groups = data
    cv = list(KFold(7).split(X))
    with pytest.raises(ValueError, match="Fold 0 has group 2 in both"):
        benchmark_classifiers(MODELS, X, y, groups=groups, cv=cv)


def test_training_side_without_a_class(data):
    X, y, _ = data
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    folds = [
        (np.arange(0, 100), np.arange(100, 180)),
        (np.arange(1, 180, 2), np.arange(0, 180, 2)),
    ]
    with pytest.raises(ValueError, match="Fold 0 has no sample of class unsure"):
        benchmark_classifiers(MODELS, X, y, cv=folds)
    with pytest.warns(UserWarning, match="Fold 0 has no sample"):
        result = benchmark_classifiers(
            MODELS, X, y, cv=folds, on_missing_class="warn", n_bootstrap=10
        )
    frame = result.out_of_fold("bayes")
    # Probabilities stand under the right class where a model knows only two of three.
    assert (frame.loc[frame["fold"] == 0, "score_unsure"] == 0).all()
    names = np.array([f"score_{c}" for c in result.classes])
    scores = frame[names].to_numpy()
    assert (result.classes[scores.argmax(axis=1)] == frame["y_pred"]).all()


def test_test_side_without_a_class(data):
    X, y, _ = data
    some = np.flatnonzero(y != "unsure")[:40]
    rest = np.setdiff1d(np.arange(180), some)
    folds = [(rest, some), (some[:20].tolist() + rest[:80].tolist(), rest[80:])]
    with pytest.warns(
        UserWarning, match="Fold 0 has no sample of class unsure in its te"
    ):
        result = benchmark_classifiers(MODELS, X, y, cv=folds, n_bootstrap=10)
    frame = result.to_frame().set_index(["estimator", "fold"])
    fold = frame.loc[("bayes", 0)]
    assert np.isnan(fold["TPR_unsure"])
    assert np.isnan(fold["F1_unsure"])
    rows = result.out_of_fold("bayes").query("fold == 0")
    assert fold["F1_macro"] == pytest.approx(
        f1_score(
            rows["y_true"], rows["y_pred"], labels=["full", "empty"], average="macro"
        )
    )
    assert fold["TPR_macro"] == pytest.approx(fold["balanced_accuracy"])
    assert not result.overview().isna().any(axis=None)


def test_input_is_not_changed(data):
    X, y, groups = (np.array(part) for part in data)
    for part in (X, y, groups):
        part.flags.writeable = False
    benchmark_classifiers(MODELS, X, y, groups=groups, cv=3, n_bootstrap=10).summary()


def test_failing_estimator(data):
    X, y, _ = data
    X = X.copy()
    X[0] = 99
    models = {"fails": flat(Fails()), "bayes": flat(GaussianNB())}
    with pytest.raises(RuntimeError, match="broken on purpose") as caught:
        benchmark_classifiers(models, X, y, cv=3)
    assert "estimator 'fails' in fold 1" in caught.value.__notes__[0]
    with pytest.warns(UserWarning, match="'fails' failed in fold"):
        result = benchmark_classifiers(
            models, X, y, cv=3, error_score=np.nan, n_bootstrap=10
        )
    frame = result.to_frame().query("estimator == 'fails'")
    assert frame["accuracy"].isna().tolist() == [False, True, True]
    assert "broken on purpose" in frame["error"].iloc[1]
    assert result.verdict().endswith(
        "fails failed in 2 of 3 folds and is not compared."
    )
    with (
        pytest.warns(UserWarning, match="failed in fold"),
        pytest.raises(ValueError, match="Every fit failed"),
    ):
        benchmark_classifiers(
            {"fails": flat(Fails())},
            np.full_like(X, 99),
            y,
            cv=3,
            error_score=np.nan,
            audit=False,
        )


class Rated(ClassifierMixin, BaseEstimator):
    """Right in a share of each of five folds of 40 samples; fails in some."""

    def __init__(self, shares, failing=()):
        self.shares = shares
        self.failing = failing

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        (self.fold_,) = np.setdiff1d(np.arange(5), X[:, 0])
        if self.fold_ in self.failing:
            raise RuntimeError("broken on purpose")
        return self

    def predict(self, X):
        said = X[:, 1].copy()
        wrong = round(len(X) * (1 - self.shares[self.fold_]))
        said[:wrong] = 1 - said[:wrong]
        return said


def rated(**models):
    X = np.stack([np.repeat(np.arange(5), 40), np.tile([0, 1], 100)], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what fails is told
        return benchmark_classifiers(
            models, X, X[:, 1], cv=KFold(5), error_score=np.nan, n_bootstrap=50
        )


# The mean of A's own folds, 0.89, is above that of all of B's, 0.86.
A = Rated((0, 0.85, 0.9, 0.9, 0.9), failing=[0])
B = Rated((0.3, 1, 1, 1, 1))


def test_who_skips_the_hard_fold_is_not_ahead():
    result = rated(A=A, B=B)
    assert result.overview()["F1_macro"].idxmax() == "A"
    assert result.leader() == "B"
    assert result.verdict() == (
        "B is better than A by more than noise: macro F1 1.000 against 0.888, a "
        "difference of 0.112 (95 % interval 0.056 to 0.169, p = 0.008). A failed in 1 "
        "of 5 folds; the comparison is over the 4 that all in it have."
    )
    row = result.compare().iloc[0]
    # On the same 160 samples: 18 mistakes against none.
    assert row["pooled_difference"] == pytest.approx(-18 / 160, abs=1e-3)
    best = {
        row["name"]: row["best"] for row in overview_rows(result, "F1_macro")["rows"]
    }
    assert best == {"A": False, "B": True}


def test_who_fails_in_most_folds_keeps_nobody_from_the_test():
    most = Rated([0.95] * 5, failing=[0, 1, 2, 3])
    result = rated(A=A, B=B, most=most, never=Rated([1] * 5, failing=range(5)))
    assert result.verdict().startswith("B is better than A by more than noise:")
    assert result.verdict().endswith(
        "most failed in 4 of 5 folds and is not compared. never failed in 5 of 5 folds "
        "and is not compared."
    )
    assert "nan" not in result.verdict()
    assert "A failed in 1 of 5 folds." in rated(A=A, most=most).verdict()


def test_interrupt_leaves(data):
    X, y, _ = data

    class Interrupted(GaussianNB):
        def fit(self, X, y):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        benchmark_classifiers({"m": flat(Interrupted())}, X, y, cv=3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"estimators": {}}, TypeError, "estimators must be a non-empty"),
        ({"estimators": GaussianNB()}, TypeError, "estimators must be a non-empty"),
        ({"estimators": {"nb": GaussianNB}}, TypeError, "'nb' must be an instance"),
        ({"estimators": {"r": Ridge()}}, ValueError, "'r' is not a classifier"),
        (
            {"estimators": [("a", GaussianNB()), ("a", GaussianNB())]},
            ValueError,
            "names must differ",
        ),
        ({"y": ["a"] * 180}, ValueError, "one class only"),
        ({"y": ["a", "b"] * 50}, ValueError, "inconsistent numbers of samples"),
        ({"y": np.linspace(0, 1, 180)}, ValueError, "Unknown label type"),
        ({"groups": [1, 2, 3]}, ValueError, "groups has 3 entries for 180 samples"),
        ({"target_names": ["a"]}, ValueError, "1 names for 3 classes"),
        ({"target_names": ["a", "a", "b"]}, ValueError, "must differ"),
        (
            {"target_names": sorted(NAMES)[::-1]},
            ValueError,
            "order of the sorted labels",
        ),
        ({"target_names": ["a", "macro", "b"]}, ValueError, "as the averages are"),
        ({"n_bootstrap": 0}, ValueError, "n_bootstrap must be at least 1"),
        ({"confidence_level": 95}, ValueError, "confidence_level must be"),
        ({"error_score": "skip"}, ValueError, "error_score must be"),
        ({"cv": 1}, ValueError, "n_splits"),
        ({"cv": []}, ValueError, "cv yields no folds"),
        ({"on_missing_class": "no"}, ValueError, "on_missing_class must be"),
    ],
)
def test_bad_arguments(data, change, error, message):
    X, y, _ = data
    arguments = {"estimators": MODELS, "X": X, "y": y} | change
    with pytest.raises(error, match=message):
        benchmark_classifiers(**arguments)


class PredictsNonsense(GaussianNB):
    """Predicts a label that is no class."""

    def predict(self, X):
        return np.full(len(X), "nonsense")


def test_label_never_seen(data):
    X, y, _ = data
    with pytest.raises(ValueError, match="'nonsense', which is not a class of y"):
        benchmark_classifiers({"m": flat(PredictsNonsense())}, X, y)
