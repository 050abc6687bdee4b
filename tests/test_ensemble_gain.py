"""ensemble_gain: the spread between trainings, and what averaging adds."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import make_scorer, recall_score
from sklearn.tree import DecisionTreeClassifier

from emclassify import SeedEnsembleClassifier
from emclassify.model_selection import ensemble_gain


class Three:
    """Three members that say what is written here."""

    classes_ = np.array(["off", "on"])

    def fit(self, X, y):
        return self

    def member_probabilities(self, X):
        of_on = np.array([[0.9, 0.2, 0.4], [0.6, 0.9, 0.2], [0.6, 0.1, 0.7]])
        return np.stack([1 - of_on, of_on], axis=-1)


Y = np.array(["on", "off", "on"])


def test_by_hand():
    table = ensemble_gain(Three(), np.zeros((3, 1)), Y)
    assert table.columns.tolist() == ["accuracy", "neg_log_loss"]
    np.testing.assert_allclose(table["accuracy"].iloc[:3], [2 / 3, 1 / 3, 1])
    assert table.loc["mean", "accuracy"] == pytest.approx(2 / 3)
    assert table.loc["sd", "accuracy"] == pytest.approx(1 / 3)
    # The means of "on" are 0.7, 0.4 and 0.433: the third sample is missed.
    assert table.loc["ensemble", "accuracy"] == pytest.approx(2 / 3)
    assert table.loc["gain", "accuracy"] == pytest.approx(0)
    right = np.array([[0.9, 0.8, 0.4], [0.6, 0.1, 0.2], [0.6, 0.9, 0.7]])
    np.testing.assert_allclose(
        table["neg_log_loss"].iloc[:3], np.log(right).mean(axis=1)
    )
    together = np.log([0.7, 0.6, 1.3 / 3]).mean()
    assert table.loc["ensemble", "neg_log_loss"] == pytest.approx(together)
    # Log loss is convex: this gain can't be negative.
    assert table.loc["gain", "neg_log_loss"] == pytest.approx(
        together - np.log(right).mean()
    )


@pytest.mark.parametrize(
    ("scoring", "columns"),
    [
        ("accuracy", ["accuracy"]),
        (["roc_auc", "neg_log_loss"], ["roc_auc", "neg_log_loss"]),
        ({"recall of on": make_scorer(recall_score, pos_label="on")}, ["recall of on"]),
        (make_scorer(recall_score, pos_label="off"), ["score"]),
        (lambda estimator, X, y: len(X), ["score"]),
    ],
)
def test_forms_of_scoring(scoring, columns):
    table = ensemble_gain(Three(), np.zeros((3, 1)), Y, scoring=scoring)
    assert table.columns.tolist() == columns
    assert len(table) == 3 + 4
    assert not table.isna().any(axis=None)


def test_members_of_a_seed_ensemble():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    y = np.where(X[:, 0] + rng.normal(size=120) > 0, "on", "off")
    tree = DecisionTreeClassifier(max_features=1)
    trees = SeedEnsembleClassifier(tree, random_state=0).fit(X[:60], y[:60])
    table = ensemble_gain(trees, X[60:], y[60:], scoring="accuracy")
    alone = [member.score(X[60:], y[60:]) for member in trees.estimators_]
    np.testing.assert_allclose(table["accuracy"].iloc[:5].astype(float), alone)
    assert table.loc["ensemble", "accuracy"] == trees.score(X[60:], y[60:])


def test_other_ensembles_are_refused():
    with pytest.raises(TypeError, match="got RandomForestClassifier"):
        ensemble_gain(RandomForestClassifier(), np.zeros((3, 1)), Y)
