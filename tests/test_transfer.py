"""transfer_matrix: figures by hand, nothing leaks, errors name the domain."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import binomtest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_blobs
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import (
    RepeatedStratifiedKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.utils import Bunch

from emclassify import svm_baseline
from emclassify.display import TransferMatrixDisplay
from emclassify.model_selection import BoundedThresholdClassifierCV, transfer_matrix


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class Midpoint(ClassifierMixin, BaseEstimator):
    """Calls "good" what is above the middle between the classes' means."""

    def fit(self, X, y):
        X, y = np.asarray(X)[:, 0], np.asarray(y)
        self.classes_ = np.unique(y)
        self.middle_ = np.mean([X[y == c].mean() for c in self.classes_])
        return self

    def predict(self, X):
        return self.classes_[(np.asarray(X)[:, 0] > self.middle_).astype(int)]


def on_a_line(bad, good):
    return np.r_[bad, good][:, np.newaxis].astype(float), np.repeat(
        ["bad", "good"], [len(bad), len(good)]
    )


def blobs(n=120, *, shift=0.0, centers=2, groups=True, seed=0):
    X, y = make_blobs(n, centers=centers, cluster_std=2.0, random_state=seed)
    group = X[:, 1].argsort().argsort() // 10  # mistakes come in groups, too
    return (X + shift, y, group) if groups else (X + shift, y)


def test_by_hand():
    # Trained on A, the middle is 5; on B it is 9.
    domains = {
        "A": on_a_line([0, 0, 0, 0], [10, 10, 10, 10]),
        "B": on_a_line([4, 4, 6, 6], [13, 13, 13, 13]),
    }
    result = transfer_matrix(Midpoint(), domains, cv=2, pos_label="good")
    assert result.metrics == ["accuracy", "FNR", "FPR"]
    assert result.pos_label == "good"
    np.testing.assert_array_equal(result.matrix("FPR"), [[0, 0.5], [0, 0]])
    np.testing.assert_array_equal(result.matrix("FNR"), [[0, 0], [0, 0]])
    np.testing.assert_array_equal(result.matrix(), [[1, 0.75], [1, 1]])
    assert result.confusion_matrix("A", "B").to_numpy().tolist() == [[2, 2], [0, 4]]
    other = transfer_matrix(Midpoint(), domains, cv=2, pos_label="bad")
    assert other.matrix("FNR").loc["A", "B"] == 0.5
    frame = result.to_frame()
    assert frame.columns.tolist()[:6] == [
        "train",
        "test",
        "n_test",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
    ]
    exact = binomtest(2, 4).proportion_ci(0.95, "exact")
    row = frame[(frame["train"] == "A") & (frame["test"] == "B")].iloc[0]
    assert (row["FPR_low"], row["FPR_high"]) == pytest.approx((exact.low, exact.high))


def test_the_diagonal_is_out_of_fold():
    X, y = blobs(groups=False)
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    result = transfer_matrix(GaussianNB(), {"A": (X, y), "B": (X + 1, y)}, cv=cv)
    expected = cross_val_predict(GaussianNB(), X, y, cv=cv) == y
    assert result.matrix().loc["A", "A"] == pytest.approx(expected.mean())
    # What it has learnt by heart, it knows in the other domain only.
    noise = np.random.default_rng(0).integers(0, 2, len(y))
    domains = {"A": (X, noise), "copy": (X, noise)}
    found = transfer_matrix(KNeighborsClassifier(1), domains).matrix()
    assert found.loc["A", "A"] < 0.7
    assert found.loc["A", "copy"] == 1.0


def test_repeated_folds_make_no_more_samples():
    X = np.repeat([0.0, 5.0, 9.0], 15)[:, np.newaxis]
    X += np.linspace(0, 1, 45)[:, np.newaxis]
    y = np.repeat([0, 1, 2], 15)
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=10, random_state=0)
    row = transfer_matrix(GaussianNB(), {"a": (X, y)}, cv=cv).to_frame().iloc[0]
    assert row["n_test"] == 450
    # 45 samples without a mistake, one of two ends.
    assert row["accuracy_low"] == pytest.approx(0.025 ** (1 / 45))
    once = transfer_matrix(GaussianNB(), {"a": (X, y)}).to_frame().iloc[0]
    for metric in ("accuracy_low", "F1_macro_low"):
        assert row[metric] == pytest.approx(once[metric])
    few = transfer_matrix(GaussianNB(), {"a": (X[:30], y[:30])}, cv=cv).to_frame()
    assert few["FNR_high"].item() == pytest.approx(1 - 0.025 ** (1 / 15))


def test_groups_stay_together():
    # A group tells the label: torn, a nearest neighbour would know it.
    rng = np.random.default_rng(0)
    label, place = rng.integers(0, 2, 30), rng.uniform(size=(30, 2))
    groups = np.repeat(np.arange(30), 5)
    domain = (place[groups] + 1e-6 * rng.normal(size=(150, 2)), label[groups])
    by_heart = KNeighborsClassifier(1)
    shuffled = StratifiedKFold(5, shuffle=True, random_state=0)
    torn = transfer_matrix(by_heart, {"A": domain}, cv=shuffled).matrix().iloc[0, 0]
    kept = transfer_matrix(by_heart, {"A": (*domain, groups)}).matrix().iloc[0, 0]
    assert torn > 0.95
    assert kept < 0.75


def test_forms_of_domains_and_a_choice_to_train_on():
    X, y, groups = blobs()
    bunch = Bunch(images=X, target=y, groups=groups)
    result = transfer_matrix(
        GaussianNB(),
        {"tuple": (X, y, groups), "bunch": bunch, "data": Bunch(data=X, target=y)},
        train_on="bunch",
    )
    assert result.train_domains == ["bunch"]
    assert result.test_domains == ["tuple", "bunch", "data"]
    frame = result.to_frame().set_index("test")
    assert frame.loc["tuple", "accuracy"] == frame.loc["data", "accuracy"]
    # The same figure, in groups and not.
    assert frame.loc["tuple", "accuracy_low"] < frame.loc["data", "accuracy_low"]
    assert frame.loc["bunch", "n_test"] == len(y)


def test_more_than_two_classes():
    X, y, groups = blobs(150, centers=3)
    labels = np.array(["a", "b", "macro"])[y]
    domains = {"A": (X, labels, groups), "B": (X + 0.5, labels)}
    result = transfer_matrix(GaussianNB(), domains, random_state=0)
    assert result.metrics == ["accuracy", "F1_macro"]
    predicted = GaussianNB().fit(X, labels).predict(X + 0.5)
    row = result.to_frame().iloc[1]
    assert row["F1_macro"] == pytest.approx(
        f1_score(labels, predicted, average="macro")
    )
    assert row["F1_macro_low"] < row["F1_macro"] < row["F1_macro_high"]
    again = transfer_matrix(GaussianNB(), domains, random_state=0)
    assert again.to_frame().equals(result.to_frame())
    assert result.confusion_matrix("A", "B").index.tolist() == ["a", "b", "macro"]
    one_group = transfer_matrix(
        GaussianNB(), {"A": domains["A"], "B": (X, labels, np.zeros(150))}, train_on="A"
    )
    assert np.isnan(one_group.matrix("F1_macro_low").loc["A", "B"])


def test_groups_reach_the_estimator_and_jobs_change_nothing(capsys):
    domains = {"A": blobs(), "B": blobs(shift=0.5)}
    clf = BoundedThresholdClassifierCV(LogisticRegression(), max_fpr=0.1, cv=3)
    result = transfer_matrix(clf, domains, cv=3, verbose=2)
    shown = capsys.readouterr().err
    assert "8/8" in shown
    assert "B to the others" in shown
    assert (result.matrix("FPR") < 0.4).all(axis=None)
    with parallel_config(backend="threading"):
        same = transfer_matrix(clf, domains, cv=3, n_jobs=2)
    assert same.to_frame().equals(result.to_frame())
    assert "trained on 2, tested on 2 domains" in repr(same)


class Learner(GaussianNB):
    """Says that it has not learnt enough where there are copies."""

    def fit(self, X, y):
        super().fit(X, y)
        self.converged_ = np.unique(X).size == X.size
        return self


def test_networks_that_still_learn_are_told_once():
    domains = {"A": blobs(), "B": blobs(shift=1), "C": blobs(shift=2)}
    X, _, groups = domains["B"]
    X[groups == 0] = 0  # out of one training side of three
    with pytest.warns(ConvergenceWarning) as caught:
        transfer_matrix(Learner(), domains, cv=3)
    (warning,) = caught
    assert warning.filename == __file__
    assert str(warning.message).startswith(
        "Learner was still learning in 3 of 4 trainings on B, and may not be trained "
        "enough to be compared. Raise max_epochs"
    )


def test_notebooks_show_the_accuracies():
    domains = {"A": blobs(), "<B>": blobs(shift=1)}
    result = transfer_matrix(GaussianNB(), domains)
    html = result._repr_html_()
    for value in result.matrix().to_numpy().ravel():
        assert f"<td>{value:.3f}</td>" in html
    assert "&lt;B&gt;" in html
    assert "<B>" not in html


def test_plot():
    result = transfer_matrix(GaussianNB(), {"A": blobs(), "B": blobs(shift=1)})
    display = result.plot()
    assert [ax.get_title() for ax in display.axes_] == [
        "accuracy",
        "false-negative rate",
        "false-positive rate",
    ]
    texts = [text.get_text() for text in display.axes_[2].texts]
    value, low = (result.matrix(m).loc["A", "B"] for m in ("FPR", "FPR_low"))
    assert texts[2] == f"{value:.3f}"
    assert texts[3].startswith(f"{low:.3f}–")
    unknown = TransferMatrixDisplay(
        {"FNR": [[np.nan]]}, train_domains=["A"], test_domains=["B"]
    ).plot()
    (dash,) = unknown.axes_[0].texts
    assert (dash.get_text(), dash.get_color()) == ("–", "black")
    figure, ax = plt.subplots()
    assert result.plot("FNR", axes=ax).figure_ is figure
    with pytest.raises(ValueError, match=r"axes holds 1 axes for 3 metrics"):
        result.plot(axes=ax)
    with pytest.raises(ValueError, match="metrics holds 'F1', which"):
        TransferMatrixDisplay.from_result(result, ["F1"])


A = blobs()
TWO = {"A": A, "B": A}


@pytest.mark.parametrize(
    ("domains", "settings", "message"),
    [
        ({}, {}, "domains must be a non-empty"),
        ([A], {}, "domains must be a non-empty"),
        ({"A": A[0]}, {}, "Domain 'A' must be"),
        ({"A": A, "B": (A[0], A[1][:-1])}, {}, "Domain 'B': .*inconsistent"),
        ({"A": A, "B": (A[0], 0 * A[1])}, {}, "Domain 'B': .* one class only, .0."),
        ({"A": A, "B": (A[0], A[1] + 1)}, {}, "Domain 'B' has the classes .1, 2., dom"),
        (
            {"A": A, "B": (A[0], A[1].astype(str))},
            {},
            "Domain 'B' has the classes ..0'",
        ),
        ({"A": A, "B": (*A[:2], A[2][:5])}, {}, "Domain 'B': groups has 5 entries"),
        ({"A": (A[0], A[1] * 1.5)}, {}, "Domain 'A': Unknown label type"),
        (TWO, {"train_on": "C"}, "train_on must name domains, which are .'A', 'B'."),
        (TWO, {"train_on": []}, "train_on must name domains"),
        (TWO, {"pos_label": 5}, "pos_label=5 is not among the classes .0, 1."),
        (TWO, {"cv": [([0], [1])]}, "cv must be a whole number or a splitter"),
        (TWO, {"cv": 100}, "Domain 'A': "),
        (TWO, {"confidence_level": 2}, "confidence_level must be between"),
        ({"A": blobs(centers=3)}, {"pos_label": 1}, "is for two classes; .* have 3"),
        ({"A": on_a_line([1, 2], [3, 4])}, {"cv": 2}, "pos_label"),
    ],
)
def test_refused(domains, settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        transfer_matrix(DummyClassifier(), domains, **settings)


def test_what_is_no_classifier():
    for thing in (SVC, "SVC"):
        with pytest.raises(TypeError, match="estimator must be a classifier"):
            transfer_matrix(thing, TWO)


def test_images_of_another_shape_name_the_domain():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 10)
    small, large = rng.normal(size=(20, 8, 8)), rng.normal(size=(20, 9, 9))
    with pytest.raises(ValueError, match=r"Domain 'large, tested .* small': .*\(9, 9"):
        transfer_matrix(
            svm_baseline(), {"small": (small, y), "large": (large, y)}, cv=2
        )


def test_a_fit_that_fails_names_the_domain():
    X, y, groups = A
    broken = np.where(np.arange(len(y))[:, np.newaxis] == 3, np.nan, X)
    with pytest.raises(ValueError, match="NaN") as error:
        transfer_matrix(SVC(), {"broken": (broken, y, groups), "whole": A})
    assert "trained on broken" in error.value.__notes__[0]
