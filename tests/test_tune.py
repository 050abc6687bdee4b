"""Models of a benchmark are tuned alike, within the training sides."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emclassify import (
    LipNetClassifier,
    SeedEnsembleClassifier,
    benchmark_classifiers,
    svm_baseline,
)
from emclassify.model_selection.benchmark._tuning import (
    tuned,
    tuning_cost,
    tuning_grid,
)


class Shift(ClassifierMixin, BaseEstimator):
    """Right if `shift` is 3; remembers what it was fitted on."""

    fits = []

    def __init__(self, shift=0, random_state=None):
        self.shift = shift
        self.random_state = random_state

    def fit(self, X, y):
        Shift.fits.append((self.shift, set(X[:, 1].astype(int))))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        right = X[:, 0].astype(int)
        return self.classes_[right if self.shift == 3 else 1 - right]


Y = np.arange(60) % 2
X = np.column_stack([Y, np.arange(60)])
GROUPS = np.arange(60) // 4


def test_found_within_the_training_side_with_groups_whole():
    Shift.fits = []
    result = benchmark_classifiers(
        {"shift": Shift(), "bayes": GaussianNB()},
        X,
        Y,
        groups=GROUPS,
        cv=3,
        tune={"shift": {"shift": [0, 3]}},
        random_state=0,
    )
    assert result.overview()["accuracy"].tolist() == [1.0, 1.0]
    table = result.tuning_table()
    assert table["estimator"].tolist() == ["shift"] * 3
    assert table["parameter"].tolist() == ["shift"] * 3
    assert table["value"].tolist() == [3, 3, 3]
    assert len(Shift.fits) == 3 * (2 * 3 + 1)
    for fold, (_, test) in enumerate(result.folds):
        for _, seen in Shift.fits[7 * fold : 7 * (fold + 1)]:
            assert not seen & set(test)
            for group in np.unique(GROUPS):
                members = set(np.flatnonzero(group == GROUPS)) - set(test)
                assert not members or members <= seen or not members & seen


def test_what_is_tried_by_default():
    svm = tuning_grid(svm_baseline(), 1000, 5)
    assert svm[:2] == [{"svc__C": [10.0]}, {"svc__C": [1.0, 100.0]}]
    (_, _, gammas) = svm
    assert gammas["svc__gamma"] == pytest.approx([0.1, 0.9])
    network = tuning_grid(
        SeedEnsembleClassifier(make_pipeline(StandardScaler(), LipNetClassifier())),
        1000,
        5,
    )
    prefix = "estimator__lipnetclassifier__"
    own, rates, lengths = network
    assert own == {f"{prefix}lr": [0.003]}
    assert rates[f"{prefix}lr"] == pytest.approx([0.001, 0.009])
    assert lengths == {f"{prefix}max_epochs": [200]}
    # "scale" is no number, and other gammas say nothing of each other.
    assert tuning_grid(SVC(), 100, 2) == [{"C": [1.0]}, {"C": [0.1, 10.0]}]
    assert tuning_grid(LogisticRegression(), 100, 2)[1] == {"C": [0.1, 10.0]}
    assert tuning_grid(GaussianNB(), 100, 2) == []


def test_what_it_costs():
    grid = tuning_grid(LipNetClassifier(), 1000, 5)
    # Three rates and a double length on two thirds of three folds, then the longest.
    assert tuning_cost(grid, 100) == 2 * 5 + 2
    assert tuning_cost([], 76) == 1
    assert tuning_cost({"depth": [2, 4]}, 76) == 2 * 2 + 1


def test_searches_stay_as_they_are():
    search = GridSearchCV(Shift(), {"shift": [3]}, cv=2)
    assert tuned(search, {"cv": [2]}, Y, False) is search
    result = benchmark_classifiers({"s": search}, X, Y, tune=True, random_state=0)
    assert result.tuning_table()["value"].tolist() == [3] * 5


def test_without_tune_nothing_is_searched():
    result = benchmark_classifiers({"b": LogisticRegression()}, X, Y, random_state=0)
    assert result.tuning_table().empty
    assert isinstance(result.estimators["b"], LogisticRegression)


def test_several_labels_and_the_cache(tmp_path):
    several = np.column_stack([Y, 1 - Y])
    models = {"n": MultiOutputClassifier(GaussianNB())}
    grid = {"estimator__var_smoothing": np.array([1e-9, 1e-3])}
    settings = {"tune": {"n": grid}, "random_state": 0, "cache_dir": tmp_path}
    first = benchmark_classifiers(models, X, several, **settings)
    again = benchmark_classifiers(models, X, several, **settings)
    assert set(first.tuning_table()["value"]) <= {1e-9, 1e-3}
    assert again.tuning_table().equals(first.tuning_table())


def test_networks_are_tuned_by_groups():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(60, 6, 6)) + 2 * Y[:, np.newaxis, np.newaxis]
    net = LipNetClassifier(2, max_epochs=2, early_stopping=True, random_state=0)
    result = benchmark_classifiers(
        {"net": net}, images, Y, groups=GROUPS, cv=2, tune=True, random_state=0
    )
    table = result.tuning_table()
    assert set(table["parameter"]) <= {"lr", "max_epochs"}
    assert len(table) == 2
    assert len(result.training_table()) == 2  # of the best ones only


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("yes", "tune must be True"),
        ({"c": {"C": [1]}}, "tune names 'c'"),
        ({"b": {"c": [1]}}, r"tune\['b'\] has 'c', which is no parameter"),
        ({"b": {"C": 1}}, "needs to be a list"),
    ],
)
def test_bad_grids_are_refused_before_any_fit(bad, message):
    with pytest.raises((TypeError, ValueError), match=message):
        benchmark_classifiers({"b": LogisticRegression()}, X, Y, tune=bad)


def test_few_groups_take_two_folds_or_leave_models_as_they_are():
    groups = np.repeat([0, 1, 2], 20)
    few = {"groups": groups, "cv": GroupKFold(3), "random_state": 0, "n_bootstrap": 10}
    tune = {"shift": {"shift": [0, 3]}}
    result = benchmark_classifiers({"shift": Shift()}, X, Y, tune=tune, **few)
    assert result.estimators["shift"].cv.n_splits == 2
    y = np.where(groups == 0, Y, 0)
    folds = [(np.arange(40), np.arange(40, 60))]
    few |= {"cv": folds, "on_missing_class": "warn"}
    with (
        pytest.warns(UserWarning, match="fewer than two groups of the rarest class"),
        pytest.warns(UserWarning, match="Fold 0 has no sample"),
    ):
        result = benchmark_classifiers({"shift": Shift()}, X, y, tune=tune, **few)
    assert isinstance(result.estimators["shift"], Shift)
