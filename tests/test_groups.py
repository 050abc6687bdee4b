"""Groups: none missing, and on their way to whatever holds samples out by them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning, UnsetMetadataPassedError
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import FusionClassifier, LipNetClassifier, SeedEnsembleClassifier
from emclassify._groups import check_groups
from emclassify.baselines import ColocalizationClassifier, MaskCorrelationClassifier
from emclassify.model_selection import (
    BoundedThresholdClassifierCV,
    MultilabelStratifiedGroupKFold,
    audit_split,
    benchmark_classifiers,
    check_folds,
    transfer_matrix,
)
from emclassify.prediction import pool_predictions
from emclassify.sampling import ImageOverSampler, ImageSMOTE

MISSING = [
    ["a", np.nan, "b", "c"],
    ["a", None, "b", "c"],
    [1.0, np.nan, 2.0, 3.0],
    np.array([1, np.nan, 2, 3]),
    np.array(["a", None, "b", "c"], dtype=object),
    np.ma.masked_array([1, 2, 3, 4], [False, True, False, False]),
    pd.Series([1, pd.NA, 2, 3], dtype="Int64"),
    pd.Series(["a", None, "b", "c"], dtype="string"),
    pd.Series(["a", None, "b", "c"], dtype="category"),
    pd.to_datetime(["2020-01-01", None, "2020-01-02", "2020-01-03"]),
]


@pytest.mark.parametrize("groups", MISSING)
def test_missing_groups_are_refused(groups):
    with pytest.raises(ValueError, match=r"groups is missing for sample 1 \(1 of 4"):
        check_groups(groups, 4)


@pytest.mark.parametrize(
    "groups",
    [
        ["a", "b"],
        [[1], [1]],
        (1, 2),
        pd.Series([1, 2], dtype="Int64"),
        np.array([0, 9]),
    ],
)
def test_groups_that_are_there(groups):
    assert_array_equal(check_groups(groups, 2), np.ravel(groups))
    assert check_groups(None, 2) is None
    with pytest.raises(ValueError, match="groups has 2 entries for 3 samples"):
        check_groups(groups, 3)


X_SMALL = np.random.default_rng(0).random((12, 8, 8))
Y_SMALL = np.tile([0, 1], 6)
HOLDS = {"early_stopping": True, "max_epochs": 1, "random_state": 0}


@pytest.mark.parametrize("missing", [np.nan, None])
@pytest.mark.parametrize(
    "call",
    [
        lambda g: LipNetClassifier(**HOLDS).fit(X_SMALL, Y_SMALL, groups=g),
        lambda g: LipNetClassifier(max_epochs=1).fit(X_SMALL, Y_SMALL, groups=g),
        lambda g: FusionClassifier(**HOLDS).fit(X_SMALL, Y_SMALL, groups=g),
        lambda g: SeedEnsembleClassifier(LipNetClassifier(**HOLDS), 2).fit(
            X_SMALL, Y_SMALL, groups=g
        ),
        lambda g: ColocalizationClassifier().fit(X_SMALL, Y_SMALL, groups=g),
        lambda g: MaskCorrelationClassifier().fit(X_SMALL, Y_SMALL, groups=g),
        lambda g: pool_predictions(np.full((12, 2), 0.5), g),
        lambda g: benchmark_classifiers({"a": Recorder()}, X_SMALL, Y_SMALL, groups=g),
        lambda g: audit_split(X_SMALL, groups=g),
        lambda g: check_folds(Y_SMALL, [], groups=g),
        lambda g: BoundedThresholdClassifierCV(Recorder(), max_fpr=0.5).fit(
            X_SMALL[:, 0], Y_SMALL, groups=g
        ),
        lambda g: transfer_matrix(Recorder(), {"a": (X_SMALL, Y_SMALL, g)}),
        lambda g: list(
            MultilabelStratifiedGroupKFold(2).split(
                X_SMALL, np.column_stack([Y_SMALL, 1 - Y_SMALL]), g
            )
        ),
    ],
)
def test_everybody_refuses_them(call, missing):
    groups = np.array(["a", "b", "c"] * 4, dtype=object)
    groups[3] = missing
    with pytest.raises(ValueError, match="groups is missing for sample 3"):
        call(groups)


# On their way ----------------------------------------------------------------------


class Recorder(ClassifierMixin, BaseEstimator):
    """Notes which rows it was fitted on, and the groups that it got with them."""

    seen: list = []

    def __init__(self, early_stopping=True, random_state=None, size=1):
        self.early_stopping = early_stopping
        self.random_state = random_state
        self.size = size

    def fit(self, X, y, groups=None, sample_weight=None):
        self.classes_ = np.unique(y)
        rows = np.asarray(X).reshape(len(X), -1)[:, 0]
        self.seen.append((rows, None if groups is None else np.asarray(groups)))
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class AsIs(BaseEstimator):
    """A transformer that has no fit_transform, which pipelines don't ask for."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


@pytest.fixture
def data(monkeypatch):
    """The first pixel is the number of the row, and a row's group its tenth part."""
    monkeypatch.setattr(Recorder, "seen", [])
    X = np.random.default_rng(0).random((60, 4, 4))
    X[:, 0, 0] = np.arange(60)
    return X, (np.arange(60) % 4 == 0).astype(int), np.arange(60) // 6


def rightly_grouped():
    """Whether all fits had groups that part the rows as their own groups do."""

    def same(rows, groups):
        pairs = set(zip((rows // 6).tolist(), groups.tolist(), strict=True))
        return len(pairs) == len(set(rows // 6)) == len(set(groups.tolist()))

    return len(Recorder.seen) > 0 and all(
        groups is not None and same(rows, groups) for rows, groups in Recorder.seen
    )


FLAT = {"image_shape": (4, 4)}
LEADING = {
    "direct": lambda: Recorder(),
    "pipeline": lambda: make_pipeline("passthrough", Recorder()),
    "sampler": lambda: make_sampling_pipeline(
        ImageOverSampler(random_state=0, **FLAT), Recorder()
    ),
    "imblearn's sampler": lambda: make_sampling_pipeline(
        RandomOverSampler(random_state=0), Recorder()
    ),
    "sampler, bare transformer": lambda: make_sampling_pipeline(
        RandomOverSampler(random_state=0), AsIs(), Recorder()
    ),
    "search": lambda: GridSearchCV(Recorder(), {"size": [1, 2]}, cv=GroupKFold(2)),
    "search over estimators": lambda: GridSearchCV(
        make_pipeline("passthrough", Recorder()),
        {"recorder": [Recorder(size=3), Recorder(size=4)]},
        cv=GroupKFold(2),
    ),
    "search over a pipeline": lambda: GridSearchCV(
        make_pipeline("passthrough", Recorder()), {"recorder__size": [1]}, cv=2
    ),
    "sampler and search": lambda: make_sampling_pipeline(
        RandomOverSampler(random_state=0),
        GridSearchCV(Recorder(), {"size": [1, 2]}, cv=GroupKFold(2)),
    ),
    "calibration": lambda: CalibratedClassifierCV(Recorder(), cv=2),
    "ensemble of pipelines": lambda: SeedEnsembleClassifier(
        make_sampling_pipeline(RandomOverSampler(), Recorder()), 2
    ),
}


@pytest.mark.parametrize("make", LEADING.values(), ids=LEADING.keys())
def test_groups_reach_the_estimator_inside(data, make):
    X, y, groups = data
    benchmark_classifiers(
        {"a": make()},
        X.reshape(60, -1),
        y,
        groups=groups,
        cv=GroupKFold(2),
        n_bootstrap=10,
        on_missing_class="warn",
    )
    assert rightly_grouped()


def test_they_reach_it_through_thresholds_and_transfer_too(data):
    X, y, groups = data
    X = X.reshape(60, -1)
    model = LEADING["sampler"]()
    BoundedThresholdClassifierCV(model, min_recall=0.5).fit(X, y, groups=groups)
    assert len(Recorder.seen) == 6
    transfer_matrix(model, {"a": (X, y, groups), "b": (X, y, groups)}, train_on="a")
    assert len(Recorder.seen) == 12
    assert rightly_grouped()


def test_an_ensemble_of_pipelines_takes_groups(data):
    X, y, groups = data
    SeedEnsembleClassifier(make_pipeline("passthrough", Recorder()), 2).fit(
        X, y, groups=groups
    )
    assert rightly_grouped()
    with pytest.raises(ValueError, match=r"Pipeline\.fit takes none"):
        SeedEnsembleClassifier(make_pipeline(StandardScaler(), Forgetful()), 2).fit(
            X.reshape(60, -1), y, groups=groups
        )


class Forgetful(Recorder):
    def fit(self, X, y):
        return super().fit(X, y)


def test_metadata_routing_leads_them(data):
    X, y, groups = data
    with config_context(enable_metadata_routing=True):
        inner = Recorder().set_fit_request(groups=True)
        search = GridSearchCV(inner, {"size": [1, 2]}, cv=GroupKFold(2))
        benchmark_classifiers(
            {"a": search},
            X.reshape(60, -1),
            y,
            groups=groups,
            cv=GroupKFold(2),
            n_bootstrap=10,
        )
        assert rightly_grouped()
        with (
            pytest.warns(UserWarning, match=r"Recorder\.set_fit_request\(groups=True"),
            pytest.raises(UnsetMetadataPassedError, match="groups"),
        ):
            benchmark_classifiers(
                {"a": GridSearchCV(Recorder(), {"size": [1]}, cv=GroupKFold(2))},
                X.reshape(60, -1),
                y,
                groups=groups,
                cv=GroupKFold(2),
                n_bootstrap=10,
            )


SMALL_SMOTE = {"k_neighbors": 1, "random_state": 0}
LOSING = {
    "SMOTE mixes samples": lambda: make_sampling_pipeline(
        SMOTE(**SMALL_SMOTE), Recorder()
    ),
    "ImageSMOTE mixes samples": lambda: make_sampling_pipeline(
        ImageSMOTE(**SMALL_SMOTE, **FLAT), Recorder()
    ),
    "GridSearchCV can't lead them through RandomOverSampler": lambda: GridSearchCV(
        make_sampling_pipeline(RandomOverSampler(), Recorder()),
        {"recorder__size": [1]},
        cv=GroupKFold(2),
    ),
}


@pytest.mark.parametrize(("why", "make"), LOSING.items(), ids=LOSING.keys())
def test_where_they_get_lost_there_is_a_warning(data, why, make):
    X, y, groups = data
    settings = {"groups": groups, "cv": GroupKFold(2), "n_bootstrap": 10}
    with pytest.warns(UserWarning, match=f"validation split within 'a'.*{why}"):
        benchmark_classifiers({"a": make()}, X.reshape(60, -1), y, **settings)
    model = make()
    inner = {k for k in model.get_params() if k.endswith("early_stopping")}
    model.set_params(**dict.fromkeys(inner, False))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is held out, nothing torn
        warnings.simplefilter("ignore", ConvergenceWarning)
        benchmark_classifiers({"a": model}, X.reshape(60, -1), y, **settings)


def test_simulated_rows_are_groups_by_themselves():
    from emclassify._fit_params import _follow

    class Sampler:
        sample_indices_ = np.array([2, 0, -1, -1, 1])

    followed = _follow(Sampler(), np.array(["a", "b", "a"]))
    assert followed[0] == followed[1] != followed[4]
    assert len(set(followed.tolist())) == 4
