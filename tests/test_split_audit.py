"""What a split gives away."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.model_selection import KFold, LeaveOneGroupOut

from emclassify.model_selection import audit_split


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(size=(12, 20, 20))


FOLDS = [(np.arange(6), np.arange(6, 12)), (np.arange(6, 12), np.arange(6))]


def test_a_clean_split(images):
    audit = audit_split(images, np.arange(12) // 2, 3, y=np.arange(12) % 2)
    assert audit.clean
    assert str(audit) == "No pairs of images that show the same."
    assert "clean" in repr(audit)
    with pytest.raises(ValueError, match="pairs is empty"):
        audit.plot()


def test_copies_on_both_sides(images):
    images[8] = images[1]  # parted by both folds
    images[9] = np.fliplr(2 * images[1] + 1)  # so too
    images[4] = np.rot90(images[3])  # both in one side
    audit = audit_split(images, cv=FOLDS)
    assert not audit.clean
    pairs = audit.pairs.set_index(["first", "second"])
    assert pairs["folds"].to_dict() == {
        (1, 8): "0, 1",
        (1, 9): "0, 1",
        (8, 9): "",
        (3, 4): "",
    }
    assert audit.folds["copies"].tolist() == [2, 1]
    assert audit.folds["exact_copies"].tolist() == [1, 1]
    assert "In 2 of 2 folds, test images have copies" in str(audit)
    html = audit._repr_html_()
    assert "<p>In 2 of 2 folds, test images have copies" in html
    assert "<th>exact_copies</th>" in html


@pytest.mark.parametrize("n_different", [1, 200])
def test_all_of_many_copies_are_counted(n_different):
    # A hundred images are one, fifty on either side: more than are paired of each.
    images = np.random.default_rng(0).normal(size=(n_different, 16, 16))
    X = np.concatenate([[images[0]] * 50, images[1:], [images[0]] * 50])
    sides = np.arange(50), np.arange(len(X) - 50, len(X))
    audit = audit_split(X, cv=[sides, sides[::-1]])
    assert audit.folds["copies"].tolist() == [50, 50]
    assert audit.folds["exact_copies"].tolist() == [50, 50]
    assert not audit.clean
    # A copy of what is tested does no harm where it is in no training side.
    audit = audit_split(X, cv=[([60], sides[0])]) if n_different > 1 else audit
    assert audit.clean == (n_different > 1)


def test_groups_on_both_sides_and_classes_that_are_missing(images):
    groups = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2])
    y = np.array(["a"] * 6 + ["b"] * 6)
    audit = audit_split(images, groups, FOLDS, y=y)
    assert audit.folds["shared_groups"].tolist() == [1, 1]
    assert audit.folds["missing_train"].tolist() == ["b", "a"]
    assert not audit.clean
    said = "\n".join(audit.findings())
    assert "groups are on both sides (up to 1)" in said
    assert "Fold 0 has no image of class b in its training side." in said
    several = np.column_stack([y == "b", y == "a", np.arange(12) % 2]).astype(int)
    audit = audit_split(images, groups, FOLDS, y=several)
    assert audit.folds["missing_train"].tolist() == ["0", "1"]


def test_whole_numbers_keep_groups_together_with_and_without_labels(images):
    groups = np.arange(12) // 4
    for y in (None, np.arange(12) % 2):
        audit = audit_split(images, groups, 3, y=y)
        assert not audit.folds["shared_groups"].any()
    audit = audit_split(images, groups, LeaveOneGroupOut())
    assert len(audit.folds) == 3
    assert "shared_groups" not in audit_split(images, cv=KFold(4)).folds


def test_groups_of_a_pair(images):
    images[8] = images[1]
    audit = audit_split(images, np.arange(12), FOLDS)
    pair = audit.pairs.loc[0, ["group_first", "group_second"]]
    assert pair.tolist() == [1, 8]


def test_the_picture_shows_the_second_as_the_first(images):
    images[8] = np.rot90(images[1])
    images[4] = images[3]
    audit = audit_split(images, cv=FOLDS)
    display = audit.plot(across_only=True)
    assert display.axes_.shape == (1, 2)
    left, right = (ax.images[0].get_array() for ax in display.axes_[0])
    np.testing.assert_array_equal(left, right)
    assert audit.plot(n_pairs=1).axes_.shape == (1, 2)
    assert audit.plot().axes_.shape == (2, 2)
    plt.close("all")


def test_bad_groups(images):
    with pytest.raises(ValueError, match="groups has 3 entries for 12 samples"):
        audit_split(images, [0, 1, 2])
