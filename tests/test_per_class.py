import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from imblearn.metrics import specificity_score
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    balanced_accuracy_score,
    classification_report,
    f1_score,
    multilabel_confusion_matrix,
    precision_score,
    recall_score,
)

from emclassify.metrics import (
    negative_predictive_value_score,
    per_class_scores,
    per_class_scores_from_confusion_matrix,
    tpr_tnr_f1_score,
)

CONFUSION = np.array([[5, 1, 0], [2, 3, 1], [0, 0, 8]])


def labels_of(confusion, names="abc"):
    y_true = np.repeat(list(names), confusion.sum(axis=1))
    y_pred = np.concatenate([np.repeat(list(names), row) for row in confusion])
    return y_true, y_pred


def random_labels(seed=0, n=300):
    rng = np.random.RandomState(seed)
    y_true = rng.choice(["a", "b", "c", "d"], n, p=[0.6, 0.2, 0.15, 0.05])
    wrong = rng.uniform(size=n) < 0.3
    return y_true, np.where(wrong, rng.choice(["a", "b", "c", "d"], n), y_true)


def test_figures_by_hand():
    table = per_class_scores_from_confusion_matrix(CONFUSION, labels=list("abc"))
    expected = {
        "a": [5 / 6, 12 / 14, 5 / 7, 12 / 13, 10 / 13],
        "b": [3 / 6, 13 / 14, 3 / 4, 13 / 16, 6 / 10],
        "c": [1, 11 / 12, 8 / 9, 1, 16 / 17],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(table.loc[name].to_numpy()[:5], values, rtol=1e-14)
    assert table["support"].tolist() == [6, 6, 8, 20, 20, 20]
    assert table.loc["micro", "TPR"] == pytest.approx(16 / 20)
    assert table.loc["micro", "TNR"] == pytest.approx(36 / 40)
    assert table.loc["macro", "TPR"] == pytest.approx((5 / 6 + 1 / 2 + 1) / 3)
    assert table.loc["weighted", "NPV"] == pytest.approx(
        (6 * 12 / 13 + 6 * 13 / 16 + 8) / 20
    )
    assert table.index.tolist() == ["a", "b", "c", "macro", "weighted", "micro"]


def test_table_from_labels_equals_table_from_counts():
    pd.testing.assert_frame_equal(
        per_class_scores(*labels_of(CONFUSION)),
        per_class_scores_from_confusion_matrix(CONFUSION, labels=list("abc")),
    )


def test_data_frame_names_the_classes():
    frame = pd.DataFrame(CONFUSION, index=list("abc"), columns=list("abc"))
    table = per_class_scores_from_confusion_matrix(frame)
    assert table.index.tolist()[:3] == ["a", "b", "c"]


@pytest.mark.parametrize("weighted", [False, True])
def test_same_as_scikit_learn_and_imblearn(weighted):
    y_true, y_pred = random_labels()
    weight = np.random.RandomState(1).uniform(0.1, 2, 300) if weighted else None
    table = per_class_scores(y_true, y_pred, sample_weight=weight)
    report = classification_report(
        y_true, y_pred, sample_weight=weight, output_dict=True
    )
    rows = {"macro": "macro avg", "weighted": "weighted avg"}
    for name in [*"abcd", "macro", "weighted"]:
        row = report[rows.get(name, name)]
        assert table.loc[name, "TPR"] == pytest.approx(row["recall"], rel=1e-12)
        assert table.loc[name, "PPV"] == pytest.approx(row["precision"], rel=1e-12)
        assert table.loc[name, "F1"] == pytest.approx(row["f1-score"], rel=1e-12)
        assert table.loc[name, "support"] == pytest.approx(row["support"])
    # Not imblearn here: its specificity counts all samples as one where weights vary.
    counts = multilabel_confusion_matrix(y_true, y_pred, sample_weight=weight)
    specificity = counts[:, 0, 0] / counts[:, 0].sum(axis=1)
    np.testing.assert_allclose(table.loc[list("abcd"), "TNR"], specificity)
    if not weighted:
        for average in ("macro", "weighted", "micro"):
            expected = specificity_score(y_true, y_pred, average=average)
            assert table.loc[average, "TNR"] == pytest.approx(expected)
    assert table.loc["macro", "TPR"] == pytest.approx(
        balanced_accuracy_score(y_true, y_pred, sample_weight=weight)
    )


def test_npv_against_scikit_learn_counts():
    y_true, y_pred = random_labels(3)
    counts = multilabel_confusion_matrix(y_true, y_pred)
    expected = counts[:, 0, 0] / (counts[:, 0, 0] + counts[:, 1, 0])
    npv = negative_predictive_value_score(y_true, y_pred, average=None)
    np.testing.assert_allclose(npv, expected, rtol=1e-14)
    assert negative_predictive_value_score(y_true, y_pred) == pytest.approx(
        expected.mean()
    )
    table = per_class_scores(y_true, y_pred)
    for average in ("macro", "weighted", "micro"):
        assert negative_predictive_value_score(
            y_true, y_pred, average=average
        ) == pytest.approx(table.loc[average, "NPV"])


def test_npv_of_one_class_is_ppv_of_the_other():
    y_true, y_pred = random_labels(4)
    y_true, y_pred = y_true == "a", y_pred == "a"
    npv = negative_predictive_value_score(y_true, y_pred, average=None)
    ppv = precision_score(y_true, y_pred, average=None)
    np.testing.assert_allclose(npv, ppv[::-1])


def test_a_part_of_the_labels_counts_the_rest():
    y_true, y_pred = random_labels()
    everything = per_class_scores(y_true, y_pred)
    part = per_class_scores(y_true, y_pred, labels=["c", "a"])
    pd.testing.assert_frame_equal(part.loc[["c", "a"]], everything.loc[["c", "a"]])
    for average in ("macro", "weighted", "micro"):
        assert part.loc[average, "F1"] == pytest.approx(
            f1_score(y_true, y_pred, labels=["c", "a"], average=average)
        )


def test_target_names():
    table = per_class_scores([0, 1], [0, 1], target_names=["empty", "full"])
    assert table.index.tolist()[:2] == ["empty", "full"]
    with pytest.raises(ValueError, match="1 names for 2 classes"):
        per_class_scores([0, 1], [0, 1], target_names=["empty"])


@pytest.mark.parametrize("zero_division", [0, 1, np.nan])
def test_zero_division_as_scikit_learn(zero_division):
    y_true = ["a", "a", "b", "b"]
    y_pred = ["a", "a", "a", "a"]
    labels = ["a", "b", "never"]
    table = per_class_scores(y_true, y_pred, labels=labels, zero_division=zero_division)
    settings = {"labels": labels, "zero_division": zero_division}
    for figure, score in (
        ("TPR", recall_score),
        ("PPV", precision_score),
        ("F1", f1_score),
    ):
        np.testing.assert_array_equal(
            table.loc[labels, figure],
            score(y_true, y_pred, average=None, **settings),
        )
        for average in ("macro", "weighted", "micro"):
            np.testing.assert_allclose(
                table.loc[average, figure],
                score(y_true, y_pred, average=average, **settings),
            )
    # all predicted as "a": nothing is left to call "not a"
    np.testing.assert_equal(table.loc["a", "NPV"], float(zero_division))


def test_zero_division_warns_and_names_class_and_figure():
    with pytest.warns(UndefinedMetricWarning) as caught:
        table = per_class_scores(["a", "b"], ["a", "a"])
    messages = " ".join(str(w.message) for w in caught)
    assert "PPV is ill-defined and set to 0.0 for class b" in messages
    assert "NPV is ill-defined and set to 0.0 for class a" in messages
    assert table.loc["b", "PPV"] == 0
    with pytest.warns(UndefinedMetricWarning, match="NPV .* class a") as caught:
        negative_predictive_value_score(["a", "b"], ["a", "a"])
    assert len(caught) == 1


def test_fractional_weights_leave_exact_zeros():
    # 0.1 * 3 is not 0.3: a count found by subtraction would be 1e-17, not 0.
    y = ["a"] * 3
    table = per_class_scores(
        y, y, labels=["a", "b"], sample_weight=[0.1, 0.1, 0.1], zero_division=np.nan
    )
    assert np.isnan(table.loc["a", "TNR"])
    assert np.isnan(table.loc["a", "NPV"])
    assert table.loc["b", "TNR"] == 1


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda k: st.lists(
            st.lists(st.integers(0, 50), min_size=k, max_size=k),
            min_size=k,
            max_size=k,
        )
    )
)
def test_figures_are_shares_and_micro_is_accuracy(rows):
    confusion = np.array(rows)
    table = per_class_scores_from_confusion_matrix(confusion, zero_division=np.nan)
    values = table.drop(columns="support").to_numpy()
    known = values[~np.isnan(values)]
    assert ((known >= 0) & (known <= 1)).all()
    if confusion.sum():
        accuracy = np.trace(confusion) / confusion.sum()
        for figure in ("TPR", "PPV", "F1"):
            assert table.loc["micro", figure] == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"average": "binary"}, "average must be"),
        ({"zero_division": 2}, "zero_division must be"),
        ({"zero_division": "nan"}, "zero_division must be"),
        ({"labels": []}, "labels must be a non-empty"),
        ({"labels": ["a", "a"]}, "labels holds a more than once"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        negative_predictive_value_score(["a", "b"], ["a", "b"], **arguments)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("score", [per_class_scores, negative_predictive_value_score])
def test_missing_labels_are_named(score, missing):
    with pytest.raises(ValueError, match="y_true has no label for sample 1"):
        score(["a", missing, "b"], ["a", "b", "b"])
    with pytest.raises(ValueError, match="y_pred has no label for sample 2"):
        score(["a", "a", "b"], pd.Series(["a", "b", missing]))


@pytest.mark.parametrize(
    ("confusion", "message"),
    [
        ([[1, 2, 3], [4, 5, 6]], "must be square"),
        ([[1, -1], [0, 1]], "at least 0"),
        ([[1, np.nan], [0, 1]], "finite"),
        ([["1", "2"], ["3", "4"]], "only numbers"),
        (np.zeros((0, 0)), "at least one class"),
    ],
)
def test_bad_confusion_matrix(confusion, message):
    with pytest.raises(ValueError, match=message):
        per_class_scores_from_confusion_matrix(confusion)


def test_names_that_clash():
    with pytest.raises(ValueError, match="name of an average"):
        per_class_scores_from_confusion_matrix(np.eye(2), labels=["macro", "b"])
    with pytest.raises(ValueError, match="holds 3 names"):
        per_class_scores_from_confusion_matrix(np.eye(2), labels=list("abc"))


def test_f1_of_tpr_and_tnr_by_hand():
    y_true, y_pred = labels_of(CONFUSION)
    # TPR 5/6, 3/6, 8/8; TNR 12/14, 13/14, 13/14 - 1 of 12 others are taken for c
    tpr, tnr = np.array([5 / 6, 3 / 6, 1]), np.array([12 / 14, 13 / 14, 11 / 12])
    expected = 2 * tpr * tnr / (tpr + tnr)
    got = tpr_tnr_f1_score(y_true, y_pred, average=None)
    np.testing.assert_allclose(got, expected)
    mean = tpr_tnr_f1_score(y_true, y_pred)
    np.testing.assert_allclose(mean, expected.mean())
    matrix = pd.get_dummies(y_true).to_numpy(int), pd.get_dummies(y_pred).to_numpy(int)
    np.testing.assert_allclose(tpr_tnr_f1_score(*matrix, average=None), expected)


def test_f1_of_tpr_and_tnr_equals_that_of_other_libraries():
    y_true, y_pred = random_labels()
    tpr = recall_score(y_true, y_pred, average=None)
    tnr = specificity_score(y_true, y_pred, average=None)
    expected = 2 * tpr * tnr / (tpr + tnr)
    np.testing.assert_allclose(tpr_tnr_f1_score(y_true, y_pred, average=None), expected)


def test_f1_of_tpr_and_tnr_where_there_is_none():
    # Nothing found and nothing rejected: 0, without a warning.
    assert tpr_tnr_f1_score([0, 1], [1, 0]) == 0
    one_class = {"y_true": [0, 0], "y_pred": [0, 1], "labels": [0, 1]}
    with pytest.warns(UndefinedMetricWarning, match="F1TNR .* class 0, 1"):
        assert tpr_tnr_f1_score(**one_class) == 0
    assert np.isnan(tpr_tnr_f1_score(**one_class, zero_division=np.nan))
    with pytest.raises(ValueError, match="average must be"):
        tpr_tnr_f1_score([0, 1], [1, 0], average="mean")
