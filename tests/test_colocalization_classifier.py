"""Co-localisation features, classified."""

import numpy as np
import pytest
from ion_datasets import make_datasets
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier

from emclassify.baselines import ColocalizationClassifier


@pytest.fixture(scope="module")
def data():
    return make_datasets([(20, 24), (24, 18), (22, 22), (19, 27)], n_off=4, n_on=9)


@pytest.mark.parametrize("estimator", [None, LogisticRegression()])
def test_classifier(data, estimator):
    X, y, groups, _ = data
    new = groups == "D"
    clf = ColocalizationClassifier(estimator)
    clf.fit(X[~new], y[~new], groups=groups[~new])
    # Here off-sample images are fewer, and more like each other.
    np.testing.assert_array_equal(clf.predict(X[new], groups=groups[new]), y[new])
    assert hasattr(clf, "predict_proba") == (estimator is not None)
    decision = clf.decision_function(X[new], groups=groups[new])
    np.testing.assert_array_equal(clf.classes_[(decision > 0).astype(int)], y[new])


def test_a_threshold_of_the_estimator_is_kept(data):
    X, y, groups, _ = data
    never = FixedThresholdClassifier(
        LogisticRegression(), threshold=1.0, response_method="predict_proba"
    )
    clf = ColocalizationClassifier(never).fit(X, y, groups=groups)
    # The decision function, which has no threshold, says both classes.
    assert len(set(clf.decision_function(X, groups=groups) > 0)) == 2
    assert set(clf.predict(X, groups=groups)) == {clf.classes_[0]}


def test_one_class_is_refused(data):
    X, y, groups, _ = data
    with pytest.raises(ValueError, match=r"one class only, '\w+'"):
        ColocalizationClassifier().fit(X[:4], y[:4], groups=groups[:4])
