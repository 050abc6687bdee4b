"""A threshold for each class: on probabilities known by hand, and on real models."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, fbeta_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    PredefinedSplit,
    cross_val_predict,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import LipNetClassifier
from emclassify.model_selection import (
    BoundedThresholdClassifierCV,
    ClassThresholdClassifierCV,
)
from emclassify.model_selection.thresholds._class_threshold import best_f_threshold


class ProbabilityIsX(ClassifierMixin, BaseEstimator):
    """The features are the probabilities, whatever it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.arange(y.shape[1]) if np.ndim(y) == 2 else np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return (np.asarray(X) >= 0.5).astype(int)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class OneProbabilityIsX(ProbabilityIsX):
    """The same with one label a sample."""

    def predict(self, X):
        return self.classes_[np.asarray(X).argmax(axis=1)]


TWICE = np.tile(np.arange(2), 6)  # two folds, each with every row once


def fit_columns(columns, labels, **settings):
    """Fit on probabilities and labels given by column, each sample in both folds."""
    X = np.repeat(np.column_stack(columns), 2, axis=0)
    y = np.repeat(np.column_stack(labels), 2, axis=0)
    cv = PredefinedSplit(TWICE[: len(X)])
    return ClassThresholdClassifierCV(ProbabilityIsX(), cv=cv, **settings).fit(X, y)


def test_each_label_has_its_own_threshold():
    clf = fit_columns(
        [
            [0.1, 0.2, 0.3, 0.7, 0.8, 0.9],  # a half splits them
            [0.1, 0.1, 0.1, 0.2, 0.3, 0.4],  # all below a half: the middle of the gap
            [0.6, 0.6, 0.7, 0.7, 0.9, 0.9],  # all above
            [0.0, 0.0, 0.0, 0.2, 0.2, 0.2],  # without a next one below: from 0 on
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],  # never seen: nothing to tune on
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],  # no probability tells anything
        ],
        [
            [0, 0, 0, 1, 1, 1],
            [0, 0, 0, 1, 1, 1],
            [0, 0, 0, 0, 1, 1],
            [0, 0, 0, 1, 1, 1],
            [0, 0, 0, 0, 0, 0],
            [0, 0, 0, 1, 1, 1],
        ],
    )
    assert_allclose(clf.thresholds_, [0.5, 0.15, 0.8, 0.1, 0.5, 0.5])
    X = [[0.5, 0.16, 0.79, 0.1, 0.49, 0.0]]
    assert_array_equal(clf.predict(X), [[1, 1, 0, 1, 0, 0]])
    assert_array_equal(clf.predict_proba(X), X)
    assert clf.multilabel_
    assert_array_equal(clf.classes_, np.arange(6))


def test_beta_says_what_recall_is_worth():
    # Of the six, those from 0.4 on: precision 1, recall 2/3. From 0.1 on: 3/5 and 1.
    proba, truth = [0.0, 0.1, 0.2, 0.3, 0.4, 0.45], [0, 1, 0, 0, 1, 1]
    precise = fit_columns([proba] * 2, [truth] * 2, beta=0.5)
    thorough = fit_columns([proba] * 2, [truth] * 2, beta=2.0)
    assert_allclose(precise.thresholds_, 0.35)
    assert_allclose(thorough.thresholds_, 0.05)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.sampled_from([4, 10, 2**50]),
)
def test_no_threshold_is_better(seed, n, beta, steps):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n).astype(bool)
    score = rng.integers(0, steps + 1, n) / steps
    weight = rng.integers(1, 4, n) / 2

    def f(threshold):
        return fbeta_score(
            truth, score >= threshold, beta=beta, sample_weight=weight, zero_division=0
        )

    found = best_f_threshold(truth, score, weight, beta, default=0.5)
    assert 0 < found <= 1
    best = max(f(t) for t in [*score[score > 0], 0.5])
    assert f(found) == pytest.approx(best)
    if f(0.5) == pytest.approx(best, rel=1e-13):
        assert found == 0.5


def test_a_rare_class_is_found_among_others():
    # The middle class never is the most probable one, but stands out where it is.
    X = np.repeat(
        [[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.1, 0.4, 0.5]], 4, axis=0
    )
    y = np.repeat(["a", "rare", "c", "rare"], 4)
    cv = PredefinedSplit(np.arange(16) % 2)
    clf = ClassThresholdClassifierCV(OneProbabilityIsX(), cv=cv)
    # Sorted labels: a, c, rare.
    X = X[:, [0, 2, 1]]
    clf.fit(X, y)
    assert_array_equal(clf.predict(X), y)
    assert_array_equal(clf.classes_, ["a", "c", "rare"])
    assert clf.thresholds_[2] < 1 / 3 + 0.01
    assert not clf.multilabel_


def test_the_most_probable_class_where_thresholds_are_no_better():
    rng = np.random.default_rng(0)
    X = rng.dirichlet(np.ones(3), 200)
    clf = ClassThresholdClassifierCV(OneProbabilityIsX(), cv=2)
    clf.fit(X, X.argmax(axis=1))
    assert_allclose(clf.thresholds_, 1 / 3)


def test_imbalanced_classes_gain_macro_f1():
    X, y = make_classification(
        4000,
        n_informative=5,
        n_classes=3,
        weights=[0.85, 0.1],
        class_sep=0.7,
        random_state=0,
    )
    plain = LogisticRegression().fit(X[:2000], y[:2000])
    tuned = ClassThresholdClassifierCV(plain).fit(X[:2000], y[:2000])
    was, is_ = (
        f1_score(y[2000:], model.predict(X[2000:]), average="macro")
        for model in (plain, tuned)
    )
    assert is_ > was + 0.03


def many_labels(n=200, seed=0):
    return make_multilabel_classification(
        n, n_classes=4, n_labels=1, random_state=seed, allow_unlabeled=True
    )


@pytest.mark.parametrize(
    "estimator",
    [
        OneVsRestClassifier(LogisticRegression(max_iter=1000)),
        RandomForestClassifier(10, random_state=0),  # a list of (n, 2)
        make_pipeline(StandardScaler(), KNeighborsClassifier(11)),  # the same
        GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [5, 11]}, cv=2),
        MultiOutputClassifier(LogisticRegression(max_iter=1000)),
    ],
    ids=lambda e: type(e).__name__,
)
def test_estimators_of_scikit_learn_of_either_form(estimator):
    X, y = many_labels()
    cv = KFold(3)
    clf = ClassThresholdClassifierCV(estimator, cv=cv).fit(X, y)
    proba = cross_val_predict(estimator, X, y, cv=cv, method="predict_proba")
    if isinstance(proba, list):
        proba = np.column_stack([p[:, 1] for p in proba])
    for label, threshold in enumerate(clf.thresholds_):
        truth = y[:, label]
        some = np.unique(proba[:, label])[:: 1 + len(truth) // 40]
        best = max(f1_score(truth, proba[:, label] >= t) for t in some)
        assert f1_score(truth, proba[:, label] >= threshold) >= best - 1e-12
    assert clf.predict_proba(X).shape == y.shape
    assert_array_equal(clf.predict(X), clf.predict_proba(X) >= clf.thresholds_)


def test_a_label_that_no_sample_has_in_a_forest():
    X, y = many_labels()
    y[:, 1] = 0  # its trees know one value only
    clf = ClassThresholdClassifierCV(RandomForestClassifier(5, random_state=0), cv=2)
    clf.fit(X, y)
    assert clf.thresholds_[1] == 0.5
    assert_array_equal(clf.predict_proba(X)[:, 1], 0)


def test_default_folds_keep_groups_and_labels():
    _, y = many_labels(80)
    plate = np.arange(80) // 4
    y[:, 3] = 0
    y[[0, 5], 3] = 1  # two plates: only stratified folds train on it each time
    seen = []

    class Spy(ProbabilityIsX):
        def fit(self, X, y, groups=None):
            seen.append((set(groups), y[:, 3].sum()))
            return super().fit(X, y)

    ClassThresholdClassifierCV(Spy(), cv=2).fit(np.full((80, 4), 0.3), y, groups=plate)
    (everything, _), (one, n_one), (two, n_two) = seen
    assert one | two == everything == set(plate)
    assert not one & two
    assert n_one == n_two == 1


def test_in_cross_validation_with_sparse_labels_and_a_search():
    X, y = many_labels()
    clf = ClassThresholdClassifierCV(KNeighborsClassifier(15), cv=2)
    plain, tuned = (
        cross_validate(est, X, y, cv=KFold(3), scoring="f1_macro")["test_score"]
        for est in (clf.estimator, clf)
    )
    assert tuned.mean() > plain.mean()
    thin = clone(clf).fit(X, sparse.csr_matrix(y))
    assert_array_equal(thin.thresholds_, clone(clf).fit(X, y).thresholds_)
    search = GridSearchCV(clf, {"beta": [1.0, 2.0]}, scoring="recall_macro", cv=2)
    assert search.fit(X, y).best_params_ == {"beta": 2.0}


def test_weights_are_repeats():
    X, y = many_labels(90)
    weight = np.ones(90)
    weight[:30] = 2
    twice = np.r_[np.arange(90), np.arange(30)]
    fold = np.arange(90) % 3
    settings = {"tol": 1e-10, "max_iter": 10000}
    forest = OneVsRestClassifier(LogisticRegression(**settings))
    with pytest.raises(ValueError, match=r"OneVsRestClassifier\.fit takes none"):
        ClassThresholdClassifierCV(forest).fit(X, y, sample_weight=weight)
    each = MultiOutputClassifier(LogisticRegression(**settings))
    weighted = ClassThresholdClassifierCV(each, cv=PredefinedSplit(fold))
    repeated = ClassThresholdClassifierCV(each, cv=PredefinedSplit(fold[twice]))
    weighted.fit(X, y, sample_weight=weight)
    repeated.fit(X[twice], y[twice])
    assert_allclose(weighted.thresholds_, repeated.thresholds_, atol=1e-5)


def test_a_network_on_images():
    rng = np.random.default_rng(0)
    y = (rng.random((60, 2)) < [0.5, 0.2]).astype(int)
    X = rng.normal(size=(60, 8, 8))
    X[:, :4] += 2 * y[:, :1, None]
    X[:, 4:] += 2 * y[:, 1:, None]
    network = LipNetClassifier(
        max_epochs=4, batch_size=10, augmentation=None, random_state=0
    )
    clf = ClassThresholdClassifierCV(network, cv=2).fit(X, y, groups=np.arange(60) // 3)
    assert clf.image_shape_ == (8, 8, 1)
    assert_array_equal(clf.predict(X), clf.predict_proba(X) >= clf.thresholds_)
    assert f1_score(y, clf.predict(X), average="macro") > 0.8


def test_before_fit_there_is_no_shape():
    for clf in (
        ClassThresholdClassifierCV(LogisticRegression()),
        BoundedThresholdClassifierCV(LogisticRegression(), max_fpr=0.1),
    ):
        assert not hasattr(clf, "image_shape_")
        with pytest.raises(AttributeError, match="no n_features_in_: it is not fitted"):
            _ = clf.n_features_in_


class NoProbabilities(ProbabilityIsX):
    def predict_proba(self, X):
        return np.asarray(X)[:, :1]


class Broken(ProbabilityIsX):
    def predict_proba(self, X):
        return np.full(np.shape(X), np.nan)


@pytest.mark.parametrize(
    ("estimator", "settings", "message"),
    [
        (ProbabilityIsX(), {"beta": 0}, "'beta' parameter"),
        (
            NoProbabilities(),
            {},
            "NoProbabilities gives no probability or dec",
        ),
        (Broken(), {}, "Broken gives NaN"),
        (
            ProbabilityIsX(),
            {"cv": PredefinedSplit([0] * 10 + [1] * 10)},
            "Fold 0 has no sample of class 0 in its training side",
        ),
    ],
)
def test_refused(estimator, settings, message):
    y = np.zeros((20, 2), dtype=int)
    y[:10, 0] = y[::2, 1] = 1
    clf = ClassThresholdClassifierCV(estimator, **{"cv": 2, **settings})
    with pytest.raises(ValueError, match=message):
        clf.fit(np.full((20, 2), 0.3), y)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="y must hold two classes"):
        ClassThresholdClassifierCV(LogisticRegression()).fit([[0], [1]], ["a", "a"])
