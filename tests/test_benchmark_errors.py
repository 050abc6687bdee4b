"""What benchmark_classifiers refuses, and what it survives."""

import numpy as np
import pytest
from benchmark_data import MODELS, NAMES, flat, make_data
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score
from sklearn.model_selection import (
    KFold,
)
from sklearn.naive_bayes import GaussianNB

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
    # One shared fold is too few to test
    assert "no test" in result.verdict()
    with (
        pytest.warns(UserWarning, match="failed in fold"),
        pytest.raises(ValueError, match="Every fit failed"),
    ):
        benchmark_classifiers(
            {"fails": flat(Fails())}, np.full_like(X, 99), y, cv=3, error_score=np.nan
        )


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
