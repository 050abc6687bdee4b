"""A threshold that keeps a bound: on scores known by hand, and around real models."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from joblib import parallel_config
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from emclassify import LipNetClassifier
from emclassify.metrics import operating_point
from emclassify.model_selection import (
    BoundedThresholdClassifierCV,
    benchmark_classifiers,
)
from emclassify.prediction import predict_table

BOUNDS = ["max_fpr", "min_precision", "min_recall"]


class ScoreIsX(ClassifierMixin, BaseEstimator):
    """The only feature is the score, whatever it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0]

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


class ProbabilityIsX(ScoreIsX):
    """The only feature is the probability of the last class."""

    def predict_proba(self, X):
        p = np.asarray(X)[:, 0]
        return np.column_stack([1 - p, p])


def figures(truth, called):
    """(recall, false-positive rate) by counting."""
    return called[truth].mean(), called[~truth].mean()


def noisy_classes(n=400, seed=0):
    X, y = make_classification(
        n, n_features=5, flip_y=0.05, class_sep=1.0, random_state=seed
    )
    groups = np.random.default_rng(seed).integers(0, 20, n)
    return X, np.array(["bad", "good"])[y], groups


@given(
    st.integers(0, 2**32 - 1),
    st.integers(4, 25),
    st.sampled_from(BOUNDS),
    st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]),
    st.sampled_from([1e-300, 2.0**-52, 1.0]),
    st.sampled_from(["a", "b", None]),
)
def test_predictions_are_those_of_the_operating_point(
    seed, n, name, bound, step, pos_label
):
    # Whatever the fold, a sample has the same score: predictions for all of them are
    # as the out-of-fold figures say. Ties, and floats that are neighbours, included.
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b"])[np.r_[0, 0, 1, 1, rng.integers(0, 2, n - 4)]]
    X = (
        1 + step * rng.integers(-3, 4, (n, 1))
        if step < 1
        else rng.integers(-3, 4, (n, 1))
    )
    X = X.astype(float)
    folds = list(StratifiedKFold(2, shuffle=True, random_state=0).split(X, y))
    clf = BoundedThresholdClassifierCV(
        ScoreIsX(), pos_label=pos_label, cv=folds, **{name: bound}
    )
    positive = pos_label or "b"
    score = X[:, 0] if positive == "b" else -X[:, 0]
    best = operating_point(y, score, pos_label=positive, **{name: bound})
    if np.isinf(best.threshold):
        with pytest.raises(ValueError, match="No threshold keeps"):
            clf.fit(X, y)
        return
    clf.fit(X, y)
    called = clf.predict(X) == positive
    recall, fpr = figures(y == positive, called)
    assert (recall, fpr) == pytest.approx((best.recall, best.fpr))
    point = clf.operating_point_
    assert (point.recall, point.fpr) == (best.recall, best.fpr)
    assert point.precision == pytest.approx((y[called] == positive).mean())
    np.testing.assert_array_equal(clf.decision_function(X) > 0, clf.predict(X) == "b")


@pytest.mark.parametrize(
    ("scores", "threshold"),
    [
        ([0.1, 0.3, 0.6, 0.9], 0.5),  # the usual threshold is as good as any
        ([0.1, 0.2, 0.4, 0.45], 0.3),  # it isn't: the middle of the gap
        ([0.6, 0.7, 0.8, 0.9], 0.75),
    ],
)
def test_the_usual_threshold_or_the_middle_of_the_gap(scores, threshold):
    X, y = np.repeat(scores, 2)[:, np.newaxis], np.repeat([0, 0, 1, 1], 2)
    clf = BoundedThresholdClassifierCV(ProbabilityIsX(), max_fpr=0, cv=2).fit(X, y)
    assert clf.threshold_ == pytest.approx(threshold)
    np.testing.assert_array_equal(clf.predict_proba(X)[:, 1], X[:, 0])
    assert clf.score_kind_ == "probability"
    assert clf.operating_point_.recall == 1
    np.testing.assert_allclose(clf.decision_function(X), X[:, 0] - clf.threshold_)


def test_a_score_on_the_threshold_goes_to_the_first_class():
    # As in scikit-learn, where a tie of probabilities does.
    X, y = np.array([[0.2], [0.3], [0.7], [0.8]]), np.array([0, 0, 1, 1])
    for pos_label in (0, 1):
        clf = BoundedThresholdClassifierCV(
            ProbabilityIsX(), max_fpr=0, pos_label=pos_label, cv=2
        )
        assert clf.fit(X, y).predict([[0.5]]) == [0]


def test_what_is_positive_waits_for_the_next_fit():
    X, y = np.array([[0.2], [0.3], [0.7], [0.9]]), np.array([0, 0, 1, 1])
    clf = BoundedThresholdClassifierCV(ProbabilityIsX(), max_fpr=0, pos_label=0, cv=2)
    before = clf.fit(X, y).decision_function([[0.4], [0.8]])
    clf.set_params(pos_label=1)
    np.testing.assert_array_equal(clf.decision_function([[0.4], [0.8]]), before)
    assert clf.predict([[0.4], [0.8]]).tolist() == [0, 1]


def test_scores_are_out_of_fold_and_pooled():
    X, y, _ = noisy_classes()
    cv = StratifiedKFold(4, shuffle=True, random_state=0)
    clf = BoundedThresholdClassifierCV(SVC(), max_fpr=0.02, cv=cv).fit(X, y)
    score = cross_val_predict(SVC(), X, y, cv=cv, method="decision_function")
    best = operating_point(y, score, max_fpr=0.02, pos_label="good")
    point = clf.operating_point_
    assert (point.recall, point.fpr) == (best.recall, best.fpr)
    assert score[score < best.threshold].max() < clf.threshold_ <= best.threshold
    assert best.fpr <= 0.02
    assert not hasattr(clf, "predict_proba")
    # The model itself is fitted on everything.
    plain = SVC().fit(X, y)
    np.testing.assert_array_equal(
        clf.decision_function(X), plain.decision_function(X) - clf.threshold_
    )


def test_groups_stay_together_and_reach_the_estimator():
    X, y, groups = noisy_classes()
    seen = []

    class NeedsGroups(ScoreIsX):
        def fit(self, X, y, groups=None):
            seen.append(set(groups))
            return super().fit(X, y)

    BoundedThresholdClassifierCV(NeedsGroups(), min_recall=0.5, cv=4).fit(
        X, y, groups=groups
    )
    everything, *training = seen
    assert everything == set(groups)
    held_out = [everything - some for some in training]
    assert len(training) == 4
    assert sum(map(len, held_out)) == len(everything)
    assert set.union(*held_out) == everything


def test_torn_groups_are_an_error():
    X, y, groups = noisy_classes()
    clf = BoundedThresholdClassifierCV(
        SVC(), min_recall=0.5, cv=list(KFold(3).split(X))
    )
    with pytest.raises(ValueError, match=r"Fold 0 has group .* in both"):
        clf.fit(X, y, groups=groups)


def test_in_a_pipeline_under_group_cross_validation():
    X, y, groups = noisy_classes()
    inner = make_pipeline(StandardScaler(), SVC())
    clf = BoundedThresholdClassifierCV(inner, max_fpr=0.05, cv=GroupKFold(3))
    inside = cross_validate(
        clf,
        X,
        y,
        groups=groups,
        cv=GroupKFold(3),
        params={"groups": groups},
        scoring=["roc_auc", "accuracy"],
        return_estimator=True,
    )
    assert (inside["test_roc_auc"] > 0.8).all()
    assert all(est.operating_point_.fpr <= 0.05 for est in inside["estimator"])
    last = Pipeline(
        [("scale", StandardScaler()), ("svc", clf.set_params(estimator=SVC()))]
    )
    last.fit(X, y, svc__groups=groups)
    assert last[-1].operating_point_.fpr <= 0.05
    result = benchmark_classifiers(
        {"bounded": last}, X, y, groups=groups, cv=3, n_bootstrap=10
    )
    assert result.class_scores("bounded")[1] == "decision"


def test_weights_reach_the_last_step_of_a_pipeline():
    # A weight of 2 is a sample twice: in the fit, and in the figures.
    X, y, _ = noisy_classes(120)
    twice = np.r_[np.arange(120), np.arange(40)]
    weight = np.ones(120)
    weight[:40] = 2
    fold = np.arange(120) % 3
    pipeline = make_pipeline(LogisticRegression(C=0.1, tol=1e-10, max_iter=1000))
    weighted = BoundedThresholdClassifierCV(
        pipeline, max_fpr=0.05, cv=PredefinedSplit(fold)
    ).fit(X, y, sample_weight=weight)
    repeated = BoundedThresholdClassifierCV(
        pipeline, max_fpr=0.05, cv=PredefinedSplit(fold[twice])
    ).fit(X[twice], y[twice])
    assert weighted.threshold_ == pytest.approx(repeated.threshold_, abs=1e-6)
    assert weighted.operating_point_.recall == pytest.approx(
        repeated.operating_point_.recall
    )
    unweighted = clone(weighted).fit(X, y)
    assert weighted.threshold_ != pytest.approx(unweighted.threshold_, abs=1e-6)


def test_tuned_by_a_grid_search_with_metadata_routing_too():
    X, y, groups = noisy_classes()
    clf = BoundedThresholdClassifierCV(SVC(), max_fpr=0.05, cv=3)
    grid = {"estimator__C": [0.01, 1.0], "max_fpr": [0.05, 0.1]}
    search = GridSearchCV(clf, grid, cv=GroupKFold(3)).fit(X, y, groups=groups)
    assert search.best_params_["estimator__C"] == 1.0
    with config_context(enable_metadata_routing=True):
        routed = clone(clf).set_fit_request(groups=True)
        search = GridSearchCV(routed, grid, cv=GroupKFold(3))
        search.fit(X, y, groups=groups)
    assert search.best_estimator_.operating_point_.fpr <= 0.1


def test_a_network_on_images():
    rng = np.random.default_rng(0)
    y = np.repeat(["bad", "good"], 30)
    X = rng.normal(size=(60, 8, 8)) + np.repeat([0, 1], 30)[:, None, None]
    network = LipNetClassifier(
        max_epochs=2, batch_size=10, random_state=0, device="cpu"
    )
    clf = BoundedThresholdClassifierCV(network, max_fpr=0.0, cv=2)
    clf.fit(X, y, groups=np.arange(60) // 3)
    assert clf.image_shape_ == (8, 8, 1)
    assert clf.operating_point_.recall > 0.8
    assert (clf.predict(X) == y).mean() > 0.8
    np.testing.assert_array_equal(
        clf.predict(X) == "good",
        clf.predict_proba(X)[:, 1] > clf.threshold_,
    )
    table = predict_table(clf, X[:3])
    np.testing.assert_array_equal(
        table["probability_good"], clf.predict_proba(X[:3])[:, 1]
    )


def test_jobs_change_nothing_and_progress_is_shown(capsys):
    X, y, _ = noisy_classes(200)
    clf = BoundedThresholdClassifierCV(SVC(), max_fpr=0.05, verbose=1)
    serial = clf.fit(X, y).threshold_
    assert "threshold" in capsys.readouterr().err
    with parallel_config(backend="threading"):
        clf.set_params(n_jobs=2, verbose=0).fit(X, y)
    assert clf.threshold_ == serial


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "exactly one of max_fpr, min_precision, min_recall; got none"),
        ({"max_fpr": 0.1, "min_recall": 0.9}, "exactly one of .*'min_recall': 0.9"),
        ({"max_fpr": 1.1}, "'max_fpr' parameter .* must be a float in the range"),
        ({"max_fpr": 0.1, "pos_label": "great"}, "'great' is not a label of y"),
        (
            {"min_recall": 0.1, "cv": PredefinedSplit([0] * 20 + [1] * 20)},
            "Fold 0 has no sample of class bad in its training",
        ),
        (
            {"min_recall": 0.1, "cv": [(range(5, 35), range(5))]},
            "test sides of cv, taken together, hold one class only",
        ),
    ],
)
def test_refused(settings, message):
    X, y = np.arange(40.0)[:, np.newaxis], np.repeat(["bad", "good"], 20)
    with pytest.raises(ValueError, match=message):
        BoundedThresholdClassifierCV(ScoreIsX(), **settings).fit(X, y)


def test_a_bound_out_of_reach_says_what_is_within():
    # The highest scores are of a negative: 0.25 of those are above 0.5 of the others.
    X = np.array([1, 2, 3, 9, 4, 5, 6, 7])[:, np.newaxis]
    y = np.repeat([0, 1], 4)
    clf = BoundedThresholdClassifierCV(ScoreIsX(), cv=2, max_fpr=0.1)
    message = (
        r"No threshold keeps max_fpr=0.1 out of fold and calls any of the 8 samples 1. "
        r"Within reach is a precision of 0.8 at a recall of 1 and a false-positive "
        r"rate of 0.25"
    )
    with pytest.raises(ValueError, match=message):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)


def test_weights_for_an_estimator_that_takes_none():
    class NoWeights(ScoreIsX):
        def fit(self, X, y):
            return super().fit(X, y)

    # A sampler would leave the weights behind.
    sampled = make_sampling_pipeline(RandomOverSampler(), SVC())
    for estimator in (NoWeights(), GridSearchCV(NoWeights(), {}), sampled):
        clf = BoundedThresholdClassifierCV(estimator, max_fpr=0.5)
        name = type(estimator).__name__
        with pytest.raises(ValueError, match=rf"{name}\.fit takes none"):
            clf.fit([[1], [2]], [0, 1], sample_weight=[1, 1])


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-1.0, "Negative values in data passed to `sample_weight`"),
        (np.nan, r"sample_weight contains NaN at \(0,\)"),
        ("x", "sample_weight must hold real numbers; got 'x'"),
    ],
)
def test_weights_that_are_none(weight, message):
    # A tree takes negative ones, which no figure counts.
    X, y, _ = noisy_classes(40)
    clf = BoundedThresholdClassifierCV(DecisionTreeClassifier(), max_fpr=0.5)
    with pytest.raises(ValueError, match=message):
        clf.fit(X, y, sample_weight=[weight] + [1.0] * 39)


def test_weights_go_through_a_search():
    X, y, _ = noisy_classes(120)
    search = GridSearchCV(make_pipeline(SVC()), {"svc__C": [0.1, 1.0]}, cv=2)
    clf = BoundedThresholdClassifierCV(search, min_recall=0.5, cv=2)
    weight = np.where(X[:, 0] > 0, 5.0, 1.0)
    weighted = clf.fit(X, y, sample_weight=weight).estimator_
    expected = clone(search).fit(X, y, svc__sample_weight=weight)
    np.testing.assert_array_equal(
        weighted.decision_function(X), expected.decision_function(X)
    )
