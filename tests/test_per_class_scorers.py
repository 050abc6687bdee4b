import pickle

import numpy as np
import pytest
import sklearn
from packaging.version import Version
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from emclassify.metrics import (
    PerClassScorer,
    per_class_scorers,
    per_class_scores,
    tpr_tnr_f1_score,
)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(n_class=3, return_X_y=True)
    return X[:150], np.array(["zero", "one", "<two>"])[y[:150]]


LABELS = ["zero", "one", "<two>"]


class CountingNB(GaussianNB):
    """Counts the calls of predict."""

    calls = 0

    def predict(self, X):
        type(self).calls += 1
        return super().predict(X)


def test_keys():
    scorers = per_class_scorers(LABELS, averages=("macro", "micro"))
    assert len(scorers) == 2 + 5 * 2 + 5 * 3
    assert list(scorers)[:3] == ["accuracy", "balanced_accuracy", "TPR_macro"]
    assert "NPV_<two>" in scorers
    assert (
        list(scorers) == PerClassScorer(LABELS, averages=["macro", "micro"]).score_names
    )


@pytest.mark.parametrize("kind", [per_class_scorers, PerClassScorer])
def test_cross_validate_equals_the_table(digits, kind):
    X, y = digits
    results = cross_validate(
        GaussianNB(), X, y, cv=3, scoring=kind(LABELS), return_indices=True
    )
    for fold in range(3):
        train = results["indices"]["train"][fold]
        test = results["indices"]["test"][fold]
        y_pred = GaussianNB().fit(X[train], y[train]).predict(X[test])
        table = per_class_scores(y[test], y_pred)
        for name in [*LABELS, "macro"]:
            for figure in ("TPR", "TNR", "PPV", "NPV", "F1"):
                assert results[f"test_{figure}_{name}"][fold] == pytest.approx(
                    table.loc[name, figure]
                )
        assert results["test_accuracy"][fold] == pytest.approx(
            (y_pred == y[test]).mean()
        )
        assert results["test_balanced_accuracy"][fold] == pytest.approx(
            table.loc["macro", "TPR"]
        )


@pytest.mark.parametrize("kind", [per_class_scorers, PerClassScorer])
def test_predict_is_called_once_a_fold(digits, kind):
    CountingNB.calls = 0
    cross_validate(CountingNB(), *digits, cv=4, scoring=kind(LABELS))
    assert CountingNB.calls == 4


@pytest.mark.parametrize("kind", [per_class_scorers, PerClassScorer])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search(digits, kind, n_jobs):
    search = GridSearchCV(
        KNeighborsClassifier(),
        {"n_neighbors": [1, 50]},
        scoring=kind(LABELS),
        refit="F1_macro",
        n_jobs=n_jobs,
        cv=3,
    ).fit(*digits)
    assert search.best_params_ == {"n_neighbors": 1}
    assert "mean_test_TPR_<two>" in search.cv_results_
    assert clone(search).fit(*digits).best_score_ == search.best_score_


@pytest.mark.parametrize("kind", [per_class_scorers, PerClassScorer])
def test_inside_an_imblearn_pipeline(digits, kind):
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline

    X, y = digits
    images = X.reshape(-1, 8, 8)
    flatten = FunctionTransformer(lambda images: images.reshape(len(images), -1))
    model = make_pipeline(
        flatten,
        StandardScaler(),
        RandomOverSampler(random_state=0),
        GaussianNB(),
    )
    results = cross_validate(model, images, y, cv=3, scoring=kind(LABELS))
    assert results["test_F1_macro"].shape == (3,)


def test_pickle(digits):
    model = GaussianNB().fit(*digits)
    scorers = per_class_scorers(LABELS)
    again = pickle.loads(pickle.dumps(scorers))
    for name in scorers:
        assert again[name](model, *digits) == scorers[name](model, *digits)
    scorer = PerClassScorer(LABELS)
    assert pickle.loads(pickle.dumps(scorer))(model, *digits) == scorer(model, *digits)
    assert repr(scorer) == "PerClassScorer(zero, one, <two>)"


def test_sample_weight(digits):
    X, y = digits
    model = GaussianNB().fit(X, y)
    weight = (y != "one").astype(float)
    expected = model.score(X[y != "one"], y[y != "one"])
    scorers = per_class_scorers(LABELS)
    assert scorers["accuracy"](model, X, y, sample_weight=weight) == pytest.approx(
        expected
    )
    scores = PerClassScorer(LABELS)(model, X, y, sample_weight=weight)
    assert scores["accuracy"] == pytest.approx(expected)


def test_fold_without_a_class(digits):
    X, y = digits
    model = GaussianNB().fit(X, y)
    present = y != "one"
    X, y = X[present], y[present]
    assert PerClassScorer(LABELS)(model, X, y)["TPR_one"] == 0
    scores = PerClassScorer(LABELS, zero_division=np.nan)(model, X, y)
    assert np.isnan(scores["TPR_one"])
    assert scores["TPR_macro"] == pytest.approx(scores["balanced_accuracy"])
    with pytest.warns(UndefinedMetricWarning, match="TPR .* class one"):
        PerClassScorer(LABELS, zero_division="warn")(model, X, y)


def test_class_unknown_to_the_scorer(digits):
    model = GaussianNB().fit(*digits)
    with pytest.raises(ValueError, match="Found class one"):
        PerClassScorer(["zero", "<two>"])(model, *digits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": ["a", "macro"]}, "name of an average"),
        ({"labels": ["a", "b"], "averages": ["mean"]}, "averages holds 'mean'"),
        ({"labels": ["a", "b"], "zero_division": 3}, "zero_division must be"),
        ({"labels": [0, 1], "target_names": ["x", "x"]}, "must differ"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        per_class_scorers(**arguments)


# --- weights --------------------------------------------------------------------------


def asking(kind, value):
    """Return the scorers with their request set."""
    scorers = kind(LABELS)
    with sklearn.config_context(enable_metadata_routing=True):
        if isinstance(scorers, dict):
            for scorer in scorers.values():
                scorer.set_score_request(sample_weight=value)
            return scorers
        return scorers.set_score_request(sample_weight=value)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("kind", [per_class_scorers, PerClassScorer])
@pytest.mark.parametrize("asked", [True, "importance", False])
def test_routed_weights_are_honoured(digits, kind, asked):
    X, y = digits
    weight = np.linspace(0.1, 5, len(y))
    name = asked if isinstance(asked, str) else "sample_weight"
    model = GaussianNB().set_fit_request(sample_weight=name)
    found = cross_validate(
        model,
        X,
        y,
        cv=3,
        scoring=asking(kind, asked),
        params={name: weight},
        return_indices=True,
        return_estimator=True,
    )
    for fold, test in enumerate(found["indices"]["test"]):
        table = per_class_scores(
            y[test],
            found["estimator"][fold].predict(X[test]),
            sample_weight=weight[test] if asked else None,
        )
        for label in LABELS:
            assert found[f"test_F1_{label}"][fold] == pytest.approx(
                table.loc[label, "F1"]
            )


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("kind", [per_class_scorers, PerClassScorer])
def test_routed_weights_nobody_decided_about_are_refused(digits, kind):
    if kind is per_class_scorers and Version(sklearn.__version__) < Version("1.9"):
        pytest.skip("scikit-learn's scorers refuse them since 1.9")
    X, y = digits
    settings = {"scoring": kind(LABELS), "params": {"sample_weight": np.ones(len(y))}}
    model = GaussianNB().set_fit_request(sample_weight=True)
    with pytest.raises(ValueError, match="not explicitly set as requested or not"):
        cross_validate(model, X, y, **settings)


@pytest.mark.parametrize("kind", [per_class_scorers, PerClassScorer])
@pytest.mark.parametrize("routed", [True, False])
def test_weights_of_a_search_are_honoured(digits, kind, routed):
    X, y = digits
    weight = np.linspace(0.1, 5, len(y))
    model, scoring = GaussianNB(), kind(LABELS)
    with sklearn.config_context(enable_metadata_routing=routed):
        if routed:
            model.set_fit_request(sample_weight=True)
            scoring = asking(kind, True)
        search = GridSearchCV(
            model, {"var_smoothing": [0.1]}, scoring=scoring, refit="accuracy", cv=3
        )
        search.fit(X, y, sample_weight=weight)
        clone(search)  # copies the scorer, with what it asks for
    expected = []
    for train, test in StratifiedKFold(3).split(X, y):
        fitted = GaussianNB(var_smoothing=0.1).fit(X[train], y[train], weight[train])
        expected.append(
            np.average(fitted.predict(X[test]) == y[test], weights=weight[test])
        )
    assert search.best_score_ == pytest.approx(np.mean(expected))


def test_request_survives_copies_and_needs_routing():
    scorer = asking(PerClassScorer, True)
    for copied in (clone(scorer, safe=False), pickle.loads(pickle.dumps(scorer))):
        request = copied.get_metadata_routing().score.requests
        assert request == {"sample_weight": True}
    with pytest.raises(RuntimeError, match="works with metadata routing only"):
        scorer.set_score_request(sample_weight=False)
    first = PerClassScorer(LABELS).get_metadata_routing().score.requests
    assert first == {"sample_weight": None}


@pytest.mark.parametrize("kind", [per_class_scorers, PerClassScorer])
def test_both_f1(digits, kind):
    X, y = digits
    scorer = kind(LABELS, figures=["F1", "F1TNR"])
    names = scorer if isinstance(scorer, dict) else scorer.score_names
    assert list(names)[2:6] == ["F1_macro", "F1TNR_macro", "F1_zero", "F1TNR_zero"]
    results = cross_validate(
        GaussianNB(), X, y, cv=3, scoring=scorer, return_indices=True
    )
    train, test = (results["indices"][side][0] for side in ("train", "test"))
    y_pred = GaussianNB().fit(X[train], y[train]).predict(X[test])
    assert results["test_F1TNR_macro"][0] == tpr_tnr_f1_score(y[test], y_pred)
    table = per_class_scores(y[test], y_pred)
    assert results["test_F1_zero"][0] == table.loc["zero", "F1"]


def test_unknown_figure():
    with pytest.raises(ValueError, match="figures holds 'MCC'; known are TPR, TNR,"):
        per_class_scorers(LABELS, figures=["TPR", "MCC"])
