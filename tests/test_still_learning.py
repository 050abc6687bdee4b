"""A benchmark counts the networks that were not trained enough, and says so."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import (
    CNNClassifier,
    LipNetClassifier,
    SeedEnsembleClassifier,
    benchmark_classifiers,
)
from emclassify.model_selection.running._trainings import tell_trainings


class Learner(ClassifierMixin, BaseEstimator):
    """Right for a share of the samples; says what it is told of its training."""

    def __init__(self, share=1.0, converged=True, random_state=None):
        self.share = share
        self.converged = converged
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        # Not in the fold that tests sample 0.
        self.converged_ = self.converged is True or (
            self.converged == "but once" and (X[:, 1] == 0).any()
        )
        self.history_ = [{"train_batch_count": 100}] * 12
        return self

    def predict(self, X):
        right = self.classes_[X[:, 0].astype(int)]
        wrong = np.roll(self.classes_, 1)[X[:, 0].astype(int)]
        return np.where(X[:, 2] < self.share, right, wrong)

    def predict_proba(self, X):
        return (self.predict(X)[:, np.newaxis] == self.classes_) * 1.0


def rows(n=120):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    return np.column_stack([y, np.arange(n), rng.uniform(size=n)]), y


def benchmark(models, **settings):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = benchmark_classifiers(models, *rows(), random_state=0, **settings)
    assert {w.category for w in caught} <= {ConvergenceWarning}
    return result, [str(w.message) for w in caught]


def test_no_lead_over_a_model_that_was_still_learning():
    good, poor = Learner(), Learner(0.6, converged=False)
    result, (warning,) = benchmark({"good": good, "poor": poor})
    assert "poor was still learning in 5 of 5 folds" in warning
    verdict = result.verdict()
    assert verdict.startswith(
        "good is ahead of poor, but that decides nothing, since poor was still "
        "learning in 5 of 5 folds: macro F1 1.000 against "
    )
    assert "more than noise" not in verdict
    assert verdict.count("still learning") == 1
    assert result.compare()["p"].item() < 0.05  # the numbers stay
    assert "1,200 updates, still learning in 5 of 5 folds" in str(result)


def test_one_fold_is_enough():
    poor = Learner(0.6, converged="but once")
    result, (warning,) = benchmark({"good": GaussianNB(), "poor": poor})
    assert "poor was still learning in 1 of 5 folds" in warning
    assert "decides nothing" in result.verdict()


def test_who_wins_while_still_learning_has_won():
    models = {"good": Learner(converged=False), "poor": Learner(0.6)}
    result, warned = benchmark(models)
    assert len(warned) == 1
    assert result.verdict().startswith("good is better than poor by more than noise")
    assert "good was still learning in 5 of 5 folds." in result.verdict()
    assert result.verdict().endswith(
        "It rests on 1 training of good a fold (1,200 updates); 1 training of poor a "
        "fold (1,200 updates)."
    )


def test_among_three():
    models = {
        "good": Learner(),
        "poor": Learner(0.6, converged=False),
        "worse": Learner(0.5),
    }
    result, _ = benchmark(models)
    verdict = result.verdict()
    assert "More than noise is its lead over worse (" in verdict
    assert "Its lead over poor (" in verdict
    assert ") decides nothing: poor was still learning in 5 of 5 folds." in verdict


def test_trained_enough_is_as_before():
    result, warned = benchmark({"good": Learner(), "poor": Learner(0.6)})
    assert not warned
    assert "good is better than poor by more than noise" in result.verdict()
    assert "still learning" not in str(result)
    plain, _ = benchmark({"good": GaussianNB()})
    assert plain.training_table().empty
    assert "rests on" not in plain.verdict()
    assert "training" not in str(plain)


def test_table():
    ensemble = SeedEnsembleClassifier(Learner(converged="but once"), n_members=3)
    result, (warning,) = benchmark({"e": ensemble, "bayes": GaussianNB()}, cv=3)
    table = result.training_table()
    assert table["estimator"].tolist() == ["e"] * 3
    assert table["networks"].tolist() == [3, 3, 3]
    assert sorted(table["still_learning"]) == [0, 0, 3]
    assert table["updates"].tolist() == [1200] * 3
    assert "1 of 3 folds" in warning
    assert "3 trainings of e a fold (1,200 updates each)" in result.verdict()


@pytest.mark.parametrize(
    ("model", "networks"),
    [
        (Learner(), 1),
        (make_pipeline(StandardScaler(), Learner()), 1),
        (SeedEnsembleClassifier(Learner(), n_members=2), 2),
        (GridSearchCV(Learner(), {"share": [0.5, 1.0]}, cv=2), 1),
        (CalibratedClassifierCV(Learner(), cv=2), 2),
        (OneVsRestClassifier(make_pipeline(StandardScaler(), Learner())), 1),
    ],
    ids=lambda model: type(model).__name__,
)
def test_networks_are_found_wherever_they_are(model, networks):
    X, y = rows()
    model.fit(X * [1, 0, 0], y)
    told = {"networks": networks, "still_learning": 0, "updates": 1200}
    assert tell_trainings(model) == told
    assert tell_trainings(GaussianNB().fit(X, y)) is None


def test_cached_folds_remember(tmp_path):
    models = {"n": Learner(0.7, converged=False)}
    first, (warning,) = benchmark(models, cache_dir=tmp_path)
    again, (same,) = benchmark(models, cache_dir=tmp_path)
    assert warning == same
    assert first.verdict() == again.verdict()


def test_report_says_it(tmp_path):
    models = {"good": Learner(), "poor": Learner(0.6, converged=False)}
    html = benchmark(models)[0].to_html(tmp_path / "r.html").read_text("utf-8")
    assert html.count("still learning in 5 of 5 folds") == 3  # verdict, both tables
    plain = benchmark({"a": GaussianNB()})[0].to_html(tmp_path / "p.html")
    column = "Training</th>"  # the table of folds has one too
    assert html.count(column) == plain.read_text("utf-8").count(column) + 1


def test_real_networks_warn_once_for_all_folds():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 6, 6)) + y[:, np.newaxis, np.newaxis]
    models = {
        "LipNet": LipNetClassifier(2, max_epochs=1, random_state=0),
        "CNN": make_pipeline(CNNClassifier(max_epochs=1, random_state=0)),
    }
    with pytest.warns(ConvergenceWarning) as caught:
        result = benchmark_classifiers(models, X, y, cv=2, random_state=0)
    assert len(caught) == 1
    assert "LipNet was still learning in 2 of 2 folds" in str(caught[0].message)
    assert result.training_table()["updates"].tolist() == [2] * 4
