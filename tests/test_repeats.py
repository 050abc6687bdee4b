"""A benchmark whose folds are run several times."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import check_random_state

from emclassify.cli import main
from emclassify.model_selection import (
    benchmark_classifiers,
    corrected_resampled_ttest,
)
from emclassify.model_selection.benchmark._as_text import Repeats, verdict_sentence


class Noisy(ClassifierMixin, BaseEstimator):
    """Right where a coin says so, which the seed throws."""

    def __init__(self, share=0.8, random_state=0):
        self.share = share
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        draws = check_random_state(self.random_state).random_sample(len(X))
        right = draws < self.share
        return np.where(right, X[:, 0] > 0, X[:, 0] <= 0).astype(int)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    return X, (X[:, 0] > 0).astype(int), np.repeat(np.arange(12), 10)


def run(data, models, **settings):
    X, y, groups = data
    settings = {"groups": groups, "cv": 3, "n_bootstrap": 50, **settings}
    return benchmark_classifiers(models, X, y, random_state=0, **settings)


def sides(result, repeat):
    return [
        sorted(test.tolist())
        for (_, test), of in zip(result.folds, result.repeats, strict=True)
        if of == repeat
    ]


def test_first_repeat_is_the_benchmark_without_repeats(data):
    models = {"a": Noisy(), "b": Noisy(0.6, random_state=1)}
    once, thrice = run(data, models), run(data, models, n_repeats=3)
    assert "repeat" not in once.to_frame()
    frame = thrice.to_frame()
    first = frame[frame["repeat"] == 0].drop(columns="repeat").reset_index(drop=True)
    times = ["fit_time", "predict_time"]
    pd.testing.assert_frame_equal(
        first.drop(columns=times).sort_values(["estimator", "fold"]),
        once.to_frame().drop(columns=times).sort_values(["estimator", "fold"]),
    )


@pytest.mark.parametrize(
    "cv",
    [3, StratifiedKFold(3, shuffle=True, random_state=5)],
    ids=["number", "shuffled"],
)
def test_chance_draws_new_folds(data, cv):
    X, y, groups = data
    groups = groups if cv == 3 else None
    result = run((X, y, groups), {"a": GaussianNB()}, cv=cv, n_repeats=3)
    assert result.repeats.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert sides(result, 0) != sides(result, 1) != sides(result, 2)
    for repeat in range(3):
        assert sorted(itertools.chain(*sides(result, repeat))) == list(range(len(y)))
    again = run((X, y, groups), {"a": GaussianNB()}, cv=cv, n_repeats=3)
    assert sides(again, 2) == sides(result, 2)


def test_several_labels_draw_new_folds(data):
    X, y, groups = data
    y = np.stack([y, X[:, 1] > 0.3], axis=1).astype(int)
    models = {"tree": DecisionTreeClassifier(random_state=0)}
    result = run((X, y, groups), models, n_repeats=2)
    assert sides(result, 0) != sides(result, 1)


@pytest.mark.parametrize("given", ["splitter", "list", "generator"])
def test_folds_without_chance_come_again(data, given):
    X, y, groups = data
    cv = GroupKFold(3)
    if given != "splitter":
        cv = cv.split(X, y, groups)
        cv = list(cv) if given == "list" else cv
    result = run(data, {"a": Noisy()}, cv=cv, n_repeats=2)
    assert sides(result, 0) == sides(result, 1)
    # Trained with other seeds, on the same folds.
    frame = result.out_of_fold("a")
    first, second = (frame[frame["fold"] // 3 == repeat] for repeat in (0, 1))
    assert first["sample"].tolist() == second["sample"].tolist()
    assert first["y_pred"].tolist() != second["y_pred"].tolist()


def test_trainings_on_one_fold_are_averaged_before_the_test(data):
    models = {"a": Noisy(), "b": Noisy(0.6, random_state=1)}
    result = run(data, models, cv=GroupKFold(3), n_repeats=4)
    frame = result.to_frame()
    by_fold = (
        frame.assign(fold=frame["fold"] % 3)
        .groupby(["estimator", "fold"])["F1_macro"]
        .mean()
    )
    expected = corrected_resampled_ttest(
        by_fold["a"], by_fold["b"], test_train_ratio=1 / 2
    )
    row = result.compare().iloc[0]
    assert row["n_folds"] == 3
    assert row["difference"] == pytest.approx(expected.difference)
    assert row["p"] == pytest.approx(expected.pvalue)
    assert row["low"] == pytest.approx(expected.low)


def test_seeds_in_all_parts_change_and_none_stays(data):
    seen = []

    class Spy(Noisy):
        def fit(self, X, y):
            seen.append(self.random_state)
            return super().fit(X, y)

    models = {"a": make_pipeline(Spy(random_state=7))}
    run(data, models, n_repeats=2, n_jobs=1)
    assert seen[:3] == [7, 7, 7]
    assert len(set(seen[3:])) == 1
    assert seen[3] != 7
    seen.clear()
    run(data, {"a": Spy(random_state=None)}, n_repeats=2)
    assert seen == [None] * 6
    state = np.random.RandomState(3)
    before = state.get_state()[1].copy()
    seen.clear()
    run(data, {"a": Spy(random_state=state)}, n_repeats=2)
    assert isinstance(seen[3], int)
    assert np.array_equal(state.get_state()[1], before)


def test_the_number_of_the_repeat_is_no_score(data, tmp_path):
    result = run(data, {"a": Noisy()}, n_repeats=2)
    assert result.metrics == run(data, {"a": Noisy()}).metrics
    assert "repeat" not in result.overview()
    assert "repeat" not in str(result).partition("Mean ±")[2]
    report = result.to_html(tmp_path / "report.html").read_text()
    assert '<th scope="col">repeat' not in report.lower()
    scoring = {"repeat": make_scorer(accuracy_score)}
    with pytest.raises(ValueError, match="'repeat' is a column of the result"):
        run(data, {"a": Noisy()}, scoring=scoring)


def test_by_repeat_by_hand(data):
    result = run(data, {"a": Noisy()}, n_repeats=2)
    frame = result.to_frame()
    means = [frame.loc[frame["repeat"] == r, "accuracy"].mean() for r in (0, 1)]
    table = result.by_repeat(["accuracy"])["accuracy"]["a"]
    assert table.index.tolist() == [0, 1, "mean", "sd"]
    assert table.tolist() == pytest.approx(
        [*means, np.mean(means), np.std(means, ddof=1)]
    )
    once = run(data, {"a": Noisy()})
    assert once.by_repeat(["accuracy"]).index.tolist()[:1] == [("a", 0)]


def test_verdict_tells_who_led_and_how_far_each_moved(data):
    models = {"b": Noisy(0.6, random_state=1), "a": Noisy(0.9)}
    result = run(data, models, n_repeats=3)
    table = result.by_repeat(["F1_macro"])["F1_macro"]
    words = "; ".join(
        f"{name} {min(table[name][[0, 1, 2]]):.3f} to {max(table[name][[0, 1, 2]]):.3f}"
        for name in ("b", "a")
    )
    assert f"a led in all 3 repeats of all folds: {words}." in result.verdict()
    assert "repeats" not in run(data, models).verdict()


def test_a_lead_that_changes_is_told():
    means = pd.Series({"a": 0.8, "b": 0.79})
    comparison = pd.DataFrame(
        {
            "model_a": ["a"],
            "model_b": ["b"],
            "difference": [0.01],
            "low": [-0.1],
            "high": [0.1],
            "p_adjusted": [0.8],
        }
    )
    scores = pd.Series({("a", 0): 0.82, ("a", 1): 0.78, ("b", 0): 0.77, ("b", 1): 0.81})
    repeats = Repeats(scores, over_folds=pd.Series({"a": 0.05, "b": 0.0612}))
    said = verdict_sentence(means, comparison, "F1_macro", 0.95, repeats=repeats)
    # Two scores that are 0.04 apart deviate by 0.04 / sqrt(2).
    assert said.endswith(
        "a led in 1 of 2 repeats of all folds: a 0.780 to 0.820; b 0.770 to 0.810. "
        "Standard deviations over repeats (new seeds, new folds): a 0.028, b 0.028; "
        "over folds: a 0.050, b 0.061."
    )


@pytest.mark.parametrize(
    ("cv", "folds"),
    [(3, "new folds"), (GroupKFold(3), "the same folds")],
    ids=["drawn anew", "as they are"],
)
def test_verdict_holds_the_spread_of_trainings_and_of_folds(data, cv, folds):
    models = {"b": Noisy(0.6, random_state=1), "a": Noisy(0.9)}
    result = run(data, models, cv=cv, n_repeats=3)
    frame = result.to_frame()
    over = {
        "repeats": frame.groupby(["estimator", "repeat"])["accuracy"].mean(),
        "folds": frame.set_index("estimator")["accuracy"],
    }
    trained, cut = (
        ", ".join(f"{name} {np.std(of[name], ddof=1):.3f}" for name in ("b", "a"))
        for of in over.values()
    )
    assert result.verdict("accuracy").endswith(
        f" Standard deviations over repeats (new seeds, {folds}): {trained}; "
        f"over folds: {cut}."
    )
    # The figures are those of the tables.
    assert f"a {result.by_repeat()['accuracy']['a', 'sd']:.3f}" in trained
    assert f"a {result.by_fold()['accuracy']['a', 'sd']:.3f}" in cut
    assert "Standard deviations" not in run(data, models, cv=cv).verdict()


def test_kept_folds_of_each_repeat(data, tmp_path):
    models = {"a": Noisy()}
    first = run(data, models, n_repeats=2, cache_dir=tmp_path)
    assert len(list(tmp_path.glob("fold-*.npz"))) == 6
    more = run(data, models, n_repeats=3, cache_dir=tmp_path)
    assert len(list(tmp_path.glob("fold-*.npz"))) == 9
    pd.testing.assert_series_equal(
        first.to_frame()["accuracy"], more.to_frame()["accuracy"][:6]
    )


def test_kept_folds_without_a_seed_are_of_one_training(data, tmp_path):
    models = {"a": Noisy(random_state=None), "b": Noisy(random_state=None)}
    settings = {"cv": GroupKFold(3), "n_repeats": 2, "cache_dir": tmp_path}
    result = run(data, models, **settings)
    said = [
        tuple(result.out_of_fold(name).query("fold == @fold")["y_pred"])
        for name in models
        for fold in (0, 3)  # one fold, run twice
    ]
    assert len(set(said)) == 4
    again = run(data, models, **settings)
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())


@pytest.mark.parametrize("n_repeats", [0, -1, 1.5, True, "2"])
def test_number_of_repeats_is_checked(data, n_repeats):
    with pytest.raises(ValueError, match="n_repeats must be a whole number"):
        run(data, {"a": Noisy()}, n_repeats=n_repeats)


def test_command_line_repeats(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = "benchmark --samples 90 --weights 0.5,0.3,0.2 --models svm --cv 2"
    command += " --repeats 2 --quiet"
    assert main(command.split()) == 0
    assert "Over 2 repeats of all folds: " in " ".join(capsys.readouterr().out.split())
    assert "Repeats of all folds" in (tmp_path / "benchmark.html").read_text()
