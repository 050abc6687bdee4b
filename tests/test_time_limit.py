"""A benchmark says how long it will take, and keeps to a limit of time."""

import time
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import randint
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import (
    BackboneClassifier,
    LipNetClassifier,
    SeedEnsembleClassifier,
    benchmark_classifiers,
)
from emclassify.model_selection.benchmark._time_limit import (
    TimeEstimate,
    _some_of_each,
    estimate_time,
    in_words,
    shorten,
)


class Sleeper(ClassifierMixin, BaseEstimator):
    """Takes a millisecond an image and epoch; has learnt the first column."""

    def __init__(self, max_epochs=10, random_state=None, fail=False):
        self.max_epochs = max_epochs
        self.random_state = random_state
        self.fail = fail

    def training_length(self, n_samples, n_outputs):
        return self.max_epochs, 16

    def fit(self, X, y):
        if self.fail:
            raise RuntimeError("no")
        time.sleep(0.001 * len(X) * self.max_epochs)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > 0.5).astype(int)]

    def predict_proba(self, X):
        return (self.predict(X)[:, np.newaxis] == self.classes_) * 1.0


Y = np.arange(120) % 2
X = np.column_stack([Y, np.random.default_rng(0).normal(size=120)])
FOLDS = [(np.arange(40, 120), np.arange(40)), (np.arange(80), np.arange(80, 120))]


def estimate(**models):
    return estimate_time(models, X, Y, FOLDS, {name: {} for name in models}, None)


def test_the_estimate_is_about_right():
    # 2 folds of 80 images, 1 ms each, 20 epochs.
    told = estimate(net=Sleeper(20), bayes=GaussianNB())
    assert 1.6 <= told.seconds < 300  # 3.2, where nothing else runs
    assert told.epochs == {"net": {"max_epochs": 20}}
    assert not told.unknown


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (make_pipeline(StandardScaler(), Sleeper(20)), "sleeper__max_epochs"),
        (SeedEnsembleClassifier(Sleeper(20), n_members=2), "estimator__max_epochs"),
        (
            GridSearchCV(Sleeper(20), {"random_state": [0]}, cv=2),
            "estimator__max_epochs",
        ),
    ],
    ids=["pipeline", "ensemble", "search"],
)
def test_networks_are_found_within(model, name):
    told = estimate(net=model)
    assert told.epochs == {"net": {name: 20}}
    shorter, cut = shorten({"net": model}, told, told.seconds / 4)
    assert shorter["net"].get_params()[name] == 5
    assert model.get_params()[name] == 20
    assert cut == {"net": (20, 5)}


def test_few_images_are_not_measured():
    assert estimate(net=Sleeper(2)) == TimeEstimate()


def test_what_fails_is_not_known():
    told = estimate(net=Sleeper(20, fail=True))
    assert told.unknown == ["net"]
    assert "Not known: net." in str(told)
    assert shorten({"net": Sleeper(20)}, told, 0.001)[1] == {}


def test_fewer_epochs_by_the_same_factor():
    models = {"a": Sleeper(100), "b": Sleeper(7), "c": GaussianNB(), "d": Sleeper(1)}
    told = TimeEstimate(
        100.0, {name: {"max_epochs": models[name].max_epochs} for name in "abd"}
    )
    shorter, cut = shorten(models, told, 25.0)
    assert cut == {"a": (100, 25), "b": (7, 1)}
    assert shorter["c"] is models["c"]
    assert shorter["d"] is models["d"]
    assert shorten(models, told, 100.0) == (models, {})


def test_a_limit_is_kept_and_what_it_cut_is_said():
    models = {"net": Sleeper(20), "bayes": GaussianNB()}
    with pytest.warns(UserWarning, match=r"limit of 1 s .*net, \d+ of 20"):
        result = benchmark_classifiers(
            models, X, Y, cv=FOLDS, time_limit=1.0, random_state=0
        )
    (was, now) = result.settings["cut"]["net"]
    assert was == 20
    assert 1 <= now < 20
    assert result.estimators["net"].max_epochs == now
    assert f"there were fewer epochs: net, {now} of 20." in result.verdict()
    assert models["net"].max_epochs == 20


def test_a_limit_that_is_far_changes_nothing(capsys):
    models = {"net": Sleeper(20)}
    result = benchmark_classifiers(
        models, X, Y, cv=FOLDS, time_limit=1e6, random_state=0, verbose=1
    )
    assert result.settings["cut"] == {}
    assert "fewer epochs" not in result.verdict()
    assert "networks will take" not in capsys.readouterr().err  # less than a minute


def test_it_says_how_long_it_will_take(capsys):
    models = {"net": Sleeper(6000)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        benchmark_classifiers(
            models, X, Y, cv=FOLDS, time_limit=1.0, random_state=0, verbose=1
        )
    assert "The networks will take about " in capsys.readouterr().err


@pytest.mark.parametrize("bad", [0, -1, np.inf, np.nan, "1 h"])
def test_bad_limits(bad):
    with pytest.raises(ValueError, match="time_limit must be a positive number"):
        benchmark_classifiers({"b": GaussianNB()}, X, Y, time_limit=bad)


def test_in_words():
    assert [in_words(s) for s in (0.2, 40, 2340, 9000)] == [
        "1 s",
        "40 s",
        "39 min",
        "2.5 h",
    ]


def test_length_of_real_networks():
    assert LipNetClassifier().training_length(1000, 5) == (100, 32)
    assert LipNetClassifier(batch_size=500).training_length(1000, 5) == (150, 500)
    assert BackboneClassifier().training_length(300, 5) == (40, 32)
    told = estimate_time(
        {"net": LipNetClassifier(2, max_epochs=30, random_state=0)},
        np.random.default_rng(0).normal(size=(120, 6, 6)),
        Y,
        FOLDS,
        {"net": {}},
        1,
    )
    assert 0 < told.seconds < 60
    assert told.epochs == {"net": {"max_epochs": 30}}


def limited(models, limit=1.0, **settings):
    settings = {"cv": FOLDS, "random_state": 0, "n_bootstrap": 10, **settings}
    return benchmark_classifiers(models, X, Y, time_limit=limit, **settings)


def test_grids_are_cut_too():
    grid = {"max_epochs": [10, 20]}
    with pytest.warns(UserWarning, match=r"fewer epochs: net, \d+ of 20"):
        result = limited({"net": Sleeper(10)}, tune={"net": grid})
    tried = result.estimators["net"].param_grid["max_epochs"]
    assert 1 <= tried[0] <= tried[1] < 10
    with pytest.warns(UserWarning, match=r"fewer epochs: net, \d+ of 20"):
        result = limited({"net": GridSearchCV(Sleeper(10), grid, cv=2)})
    tried = result.estimators["net"].param_grid["max_epochs"]
    assert 1 <= tried[0] <= tried[1] < 10
    assert grid == {"max_epochs": [10, 20]}


class Auto(Sleeper):
    """Goes by the number of images where its epochs are "auto"."""

    def training_length(self, n_samples, n_outputs):
        return n_samples // 4 if self.max_epochs == "auto" else self.max_epochs, 16

    def fit(self, X, y):
        self.n_epochs_ = self.training_length(len(X), 2)[0]
        time.sleep(0.001 * len(X) * self.n_epochs_)
        self.classes_ = np.unique(y)
        return self


def test_auto_in_a_grid_is_cut_too():
    grid = {"max_epochs": ["auto", 10]}
    with pytest.warns(UserWarning, match=r"fewer epochs: net, \d+ of 20"):
        result = limited({"net": Auto(10)}, tune={"net": grid})
    tried = result.estimators["net"].param_grid["max_epochs"]
    assert 1 <= tried[1] <= tried[0] < 10  # 20 and 10 by the share
    with pytest.warns(UserWarning, match=r"fewer epochs: net, \d+ of 20"):
        result = limited({"net": GridSearchCV(Auto(10), grid, cv=2)})
    tried = result.estimators["net"].param_grid["max_epochs"]
    assert 1 <= tried[1] <= tried[0] < 10
    # As they were, where the limit is far.
    result = limited({"net": GridSearchCV(Auto(1), {"max_epochs": ["auto"]}, cv=2)}, 99)
    assert result.estimators["net"].param_grid["max_epochs"] == ["auto"]
    assert grid == {"max_epochs": ["auto", 10]}


@pytest.mark.parametrize("tried", [[10, 19], randint(10, 20)], ids=["list", "drawn"])
def test_randomised_searches_are_cut_too(tried, tmp_path):
    search = RandomizedSearchCV(
        Sleeper(10, random_state=0),
        {"max_epochs": tried},
        n_iter=2,
        cv=2,
        random_state=0,
    )
    with pytest.warns(UserWarning, match=r"fewer epochs: net, \d+ of 19"):
        result = limited({"net": search}, cache_dir=tmp_path)
    chosen = result.tuning_table()["value"]
    assert 1 <= chosen.min() <= chosen.max() < 10
    assert search.param_distributions["max_epochs"] is tried


def test_what_is_not_cut_is_said():
    class WantsMore(Sleeper):
        def fit(self, X, y):
            if len(X) < 80:
                raise ValueError("more")
            return super().fit(X, y)

    with pytest.warns(UserWarning, match="net could not be trained on a few images"):
        limited({"net": WantsMore(15)})
    halving = HalvingGridSearchCV(
        Sleeper(10),
        {"random_state": [0, 1]},
        resource="max_epochs",
        max_resources=12,
        cv=2,
    )
    with pytest.warns(UserWarning, match="net .* search sets its epochs .* not cut"):
        limited({"net": halving})
    with (
        pytest.warns(UserWarning, match="fewer epochs: net, 1 of 20"),
        pytest.warns(UserWarning, match="can't keep the limit of 1 s"),
    ):
        limited({"net": Sleeper(20)}, limit=0.02)


def test_rare_classes_are_measured_as_far_as_there_are():
    y = np.repeat([0, 1], [288, 12])
    rows = _some_of_each(y, np.arange(300), 64)
    assert np.bincount(y[rows]).tolist() == [54, 10]
    assert len(np.unique(rows)) == 64


def test_only_networks_run_side_by_side():
    models = {"net": Sleeper(20), **{str(i): GaussianNB() for i in range(3)}}
    params = {name: {} for name in models}
    with parallel_config("threading"):  # quicker to start than processes
        told = estimate_time(models, X, Y, FOLDS, params, 8)
    # Two folds at a time of 80 images, 1 ms each, 20 epochs: 1.6 s, but for the timer.
    assert told.seconds > 1.5
    assert told.seconds == pytest.approx(told.of_models["net"] / 2)


def test_a_limit_cuts_alike_when_folds_are_kept(tmp_path):
    fits = []

    def count():
        before = len(list(tmp_path.glob("fold-*")))
        with pytest.warns(UserWarning, match="fewer epochs"):
            result = limited({"net": Sleeper(20, random_state=0)}, cache_dir=tmp_path)
        fits.append(len(list(tmp_path.glob("fold-*"))) - before)
        return result.settings["cut"]

    assert count() == count()
    assert fits == [2, 0]
    assert len(list(tmp_path.glob("time-*.json"))) == 1
