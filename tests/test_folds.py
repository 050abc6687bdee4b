import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold

from emclassify.model_selection import MultilabelStratifiedGroupKFold, check_folds
from emclassify.model_selection.splits._folds import make_folds

Y = np.array(["full", "empty"] * 6)
GROUPS = np.repeat(["g1", "g2", "g3", "g4"], 3)


def test_table_counts():
    folds = [([0, 1, 2, 3, 4, 5], [6, 7, 8]), (np.arange(12) < 9, np.arange(12) >= 9)]
    table = check_folds(Y, folds, groups=GROUPS)
    assert table["n_train"].tolist() == [6, 9]
    assert table["n_test"].tolist() == [3, 3]
    assert table["groups_train"].tolist() == [2, 3]
    assert table["groups_test"].tolist() == [1, 1]
    assert table["train_full"].tolist() == [3, 5]
    assert table["test_full"].tolist() == [2, 1]
    assert table["test_empty"].tolist() == [1, 2]
    assert table.index.name == "fold"


def test_shared_group_is_refused_by_name():
    with pytest.raises(ValueError, match="Fold 0 has group g2 in both"):
        check_folds(Y, KFold(3).split(Y), groups=GROUPS)
    check_folds(Y, GroupKFold(4).split(Y, Y, GROUPS), groups=GROUPS)


def test_class_missing_from_training_is_refused_by_name():
    y = np.array(["a"] * 6 + ["rare"] * 2 + ["b"] * 4)
    folds = [([0, 1, 8, 6], [2, 9, 7]), ([0, 1, 8, 9], [2, 6, 10])]
    with pytest.raises(
        ValueError, match="Fold 1 has no sample of class rare in its tr"
    ):
        check_folds(y, folds)
    with pytest.warns(UserWarning, match="Fold 1 .* class rare in its training side"):
        check_folds(y, folds, on_missing_class="warn")


def test_class_missing_from_test_is_named():
    y = np.array(["a"] * 6 + ["rare"] * 2)
    with pytest.warns(
        UserWarning, match="Fold 0 has no sample of class rare in its te"
    ):
        table = check_folds(y, [([0, 1, 6], [2, 3]), ([0, 1, 6], [2, 7])])
    assert table["test_rare"].tolist() == [0, 1]


def test_sample_on_both_sides_or_tested_twice():
    with pytest.raises(ValueError, match="Fold 0 has sample 3 in both"):
        check_folds(Y, [([0, 1, 3], [3, 4])])
    with pytest.raises(ValueError, match="more than once in its test side"):
        check_folds(Y, [([0, 1, 3], [4, 4, 5])])


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (([0, 1], []), "empty training or test side"),
        (([0, 1], [12]), "y has samples 0 to 11"),
        (([0, 1], [-1]), "holds sample indices -1"),
        (([0.0, 1.0], [2.0]), "must hold sample indices; got float64"),
    ],
)
def test_bad_indices(fold, message):
    with pytest.raises(ValueError, match=message):
        check_folds(Y, [fold])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["g"] * 5, "groups has 5 entries for 12 samples"),
        (["g"] * 11 + [None], "groups is missing for sample 11"),
        ([1.0] * 11 + [np.nan], "groups is missing for sample 11"),
    ],
)
def test_bad_groups(groups, message):
    with pytest.raises(ValueError, match=message):
        check_folds(Y, [([0, 1], [2, 3])], groups=np.array(groups, dtype=object))


def test_bad_option():
    with pytest.raises(ValueError, match="on_missing_class must be"):
        check_folds(Y, [([0, 1], [2, 3])], on_missing_class="ignore")


def test_a_number_with_groups_keeps_groups_together():
    words, folds = make_folds(2, Y, Y, GROUPS)
    assert words == repr(StratifiedGroupKFold(2))
    for train, test in folds:
        assert not set(GROUPS[train]) & set(GROUPS[test])
    assert make_folds(3, Y, Y, None)[0].startswith("StratifiedKFold(n_splits=3")
    assert make_folds([([0, 1], [2, 3])], Y, Y, None)[0] == "the folds given"


def test_more_folds_than_groups():
    with pytest.raises(
        ValueError, match=r"than the number of groups|many as there are groups"
    ):
        make_folds(5, Y, Y, GROUPS)


def test_several_labels_a_sample():
    y = np.array([[1, 0], [1, 1], [0, 0], [0, 1], [1, 0], [0, 1]])
    table = check_folds(y, [([0, 1, 2, 3], [4, 5])])
    assert table.loc[0].tolist() == [4, 2, 2, 2, 1, 1]
    assert table.columns.tolist()[2:] == ["train_0", "train_1", "test_0", "test_1"]
    with pytest.raises(ValueError, match="Fold 0 has no sample of class 1 in its tra"):
        check_folds(y, [([0, 2, 4], [1, 3, 5])])
    with pytest.warns(UserWarning, match="Fold 0 has no sample of class 1 in its test"):
        check_folds(y, [([1, 3, 5, 4], [0, 2])])
    for groups in (None, [0, 0, 1, 1, 2, 2]):
        words, folds = make_folds(2, y, y, groups)
        assert words.startswith("MultilabelStratifiedGroupKFold(n_splits=2")
        expected = MultilabelStratifiedGroupKFold(2).split(y, y, groups)
        for (train, test), (train_, test_) in zip(folds, expected, strict=True):
            assert train.tolist() == train_.tolist()
            assert test.tolist() == test_.tolist()


def test_bytes_are_no_splitter():
    with pytest.raises(ValueError, match=r"cv must be a whole number.* got b'x'"):
        make_folds(b"x", Y, Y, None)
