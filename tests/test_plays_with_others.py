"""Our estimators inside other people's tools, unmodified.

What is asked of each is that it goes through, learns, and hands back what it should;
the table in docs/user_guide/plays_with.rst says the same in words.
"""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    StratifiedGroupKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.svm import LinearSVC

from emclassify import (
    FeatureExtractor,
    ImageOverSampler,
    LipNetClassifier,
    ResizeImages,
    svm_baseline,
)


@pytest.fixture(scope="module")
def data():
    """Images of 12×12 px in three classes: dark, bright above, bright below."""
    rng = np.random.default_rng(0)
    code = rng.permutation(np.repeat([0, 1, 2], [60, 40, 20]))
    X = rng.normal(100, 10, size=(120, 12, 12))
    X[code == 1, :6] += 40
    X[code == 2, 6:] += 40
    y = np.array(["dark", "above", "below"])[code]
    return X.clip(0, 255).astype(np.uint8), y, np.arange(120) // 5


def make_net(**settings):
    given = {"max_epochs": 6, "batch_size": 16, "augmentation": None, "random_state": 0}
    return LipNetClassifier(**given | settings)


def learns(classifier, X, y, least=0.8):
    """Whether it says what is so for most of what it was fitted on."""
    predicted = classifier.predict(X)
    assert predicted.shape == y.shape
    assert set(predicted) <= set(y)
    return np.mean(predicted == y) >= least


# --- scikit-learn ---------------------------------------------------------------------


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_calibrated_classifier(data, method):
    X, y, _ = data
    calibrated = CalibratedClassifierCV(make_net(), method=method, cv=2).fit(X, y)
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)
    assert learns(calibrated, X, y)


def test_tuned_threshold(data):
    X, y, _ = data
    y = np.where(y == "dark", "dark", "bright")
    tuned = TunedThresholdClassifierCV(make_net(), scoring="balanced_accuracy", cv=2)
    tuned.fit(X, y)
    assert 0 <= tuned.best_threshold_ <= 1
    assert learns(tuned, X, y)


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting(data, voting):
    X, y, _ = data
    members = [("one", make_net()), ("other", make_net(random_state=1))]
    if voting == "hard":
        members.append(("svm", svm_baseline()))
    assert learns(VotingClassifier(members, voting=voting).fit(X, y), X, y)


def test_stacking_a_network_and_the_svm(data):
    X, y, _ = data
    stack = StackingClassifier([("net", make_net()), ("svm", svm_baseline())], cv=2)
    assert learns(stack.fit(X, y), X, y)


@pytest.mark.parametrize("wrapper", [OneVsRestClassifier, OneVsOneClassifier])
def test_one_against_others(data, wrapper):
    X, y, _ = data
    if wrapper is OneVsOneClassifier:  # it takes rows only
        rows = X.reshape(len(X), -1)
        assert learns(wrapper(make_net(image_shape=(12, 12))).fit(rows, y), rows, y)
    else:
        assert learns(wrapper(make_net()).fit(X, y), X, y)


def test_halving_search_over_epochs(data):
    X, y, groups = data
    search = HalvingGridSearchCV(
        make_net(),
        {"lr": [1e-6, 0.003, 0.01]},
        resource="max_epochs",
        min_resources=2,
        max_resources=6,
        cv=StratifiedGroupKFold(2),
        random_state=0,
    ).fit(X, y, groups=groups)
    assert search.best_params_["lr"] > 1e-6
    assert search.best_params_["max_epochs"] == 6
    assert learns(search, X, y)


def test_feature_elimination(data):
    X, y, _ = data
    select = RFECV(LinearSVC(), step=25, cv=2, min_features_to_select=5)
    pipeline = make_pipeline(FeatureExtractor(), StandardScaler(), select).fit(X, y)
    names = pipeline[:2].get_feature_names_out()
    assert 5 <= select.n_features_ == select.support_.sum() <= len(names)
    assert learns(pipeline, X, y)


def test_bagging_of_rows(data):
    X, y, _ = data
    rows = X.reshape(len(X), -1)
    bag = BaggingClassifier(make_net(image_shape=(12, 12)), n_estimators=2)
    assert learns(bag.set_params(random_state=0).fit(rows, y), rows, y)


def test_metadata_routing(data):
    X, y, groups = data
    weight = np.where(y == "below", 2.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        net = make_net(early_stopping=True)
        net.set_fit_request(groups=True, sample_weight=True)
        net.set_score_request(sample_weight=True)
        params = {"groups": groups, "sample_weight": weight}
        cv = StratifiedGroupKFold(2)
        scores = cross_validate(net, X, y, params=params, cv=cv, error_score="raise")
        assert np.isfinite(scores["test_score"]).all()
        search = GridSearchCV(net, {"lr": [1e-6, 0.01]}, cv=GroupKFold(2))
        search.fit(X, y, groups=groups, sample_weight=weight)
        assert search.best_params_ == {"lr": 0.01}


def test_set_output(data):
    X, y, _ = data
    extractor = FeatureExtractor().set_output(transform="pandas")
    pipeline = make_pipeline(extractor, StandardScaler()).set_output(transform="pandas")
    table = pipeline.fit_transform(X)
    assert table.columns.tolist() == extractor.get_feature_names_out().tolist()
    assert learns(LogisticRegression(max_iter=1000).fit(table, y), table, y)


def test_set_output_behind_an_image_step(data):
    X, _, _ = data
    pipeline = make_pipeline(ResizeImages((10, 10)), FeatureExtractor(["histogram"]))
    with pytest.raises(ValueError, match="configure output for ResizeImages"):
        pipeline.set_output(transform="pandas")
    pipeline[1:].set_output(transform="pandas")
    table = pipeline.fit_transform(X)
    with sklearn.config_context(transform_output="pandas"):
        again = clone(pipeline).fit_transform(X)
    assert table.columns.tolist() == again.columns.tolist()
    assert table.columns.tolist() == pipeline[1].get_feature_names_out().tolist()


# --- imbalanced-learn -----------------------------------------------------------------


def test_imblearn_pipeline(data):
    from imblearn.pipeline import make_pipeline as make_imblearn_pipeline

    X, y, groups = data
    pipeline = make_imblearn_pipeline(ImageOverSampler(random_state=0), make_net())
    scores = cross_val_score(
        pipeline, X, y, groups=groups, cv=StratifiedGroupKFold(2), error_score="raise"
    )
    assert scores.mean() > 0.6


def test_balanced_bagging_takes_rows_only(data):
    from imblearn.ensemble import BalancedBaggingClassifier

    X, y, _ = data
    rows = X.reshape(len(X), -1)
    # Each bag has 60 images: half the batch size makes as many steps.
    net = make_net(image_shape=(12, 12), batch_size=8)
    bag = BalancedBaggingClassifier(net, n_estimators=2, random_state=0)
    assert learns(bag.fit(rows, y), rows, y)
    with pytest.raises(ValueError, match="dim 3"):
        bag.fit(X, y)


# --- searches, conformal sets, label issues, cards, attributions ----------------------


def test_optuna(data):
    optuna = pytest.importorskip("optuna")
    X, y, groups = data

    def accuracy(trial):
        net = make_net(lr=trial.suggest_float("lr", 1e-6, 1e-2, log=True))
        cv = StratifiedGroupKFold(2)
        return cross_val_score(net, X, y, groups=groups, cv=cv).mean()

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.GridSampler({"lr": [1e-6, 3e-3]}, seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(accuracy, n_trials=2)
    assert len(study.trials) == 2
    assert study.best_params["lr"] == 3e-3


def test_mapie_gives_conformal_sets(data):
    mapie = pytest.importorskip("mapie.classification")
    X, y, _ = data
    # MAPIE looks at rows: on images it warns that it can't try the estimator out.
    rows = X.reshape(len(X), -1)
    net = make_net(image_shape=(12, 12)).fit(rows[:60], y[:60])
    conformal = mapie.SplitConformalClassifier(net, confidence_level=0.8, prefit=True)
    conformal.conformalize(rows[60:90], y[60:90])
    _, sets = conformal.predict_set(rows[90:])
    held = sets[np.arange(30), np.searchsorted(net.classes_, y[90:]), 0]
    assert held.mean() >= 0.7


def test_cleanlab_finds_swapped_labels(data):
    cleanlab = pytest.importorskip("cleanlab.filter")
    X, y, groups = data
    codes = LabelEncoder().fit_transform(y)
    swapped = np.arange(0, 120, 15)
    codes[swapped] = (codes[swapped] + 1) % 3
    proba = cross_val_predict(
        make_net(),
        X,
        codes,
        groups=groups,
        cv=StratifiedGroupKFold(3),
        method="predict_proba",
    )
    found = np.flatnonzero(cleanlab.find_label_issues(codes, proba))
    assert len(set(swapped) & set(found)) >= 6
    assert len(found) <= 12


def test_skops_model_card(data):
    card = pytest.importorskip("skops.card")
    X, y, _ = data
    text = card.Card(make_net(max_epochs=1).fit(X, y)).render()
    assert "LipNetClassifier" in text
    assert "max_epochs" in text


def test_captum_on_the_network_within(data):
    import torch

    attr = pytest.importorskip("captum.attr")
    X, y, _ = data
    net = make_net().fit(X, y)
    module = net.net_.module_.eval()
    images = torch.as_tensor(X[y == "above"][:8, ..., np.newaxis].astype(np.float32))
    images = images.to(net.device_)
    target = list(net.classes_).index("above")
    given = attr.IntegratedGradients(module).attribute(images, target=target, n_steps=8)
    assert given.shape == images.shape
    # What speaks for "above" lies in the upper half.
    upper, lower = given[:, :6].sum(), given[:, 6:].sum()
    assert upper > lower


def test_dask_behind_joblib(data):
    """One thread each; that it survives a lost worker is test_dask.py's."""
    import joblib
    from distributed import Client, LocalCluster

    X, y, groups = data
    cv = StratifiedGroupKFold(2)
    net = make_net(max_epochs=2)
    serial = cross_val_score(net, X, y, groups=groups, cv=cv)
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        spread = cross_val_score(net, X, y, groups=groups, cv=cv, n_jobs=2)
    np.testing.assert_array_equal(serial, spread)
