"""Confusion of several labels a sample, against counts by hand and loops."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.multiclass import OneVsRestClassifier

from emclassify.display import LabelConfusionDisplay
from emclassify.metrics import label_confusion_matrix

TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
FOUND = np.array([[1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0], [0, 0, 0]])


def test_cooccurrence_by_hand():
    # The second sample has labels 0 and 1 and is given 0 and 2: four cells.
    expected = [[2, 0, 2], [1, 1, 1], [0, 0, 0]]
    assert label_confusion_matrix(TRUTH, FOUND).tolist() == expected


def test_mistakes_by_hand():
    expected = [
        # Two found; 2 on top of 0 in the first sample.
        [2, 0, 1, 0],
        # Label 1 was taken for 2 in the second sample, and found in the third.
        [0, 1, 1, 0],
        # Missed, with nothing in its place.
        [0, 0, 0, 1],
        # No true label: 0 and 1 predicted, and once none.
        [1, 1, 0, 1],
    ]
    got = label_confusion_matrix(TRUTH, FOUND, kind="mistakes")
    assert got.tolist() == expected
    assert got.dtype.kind == "i"


def test_several_true_labels_share_a_wrong_one():
    got = label_confusion_matrix([[1, 1, 0]], [[1, 1, 1]], kind="mistakes")
    assert got.tolist() == [[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_normalised():
    rows = label_confusion_matrix(TRUTH, FOUND, normalize="true")
    np.testing.assert_allclose(rows, [[1, 0, 1], [0.5, 0.5, 0.5], [0, 0, 0]])
    # Label 0 is given three times, 1 and 2 twice.
    columns = label_confusion_matrix(TRUTH, FOUND, normalize="pred")
    np.testing.assert_allclose(columns, [[2 / 3, 0, 1], [1 / 3, 0.5, 0.5], [0, 0, 0]])
    mistakes = label_confusion_matrix(TRUTH, FOUND, kind="mistakes", normalize="true")
    np.testing.assert_allclose(mistakes.sum(axis=1), 1)
    np.testing.assert_allclose(mistakes[0], [2 / 3, 0, 1 / 3, 0])


def one_by_one(true, predicted, weight):
    """Count the samples as the paper's steps have them, each by itself."""
    n = true.shape[1]
    counts = np.zeros((n + 1, n + 1))
    for t, p, w in zip(true, predicted, weight, strict=True):
        t, p = set(np.flatnonzero(t)), set(np.flatnonzero(p))
        for label in t & p:
            counts[label, label] += w
        missed, wrong = t - p, p - t
        if missed and not wrong:
            cells = [(i, n) for i in missed]
        elif wrong and not missed:
            cells = [(i, j) for i in (t or {n}) for j in wrong]
        else:
            cells = [(i, j) for i in missed for j in wrong]
        if not t | p:
            cells = [(n, n)]
        for cell in cells:
            counts[cell] += w
    return counts


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 12), st.integers(2, 5))
def test_like_a_loop(data, n_samples, n_labels):
    matrices = arrays(np.int64, (n_samples, n_labels), elements=st.integers(0, 1))
    true, predicted = data.draw(matrices), data.draw(matrices)
    weight = data.draw(arrays(np.int64, n_samples, elements=st.integers(0, 3)))
    # scikit-learn refuses weights that are all 0.
    weight[0] += 1
    for given_weight, used in ((None, np.ones(n_samples)), (weight, weight)):
        params = {"sample_weight": given_weight}
        got = label_confusion_matrix(true, predicted, kind="mistakes", **params)
        np.testing.assert_allclose(got, one_by_one(true, predicted, used))
        got = label_confusion_matrix(true, predicted, **params)
        np.testing.assert_allclose(got, np.einsum("ni,nj,n->ij", true, predicted, used))


def test_one_label_a_sample_is_the_ordinary_matrix():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 4, (2, 50))
    matrices = np.eye(4, dtype=int)[true], np.eye(4, dtype=int)[predicted]
    expected = confusion_matrix(true, predicted)
    np.testing.assert_array_equal(label_confusion_matrix(*matrices), expected)
    got = label_confusion_matrix(*matrices, kind="mistakes")
    np.testing.assert_array_equal(got[:-1, :-1], expected)
    assert not got[-1].any()
    assert not got[:, -1].any()


@pytest.mark.parametrize(
    "as_given", [sparse.csr_matrix, pd.DataFrame, np.ndarray.tolist]
)
def test_kinds_of_input(as_given):
    got = label_confusion_matrix(as_given(TRUTH), as_given(FOUND))
    np.testing.assert_array_equal(got, label_confusion_matrix(TRUTH, FOUND))


@pytest.mark.parametrize(
    ("true", "predicted", "match"),
    [
        ([0, 1, 2], [0, 1, 1], "y_true must be an indicator matrix"),
        (TRUTH, FOUND[:, 0], "y_pred must be an indicator matrix"),
        (TRUTH, FOUND[:, :2], "3 labels and y_pred 2"),
        (TRUTH, FOUND[:3], "inconsistent numbers of samples"),
    ],
)
def test_bad_input(true, predicted, match):
    with pytest.raises(ValueError, match=match):
        label_confusion_matrix(true, predicted)


def test_bad_options():
    with pytest.raises(ValueError, match="kind"):
        label_confusion_matrix(TRUTH, FOUND, kind="both")
    with pytest.raises(ValueError, match="normalize"):
        label_confusion_matrix(TRUTH, FOUND, normalize="all")


def written(display):
    return {(t.get_position()[::-1], t.get_text()) for t in display.ax_.texts}


def test_display_writes_counts_and_shades_shares():
    display = LabelConfusionDisplay.from_predictions(
        TRUTH, FOUND, display_labels=["a", "b", "c"]
    )
    assert ((1, 0), "1") in written(display)
    assert ((2, 2), "0") in written(display)
    assert not any(cell == (0, 1) for cell, _ in written(display))
    np.testing.assert_allclose(display.im_.get_array()[1], [0.5, 0.5, 0.5])
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["a", "b", "c"]
    assert display.figure_ is display.ax_.figure


def test_display_of_mistakes_has_a_row_and_a_column_none():
    display = LabelConfusionDisplay.from_predictions(TRUTH, FOUND, kind="mistakes")
    assert display.display_labels == ["0", "1", "2", "none"]
    assert ((2, 3), "1") in written(display)


def test_display_from_estimator_on_given_axes():
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    y = (X > 0).astype(int)
    model = OneVsRestClassifier(LogisticRegression()).fit(X, y)
    _, ax = plt.subplots()
    display = LabelConfusionDisplay.from_estimator(model, X, y, ax=ax)
    assert display.ax_ is ax
    expected = label_confusion_matrix(y, model.predict(X))
    np.testing.assert_array_equal(display.confusion_matrix, expected)


def test_display_names_are_counted():
    with pytest.raises(ValueError, match="2 names for 3 labels"):
        LabelConfusionDisplay.from_predictions(TRUTH, FOUND, display_labels=["a", "b"])


def test_one_label_is_a_column():
    truth, found = [[1], [0], [1]], [[1], [1], [0]]
    assert label_confusion_matrix(truth, found).tolist() == [[1]]
    mistakes = label_confusion_matrix(truth, found, kind="mistakes")
    assert mistakes.tolist() == [[1, 1], [1, 0]]
    with pytest.raises(ValueError, match=r"of 0 and 1; got shape \(3, 1\)"):
        label_confusion_matrix([["a"], ["b"], ["a"]], found)
    with pytest.raises(ValueError, match=r"of 0 and 1; got shape \(3,\)"):
        label_confusion_matrix([1, 0, 1], found)
