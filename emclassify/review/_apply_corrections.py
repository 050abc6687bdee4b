"""Corrections of one person or several, back into a table of labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from os import PathLike, fspath
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import cohen_kappa_score

from emclassify._spelling import composed
from emclassify._text_table import read_text_table, refuse_packed, table_stem

__all__ = ["CorrectedLabels", "apply_corrections"]

_NEEDED = ("old_label", "new_label", "excluded")
_EXCLUDED = "(excluded)"
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no", "")


@dataclass(repr=False)
class CorrectedLabels:
    """What became of corrections; made by :func:`apply_corrections`.

    Attributes
    ----------
    table : DataFrame
        One row a sample, in the order of the labels given, with all their columns: the
        label (corrected), previous_label (what it was), excluded and history (who
        decided what, when). Where the labels given have been corrected before, history
        grows, previous_label is what it was at first, and what was excluded stays so
        until somebody decides again.
    history : DataFrame
        Every correction that came in, with its reviewer and what became of it: applied,
        confirmed, superseded (the same reviewer decided again) or conflict.
    conflicts : DataFrame
        Samples whose corrections were not applied: file (or index), label, reason, and
        what each reviewer says.
    agreement : DataFrame
        For each pair of reviewers, over the samples that both decided: n, agreement
        (the share of equal decisions) and kappa (Cohen's; NaN where it is undefined).

    Examples
    --------
    >>> import pandas as pd
    >>> from emclassify.review import apply_corrections
    >>> page = pd.DataFrame(
    ...     {"index": [1], "old_label": ["x"], "new_label": ["x"], "excluded": [True]}
    ... )
    >>> apply_corrections(["x", "x"], page).table["excluded"].tolist()
    [False, True]
    """

    table: pd.DataFrame
    history: pd.DataFrame
    conflicts: pd.DataFrame
    agreement: pd.DataFrame

    def __repr__(self):
        became = self.history["became"].value_counts()
        return (
            f"<CorrectedLabels: {len(self.table)} samples, "
            f"{became.get('applied', 0)} applied, "
            f"{became.get('confirmed', 0)} confirmed, "
            f"{int(self.table['excluded'].sum())} excluded, "
            f"{len(self.conflicts)} conflicts>"
        )

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write the table for ``load_image_folder(labels=path)``, without the excluded.

        Parameters
        ----------
        path : str or path-like
            It is plain text, so that names such as labels.csv.gz are refused.
        """
        from emclassify._whole_file import whole_file

        refuse_packed(path)
        kept = self.table[~self.table["excluded"]].drop(columns="excluded")
        with whole_file(path) as file:
            file.write(kept.to_csv(index=False).encode())


def apply_corrections(
    labels: pd.DataFrame | pd.Series | ArrayLike | str | PathLike[str],
    corrections: object,
    *,
    file_column: str = "file",
    label_column: str = "label",
) -> CorrectedLabels:
    """Put the corrections of one or several people into a table of labels.

    A correction is applied where the label is still what the reviewer saw, and all who
    decided on the sample say the same. All others are listed, and change nothing.

    Parameters
    ----------
    labels : DataFrame, path of a CSV file, Series or array-like of shape (n,)
        A table with a column of files and one of labels; or labels alone, whose
        samples are numbered (of a Series, the index names them). Labels are text;
        missing ones have none yet.
    corrections : path, DataFrame or list of these
        What :func:`write_review_page` pages save as ``corrections.csv``. Several are
        taken for those of several people, named by a column "reviewer", or else by the
        name of the file, with its folder where several have one name.
    file_column : str, default="file"
        Column of `labels` that names samples.
    label_column : str, default="label"
        Column of labels.

    Returns
    -------
    CorrectedLabels
        The new table with its history, conflicts, agreement of the reviewers.

    Raises
    ------
    ValueError
        If a table lacks a column, names a sample twice, or has one of the columns that
        are added; if corrections are of several data sets.

    See Also
    --------
    write_review_page : Where corrections come from.

    Notes
    -----
    Where one reviewer decided on a sample more than once, the latest counts. Cohen's
    kappa [1]_ takes exclusion for a class of its own.

    References
    ----------
    .. [1] J. Cohen, "A coefficient of agreement for nominal scales", Educational and
       Psychological Measurement 20, 37-46 (1960).

    Examples
    --------
    >>> import pandas as pd
    >>> from emclassify.review import apply_corrections
    >>> labels = pd.DataFrame({"file": ["a", "b", "c"], "label": ["x", "x", "y"]})
    >>> corrections = pd.DataFrame(
    ...     {
    ...         "file": ["a", "b"],
    ...         "old_label": ["x", "y"],
    ...         "new_label": ["y", "z"],
    ...         "excluded": ["false", "false"],
    ...     }
    ... )
    >>> found = apply_corrections(labels, corrections)
    >>> found
    <CorrectedLabels: 3 samples, 1 applied, 0 confirmed, 0 excluded, 1 conflicts>
    >>> found.table["label"].tolist()
    ['y', 'x', 'y']
    >>> found.conflicts["reason"].tolist()
    ['the label has changed meanwhile: it is x, the reviewer saw y']
    """
    table, key = _read_labels(labels, file_column, label_column)
    label = key.label
    history = _read_corrections(corrections, key.name)
    places = pd.Series(np.arange(len(table)), index=table[key.name])
    history["became"] = ""
    _supersede(history, key.name)
    valid = history["became"] == ""
    before = _add_columns(table, label)
    now_labels = table[label].tolist()
    conflicts = []
    for sample, rows in history[valid].groupby(key.name, sort=False):
        reason = None
        if sample not in places.index:
            reason, now = f"there is no sample {sample}", ""
        else:
            place = places[sample]
            now = now_labels[place]
            reason = _conflict(rows, now)
        if reason is not None:
            history.loc[rows.index, "became"] = "conflict"
            says = "; ".join(f"{r.reviewer}: {_decision(r)}" for r in rows.itertuples())
            conflicts.append((sample, now, reason, says))
            continue
        decision = rows.iloc[-1]
        changes = decision["excluded"] or decision["new_label"] != now
        history.loc[rows.index, "became"] = "applied" if changes else "confirmed"
        table.at[place, "excluded"] = bool(decision["excluded"])
        if not decision["excluded"]:
            table.at[place, label] = decision["new_label"]
        told = [before[place], *(_told(r, now) for r in rows.itertuples())]
        table.at[place, "history"] = "; ".join(filter(None, told))
    return CorrectedLabels(
        table.drop(columns=key.added),
        history,
        pd.DataFrame(conflicts, columns=[key.name, "label", "reason", "decisions"]),
        _agreement(history[valid], key.name),
    )


def _add_columns(table, label):
    """Add the columns of `CorrectedLabels.table` in place; return the history so far.

    Of corrected labels that come again, they stay as they are.
    """
    there = [c for c in ("previous_label", "excluded", "history") if c in table.columns]
    if not {"previous_label", "history"}.issubset(there):
        if there:
            raise ValueError(
                f"labels has a column {there[0]!r}, which is to say what became of "
                "corrections: rename it."
            )
        table["previous_label"] = table[label]
        table["history"] = ""
    table["history"] = ["" if pd.isna(v) else str(v) for v in table["history"]]
    if "excluded" in there:
        table["excluded"] = [_truth(v, "labels") for v in table["excluded"].tolist()]
    else:
        table.insert(table.columns.get_loc("history"), "excluded", False)
    return table["history"].tolist()


@dataclass
class _Key:
    """Which columns name samples and labels."""

    name: str
    label: str
    added: list


def _read_labels(labels, file_column, label_column):
    """Return a table of text, with a fresh index, and its key."""
    if isinstance(labels, str | PathLike):
        labels = read_text_table(labels)
    if isinstance(labels, pd.DataFrame):
        for column in (file_column, label_column):
            if column not in labels.columns:
                raise ValueError(
                    f"labels has no column {column!r}; it has "
                    f"{', '.join(map(str, labels.columns))}."
                )
        table = labels.reset_index(drop=True).copy()
        key = _Key(file_column, label_column, [])
    else:
        index = labels.index if isinstance(labels, pd.Series) else None
        values = np.asarray(labels, dtype=object)
        if values.ndim != 1:
            raise ValueError(f"labels has shape {values.shape}; one label a sample.")
        numbers = np.arange(len(values)) if index is None else index
        table = pd.DataFrame({"index": numbers, label_column: values})
        key = _Key("index", label_column, [])
    for column in (key.name, key.label):
        text = table[column].astype(object)
        table[column] = [("" if pd.isna(v) else str(v)) for v in text]
    # As pages have them.
    table[key.label] = table[key.label].map(composed)
    twice = table[key.name][table[key.name].duplicated()]
    if len(twice):
        raise ValueError(f"labels names the sample {twice.iloc[0]!r} more than once.")
    return table, key


def _read_corrections(corrections, name):
    """Return all corrections as one table of text, with a column of reviewers."""
    one = isinstance(corrections, str | PathLike | pd.DataFrame)
    sources = [corrections] if one else list(corrections)
    if not isinstance(sources, Sequence) or not sources:
        raise ValueError("corrections is empty: give a path, a DataFrame or a list.")
    parts = [
        _read_one(source, k, name, reviewer)
        for k, (source, reviewer) in enumerate(
            zip(sources, _reviewers(sources), strict=True)
        )
    ]
    table = pd.concat(parts, ignore_index=True)
    sets = sorted(set(table["dataset"]) - {""})
    if len(sets) > 1:
        raise ValueError(
            f"corrections are of {len(sets)} data sets ({', '.join(sets)}): they come "
            "from pages of different images. Apply each to its own labels."
        )
    return table


def _reviewers(sources):
    """Return a name for each source: of the file, where names repeat with its folder.

    Where these repeat too, all are numbered.
    """
    numbered = [f"reviewer {k + 1}" for k in range(len(sources))]
    paths = [None if isinstance(s, pd.DataFrame) else Path(s) for s in sources]

    def named(name_of):
        return [
            number if path is None else name_of(path)
            for number, path in zip(numbered, paths, strict=True)
        ]

    stems = named(table_stem)
    names = named(
        lambda path: (
            table_stem(path)
            if stems.count(table_stem(path)) == 1
            else f"{path.absolute().parent.name}/{table_stem(path)}"
        )
    )
    return names if len(set(names)) == len(names) else numbered


def _read_one(source, number, name, reviewer):
    if isinstance(source, pd.DataFrame):
        where, table = f"corrections[{number}]", source.copy()
    else:
        where, table = fspath(source), read_text_table(source)
    return check_corrections(table, where, name, reviewer)


def check_corrections(
    table: pd.DataFrame, where: str, name: str, reviewer: str
) -> pd.DataFrame:
    """Return a table of corrections with all its columns, or raise ValueError.

    Parameters
    ----------
    table : DataFrame
        Columns that it lacks are added to it.
    where : str
        What errors call it.
    name : str
        Column that names samples.
    reviewer : str
        Whose they are, where no column says so.
    """
    missing = [c for c in (name, *_NEEDED) if c not in table.columns]
    if missing:
        raise ValueError(
            f"{where} lacks the column {missing[0]!r}; a page saves {name}, "
            f"{', '.join(_NEEDED)}, note, time and dataset."
        )
    for column in ("note", "time", "dataset"):
        if column not in table.columns:
            table[column] = ""
    if "reviewer" not in table.columns:
        table["reviewer"] = reviewer
    columns = ["reviewer", name, *_NEEDED, "note", "time", "dataset"]
    table = table[columns].reset_index(drop=True)
    for column in columns:
        if column != "excluded":
            text = table[column].astype(object)
            table[column] = [("" if pd.isna(v) else str(v)) for v in text]
    table["excluded"] = [_truth(v, where) for v in table["excluded"].tolist()]
    blank = table.index[(table["new_label"] == "") & ~table["excluded"]]
    if len(blank):
        raise ValueError(
            f"{where}: the correction of {table[name][blank[0]]!r} has no new_label "
            "and excludes nothing."
        )
    return table


def _truth(value, where):
    text = "" if pd.isna(value) else str(value).lower()
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError(f"{where}: excluded must be true or false; got {value!r}.")


def _supersede(history, name):
    """Mark all but the latest of each reviewer's decisions on a sample."""
    order = history.reset_index().sort_values(["time", "index"], kind="stable")
    earlier = order.duplicated(["reviewer", name], keep="last")
    history.loc[order["index"][earlier], "became"] = "superseded"


def _conflict(rows, now):
    """Return why decisions on a sample can't be applied, or None."""
    decisions = {_decision(row) for row in rows.itertuples()}
    if len(decisions) > 1:
        return f"the reviewers disagree: {' or '.join(sorted(decisions))}"
    (wanted,) = decisions
    seen = [old for old in rows["old_label"] if old not in (now, "")]
    stale = [old for old in rows["old_label"] if old != now]
    if stale and wanted != now:
        shown = seen[0] if seen else "no label"
        return (
            f"the label has changed meanwhile: it is {now or 'missing'}, the reviewer "
            f"saw {shown}"
        )
    return None


def _decision(row):
    return _EXCLUDED if row.excluded else row.new_label


def _told(row, before):
    what = f"{before or 'no label'} → {_decision(row)}"
    if not row.excluded and row.new_label == before:
        what = f"{before} confirmed"
    extra = ", ".join(part for part in (row.reviewer, row.time, row.note) if part)
    return f"{what} ({extra})"


def _agreement(history, name):
    """Return n, agreement and kappa of each pair of reviewers."""
    decisions = {
        reviewer: pd.Series([_decision(r) for r in rows.itertuples()], index=rows[name])
        for reviewer, rows in history.groupby("reviewer", sort=False)
    }
    found = []
    for a, b in combinations(decisions, 2):
        both = pd.concat([decisions[a], decisions[b]], axis=1, join="inner")
        n = len(both)
        equal = float((both[0] == both[1]).mean()) if n else np.nan
        # Undefined where both name one and the same class throughout.
        alike = n == 0 or both.stack().nunique() < 2
        kappa = np.nan if alike else cohen_kappa_score(both[0], both[1])
        found.append((a, b, n, equal, kappa))
    columns = ["reviewer_a", "reviewer_b", "n", "agreement", "kappa"]
    return pd.DataFrame(found, columns=columns)
