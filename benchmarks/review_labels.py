"""What reviewing labels saves: wrong labels found, and labels not needed.

    python benchmarks/review_labels.py DATA TABLE --sets vnc_sstem jurkat
        [--parts doubt suggest] [--seeds 5] [--most 3000] [--cache FOLDER]

DATA is the folder of the sets, see `_accuracy_sets`; of each, --most images are taken,
the same for all seeds. The model is the SVM of `svm_baseline`; so that it learns in
seconds, on the first 128 principal components of the scaled features, which have seen
no label. They are made once; --cache keeps them.

doubt: 5 % of the labels are turned, at random or to the class that the model takes for
it most often; what share of them is in the first 10 % of `doubtful_labels`.
suggest: macro-F1 on the test side by the number of labels, chosen by
`suggest_to_label` or at random, until it is 90 % of that with all labels of the
training side. One fold of five a seed, by group where there are groups.

Each figure is added to TABLE as it is known, a CSV file in the form of
docs/results/review_labels.csv, which was made so.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _accuracy_sets import SETS
from joblib import Memory
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)

from emclassify.baselines import svm_baseline
from emclassify.review import doubtful_labels, suggest_to_label

SHARE_WRONG, SHARE_SEEN, ENOUGH = 0.05, 0.10, 0.90
# Labels at a time, and at most.
STEP, MOST = 20, 1600
# What the SVM learns from, and of it where suggestions are spread.
N_COMPONENTS, N_EMBEDDED = 128, 50
COLUMNS = "set", "part", "way", "seed", "n_labels", "figure", "full"

Labels = np.ndarray
Write = Callable[..., None]


def points_of(
    name: str, folder: Path, most: int
) -> tuple[np.ndarray, Labels, Labels | None]:
    """Return components of the features, labels and groups of images of a set."""
    data = SETS[name].load(folder)
    some = np.random.default_rng(0).permutation(len(data.target))[:most]
    some.sort()
    features = svm_baseline()[:-1].fit_transform(data.images[some])
    points = PCA(N_COMPONENTS, random_state=0).fit_transform(features)
    groups = None if data.groups is None else data.groups[some]
    return points, data.target[some], groups


def svm(probability: bool = False) -> BaseEstimator:
    """Return the SVM of `svm_baseline`, for such components."""
    return svm_baseline(probability=probability)[-1]


def folds_of(
    groups: Labels | None, seed: int
) -> StratifiedKFold | StratifiedGroupKFold:
    """Return five folds, by group where there are groups."""
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    return kind(5, shuffle=True, random_state=seed)


def turned(
    y: Labels, likely: dict[str, str] | None, rng: np.random.Generator
) -> tuple[Labels, np.ndarray]:
    """Return labels of which a share is wrong, and which are."""
    classes = np.unique(y)
    is_wrong = np.zeros(len(y), dtype=bool)
    is_wrong[rng.choice(len(y), round(SHARE_WRONG * len(y)), replace=False)] = True
    labels = y.copy()
    for i in np.flatnonzero(is_wrong):
        others = classes[classes != y[i]]
        labels[i] = rng.choice(others) if likely is None else likely[y[i]]
    return labels, is_wrong


def look_alikes(X: np.ndarray, y: Labels, groups: Labels | None) -> dict[str, str]:
    """Return for each class the one that it is most often taken for."""
    said = cross_val_predict(svm(), X, y, groups=groups, cv=folds_of(groups, 0))
    classes = np.unique(y)
    counts = confusion_matrix(y, said, labels=classes)
    np.fill_diagonal(counts, -1)
    return dict(zip(classes, classes[counts.argmax(axis=1)], strict=True))


def measure_doubt(
    X: np.ndarray, y: Labels, groups: Labels | None, seeds: int, write: Write
) -> None:
    """Write the shares of wrong labels among the most doubtful."""
    for way, likely in (("random", None), ("look-alike", look_alikes(X, y, groups))):
        for seed in range(seeds):
            labels, is_wrong = turned(y, likely, np.random.default_rng(seed))
            table = doubtful_labels(
                svm(True), X, labels, groups=groups, cv=folds_of(groups, seed)
            )
            seen = table["sample"][: round(SHARE_SEEN * len(y))]
            found = is_wrong[seen].sum() / is_wrong.sum()
            write("doubt", way, seed, len(seen), found)


def measure_suggest(
    X: np.ndarray, y: Labels, groups: Labels | None, seeds: int, write: Write
) -> None:
    """Write how good the model is by the number of labels, both ways."""
    for seed in range(seeds):
        train, test = next(folds_of(groups, seed).split(X, y, groups))

        def figure(model: BaseEstimator, test: np.ndarray = test) -> float:
            return f1_score(y[test], model.predict(X[test]), average="macro")

        full = figure(svm().fit(X[train], y[train]))
        for way in ("suggested", "random"):
            for n_labels, found in curve(
                X[train], y[train], figure, ENOUGH * full, way, seed
            ):
                write("suggest", way, seed, n_labels, found, full)


def curve(
    X: np.ndarray,
    y: Labels,
    figure: Callable[[BaseEstimator], float],
    enough: float,
    way: str,
    seed: int,
) -> list[tuple[int, float]]:
    """Return numbers of labels and figures, until one is enough."""
    labelled = np.zeros(len(X), dtype=bool)
    model, found = None, []
    while labelled.sum() < MOST:
        table = suggest_to_label(
            X,
            STEP,
            model if way == "suggested" else None,
            "random" if way == "random" else "auto",
            labelled=labelled,
            embedding=X[:, :N_EMBEDDED],
            # X holds no images here that copies could be found among.
            avoid_duplicates=False,
            random_state=seed + int(labelled.sum()),
        )
        labelled[table["sample"]] = True
        if len(np.unique(y[labelled])) < 2:
            continue
        machine = svm().fit(X[labelled], y[labelled])
        found.append((int(labelled.sum()), figure(machine)))
        if found[-1][1] >= enough:
            break
        model = _Soft(machine)
    return found


class _Soft:
    """Decision values as something to take margins of."""

    def __init__(self, model: BaseEstimator) -> None:
        self._model = model

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return decision values that add up to one."""
        values = self._model.decision_function(X)
        if values.ndim == 1:
            values = np.column_stack([-values, values])
        values = np.exp(values - values.max(axis=1, keepdims=True))
        return values / values.sum(axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--sets", nargs="+", choices=SETS, required=True)
    parser.add_argument("--parts", nargs="+", default=["doubt", "suggest"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, default=3000)
    parser.add_argument("--cache", type=Path)
    args = parser.parse_args()
    make_points = Memory(args.cache, verbose=0).cache(points_of)
    measures = {"doubt": measure_doubt, "suggest": measure_suggest}
    is_new = not args.table.exists()
    with args.table.open("a", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        if is_new:
            rows.writerow(COLUMNS)
        for name in args.sets:
            X, y, groups = make_points(name, args.data, args.most)
            print(f"{name}: {len(y)} images, {X.shape[1]} components", flush=True)

            def write(
                part: str,
                way: str,
                seed: int,
                n_labels: int,
                figure: float,
                full: float | None = None,
                name: str = name,
            ) -> None:
                row = [name, part, way, seed, n_labels, round(float(figure), 4)]
                rows.writerow([*row, None if full is None else round(full, 4)])
                file.flush()
                print(*row, flush=True)

            for part in args.parts:
                measures[part](X, y, groups, args.seeds, write)


if __name__ == "__main__":
    main()
