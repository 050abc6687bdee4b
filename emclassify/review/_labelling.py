"""From no labels to a classifier, round by round: suggest, label, train, and again."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from emclassify._text_table import read_text_table, table_bytes, table_stem
from emclassify._whole_file import whole_file
from emclassify.review._apply_corrections import (
    CorrectedLabels,
    apply_corrections,
    check_corrections,
)
from emclassify.review._curve_picture import curve_picture
from emclassify.review._folder_images import FolderImages
from emclassify.review._folder_page import judge, review_folder
from emclassify.review._page_file import dataset_of
from emclassify.review._suggest_to_label import SIMILAR, embed, suggest_to_label

__all__ = ["DECISIONS", "Labelling", "read_decisions"]

# Of a class, so that a model can learn it and be tried on it.
FEWEST = 3
DECISIONS = "decisions.jsonl"
CORRECTIONS = "corrections"
CURVE = "learning_curve.png"


@dataclass
class Labelling:
    """The rounds of labelling a folder of images; all that is known lies in files.

    A round is a folder with the page to label on, the corrections that came of it, the
    model and what was known when it began. It appears when it is complete, so that
    nothing is lost where the process ends in between.

    Parameters
    ----------
    out : Path
        Folder of the rounds.
    folder : FolderImages
    classes : list of str
        Labels to choose from.
    make_model : callable
        Returns an unfitted classifier for images.
    n : int
        Suggestions a round.
    n_folds, random_state, n_jobs, verbose
        Of the trial of a model, out of fold.
    title : str
        Heading of the pages.
    """

    out: Path
    folder: FolderImages
    classes: list[str]
    make_model: Callable[[np.ndarray], BaseEstimator]
    n: int = 50
    n_folds: int = 5
    random_state: int = 0
    n_jobs: int | None = None
    verbose: int = 0
    title: str = "Labelling"

    def __post_init__(self) -> None:
        """Refuse rounds that have no file of the folder."""
        if not (rounds := self.rounds()):
            return
        files = read_text_table(rounds[-1] / "labels.csv")["file"]
        if not files.isin(self.folder.files).any():
            raise ValueError(
                f"{self.out} holds rounds of another folder: it knows "
                f"{files.iloc[0]!r}, and this one has {self.folder.files[0]!r}. Give "
                "each folder an --out of its own."
            )

    def rounds(self) -> list[Path]:
        """Return the folders of the rounds so far."""
        return sorted(self.out.glob("round-[0-9][0-9][0-9]"))

    def page(self) -> Path:
        """Return the page of the last round."""
        return self.rounds()[-1] / "index.html"

    def add(self, corrections: Iterable[str | os.PathLike[str]]) -> None:
        """Keep copies of saved corrections with the last round.

        Raises
        ------
        ValueError
            If a file is of another data set than the pages, or has a label that is no
            class.
        """
        copies, tables = [], _corrections_of(self.rounds()[-1])
        here = self.rounds()[-1] / CORRECTIONS
        known = {
            json.loads((r / "round.json").read_text())["dataset"] for r in self.rounds()
        }
        for source in map(Path, corrections):
            content = table_bytes(source)
            table = read_text_table(source, content=content)
            others = set(table.get("dataset", pd.Series(dtype=str))) - known - {""}
            if others:
                raise ValueError(
                    f"{source} holds corrections of another data set than the pages in "
                    f"{self.out}; nothing was taken from it."
                )
            table = check_corrections(table, str(source), "file", str(source))
            new = table.loc[~table["excluded"].astype(bool), "new_label"]
            strange = new[~new.isin(self.classes)]
            if len(strange):
                raise ValueError(
                    f"{source} has the label {strange.iloc[0]!r}, which is none of "
                    f"{', '.join(self.classes)}; nothing was taken from it. If it is "
                    "right, add it to --classes."
                )
            copies.append((table_stem(source), content))
            tables.append(_of_any_round(table).assign(reviewer=str(source)))
        if tables:
            # As `labels` will: nothing is kept that would stop all later runs.
            apply_corrections(self._base(), tables)
        here.mkdir(exist_ok=True)
        for stem, content in copies:
            path, number = here / f"{stem}.csv", 1
            while path.exists() and path.read_bytes() != content:
                number += 1
                path = here / f"{stem}-{number}.csv"
            with whole_file(path) as file:
                file.write(content)

    def n_decisions(self) -> int:
        """Return how many decisions of the last round there are."""
        return sum(len(table) for table in _corrections_of(self.rounds()[-1]))

    def labels(self) -> CorrectedLabels:
        """Return the labels after the corrections of all rounds."""
        table, excluded = self._base(), np.zeros(len(self.folder.files), dtype=bool)
        parts = []
        for one in self.rounds():
            if not (corrections := _corrections_of(one)):
                continue
            found = apply_corrections(table, corrections)
            decided = found.table["history"].to_numpy() != ""
            now = found.table["excluded"].to_numpy(bool)
            excluded = np.where(decided, now, excluded)
            table = found.table[["file", "label"]]
            parts.append(found)
        table = table.assign(excluded=excluded)
        return CorrectedLabels(
            table,
            *(
                pd.concat([getattr(p, name) for p in parts], ignore_index=True)
                if parts
                else pd.DataFrame()
                for name in ("history", "conflicts", "agreement")
            ),
        )

    def next_round(self) -> dict[str, Any]:
        """Train on what is labelled, suggest what comes next, and write its page.

        Returns
        -------
        dict
            What is known now: round, n_labels, n_of_class, left_out (classes with too
            few labels to learn), macro_f1 with its interval, n_conflicts, dataset.
        """
        number = len(self.rounds()) + 1
        self.out.mkdir(parents=True, exist_ok=True)
        part = self.out / f".round-{number:03d}.part"
        shutil.rmtree(part, ignore_errors=True)
        found = self.labels()
        labels = found.table["label"].to_numpy(object)
        excluded = found.table["excluded"].to_numpy(bool)
        labelled = labels != ""
        usable = labelled & ~excluded & self.folder.readable
        counts = (
            pd.Series(labels[usable]).value_counts().reindex(self.classes, fill_value=0)
        )
        taught = [name for name in self.classes if counts[name] >= FEWEST]
        known = {
            "round": number,
            "n_labels": int(usable.sum()),
            "n_of_class": {name: int(counts[name]) for name in self.classes},
            "left_out": [c for c in self.classes if 0 < counts[c] < FEWEST],
            "n_classes": len(taught),
            "n_conflicts": len(found.conflicts),
        }
        judged, proba = None, None
        if len(taught) >= 2:
            learnt = [
                name if ok and name in taught else None
                for name, ok in zip(labels, usable, strict=True)
            ]
            judged = judge(
                self.make_model(self.folder.images),
                replace(self.folder, labels=np.array(learnt, dtype=object)),
                n_folds=self.n_folds,
                random_state=self.random_state,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
            )
            macro = judged.result.summary().loc[("model", "macro")]
            known |= {
                "macro_f1": round(float(macro["F1"]), 4),
                "macro_f1_low": round(float(macro["F1_low"]), 4),
                "macro_f1_high": round(float(macro["F1_high"]), 4),
            }
            proba = np.zeros((len(labels), len(self.classes)))
            proba[:, [self.classes.index(c) for c in judged.classes]] = judged.proba
        settings = self._suggestions(labelled | excluded, proba)
        page = review_folder(
            replace(self.folder, labels=np.where(labelled, labels, None)),
            proba,
            self.classes,
            part,
            title=f"{self.title}: round {number}",
            pixel_size=self.folder.pixel_size,
            verbose=self.verbose,
            **settings,
        )
        known["dataset"] = dataset_of(page)
        if judged is not None:
            from emclassify.persistence import save

            save(
                judged.model,
                part / "model.emc",
                card={k: v for k, v in known.items() if k != "dataset"},
            )
        found.table.to_csv(part / "labels.csv", index=False)
        found.conflicts.to_csv(part / "conflicts.csv", index=False)
        found.agreement.to_csv(part / "agreement.csv", index=False)
        (part / "round.json").write_text(json.dumps(known, indent=1), encoding="utf-8")
        part.rename(self.out / f"round-{number:03d}")
        with whole_file(self.out / "learning_curve.csv") as file:
            file.write(self.curve().to_csv(index=False).encode())
        self._draw_curve()
        with whole_file(self.out / "labels.csv") as file:
            kept = found.table[~excluded & labelled].drop(columns="excluded")
            file.write(kept.to_csv(index=False).encode())
        return known

    def curve(self) -> pd.DataFrame:
        """Return numbers of labels and macro-F1 of the rounds so far.

        Rounds compare where as many classes have labels enough to learn (n_classes).
        """
        columns = ["round", "n_labels", "n_classes", "macro_f1"]
        columns += ["macro_f1_low", "macro_f1_high"]
        rows = [
            json.loads((r / "round.json").read_text("utf-8")) for r in self.rounds()
        ]
        return pd.DataFrame(rows).reindex(columns=columns)

    def _draw_curve(self):
        figure = curve_picture(self.curve())
        if figure is not None:
            with whole_file(self.out / CURVE) as file:
                figure.savefig(file, format="png", dpi=150)

    def _base(self):
        labels = ["" if label is None else label for label in self.folder.labels]
        return pd.DataFrame({"file": self.folder.files, "label": labels})

    def _suggestions(self, done, proba):
        """Return the settings of the page that say what to label first."""
        readable = np.flatnonzero(self.folder.readable)
        free = readable[~done[readable]]
        points, pairs = self._seen_once()
        pairs_of_files = pairs.assign(
            first=readable[pairs["first"]], second=readable[pairs["second"]]
        )
        settings = {"duplicates": pairs_of_files if len(pairs) else None}
        if len(free) == 0:
            return settings
        groups = self.folder.groups
        table = suggest_to_label(
            self.folder.images,
            min(self.n, len(free)),
            None if proba is None else _Said(proba[free]),
            labelled=done[readable],
            groups=None if groups is None else groups[readable],
            embedding=points,
            duplicates=pairs,
            random_state=self.random_state,
        )
        settings["order"] = readable[table["sample"]]
        if proba is None:
            clusters = np.full(len(done), -1)
            clusters[readable] = table.attrs["cluster_of"]
            settings["clusters"] = clusters
        return settings

    def _seen_once(self):
        """Return the embedding and the near duplicates, kept between rounds."""
        from emclassify.model_selection import find_duplicates

        digest = hashlib.sha256(json.dumps(self.folder.files).encode())
        for image in self.folder.images:
            digest.update(np.ascontiguousarray(image).tobytes())
        path = self.out / f"embedding-{digest.hexdigest()[:16]}.npz"
        if path.is_file():
            with np.load(path, allow_pickle=False) as kept:
                pairs = kept["pairs"]  # of two columns in rounds of before
                columns = ["first", "second", "exact"][: pairs.shape[1]]
                return kept["points"], pd.DataFrame(pairs, columns=columns)
        rng = np.random.RandomState(self.random_state)
        points = embed(self.folder.images, None, len(self.folder.images), rng)
        pairs = find_duplicates(
            self.folder.images, threshold=SIMILAR, verbose=self.verbose
        )
        pairs = pairs[["first", "second", "exact"]].astype(np.intp)
        with whole_file(path) as file:
            np.savez(file, points=points, pairs=pairs.to_numpy())
        return points, pairs


class _Said:
    """What a model has said of the images without a label."""

    def __init__(self, proba: np.ndarray) -> None:
        self._proba = proba

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return it."""
        return self._proba


def _corrections_of(folder: Path) -> list[pd.DataFrame]:
    """Return the corrections of a round, a table a person."""
    tables = []
    for path in sorted((folder / CORRECTIONS).glob("*.csv")):
        table = read_text_table(path)
        if "reviewer" not in table.columns:
            table["reviewer"] = path.stem
        tables.append(_of_any_round(table))
    decided = read_decisions(folder / DECISIONS)
    if decided:
        tables.append(_of_any_round(pd.DataFrame(decided)).assign(reviewer="here"))
    return [table for table in tables if len(table)]


def _of_any_round(table: pd.DataFrame) -> pd.DataFrame:
    """Return corrections without their data set, which an image more has changed.

    `Labelling.add` holds it against the pages of all rounds.
    """
    return table.drop(columns="dataset", errors="ignore")


def read_decisions(path: Path) -> list[dict[str, Any]]:
    """Return the decisions that a server has kept, without those undone.

    The last line may be cut off: of a process that was killed while it wrote, and had
    not said yet that it was saved.
    """
    if not path.is_file():
        return []
    lines = path.read_bytes().split(b"\n")
    now = {}
    for line in lines[:-1]:
        decision = json.loads(line)
        if decision.pop("undone", False):
            now.pop(decision["file"], None)
        else:
            now[decision["file"]] = decision
    return list(now.values())
