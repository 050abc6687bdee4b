import pickle

import numpy as np
import pandas as pd
import pytest
from benchmark_data import MODELS, NAMES, flat, flatten, make_data
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from emclassify.metrics import per_class_scorers, per_class_scores
from emclassify.model_selection import (
    benchmark_classifiers,
    corrected_resampled_ttest,
)


@pytest.fixture(scope="module")
def data():
    return make_data()


@pytest.fixture(scope="module")
def result(data):
    X, y, groups = data
    return benchmark_classifiers(
        MODELS, X, y, groups=groups, cv=GroupKFold(3), n_bootstrap=200, random_state=0
    )


class WantsGroups(ClassifierMixin, BaseEstimator):
    """Majority class; notes the groups that fit was given."""

    def fit(self, X, y, groups=None):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.majority_ = self.classes_[counts.argmax()]
        self.groups_ = None if groups is None else np.asarray(groups)
        self.n_ = len(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.majority_)


def test_fold_scores_equal_cross_validate(data, result):
    X, y, groups = data
    scoring = per_class_scorers(NAMES, averages=("macro", "weighted", "micro"))
    frame = result.to_frame()
    for name, model in MODELS.items():
        expected = cross_validate(
            model, X, y, groups=groups, cv=GroupKFold(3), scoring=scoring
        )
        rows = frame[frame["estimator"] == name]
        for score in scoring:
            np.testing.assert_allclose(rows[score], expected[f"test_{score}"])
    assert set(result.metrics) == set(scoring)


def test_out_of_fold_equals_cross_val_predict(data, result):
    X, y, groups = data
    for name, model in MODELS.items():
        frame = result.out_of_fold(name).sort_values("sample")
        cv = {"groups": groups, "cv": GroupKFold(3)}
        assert frame["y_pred"].tolist() == cross_val_predict(model, X, y, **cv).tolist()
        probability = cross_val_predict(model, X, y, method="predict_proba", **cv)
        columns = [f"score_{c}" for c in result.classes]
        np.testing.assert_allclose(frame[columns], probability)
        assert frame["y_true"].tolist() == y.tolist()
        assert frame["group"].tolist() == groups.tolist()
        assert result.class_scores(name)[1] == "probability"


def test_confusion_matrix(data, result):
    frame = result.out_of_fold("bayes")
    expected = confusion_matrix(frame["y_true"], frame["y_pred"])
    np.testing.assert_array_equal(result.confusion_matrix("bayes"), expected)
    for normalize in ("true", "pred", "all"):
        np.testing.assert_allclose(
            result.confusion_matrix("bayes", normalize=normalize),
            confusion_matrix(frame["y_true"], frame["y_pred"], normalize=normalize),
        )
    with pytest.raises(ValueError, match="normalize must be"):
        result.confusion_matrix("bayes", normalize="rows")
    with pytest.raises(ValueError, match="No model is called 'CNN'"):
        result.confusion_matrix("CNN")


def test_summary_is_the_pooled_table(result):
    frame = result.out_of_fold("bayes")
    table = per_class_scores(frame["y_true"], frame["y_pred"])
    summary = result.summary().loc["bayes"]
    figures = ["TPR", "TNR", "PPV", "NPV", "F1"]
    pd.testing.assert_frame_equal(summary[figures], table[figures], check_names=False)
    assert summary["support"].tolist() == table["support"].tolist()
    for figure in figures:
        assert (summary[f"{figure}_low"] <= summary[figure]).all()
        assert (summary[f"{figure}_high"] >= summary[figure]).all()


def test_overview(result):
    frame = result.to_frame().set_index("estimator").loc["stump"]
    row = result.overview().loc["stump"]
    assert row["F1_macro"] == pytest.approx(frame["F1_macro"].mean())
    assert row["F1_macro_sd"] == pytest.approx(frame["F1_macro"].std())
    predictions = result.out_of_fold("stump")
    assert row["F1_macro_pooled"] == pytest.approx(
        f1_score(predictions["y_true"], predictions["y_pred"], average="macro")
    )
    assert row["F1_macro_low"] < row["F1_macro_pooled"] < row["F1_macro_high"]
    assert row["fit_time"] > 0


def test_compare_and_verdict(result):
    table = result.compare()
    frame = result.to_frame().pivot(
        index="fold", columns="estimator", values="F1_macro"
    )
    difference = frame["bayes"] - frame["stump"]
    row = table.iloc[0]
    assert row["difference"] == pytest.approx(difference.mean())
    error = difference.std() * np.sqrt(1 / 3 + 60 / 120)
    assert row["statistic"] == pytest.approx(difference.mean() / error)
    assert row["p"] == row["p_adjusted"]
    assert row["pooled_low"] < row["pooled_difference"] < row["pooled_high"]
    assert result.verdict().startswith("bayes is ")
    assert "TPR of unsure" in result.verdict("TPR_unsure")
    with pytest.raises(ValueError, match="metric='f1' is not among the scores"):
        result.compare("f1")


def test_intervals_of_differences_stay_within_what_scores_can_differ_by():
    # Each is right of 9 in 10 in one fold and of 1 in 10 in the other: over two folds
    # the t interval alone would be 0 ± 17.6.
    y = np.array([0] * 9 + [1] + [1] * 9 + [0])
    result = benchmark_classifiers(
        {
            "zero": flat(DummyClassifier(strategy="constant", constant=0)),
            "one": flat(DummyClassifier(strategy="constant", constant=1)),
        },
        np.random.default_rng(0).normal(size=(20, 4, 4)),
        y,
        cv=PredefinedSplit(np.repeat([0, 1], 10)),
        n_bootstrap=20,
        random_state=0,
    )
    row = result.compare("accuracy").iloc[0]
    assert row["difference"] == pytest.approx(0)
    assert (row["low"], row["high"]) == (-1, 1)
    folds = corrected_resampled_ttest([0.9, 0.1], [0.1, 0.9], test_train_ratio=1)
    assert folds.high == pytest.approx(17.6, abs=0.05)


def test_three_models_are_adjusted_for(data):
    X, y, groups = data
    models = MODELS | {"majority": flat(DummyClassifier())}
    result = benchmark_classifiers(models, X, y, groups=groups, n_bootstrap=20)
    table = result.compare("accuracy")
    assert len(table) == 3
    assert (table["p_adjusted"] >= table["p"]).all()
    assert table["p_adjusted"].min() == pytest.approx(min(1, 3 * table["p"].min()))


@pytest.mark.parametrize("groups_given", [True, False])
def test_same_result_on_two_cores(data, groups_given):
    X, y, groups = data
    results = [
        benchmark_classifiers(
            MODELS,
            X,
            y,
            groups=groups if groups_given else None,
            cv=3,
            n_bootstrap=50,
            random_state=7,
            n_jobs=n_jobs,
        )
        for n_jobs in (1, 2)
    ]
    one, two = (
        r.to_frame().drop(columns=["fit_time", "predict_time"]) for r in results
    )
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(results[0].summary(), results[1].summary())
    pd.testing.assert_frame_equal(results[0].compare(), results[1].compare())


def test_global_random_state_is_left_alone(data):
    X, y, groups = data
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    benchmark_classifiers(
        MODELS, X, y, groups=groups, cv=2, n_bootstrap=10, random_state=0
    ).summary()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_groups_reach_those_who_ask(data):
    X, y, groups = data
    wants = WantsGroups()
    sampled = make_imblearn_pipeline(
        FunctionTransformer(flatten), RandomOverSampler(random_state=0), WantsGroups()
    )
    search = GridSearchCV(
        flat(GaussianNB()),
        {"gaussiannb__var_smoothing": [1e-9, 1e-2]},
        cv=GroupKFold(2),
    )
    result = benchmark_classifiers(
        {"bare": wants, "piped": flat(wants), "sampled": sampled, "search": search},
        X,
        y,
        groups=groups,
        cv=GroupKFold(3),
        return_estimators=True,
        n_bootstrap=10,
    )
    for fold, (train, _) in enumerate(result.folds):
        for given in (result.fitted["bare"][fold], result.fitted["piped"][fold][-1]):
            np.testing.assert_array_equal(given.groups_, groups[train])
        # After a sampler they are those of the rows that it drew.
        sampler, last = (result.fitted["sampled"][fold][i] for i in (1, 2))
        np.testing.assert_array_equal(
            last.groups_, groups[train][sampler.sample_indices_]
        )
        assert result.fitted["search"][fold].n_splits_ == 2
    assert not hasattr(wants, "groups_")
    assert not hasattr(result.estimators["bare"], "groups_")


def test_fit_params_are_cut(data):
    X, y, _ = data
    weight = (y != "unsure").astype(float)
    result = benchmark_classifiers(
        {"weighted": flat(GaussianNB()), "plain": flat(GaussianNB())},
        X,
        y,
        cv=3,
        fit_params={"weighted": {"gaussiannb__sample_weight": weight + 1e-12}},
        n_bootstrap=10,
    )
    assert result.confusion_matrix("weighted")["unsure"].sum() == 0
    assert result.confusion_matrix("plain")["unsure"].sum() > 0
    with pytest.raises(ValueError, match="fit_params names 'other'"):
        benchmark_classifiers(MODELS, X, y, fit_params={"other": {}})
    with pytest.raises(TypeError, match="fit_params must be"):
        benchmark_classifiers(MODELS, X, y, fit_params={"bayes": 3})


@pytest.mark.parametrize("form", ["list", "object", "ragged", "channels", "uint16"])
def test_forms_of_images(data, form):
    X, y, groups = data
    forms = {
        "list": list(X),
        "object": np.fromiter(X, dtype=object, count=len(X)),
        "ragged": [x if i % 2 else np.pad(x, 1) for i, x in enumerate(X)],
        "channels": np.stack([X, X > 0], axis=-1),
        "uint16": (X - X.min()).astype(np.uint16),
    }
    images = forms[form]

    def crop(images):
        return flatten([np.asarray(image)[:8, :8] for image in images])

    model = make_pipeline(FunctionTransformer(crop), GaussianNB())
    result = benchmark_classifiers(
        {"m": model}, images, y, groups=groups, cv=3, n_bootstrap=10
    )
    assert result.overview().loc["m", "accuracy"] > 0.5


def test_scoring_on_top(data):
    X, y, _ = data
    result = benchmark_classifiers(
        MODELS, X, y, cv=3, scoring=["neg_log_loss", "roc_auc_ovr"], n_bootstrap=10
    )
    expected = cross_validate(MODELS["bayes"], X, y, cv=3, scoring="neg_log_loss")[
        "test_score"
    ]
    rows = result.to_frame().query("estimator == 'bayes'")
    np.testing.assert_allclose(rows["neg_log_loss"], expected)
    assert np.isnan(result.overview()["roc_auc_ovr_low"]).all()
    assert result.verdict("roc_auc_ovr").startswith("bayes is")
    assert np.isnan(result.compare("roc_auc_ovr")["pooled_difference"]).all()


def test_decision_scores(data):
    X, y, _ = data
    for keep in (y != "unsure", slice(None)):
        result = benchmark_classifiers(
            {"svm": flat(LinearSVC(C=0.01))}, X[keep], y[keep], cv=3, n_bootstrap=10
        )
        scores, kind = result.class_scores("svm")
        assert kind == "decision"
        frame = result.out_of_fold("svm")
        assert (result.classes[scores.argmax(axis=1)] == frame["y_pred"]).all()


def test_repeated_folds_and_samples_never_tested(data):
    X, y, _ = data
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    result = benchmark_classifiers(MODELS, X, y, cv=cv, n_bootstrap=20, random_state=0)
    assert result.confusion_matrix("bayes").to_numpy().sum() == 360
    assert result.pooled.n_units == 180
    assert result.compare().loc[0, "n_folds"] == 6
    cv = ShuffleSplit(n_splits=2, test_size=0.2, random_state=0)
    result = benchmark_classifiers(MODELS, X, y, cv=cv, n_bootstrap=20, random_state=0)
    assert result.pooled.n_units == len(
        np.unique(result.out_of_fold("bayes")["sample"])
    )


def test_whole_number_labels_and_their_names(data):
    X, y, _ = data
    codes = np.array([5, 7, 9])[np.unique(y, return_inverse=True)[1]]
    result = benchmark_classifiers(
        MODELS, X, codes, cv=3, target_names=["e", "f", "u"], n_bootstrap=10
    )
    assert result.confusion_matrix("bayes").columns.tolist() == ["e", "f", "u"]
    assert set(result.out_of_fold("bayes")["y_pred"]) == {5, 7, 9}
    assert "TPR_u" in result.metrics


def test_prints_and_pickles(result):
    text = str(result)
    for words in ("bayes is ", "macro F1", "unsure", "intervals over 18 groups."):
        assert words in text
    assert repr(result) == (
        "<BenchmarkResult: 2 models, 3 folds, 180 samples, 3 classes>"
    )
    again = pickle.loads(pickle.dumps(result))
    pd.testing.assert_frame_equal(again.summary(), result.summary())


def test_one_model(data):
    X, y, _ = data
    result = benchmark_classifiers({"bayes": MODELS["bayes"]}, X, y, cv=3)
    assert result.compare().empty
    assert result.verdict().startswith("bayes reaches a macro F1 of")


def test_progress(data, capsys):
    X, y, _ = data
    benchmark_classifiers(MODELS, X, y, cv=3, verbose=2)
    shown = capsys.readouterr()
    assert "stump, fold 2: balanced accuracy 0." in shown.err
    assert shown.out == ""


def test_balanced_accuracy_is_scikit_learns(result):
    frame = result.out_of_fold("stump")
    assert result.pooled.score("stump", "balanced_accuracy")[0] == pytest.approx(
        balanced_accuracy_score(frame["y_true"], frame["y_pred"])
    )


def test_list_of_pairs_and_default_folds(data):
    X, y, _ = data
    result = benchmark_classifiers([("lr", flat(LogisticRegression(C=0.01)))], X, y)
    expected = list(StratifiedKFold(5).split(X, y))
    for ours, theirs in zip(result.folds, expected, strict=True):
        np.testing.assert_array_equal(ours[1], theirs[1])
    assert result.settings["cv"].startswith("StratifiedKFold(n_splits=5")
