"""Figures at a bound as scorers: the same numbers as by hand, in both searches."""

import pickle

import numpy as np
import pytest
import sklearn
from packaging.version import Version
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emclassify.metrics import (
    operating_point_scorers,
    precision_at_recall,
    recall_at_fpr,
    recall_at_precision,
)

MODELS = [
    make_pipeline(StandardScaler(), SVC()),
    LogisticRegression(),
]


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(300, flip_y=0.2, weights=[0.7], random_state=0)
    return X, np.array(["off", "on"])[y], np.arange(300) % 12


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("pos_label", ["off", "on"])
def test_in_cross_validate_under_groups(data, model, pos_label):
    X, y, groups = data
    cv = GroupKFold(3)
    scorers = operating_point_scorers(
        min_recall=0.8, min_precision=0.85, max_fpr=0.1, pos_label=pos_label
    )
    found = cross_validate(model, X, y, groups=groups, cv=cv, scoring=scorers)
    for fold, (train, test) in enumerate(cv.split(X, y, groups)):
        fitted = clone(model).fit(X[train], y[train])
        if hasattr(fitted, "predict_proba"):
            column = fitted.classes_.tolist().index(pos_label)
            score = fitted.predict_proba(X[test])[:, column]
        else:
            sign = 1 if pos_label == "on" else -1
            score = sign * fitted.decision_function(X[test])
        for function, bound in (
            (precision_at_recall, {"min_recall": 0.8}),
            (recall_at_precision, {"min_precision": 0.85}),
            (recall_at_fpr, {"max_fpr": 0.1}),
        ):
            expected = function(y[test], score, pos_label=pos_label, **bound)
            assert found[f"test_{function.__name__}"][fold] == pytest.approx(expected)


def test_in_a_grid_search_by_its_bound(data):
    X, y, groups = data
    scorers = operating_point_scorers(min_recall=0.6, pos_label="on")
    assert list(scorers) == ["precision_at_recall"]
    grid = {"C": [1e-4, 1.0]}
    for scoring, refit in (
        (scorers, "precision_at_recall"),
        (scorers["precision_at_recall"], True),
    ):
        search = GridSearchCV(
            SVC(), grid, cv=GroupKFold(3), scoring=scoring, refit=refit
        )
        search.fit(X, y, groups=groups)
        each = [
            cross_validate(
                SVC(C=C), X, y, groups=groups, cv=GroupKFold(3), scoring=scorers
            )["test_precision_at_recall"].mean()
            for C in grid["C"]
        ]
        assert search.best_score_ == pytest.approx(max(each))


def test_a_test_side_of_one_class_has_no_score(data):
    X, y, _ = data
    lone = np.flatnonzero(y == "on")[:20]
    folds = [(np.setdiff1d(np.arange(300), lone), lone)]
    scorers = operating_point_scorers(max_fpr=0.1, pos_label="on")
    with pytest.warns(UserWarning, match="it holds 1"):
        found = cross_validate(SVC(), X, y, cv=folds, scoring=scorers)
    assert np.isnan(found["test_recall_at_fpr"]).all()


def test_survives_pickle(data):
    X, y, _ = data
    scorer = operating_point_scorers(max_fpr=0.1, pos_label="on")["recall_at_fpr"]
    fitted = SVC().fit(X, y)
    assert pickle.loads(pickle.dumps(scorer))(fitted, X, y) == scorer(fitted, X, y)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [({}, "at least one of min_recall"), ({"max_fpr": 2.0}, "max_fpr")],
)
def test_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        operating_point_scorers(**bounds)


@pytest.mark.parametrize("asked", [True, None])
def test_routed_weights_are_honoured_or_refused(data, asked):
    if asked is None and Version(sklearn.__version__) < Version("1.9"):
        pytest.skip("scikit-learn's scorers refuse them since 1.9")
    X, y, _ = data
    weight = np.linspace(0.1, 5, len(y))
    scorers = operating_point_scorers(
        min_recall=0.8, min_precision=0.7, max_fpr=0.1, pos_label="on"
    )
    functions = {
        "precision_at_recall": (precision_at_recall, {"min_recall": 0.8}),
        "recall_at_precision": (recall_at_precision, {"min_precision": 0.7}),
        "recall_at_fpr": (recall_at_fpr, {"max_fpr": 0.1}),
    }
    settings = {"cv": 3, "return_estimator": True, "return_indices": True}
    settings |= {"scoring": scorers, "params": {"sample_weight": weight}}
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        if asked is None:
            with pytest.raises(ValueError, match="not explicitly set as requested"):
                cross_validate(model, X, y, **settings)
            return
        for scorer in scorers.values():
            scorer.set_score_request(sample_weight=True)
        found = cross_validate(model, X, y, **settings)
    for fold, test in enumerate(found["indices"]["test"]):
        score = found["estimator"][fold].predict_proba(X[test])[:, 1]
        for name, (function, bound) in functions.items():
            expected = function(
                y[test], score, pos_label="on", sample_weight=weight[test], **bound
            )
            assert found[f"test_{name}"][fold] == pytest.approx(expected)
