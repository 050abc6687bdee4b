"""Arrays that functions can't take are refused by the name of the parameter."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emclassify import find_duplicates, svm_baseline
from emclassify._groups import check_groups
from emclassify._incoming import plain_numbers
from emclassify.display import ConfusionMatricesDisplay
from emclassify.metrics import (
    coverage_risk_curve,
    label_confusion_matrix,
    per_class_scores,
    recall_at_fpr,
    tpr_tnr_f1_score,
)
from emclassify.model_selection import check_folds, corrected_resampled_ttest
from emclassify.prediction import pool_predictions
from emclassify.review import suggest_to_label, write_review_page

N = 12
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(N, 8, 8))
LABELS = np.tile(["a", "b", "c"], N // 3)
NUMBERS = RNG.random(N)
PROBA = RNG.dirichlet(np.ones(3), N)
PAIRS = pd.DataFrame({"first": [0, 2], "second": [1, 5]})
MATRIX = RNG.integers(0, 2, (N, 3))

FUNCTIONS = {
    coverage_risk_curve: {
        "y_true": LABELS,
        "y_pred": LABELS,
        "confidence": NUMBERS,
        "sample_weight": NUMBERS,
    },
    recall_at_fpr: {"y_true": np.arange(N) % 2, "y_score": NUMBERS, "max_fpr": 0.5},
    ConfusionMatricesDisplay.from_predictions: {
        "y_true": LABELS,
        "y_pred": {"SVM": LABELS},
        "labels": ["a", "b", "c"],
    },
    label_confusion_matrix: {"y_true": MATRIX, "y_pred": MATRIX},
    per_class_scores: {
        "y_true": LABELS,
        "y_pred": LABELS,
        "labels": ["a", "b"],
        "sample_weight": NUMBERS,
    },
    tpr_tnr_f1_score: {"y_true": LABELS, "y_pred": LABELS, "sample_weight": NUMBERS},
    pool_predictions: {"proba": PROBA, "groups": np.arange(N) // 2},
    corrected_resampled_ttest: {
        "scores_a": NUMBERS[:5],
        "scores_b": NUMBERS[5:10],
        "test_train_ratio": 0.25,
    },
    check_folds: {
        "y": LABELS,
        "folds": [(np.arange(6), np.arange(6, N)), (np.arange(6, N), np.arange(6))],
        "groups": np.repeat([0, 1], N // 2),
    },
    suggest_to_label: {
        "X": IMAGES,
        "n": 2,
        "embedding": RNG.normal(size=(N, 2)),
        "labelled": np.array([3]),
        "groups": np.arange(N) // 2,
        "duplicates": PAIRS,
        "random_state": 0,
    },
    write_review_page: {
        "images": IMAGES,
        "proba": PROBA,
        "target": LABELS,
        "classes": ["a", "b", "c"],
        "rejected": np.arange(N) > 6,
        "clusters": np.arange(N) // 4,
        "member_proba": np.stack([PROBA, PROBA]),
        "outlier_score": NUMBERS,
        "duplicates": PAIRS,
        "order": np.arange(5),
    },
}
RAGGED = [list(range(k % 3)) for k in range(N)]
NONE_FIRST = [None, *LABELS[1:].tolist()]
BAD = [
    (coverage_risk_curve, "y_true", NONE_FIRST),
    (coverage_risk_curve, "y_pred", RAGGED),
    (coverage_risk_curve, "confidence", np.full(N, "high")),
    (coverage_risk_curve, "confidence", np.full(N, None)),
    (coverage_risk_curve, "confidence", np.full(N, np.datetime64("2020-01-01"))),
    (coverage_risk_curve, "confidence", NUMBERS * 1j),
    (recall_at_fpr, "y_score", RAGGED),
    (recall_at_fpr, "y_score", NUMBERS * 1j),
    (recall_at_fpr, "y_true", [None] * N),
    (ConfusionMatricesDisplay.from_predictions, "y_true", NONE_FIRST),
    (ConfusionMatricesDisplay.from_predictions, "y_true", RAGGED),
    (ConfusionMatricesDisplay.from_predictions, "y_pred", {"SVM": NONE_FIRST}),
    (ConfusionMatricesDisplay.from_predictions, "labels", ["a", "a", "b"]),
    (ConfusionMatricesDisplay.from_predictions, "labels", ["a", None]),
    (label_confusion_matrix, "y_true", RAGGED),
    (label_confusion_matrix, "y_pred", np.full((N, 3), "yes")),
    (label_confusion_matrix, "y_pred", MATRIX * 2),
    (label_confusion_matrix, "y_pred", np.where(MATRIX, np.nan, 0)),
    (per_class_scores, "labels", ["a", None]),
    (per_class_scores, "sample_weight", [None] * N),
    (tpr_tnr_f1_score, "sample_weight", [np.nan] * N),
    (pool_predictions, "proba", np.full((N, 3), "high")),
    (pool_predictions, "proba", PROBA[0]),
    (pool_predictions, "proba", RAGGED),
    (pool_predictions, "groups", RAGGED),
    (pool_predictions, "groups", np.arange(N) * 1j),
    (corrected_resampled_ttest, "scores_a", ["x"] * 5),
    (corrected_resampled_ttest, "scores_b", RAGGED[:5]),
    (check_folds, "folds", []),
    (check_folds, "folds", iter([])),
    (check_folds, "folds", [None, None]),
    (check_folds, "folds", ["x"]),
    (check_folds, "groups", "abc"),
    (suggest_to_label, "X", []),
    (suggest_to_label, "embedding", np.full((N, 2), "x")),
    (suggest_to_label, "embedding", np.full((N, 2), np.nan)),
    (suggest_to_label, "labelled", RAGGED),
    (suggest_to_label, "duplicates", PAIRS[["first"]]),
    (suggest_to_label, "duplicates", PAIRS + 1000),
    (suggest_to_label, "duplicates", -PAIRS),
    (suggest_to_label, "duplicates", PAIRS * np.nan),
    (suggest_to_label, "duplicates", PAIRS.astype(str)),
    (write_review_page, "proba", np.full((N, 3), "x")),
    (write_review_page, "proba", PROBA * 1j),
    (write_review_page, "target", RAGGED),
    (write_review_page, "rejected", ["no"] * N),
    (write_review_page, "rejected", [None] * N),
    (write_review_page, "rejected", RAGGED),
    (write_review_page, "clusters", [None, *range(N - 1)]),
    (write_review_page, "member_proba", np.full((2, N, 3), np.nan)),
    (write_review_page, "member_proba", np.empty((0, N, 3))),
    (write_review_page, "member_proba", PROBA),
    (write_review_page, "member_proba", np.ones((2, N, 2))),
    (write_review_page, "outlier_score", ["far"] * N),
    (write_review_page, "outlier_score", [None] * N),
    (write_review_page, "duplicates", PAIRS + 1000),
    (write_review_page, "duplicates", -PAIRS - 1),
    (write_review_page, "duplicates", PAIRS.astype(str)),
    (write_review_page, "order", np.array([], dtype=int)),
    (write_review_page, "order", [0.5]),
    (write_review_page, "order", RAGGED),
]


def arguments(function, tmp_path):
    extra = {"path": tmp_path / "page.html"} if function is write_review_page else {}
    return FUNCTIONS[function] | extra


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__qualname__)
def test_what_is_good_is_taken(function, tmp_path):
    function(**arguments(function, tmp_path))


@pytest.mark.parametrize(("function", "name", "value"), BAD)
def test_what_is_bad_is_refused_by_name(function, name, value, tmp_path):
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        function(**arguments(function, tmp_path) | {name: value})
    assert not list(tmp_path.iterdir())


def test_plain_numbers():
    given = [True, decimal.Decimal("0.25"), np.float32(2), None, pd.NA]
    np.testing.assert_array_equal(
        plain_numbers(given, "score", finite=False), [1, 0.25, 2, np.nan, np.nan]
    )
    whole = pd.Series([1, pd.NA], dtype="Int64")
    np.testing.assert_array_equal(plain_numbers(whole, "s", finite=False), [1, np.nan])
    with pytest.raises(ValueError, match=r"score contains infinity at \(0, 1\)"):
        plain_numbers([[1, np.inf]], "score")
    day = np.array([datetime.date(2020, 1, 1)])
    with pytest.raises(ValueError, match=r"score must hold real numbers; got datetime"):
        plain_numbers(day, "score")


def test_groups_of_one_column_are_taken():
    np.testing.assert_array_equal(check_groups([["a"], ["b"]], 2), ["a", "b"])
    with pytest.raises(ValueError, match=r"groups has shape \(2, 2\)"):
        check_groups(np.ones((2, 2)), 2)


GREY = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
PLAIN = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "X holds no images"),
        ([PLAIN, None], "X has no image at place 1 .1 of 2 are missing.: None"),
        ([None, None], "X has no image at place 0 .2 of 2"),
        ([PLAIN, "b.png"], "X holds paths and other things: at place 0 is a ndarray"),
        (["a.png", None], "X has no path at place 1"),
        ([PLAIN.tolist(), [[1, 2], [3, 4]]], "X holds images of different sizes"),
        ([GREY, GREY.convert("P")], r"X\[1\] is a picture with a palette"),
    ],
)
def test_lists_with_something_else_among_the_images(X, message):
    with pytest.raises(ValueError, match=message):
        find_duplicates(X)
    with pytest.raises(ValueError, match=message):
        svm_baseline(families="thesis").fit(X, np.arange(len(X)))


def test_pictures_of_pillow_are_images():
    (pair,) = find_duplicates([GREY, PLAIN, GREY.rotate(45)]).itertuples()
    assert (pair.first, pair.second, pair.exact) == (0, 1, True)
