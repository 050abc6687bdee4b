"""Estimators that take groups in prediction get those of the test side."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from emclassify import benchmark_classifiers
from emclassify.model_selection.running._predict_groups import takes_groups, with_groups


class ByGroup(ClassifierMixin, BaseEstimator):
    """Answers with the parity of the group."""

    def fit(self, X, y, groups=None):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X, groups=None):
        assert len(X) == len(groups)
        return np.asarray(groups) % 2

    def predict_proba(self, X, groups=None):
        odd = self.predict(X, groups)
        return np.column_stack([1 - odd, odd])


class InFitAlone(ClassifierMixin, BaseEstimator):
    """Takes groups in fit, as the networks do, and always says 0."""

    def fit(self, X, y, groups=None):
        assert len(groups) == len(X)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


GROUPS = np.repeat(np.arange(6), 5)
X, Y = np.zeros((30, 2)), GROUPS % 2


def benchmark(model, **settings):
    settings = {"groups": GROUPS, "cv": GroupKFold(3), "n_bootstrap": 5, **settings}
    return benchmark_classifiers({"model": model}, X, Y, **settings)


@pytest.mark.parametrize(
    "model", [ByGroup(), make_pipeline(FunctionTransformer(), ByGroup())]
)
def test_benchmark_hands_groups_to_prediction(model):
    result = benchmark(model, scoring="roc_auc")
    frame = result.to_frame()
    assert (frame["accuracy"] == 1).all()
    assert (frame["roc_auc"] == 1).all()
    scores, kind = result.class_scores("model")
    assert kind == "probability"
    sample, *_ = result.codes("model")
    np.testing.assert_array_equal(scores[:, 1], Y[sample])


def test_groups_of_the_user_go_first():
    other = GROUPS + 1
    result = benchmark(ByGroup(), fit_params={"model": {"groups": other}})
    assert (result.to_frame()["accuracy"] == 0).all()


def test_nothing_is_handed_to_what_takes_none():
    result = benchmark(InFitAlone())
    assert (result.out_of_fold("model")["y_pred"] == 0).all()


def test_without_groups_the_estimator_is_itself():
    model = ByGroup()
    assert with_groups(model, {}) is model
    assert with_groups(model, {"groups": None}) is model
    model = InFitAlone()
    assert with_groups(model, {"groups": GROUPS}) is model


def test_who_takes_groups():
    assert takes_groups(ByGroup())
    assert takes_groups(make_pipeline(FunctionTransformer(), ByGroup()))
    assert not takes_groups(InFitAlone())
    with sklearn.config_context(enable_metadata_routing=True):
        assert not takes_groups(ByGroup())
        assert takes_groups(ByGroup().set_predict_request(groups=True))


def test_a_kept_fold_knows_the_groups_of_its_test_side(tmp_path):
    train, test = next(GroupKFold(3).split(X, Y, GROUPS))
    for shift, accuracy in ((0, 1), (1, 0)):
        groups = GROUPS.copy()
        groups[test] += shift
        result = benchmark(
            ByGroup(),
            groups=None,
            cv=[(train, test)],
            fit_params={"model": {"groups": groups}},
            cache_dir=tmp_path,
        )
        assert result.to_frame()["accuracy"].tolist() == [accuracy]
