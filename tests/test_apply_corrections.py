"""Corrections of one or several people, back into a table of labels."""

import numpy as np
import pandas as pd
import pytest

from emclassify.review import apply_corrections


@pytest.fixture
def labels():
    return pd.DataFrame(
        {
            "file": ["a.png", "b.png", "c.png", "d.png"],
            "label": ["cat", "cat", "dog", ""],
            "grid": ["1", "1", "2", "2"],
        }
    )


def rows(*decisions, **more):
    """Return corrections: (file, old, new[, excluded[, time]])."""
    table = [
        {
            "file": file,
            "old_label": old,
            "new_label": new,
            "excluded": str(rest[0]).lower() if rest else "false",
            "time": rest[1] if len(rest) > 1 else "2026-01-01T00:00:00Z",
            **more,
        }
        for file, old, new, *rest in decisions
    ]
    return pd.DataFrame(table)


def test_what_is_applied(labels):
    found = apply_corrections(
        labels,
        rows(
            ("a.png", "cat", "dog"),
            ("b.png", "cat", "cat"),
            ("c.png", "dog", "dog", True),
            ("d.png", "", "cat"),
        ),
    )
    table = found.table
    assert table["label"].tolist() == ["dog", "cat", "dog", "cat"]
    assert table["previous_label"].tolist() == ["cat", "cat", "dog", ""]
    assert table["excluded"].tolist() == [False, False, True, False]
    assert table["grid"].tolist() == ["1", "1", "2", "2"]
    assert table["history"][0].startswith("cat → dog (reviewer 1, 2026-01-01")
    assert table["history"][1].startswith("cat confirmed")
    became = ["applied", "confirmed", "applied", "applied"]
    assert found.history["became"].tolist() == became
    assert labels["label"].tolist() == ["cat", "cat", "dog", ""]


def test_conflicts_are_listed_and_change_nothing(labels):
    anna = rows(
        ("a.png", "cat", "dog"),
        ("b.png", "dog", "bird"),
        ("z.png", "cat", "dog"),
        ("c.png", "dog", "cat"),
        reviewer="anna",
    )
    ben = rows(("c.png", "dog", "bird"), ("a.png", "cat", "dog"), reviewer="ben")
    found = apply_corrections(labels, [anna, ben])
    assert found.table["label"].tolist() == ["dog", "cat", "dog", ""]
    reasons = found.conflicts.set_index("file")["reason"]
    assert "it is cat, the reviewer saw dog" in reasons["b.png"]
    assert "there is no sample z.png" in reasons["z.png"]
    assert "disagree: bird or cat" in reasons["c.png"]
    assert found.conflicts.set_index("file").at["c.png", "decisions"] == (
        "anna: cat; ben: bird"
    )
    # Nothing is lost: every row that came in has a fate.
    assert len(found.history) == 6
    assert set(found.history["became"]) == {"applied", "conflict"}


def test_a_label_that_is_already_right_is_no_conflict(labels):
    found = apply_corrections(labels, rows(("b.png", "dog", "cat")))
    assert len(found.conflicts) == 0
    assert found.history["became"].tolist() == ["confirmed"]


def test_the_latest_of_one_reviewer_counts(labels):
    corrections = rows(
        ("a.png", "cat", "bird", False, "2026-01-02T00:00:00Z"),
        ("a.png", "cat", "dog", False, "2026-01-01T00:00:00Z"),
    )
    found = apply_corrections(labels, corrections)
    assert found.table["label"][0] == "bird"
    assert found.history["became"].tolist() == ["applied", "superseded"]


def test_agreement_is_cohens_kappa(labels):
    # Of four, three agree; by chance 2/4·1/4 + 2/4·3/4 = 0.5 would.
    first = rows(*[(f, "", new) for f, new in zip("abcd", "xxyy", strict=True)])
    second = rows(*[(f, "", new) for f, new in zip("abcd", "xyyy", strict=True)])
    found = apply_corrections(
        pd.DataFrame({"file": list("abcd"), "label": [""] * 4}), [first, second]
    )
    row = found.agreement.iloc[0]
    assert (row["n"], row["agreement"]) == (4, 0.75)
    assert row["kappa"] == pytest.approx((0.75 - 0.5) / (1 - 0.5))
    alike = apply_corrections(
        pd.DataFrame({"file": ["a"], "label": ["x"]}),
        [rows(("a", "x", "x")), rows(("a", "x", "x"))],
    )
    assert np.isnan(alike.agreement["kappa"][0])


def test_files_and_numbers(labels, tmp_path):
    labels.to_csv(tmp_path / "labels.csv", index=False)
    rows(("a.png", "cat", "007")).to_csv(tmp_path / "anna.csv", index=False)
    found = apply_corrections(tmp_path / "labels.csv", tmp_path / "anna.csv")
    assert found.table["label"][0] == "007"
    assert found.history["reviewer"].tolist() == ["anna"]
    packed = tmp_path / "anna.csv.gz"
    rows(("a.png", "cat", "007")).to_csv(packed, index=False)
    found = apply_corrections(tmp_path / "labels.csv", packed)
    assert found.history["reviewer"].tolist() == ["anna"]
    found.to_csv(tmp_path / "new.csv")
    again = pd.read_csv(tmp_path / "new.csv", dtype=str, keep_default_na=False)
    assert again["label"].tolist() == ["007", "cat", "dog", ""]
    numbered = rows(("2", "1", "0")).rename(columns={"file": "index"})
    found = apply_corrections(np.array([0, 0, 1]), numbered)
    assert found.table["label"].tolist() == ["0", "0", "0"]


def test_files_of_one_name_are_of_different_people(labels, tmp_path):
    paths = []
    for who, label in (("anna", "dog"), ("ben", "bird")):
        (tmp_path / who).mkdir()
        paths.append(tmp_path / who / "corrections.csv")
        rows(("a.png", "cat", label)).to_csv(paths[-1], index=False)
    found = apply_corrections(labels, paths)
    assert found.history["became"].tolist() == ["conflict", "conflict"]
    names = ["anna/corrections", "ben/corrections"]
    assert found.history["reviewer"].tolist() == names
    found = apply_corrections(labels, [paths[0], paths[0]])
    assert found.history["reviewer"].tolist() == ["reviewer 1", "reviewer 2"]


def test_a_second_correction_keeps_the_first_history(labels, tmp_path):
    page = rows(("a.png", "cat", "dog"), ("b.png", "cat", "cat", True))
    first = apply_corrections(labels, page)
    second = apply_corrections(first.table, rows(("a.png", "dog", "bird")))
    told = second.table["history"][0].split("; ")
    assert [t.partition(" (")[0] for t in told] == ["cat → dog", "dog → bird"]
    assert second.table["history"][1] == first.table["history"][1]
    assert second.table["previous_label"].tolist() == ["cat", "cat", "dog", ""]
    assert second.table["excluded"].tolist() == [False, True, False, False]
    assert list(second.table.columns) == list(first.table.columns)
    first.to_csv(tmp_path / "labels.csv")
    again = apply_corrections(tmp_path / "labels.csv", rows(("a.png", "dog", "bird")))
    assert again.table["history"][0] == second.table["history"][0]
    for name in ("excluded", "history"):
        with pytest.raises(ValueError, match=f"a column '{name}'"):
            apply_corrections(labels.assign(**{name: "mine"}), page)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="old_label"), "lacks the column 'old_label'"),
        (lambda t: t.assign(excluded="maybe"), "excluded must be true or false"),
        (lambda t: t.assign(new_label=""), "has no new_label"),
        (lambda t: t.assign(dataset=["p", "q"]), "are of 2 data sets"),
    ],
)
def test_bad_corrections_are_named(labels, change, message):
    corrections = rows(("a.png", "cat", "dog"), ("b.png", "cat", "dog"))
    with pytest.raises(ValueError, match=message):
        apply_corrections(labels, change(corrections))


def test_bad_labels_are_named(labels):
    good = rows(("a.png", "cat", "dog"))
    with pytest.raises(ValueError, match="no column 'name'; it has file, label"):
        apply_corrections(labels, good, file_column="name")
    with pytest.raises(ValueError, match=r"'a\.png' more than once"):
        apply_corrections(pd.concat([labels, labels]), good)
    with pytest.raises(ValueError, match="corrections is empty"):
        apply_corrections(labels, [])


def test_labels_are_not_written_under_the_name_of_a_packed_file(labels, tmp_path):
    none = pd.DataFrame({c: [] for c in ("file", "old_label", "new_label", "excluded")})
    found = apply_corrections(labels, none)
    with pytest.raises(
        ValueError, match=r"labels\.csv\.gz: tables are written as plai"
    ):
        found.to_csv(tmp_path / "labels.csv.gz")
    assert not list(tmp_path.iterdir())
