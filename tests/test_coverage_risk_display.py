"""Coverage-risk curves as a picture."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import NearestCentroid
from sklearn.svm import SVC

from emclassify.display import CoverageRiskDisplay
from emclassify.metrics import area_under_coverage_risk, coverage_risk_curve
from emclassify.model_selection import RejectClassifierCV, benchmark_classifiers


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return X[:, :2], np.array(["setosa", "versicolor", "virginica"])[y]


def points(line):
    return np.column_stack(line.get_data())


def test_curve_known_by_hand():
    display = CoverageRiskDisplay.from_predictions(
        [1, 1, 0, 0], [1, 0, 0, 0], [0.9, 0.8, 0.7, 0.6], name="SVM", color="k"
    )
    (line,) = display.lines_
    expected = [[0, 0], [0.25, 0], [0.5, 0.5], [0.75, 1 / 3], [1, 0.25]]
    np.testing.assert_allclose(points(line), expected)
    # What is drawn between two points is what the area counts.
    assert line.get_drawstyle() == "steps-pre"
    area = (0 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    assert display.areas_ == {"SVM": pytest.approx(area)}
    assert line.get_color() == "k"


def test_weights_reach_the_curve():
    arrays = [1, 1, 0], [1, 0, 0], [0.9, 0.8, 0.7]
    display = CoverageRiskDisplay.from_predictions(*arrays, sample_weight=[3, 1, 0])
    np.testing.assert_allclose(
        points(display.lines_[0]), [[0, 0], [0.75, 0], [1, 1 / 4]]
    )


@pytest.mark.parametrize("model", [LogisticRegression(), SVC()])
def test_from_estimator(iris, model):
    X, y = iris
    model.fit(X[::2], y[::2])
    display = CoverageRiskDisplay.from_estimator(model, X[1::2], y[1::2])
    scores = getattr(model, "predict_proba", model.decision_function)(X[1::2])
    predicted = model.predict(X[1::2])
    confidence = scores[np.arange(75), np.searchsorted(model.classes_, predicted)]
    area = area_under_coverage_risk(y[1::2], predicted, confidence)
    assert display.areas_ == {type(model).__name__: pytest.approx(area)}


def test_several_on_one_axes(iris):
    X, y = iris
    one = LogisticRegression().fit(X, y)
    first = CoverageRiskDisplay.from_estimator(one, X, y, name="one")
    other = RejectClassifierCV(SVC(), max_error=0.4).fit(X, y)
    second = CoverageRiskDisplay.from_estimator(other, X, y, name="other", ax=first.ax_)
    assert second.ax_ is first.ax_
    assert second.figure_ is first.figure_
    labels = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert [label.split()[0] for label in labels] == ["one", "other"]
    # Nothing is rejected in the curve.
    final = points(second.lines_[0])[-1]
    assert final == pytest.approx([1, np.mean(other.estimator_.predict(X) != y)])


def test_from_result_pools_the_folds(iris):
    X, y = iris
    cv = StratifiedKFold(3)
    models = {"logistic": LogisticRegression(), "SVM": SVC()}
    result = benchmark_classifiers(models, X, y, cv=cv, n_bootstrap=10)
    display = CoverageRiskDisplay.from_result(result)
    assert list(display.areas_) == ["logistic", "SVM"]
    proba = cross_val_predict(models["logistic"], X, y, cv=cv, method="predict_proba")
    predicted = result.classes[proba.argmax(axis=1)]
    coverage, risk, _ = coverage_risk_curve(y, predicted, proba.max(axis=1))
    np.testing.assert_allclose(
        points(display.lines_[0])[1:], np.column_stack([coverage, risk])
    )


def test_models_that_are_never_sure_or_unsure(iris):
    class Labels(NearestCentroid):
        predict_proba = decision_function = property()

    X, y = iris
    with pytest.raises(ValueError, match="Labels has neither predict_proba nor"):
        CoverageRiskDisplay.from_estimator(Labels().fit(X, y), X, y)
    result = benchmark_classifiers({"centroid": Labels()}, X, y, n_bootstrap=10)
    with pytest.raises(ValueError, match="'centroid' has neither probabilities nor"):
        CoverageRiskDisplay.from_result(result)


def test_names_that_begin_with_an_underscore():
    display = CoverageRiskDisplay.from_predictions([0, 1], [0, 0], [0.9, 0.8], name="_")
    (text,) = display.ax_.get_legend().get_texts()
    assert text.get_text() == " _ (area 0.250)"
    assert list(display.areas_) == ["_"]
