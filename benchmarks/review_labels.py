"""What reviewing labels saves: wrong labels found, and labels not needed.

    python benchmarks/review_labels.py FEATURES.npz [doubt] [suggest] [--seeds 5]

FEATURES.npz holds F (features of all families), y (labels) and, where there are any, g
(groups).

doubt: 5 % of the labels are turned, at random or to the class that a model takes for it
most often; what share of them is in the first 10 % of `doubtful_labels`.
suggest: labels until 90 % of the macro-F1 with all labels of the training side, by
`suggest_to_label` and at random. The model is the SVM of `svm_baseline`, on features
made once.
"""

import argparse
import json

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from emclassify.baselines import ClippedScaler
from emclassify.review import doubtful_labels, suggest_to_label

SHARE_WRONG, SHARE_SEEN, ENOUGH = 0.05, 0.10, 0.90


def svm(probability=False):
    """Return the SVM of `svm_baseline`, for features."""
    machine = SVC(C=10, gamma=0.3 / 1368, class_weight="balanced")
    if probability:
        from sklearn.calibration import CalibratedClassifierCV

        machine = CalibratedClassifierCV(machine, ensemble=False, cv=3)
    return make_pipeline(ClippedScaler(), machine)


def folds_of(g, seed):
    """Return five folds, by group where there are groups."""
    kind = StratifiedKFold if g is None else StratifiedGroupKFold
    return kind(5, shuffle=True, random_state=seed)


def turned(y, kind, likely, rng):
    """Return labels of which a share is wrong, and which are."""
    classes = np.unique(y)
    wrong = rng.choice(len(y), round(SHARE_WRONG * len(y)), replace=False)
    labels = y.copy()
    for i in wrong:
        others = classes[classes != y[i]]
        labels[i] = rng.choice(others) if kind == "random" else likely[y[i]]
    is_wrong = np.zeros(len(y), dtype=bool)
    is_wrong[wrong] = True
    return labels, is_wrong


def look_alikes(F, y, g):
    """Return for each class the one that it is most often taken for."""
    said = cross_val_predict(svm(), F, y, groups=g, cv=folds_of(g, 0))
    classes = np.unique(y)
    counts = confusion_matrix(y, said, labels=classes)
    np.fill_diagonal(counts, -1)
    return dict(zip(classes, classes[counts.argmax(axis=1)], strict=True))


def doubt(F, y, g, seeds):
    """Print the shares of wrong labels among the most doubtful."""
    likely = look_alikes(F, y, g)
    for kind in ("random", "look-alike"):
        for method in ("normalized_margin", "self_confidence"):
            found = []
            for seed in range(seeds):
                labels, is_wrong = turned(y, kind, likely, np.random.default_rng(seed))
                table = doubtful_labels(
                    svm(True), F, labels, groups=g, cv=folds_of(g, seed), method=method
                )
                seen = table["sample"][: round(SHARE_SEEN * len(y))]
                found.append(float(is_wrong[seen].sum() / is_wrong.sum()))
            record = {"turned": kind, "method": method, "found": np.round(found, 3)}
            print(json.dumps(record, default=np.ndarray.tolist), flush=True)


def suggest(F, y, g, seeds, start=20, step=20, most=1200):
    """Print how many labels reach most of what all labels give."""
    needed = {"suggested": [], "random": []}
    for seed in range(seeds):
        train, test = next(folds_of(g, seed).split(F, y, g))
        full = f1_score(
            y[test], svm().fit(F[train], y[train]).predict(F[test]), average="macro"
        )
        for way, counts in needed.items():
            counts.append(
                labels_needed(
                    F[train],
                    y[train],
                    F[test],
                    y[test],
                    full,
                    way,
                    seed,
                    start,
                    step,
                    most,
                )
            )
        print(
            json.dumps(
                {"seed": seed, "full": round(full, 3)}
                | {w: c[-1] for w, c in needed.items()}
            ),
            flush=True,
        )


def labels_needed(F, y, F_test, y_test, full, way, seed, start, step, most):
    """Return the number of labels at which the model is good enough, or None."""
    labelled = np.zeros(len(F), dtype=bool)
    points = ClippedScaler().fit_transform(F)
    from sklearn.decomposition import PCA

    points = PCA(50, random_state=0).fit_transform(points)
    model = None
    while labelled.sum() < most:
        table = suggest_to_label(
            F,
            step if labelled.any() else start,
            model if way == "suggested" else None,
            "random" if way == "random" else "auto",
            labelled=labelled,
            embedding=points,
            avoid_duplicates=False,
            random_state=seed + labelled.sum(),
        )
        labelled[table["sample"]] = True
        found = np.unique(y[labelled], return_counts=True)[1]
        if len(found) < 2:
            continue
        model = svm().fit(F[labelled], y[labelled])
        score = f1_score(y_test, model.predict(F_test), average="macro")
        if score >= ENOUGH * full:
            return int(labelled.sum())
        model = _Soft(model)
    return None


class _Soft:
    """Decision values as something to take margins of."""

    def __init__(self, model):
        self._model = model

    def predict_proba(self, X):
        values = self._model.decision_function(X)
        if values.ndim == 1:
            values = np.column_stack([-values, values])
        values = np.exp(values - values.max(axis=1, keepdims=True))
        return values / values.sum(axis=1, keepdims=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features")
    parser.add_argument("parts", nargs="*", default=["doubt", "suggest"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, help="images, a random choice of them")
    args = parser.parse_args()
    data = np.load(args.features, allow_pickle=False)
    F, y = data["F"], data["y"]
    g = data.get("g")
    if args.most and args.most < len(y):
        some = np.random.default_rng(0).choice(len(y), args.most, replace=False)
        F, y, g = F[some], y[some], None if g is None else g[some]
    print(f"{args.features}: {len(y)} images, {len(np.unique(y))} classes", flush=True)
    if "doubt" in args.parts:
        doubt(F, y, g, args.seeds)
    if "suggest" in args.parts:
        suggest(F, y, g, args.seeds)


if __name__ == "__main__":
    main()
