"""SeedEnsembleClassifier averages trainings that differ in their seed."""

import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from emclassify import LipNetClassifier, ResizeImages, SeedEnsembleClassifier
from emclassify._quiet_convergence import quiet_convergence
from emclassify.model_selection.running._trainings import tell_curves, tell_trainings


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b"], 20)
    X = rng.normal(size=(40, 8, 8)) + 0.3 * (y == "b")[:, None, None]
    return X, y


def lipnet(**params):
    return LipNetClassifier(max_epochs=2, batch_size=16, n_threads=1, **params)


def test_the_mean_of_members_that_can_be_had_one_by_one(images):
    X, y = images
    ensemble = SeedEnsembleClassifier(lipnet(), n_members=3, random_state=1).fit(X, y)
    seeds = np.random.RandomState(1).randint(np.iinfo(np.int32).max, size=3)
    alone = [lipnet(random_state=int(s)).fit(X, y).predict_proba(X) for s in seeds]
    np.testing.assert_array_equal(ensemble.member_probabilities(X), alone)
    np.testing.assert_array_equal(ensemble.predict_proba(X), np.mean(alone, axis=0))
    # For a benchmark it is three networks, not one.
    assert tell_trainings(ensemble)["networks"] == 3
    assert len(tell_curves(ensemble)) == 3
    assert not np.array_equal(alone[0], alone[1])


def test_same_members_whatever_n_jobs_and_n_members(images):
    X, y = images
    few, many = (
        SeedEnsembleClassifier(lipnet(), n, n_jobs=jobs, random_state=0).fit(X, y)
        for n, jobs in ((2, None), (3, 2))
    )
    np.testing.assert_array_equal(
        few.member_probabilities(X), many.member_probabilities(X)[:2]
    )


def test_seeds_within_a_pipeline(images):
    X, y = images
    pipeline = make_pipeline(ResizeImages((4, 4)), lipnet(random_state=7))
    ensemble = SeedEnsembleClassifier(pipeline, n_members=2, random_state=0).fit(X, y)
    first, second = ensemble.member_probabilities(X)
    assert not np.array_equal(first, second)
    assert pipeline[-1].random_state == 7  # the estimator given is left as it was


def test_less_wrong_than_its_members_on_average(images):
    # Log loss is convex: the loss of the mean is below the mean of the losses.
    X, y = images
    ensemble = SeedEnsembleClassifier(lipnet(), n_members=4, random_state=0).fit(X, y)
    rows, truth = np.arange(40), (y == "b").astype(int)
    of_truth = ensemble.member_probabilities(X)[:, rows, truth]
    together = ensemble.predict_proba(X)[rows, truth]
    assert -np.log(together).mean() < -np.log(of_truth).mean()


def test_weights_and_groups_reach_the_members(images):
    X, y = images
    weight = np.where(np.arange(40) % 2, 1.0, 0.0)
    groups = np.arange(40) // 4
    member = lipnet(early_stopping=True, validation_fraction=0.3)
    ensemble = SeedEnsembleClassifier(member, n_members=1, random_state=0)
    ensemble.fit(X, y, sample_weight=weight, groups=groups)
    seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max)
    alone = clone(member).set_params(random_state=int(seed))
    alone.fit(X, y, sample_weight=weight, groups=groups)
    np.testing.assert_array_equal(ensemble.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize("given", ["sample_weight", "groups"])
def test_what_the_members_do_not_take_is_refused(images, given):
    X, y = images
    pipeline = make_pipeline(
        ResizeImages((4, 4)), OneVsRestClassifier(LogisticRegression())
    )
    with pytest.raises(ValueError, match=rf"{given} was given, but Pipeline.fit"):
        SeedEnsembleClassifier(pipeline).fit(X, y, **{given: np.ones(len(y))})


@pytest.mark.parametrize("given", ["sample_weight", "groups"])
def test_with_metadata_routing_what_is_not_asked_for_is_refused(images, given):
    X, y = images
    member = make_pipeline(ResizeImages((4, 4)), lipnet())
    for estimator in (lipnet(), member):
        ensemble = SeedEnsembleClassifier(estimator, n_members=1)
        asked = rf"{given} was given.*LipNetClassifier\.set_fit_request\({given}=True"
        with (
            config_context(enable_metadata_routing=True),
            pytest.raises(ValueError, match=asked),
        ):
            ensemble.fit(X, y, **{given: np.ones(len(y))})
    with config_context(enable_metadata_routing=True):
        asking = lipnet().set_fit_request(**{given: True})
        SeedEnsembleClassifier(asking, 1).fit(X, y, **{given: np.ones(len(y))})


def test_an_estimator_without_seed_is_refused():
    X, y = np.arange(6.0)[:, None], [0, 0, 0, 1, 1, 1]
    with pytest.raises(ValueError, match="KNeighborsClassifier has no parameter"):
        SeedEnsembleClassifier(KNeighborsClassifier()).fit(X, y)


def test_any_classifier_will_do():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(3, size=60)
    forest = RandomForestClassifier(n_estimators=3)
    ensemble = SeedEnsembleClassifier(forest, n_members=2, random_state=0).fit(X, y)
    assert ensemble.n_features_in_ == 3
    assert not hasattr(ensemble, "image_shape_")
    assert not hasattr(SeedEnsembleClassifier(LogisticRegression()), "n_features_in_")


def test_several_labels_of_a_forest_which_gives_a_list():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = (X[:, :3] > 0).astype(int)
    y[:, 2] = 0  # for which its list has one column
    forest = RandomForestClassifier(n_estimators=5)
    ensemble = SeedEnsembleClassifier(forest, n_members=2, random_state=0).fit(X, y)
    assert ensemble.classes_.tolist() == [0, 1, 2]
    expected = np.zeros((2, 60, 3))
    for member, proba in zip(ensemble.estimators_, expected, strict=True):
        for label in (0, 1):
            proba[:, label] = member.predict_proba(X)[label][:, 1]
    np.testing.assert_array_equal(ensemble.member_probabilities(X), expected)
    mean = expected.mean(axis=0)
    np.testing.assert_array_equal(ensemble.predict_proba(X), mean)
    np.testing.assert_array_equal(ensemble.predict(X), mean >= 0.5)


def fit_and_hear(ensemble, X, y):
    """Fit; return what was said of convergence."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Of joblib, on a busy machine.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs")
        ensemble.fit(X, y)
    assert {w.category for w in caught} <= {ConvergenceWarning}
    assert {w.filename for w in caught} <= {__file__}
    return [str(w.message) for w in caught]


@pytest.mark.parametrize("jobs", [None, 2])
def test_members_that_still_learn_are_told_once(images, jobs):
    X, y = images
    # A GPU draws other numbers: the last member may have another reason.
    pipeline = make_pipeline(ResizeImages((8, 8)), lipnet(device="cpu"))
    ensemble = SeedEnsembleClassifier(pipeline, 3, n_jobs=jobs, random_state=0)
    assert not hasattr(ensemble, "converged_")
    (said,) = fit_and_hear(ensemble, X, y)
    assert ensemble.converged_ is False
    assert said.startswith(
        "SeedEnsembleClassifier may not be trained enough: 3 of its 3 members were "
        "still learning. One of them: its training accuracy is 0."
    )
    assert said.endswith("such a set wants about 100. Raise max_epochs.")
    with quiet_convergence() as reasons:
        assert not fit_and_hear(ensemble, X, y)
    assert said.endswith(f"{reasons[-1]}.")
    assert len(reasons) == 1


class Learner(DummyClassifier):
    """Has learnt enough by its seed; says nothing by itself."""

    def fit(self, X, y):
        self.converged_ = self.random_state != 1791095845
        return super().fit(X, y)


def test_the_number_of_members_that_still_learn():
    X, y = np.arange(6.0)[:, None], [0, 0, 0, 1, 1, 1]
    # RandomState(1) draws 1791095845, 2135392491, 946286476.
    ensemble = SeedEnsembleClassifier(Learner(), n_members=3, random_state=1)
    assert fit_and_hear(ensemble, X, y) == [
        "SeedEnsembleClassifier may not be trained enough: 1 of its 3 members was "
        "still learning. Have them learn for longer."
    ]
    assert ensemble.converged_ is False
    told = {"networks": 3, "still_learning": 1, "updates": 0}
    assert tell_trainings(ensemble) == told
    ensemble.set_params(random_state=2)
    assert fit_and_hear(ensemble, X, y) == []
    assert ensemble.converged_ is True
    ensemble.set_params(estimator=DummyClassifier(strategy="stratified"))
    assert fit_and_hear(ensemble, X, y) == []
    assert not hasattr(ensemble, "converged_")


def test_progress_is_shown(images, capsys):
    X, y = images
    SeedEnsembleClassifier(lipnet(), n_members=2, verbose=1).fit(X, y)
    assert "2 × LipNetClassifier" in capsys.readouterr().err
