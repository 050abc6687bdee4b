"""An abstaining classifier: on confidences known by hand, and around real models."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import make_blobs, make_classification
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emclassify import FeatureExtractor, LipNetClassifier, svm_baseline
from emclassify.metrics._proportion import proportion_interval
from emclassify.model_selection import RejectClassifierCV
from emclassify.model_selection.thresholds._error_threshold import (
    error_threshold,
    share_threshold,
)
from emclassify.prediction import predict_table


class SaysWhatIsInX(ClassifierMixin, BaseEstimator):
    """First column: the code that it predicts. Second: how sure it is of it."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        X = np.asarray(X)
        k = len(self.classes_)
        rest = (1 - X[:, 1]) / (k - 1)
        proba = np.repeat(rest[:, np.newaxis], k, axis=1)
        proba[np.arange(len(X)), X[:, 0].astype(int)] = X[:, 1]
        return proba

    def predict(self, X):
        return self.classes_[np.asarray(X)[:, 0].astype(int)]


def blobs(n=300, seed=0):
    """Three overlapping classes in the plane, in 20 groups."""
    X, y = make_blobs(n, centers=[[0, 0], [0, 3], [3, 0]], random_state=seed)
    groups = np.random.default_rng(seed).integers(0, 20, n)
    return X, np.array(["empty", "full", "other"])[y], groups


def test_thresholds_known_by_hand():
    # Called "a": right at .9 and .8, wrong at .7, right at .6 and .5, wrong at .4: at
    # most one in four is wrong from .6 up, and one in five from .5 up.
    X = [[0, 0.9], [0, 0.8], [0, 0.7], [0, 0.6], [0, 0.5], [0, 0.4]]
    y = ["a", "a", "b", "a", "a", "b"]
    # Called "b": always right.
    X += [[1, 0.5]] * 4
    y += ["b"] * 4
    clf = RejectClassifierCV(SaysWhatIsInX(), max_error=0.2, cv=2).fit(X, y)
    assert clf.thresholds_.tolist() == [pytest.approx(0.45), -np.inf]
    assert clf.class_coverage_.tolist() == [5 / 6, 1]
    assert clf.class_risk_.tolist() == [pytest.approx(0.2), 0]
    assert (clf.coverage_, clf.risk_) == (9 / 10, pytest.approx(1 / 9))
    new = [[0, 0.46], [0, 0.44], [1, 0.1]]
    assert clf.predict(new).tolist() == ["a", "rejected", "b"]
    assert clf.accepts(new).tolist() == [True, False, True]
    clf.set_params(max_error=0.19).fit(X, y)
    assert clf.thresholds_[0] == pytest.approx(0.75)
    assert clf.class_risk_[0] == 0


def test_confidence_level_takes_59_without_a_mistake():
    # 0.95**59 < 0.05 < 0.95**58.
    def threshold(n, groups=None, level=0.95):
        return error_threshold(
            np.zeros(n),
            np.zeros(n),
            np.linspace(0.6, 0.9, n),
            np.ones(n),
            groups,
            max_error=0.05,
            confidence_level=level,
        )

    assert threshold(58) == np.inf
    assert threshold(59) == -np.inf
    assert threshold(1, level=None) == -np.inf
    # A single group says nothing about others.
    assert threshold(500, groups=np.zeros(500)) == np.inf


def test_confidence_level_counts_alike_samples_less():
    # 4 % wrong, in every fifth group all of them: no proof of less than 8 %.
    wrong = np.repeat(np.arange(25) == 0, 40)
    settings = {"max_error": 0.08, "confidence_level": 0.95}
    arrays = np.zeros(1000), wrong.astype(float), np.full(1000, 0.9), np.ones(1000)
    assert error_threshold(*arrays, None, **settings) == -np.inf
    groups = np.repeat(np.arange(25), 40)
    assert error_threshold(*arrays, groups, **settings) == np.inf


def test_repeated_folds_make_no_more_samples():
    # 15 samples of each class without a mistake allow an error of 0.18, however often
    # they are tested.
    X = np.repeat([0.0, 5.0], 15)[:, np.newaxis] + np.linspace(0, 1, 30)[:, np.newaxis]
    y = np.repeat([0, 1], 15)
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=10, random_state=0)
    limit = 1 - 0.05 ** (1 / 15)
    settings = {"cv": cv, "confidence_level": 0.95}
    for max_error in (0.05, limit - 0.001):
        reject = RejectClassifierCV(GaussianNB(), max_error=max_error, **settings)
        with pytest.raises(ValueError, match="No threshold keeps"):
            reject.fit(X, y)
    reject = RejectClassifierCV(GaussianNB(), max_error=limit + 0.001, **settings)
    assert reject.fit(X, y).coverage_ == 1


def test_without_a_mistake_the_limit_counts_groups():
    # 1 - 0.05**(1 / 6) = 0.393 for 6 groups of 20: the one-sided limit at 0.95.
    wrong, groups = np.zeros(120), np.repeat(np.arange(6), 20)
    arrays = np.zeros(120), wrong, np.full(120, 0.9), np.ones(120), groups
    assert error_threshold(*arrays, max_error=0.394, confidence_level=0.95) == -np.inf
    assert error_threshold(*arrays, max_error=0.392, confidence_level=0.95) == np.inf


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 7, 500_000]))
def test_limits_against_those_of_each_threshold_alone(seed, cells):
    rng = np.random.default_rng(seed)
    confidence = rng.integers(0, 15, 60) / 15
    wrong, groups = rng.random(60) < 0.2, rng.integers(0, 12, 60)
    threshold = error_threshold(
        np.zeros(60),
        wrong.astype(float),
        confidence,
        np.ones(60),
        groups,
        max_error=0.5,
        confidence_level=0.8,
    )
    upper = {
        t: proportion_interval(wrong[confidence >= t], groups[confidence >= t], 0.6)[1]
        for t in set(confidence)
    }
    kept = [t for t, limit in upper.items() if limit <= 0.5]
    expected = sum(confidence >= min(kept)) if kept else 0
    assert sum(confidence >= threshold) == expected


@pytest.mark.parametrize("n_groups", [4, 10, 100])
def test_a_true_error_of_a_tenth_is_seldom_accepted_below_a_twentieth(n_groups):
    # Groups are right or wrong as a whole: the worst that there is.
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_groups), 10)
    n = len(groups)
    accepted = 0
    for _ in range(200):
        wrong = (rng.random(n_groups) < 0.1)[groups]
        threshold = error_threshold(
            np.zeros(n),
            wrong.astype(float),
            rng.random(n),
            np.ones(n),
            groups,
            max_error=0.05,
            confidence_level=0.95,
        )
        accepted += threshold < np.inf
    assert accepted <= 0.05 * 200


def test_new_errors_are_above_the_bound_half_the_time_but_rarely_with_a_level():
    # Calibrated: a sample of confidence c is right with probability c, so that from a
    # threshold t up, (1 - t) / 2 are wrong.
    rng = np.random.default_rng(0)
    above = {None: 0, 0.95: 0}
    for _ in range(50):
        confidence = rng.uniform(0.5, 1, 500)
        wrong = rng.random(500) > confidence
        for level in above:
            threshold = error_threshold(
                np.zeros(500),
                wrong.astype(int),
                confidence,
                np.ones(500),
                None,
                max_error=0.1,
                confidence_level=level,
            )
            above[level] += (1 - max(threshold, 0.5)) / 2 > 0.1
    assert 15 <= above[None] <= 40
    assert above[0.95] <= 10


def test_predictions_are_out_of_fold_and_pooled():
    X, y, groups = blobs()
    cv = GroupKFold(4)
    model = LogisticRegression()
    clf = RejectClassifierCV(model, max_error=0.02, cv=cv).fit(X, y, groups=groups)
    settings = {"groups": groups, "cv": cv}
    proba = cross_val_predict(model, X, y, **settings, method="predict_proba")
    codes = proba.argmax(axis=1)
    accepted = proba.max(axis=1) >= clf.thresholds_[codes]
    wrong = clf.classes_[codes] != y
    assert wrong.mean() > 0.02
    assert clf.coverage_ == pytest.approx(accepted.mean())
    assert clf.risk_ == pytest.approx(wrong[accepted].mean())
    for code in range(3):
        called = codes == code
        share = wrong[called & accepted].mean()
        assert clf.class_risk_[code] == pytest.approx(share)
        assert share <= 0.02
        assert clf.class_coverage_[code] == pytest.approx(accepted[called].mean())
    # The model itself is fitted on everything.
    plain = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), plain.predict_proba(X))
    predicted = clf.predict(X)
    np.testing.assert_array_equal(predicted != "rejected", clf.accepts(X))
    np.testing.assert_array_equal(
        predicted[clf.accepts(X)], plain.predict(X)[clf.accepts(X)]
    )
    assert 0.5 < clf.accepts(X).mean() < 1


def test_decision_scores_serve_as_confidence():
    X, y, _ = blobs()
    two = np.where(y == "full", 1, 0)
    clf = RejectClassifierCV(SVC(), max_error=0.02).fit(X, two)
    assert clf.score_kind_ == "decision"
    assert not hasattr(clf, "predict_proba")
    assert clf.risk_ <= 0.02
    score = clf.decision_function(X)
    np.testing.assert_array_equal(
        clf.accepts(X), np.abs(score) >= clf.thresholds_[(score > 0).astype(int)]
    )


WITHIN = {
    "itself": lambda svc: svc,
    "pipeline": make_pipeline,
    "search": lambda svc: GridSearchCV(make_pipeline(svc), {"svc__C": [1]}, cv=2),
}


@pytest.mark.parametrize("within", WITHIN.values(), ids=WITHIN.keys())
def test_scores_of_pairs_are_not_those_of_classes(within):
    # Of three classes there are as many pairs.
    X, y = make_classification(150, n_classes=3, n_informative=5, random_state=0)
    pairs = SVC(decision_function_shape="ovo", random_state=0)
    assert pairs.fit(X, y).decision_function(X).shape == (150, 3)
    with pytest.raises(ValueError, match="gives no probability or decision score"):
        RejectClassifierCV(within(pairs), max_error=0.2).fit(X, y)
    RejectClassifierCV(within(SVC(random_state=0)), max_error=0.2).fit(X, y)


def test_a_class_without_a_threshold_is_rejected_with_a_warning():
    X = np.array([[0, 0.9]] * 10 + [[1, 0.9]] * 10)
    y = np.repeat(["a", "b"], 10)
    y[10:14] = "a"
    clf = RejectClassifierCV(SaysWhatIsInX(), max_error=0.1, cv=2)
    with pytest.warns(UserWarning, match=r"called 'b' \(10 samples\). All of it will"):
        clf.fit(X, y)
    assert clf.predict([[0, 0.5], [1, 1]]).tolist() == ["a", "rejected"]
    assert np.isnan(clf.class_risk_[1])
    y[:4] = "b"
    detector = IsolationForest(n_estimators=5, random_state=0)
    unfitted = clone(clf).set_params(novelty_detector=detector)
    with pytest.raises(ValueError, match=r"max_error=0.1 .* called 'a' .*, 'b' .*Loos"):
        unfitted.fit(X, y)
    with pytest.raises(NotFittedError):
        unfitted.accepts(X)


@pytest.mark.parametrize(
    ("labels", "given", "expected"),
    [
        (["full", "empty"], None, "rejected"),
        (["full", "empty"], "a longer name than those", "a longer name than those"),
        (np.array(["full", "empty"], dtype=object), None, "rejected"),
        ([0, 1], None, -1),
        ([1, -1], None, -2),
        ([1, 2], 0, 0),
        (np.array([0, 1], dtype=np.uint8), None, -1),
        (np.array([0, 1], dtype=np.uint64), None, -1),
        ([0.0, 1.0], None, -1.0),
        ([False, True], None, -1),
    ],
)
def test_reject_label(labels, given, expected):
    labels = np.asarray(labels)
    X = np.array([[0, 0.9], [0, 0.6], [1, 0.9], [1, 0.6]] * 5)
    code = np.array([0, 1, 1, 0] * 5)
    order = np.sort(labels)
    clf = RejectClassifierCV(SaysWhatIsInX(), reject_label=given, cv=2)
    clf.fit(X, order[code])
    assert clf.reject_label_ == expected
    predicted = clf.predict([[0, 0.9], [1, 0.9], [0, 0.1]])
    assert predicted.tolist() == [*order.tolist(), expected]
    # Integers stay integers, and -1 has room.
    kind = labels.dtype.kind
    assert predicted.dtype.kind == {"b": "i", "u": "i"}.get(kind, kind)
    assert clf.classes_.tolist() == order.tolist()


def test_images_of_another_kind_are_rejected():
    rng = np.random.default_rng(0)
    y = np.repeat(["dark", "bright"], 60)
    X = rng.normal(100, 5, size=(120, 12, 12))
    X[y == "bright", 3:9, 3:9] += 30
    detector = make_pipeline(
        FeatureExtractor(["histogram"]),
        StandardScaler(),
        LocalOutlierFactor(novelty=True),
    )
    groups = np.arange(120) // 4
    clf = RejectClassifierCV(
        svm_baseline(), novelty_detector=detector, max_false_novelty=0.05, cv=3
    ).fit(X, y, groups=groups)
    assert 0.95 <= clf.coverage_ <= 1
    noise = rng.uniform(0, 255, size=(20, 12, 12))
    assert not clf.accepts(noise).any()
    assert set(clf.predict(noise)) == {"rejected"}
    without = clone(clf).set_params(novelty_detector=None)
    assert without.fit(X, y, groups=groups).accepts(noise).any()
    # Its threshold is of folds that it had not seen: each score by one fold's detector.
    folds = [([*range(40, 120)], [*range(40)]), ([*range(80)], [*range(80, 120)])]
    shuffled = rng.permutation(120)
    folds = [(shuffled[a], shuffled[b]) for a, b in folds]
    clf.set_params(cv=folds).fit(X, y)
    scores = np.concatenate(
        [clone(detector).fit(X[a]).score_samples(X[b]) for a, b in folds]
    )
    assert np.sum(scores < clf.novelty_threshold_) == 4  # of 80


def test_novelty_in_a_grid_search_under_groups():
    X, y, groups = blobs()
    clf = RejectClassifierCV(
        LogisticRegression(), novelty_detector=EllipticEnvelope(random_state=0), cv=3
    )
    grid = {"estimator__C": [1.0], "novelty_detector__support_fraction": [0.7, 0.8]}
    search = GridSearchCV(clf, grid, cv=GroupKFold(3)).fit(X, y, groups=groups)
    assert (search.predict([[50.0, 50.0]]) == "rejected").all()


def test_in_a_pipeline_under_group_cross_validation():
    X, y, groups = blobs()
    clf = RejectClassifierCV(LogisticRegression(), max_error=0.03, cv=GroupKFold(3))
    inside = cross_validate(
        clf,
        X,
        y,
        groups=groups,
        cv=GroupKFold(3),
        params={"groups": groups},
        return_estimator=True,
    )
    assert all(est.risk_ <= 0.03 for est in inside["estimator"])
    pipeline = make_pipeline(StandardScaler(), clf)
    pipeline.fit(X, y, rejectclassifiercv__groups=groups)
    assert "rejected" in pipeline.predict(X)


def test_weights_are_samples_several_times():
    X, y, _ = blobs(120)
    twice = np.r_[np.arange(120), np.arange(40)]
    weight = np.where(np.arange(120) < 40, 2, 1)
    weight[-5:] = 0
    twice = twice[weight[twice] > 0]
    fold = np.arange(120) % 3
    model = LogisticRegression(C=0.1, tol=1e-10, max_iter=1000)
    detector = EllipticEnvelope(random_state=0)
    weighted = RejectClassifierCV(model, cv=PredefinedSplit(fold))
    repeated = clone(weighted).set_params(cv=PredefinedSplit(fold[twice]))
    weighted.fit(X, y, sample_weight=weight)
    repeated.fit(X[twice], y[twice])
    np.testing.assert_allclose(weighted.thresholds_, repeated.thresholds_, atol=1e-6)
    np.testing.assert_allclose(weighted.class_risk_, repeated.class_risk_)
    assert weighted.coverage_ == pytest.approx(repeated.coverage_)
    weighted.set_params(novelty_detector=detector, max_false_novelty=0.1)
    weighted.fit(X, y, sample_weight=weight)
    assert weighted.coverage_ < repeated.coverage_


def test_the_detector_does_not_learn_what_has_no_weight():
    X, y, _ = blobs(120)
    weight = np.ones(120)
    weight[::6] = 0
    X[::6] += 40.0
    fold = np.arange(120) % 5
    clf = RejectClassifierCV(
        LogisticRegression(),
        novelty_detector=IsolationForest(random_state=0),
        max_false_novelty=0.02,
        cv=PredefinedSplit(fold),
    )
    clf.fit(X, y, sample_weight=weight)
    assert not clf.accepts(X[::6]).any()
    kept = weight > 0
    alone = clone(clf).set_params(cv=PredefinedSplit(fold[kept])).fit(X[kept], y[kept])
    assert clf.novelty_threshold_ == pytest.approx(alone.novelty_threshold_)


def test_a_network_on_images_and_its_table():
    rng = np.random.default_rng(0)
    y = np.repeat(["bad", "good"], 30)
    X = rng.normal(size=(60, 8, 8)) + np.repeat([0, 1], 30)[:, None, None]
    network = LipNetClassifier(
        max_epochs=6, batch_size=10, random_state=0, device="cpu"
    )
    clf = RejectClassifierCV(network, max_error=0.1, cv=2)
    clf.fit(X, y, groups=np.arange(60) // 3)
    assert clf.image_shape_ == (8, 8, 1)
    confidence = clf.predict_proba(X).max(axis=1)
    limit = np.median(confidence)
    clf.thresholds_ = np.array([limit, limit])
    table = predict_table(clf, X)
    assert 0 < np.sum(confidence < limit) < 60
    np.testing.assert_array_equal(table["abstained"], confidence < limit)
    np.testing.assert_array_equal(table["abstained"], ~clf.accepts(X))
    assert set(table["label"]) == {"bad", "good"}
    np.testing.assert_array_equal(table["probability"], confidence)
    stricter = predict_table(clf, X, abstain_below=1.0)
    assert stricter["abstained"].sum() > table["abstained"].sum()
    with pytest.raises(ValueError, match="'rejected', which is not a class"):
        predict_table(make_pipeline(clf), X)


def test_jobs_change_nothing_and_progress_is_shown(capsys):
    X, y, _ = blobs(120)
    detector = EllipticEnvelope(random_state=0)
    clf = RejectClassifierCV(SVC(), novelty_detector=detector, verbose=1).fit(X, y)
    shown = capsys.readouterr().err
    assert "threshold" in shown
    assert "novelty" in shown
    serial = clf.thresholds_, clf.novelty_threshold_
    with parallel_config(backend="threading"):
        clf.set_params(n_jobs=2, verbose=0).fit(X, y)
    np.testing.assert_array_equal(clf.thresholds_, serial[0])
    assert clf.novelty_threshold_ == serial[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_error": 1.1}, "'max_error' parameter .* must be a float in the range"),
        ({"confidence_level": 0.5}, "'confidence_level' parameter"),
        ({"max_false_novelty": 1.0}, "'max_false_novelty' parameter"),
        ({"novelty_detector": LocalOutlierFactor()}, "implementing.*score_samples"),
        ({"reject_label": "bad"}, "reject_label='bad' is a label of y"),
        ({"reject_label": -1}, "reject_label=-1 must be a string"),
        (
            {"cv": PredefinedSplit([0] * 10 + [1] * 10)},
            "Fold 0 has no sample of class bad in its training",
        ),
    ],
)
def test_refused(settings, message):
    X, y = np.repeat([[0, 0.9], [1, 0.9]], 10, axis=0), np.repeat(["bad", "good"], 10)
    with pytest.raises(ValueError, match=message):
        RejectClassifierCV(SaysWhatIsInX(), **settings).fit(X, y)


def test_numbers_take_no_string_for_reject_label():
    X, y = np.repeat([[0, 0.9], [1, 0.9]], 10, axis=0), np.repeat([3, 4], 10)
    clf = RejectClassifierCV(SaysWhatIsInX(), reject_label="unsure")
    with pytest.raises(ValueError, match="'unsure' must be a number, as the labels"):
        clf.fit(X, y)
    clf.set_params(reject_label=None, confidence_level=0.9)
    with pytest.raises(ValueError, match="confidence_level counts samples"):
        clf.fit(X, y, sample_weight=np.ones(20))


def test_torn_groups_are_an_error():
    X, y, groups = blobs()
    clf = RejectClassifierCV(SVC(), cv=list(KFold(3).split(X)))
    with pytest.raises(ValueError, match=r"Fold 0 has group .* in both"):
        clf.fit(X, y, groups=groups)


# Thresholds from confidences alone ------------------------------------------------


@given(
    st.integers(0, 2**32 - 1),
    st.integers(4, 40),
    st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]),
)
def test_against_all_thresholds(seed, n, max_error):
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, 2, (2, n))
    confidence = rng.integers(0, 10, n) / 10
    threshold = error_threshold(
        true,
        predicted,
        confidence,
        np.ones(n),
        None,
        max_error=max_error,
        confidence_level=None,
    )
    wrong = true != predicted
    allowed = [
        np.sum(confidence >= bound)
        for bound in set(confidence)
        if wrong[confidence >= bound].mean() <= max_error + 1e-9
    ]
    accepted = confidence >= threshold
    assert accepted.sum() == max(allowed, default=0)
    assert threshold == np.inf or wrong[accepted].mean() <= max_error + 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([0, 0.05, 0.5]))
def test_share_below_threshold(seed, n, max_share):
    scores = np.random.default_rng(seed).integers(0, 15, n) / 7
    threshold = share_threshold(scores, np.ones(n), max_share)
    assert np.mean(scores < threshold) <= max_share + 1e-9
    above = np.unique(scores[scores >= threshold])
    if len(above) > 1:  # the next one up would be too many
        assert np.mean(scores < above[1]) > max_share
