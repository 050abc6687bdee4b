"""What dirt costs, and what filtering brings back, on simulated images of cells.

    python -m studies.cells.dirt --out FILE                # the developers' page
    python -m studies.cells.dirt --out FILE --samples 600 --seeds 0

A tenth of the training labels is wrong, and 3 % of the training images are saturated or
empty. How many of these do the outlier removers and cleanlab find, and how much of the
macro-F1 that they cost comes back when what is found is dropped? Folds keep plates
together; test images are clean, and scored against their true labels.
"""

import argparse
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from cleanlab.rank import get_label_quality_scores
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emclassify import (
    EmbeddingOutlierRemover,
    FeatureExtractor,
    IntensityOutlierRemover,
    LipNetClassifier,
    ResizeImages,
    make_cell_images,
)
from emclassify.datasets.cells._cell_images import DEFAULT_SHARES
from studies._arguments import LARGEST_SEED, check_numbers
from studies._machine import describe_machine, versions_of
from studies._markdown import numbers_as_text, run_line, table_as_markdown

PACKAGES = ["emclassify", "scikit-learn", "cleanlab", "numpy", "torch", "skorch"]
LABEL_NOISE, DIRT = 0.10, 0.03
# Dropped as label issues: a little more than the share that is wrong.
ISSUES = 0.12
MODELS = {
    "SVM": make_pipeline(StandardScaler(), SVC(C=10, class_weight="balanced")),
    "logistic regression": make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=300, tol=1e-2)
    ),
}
FILTERS = ("outliers", "label issues", "both", "all that is dirty")


def simulate(n_samples, seed, n_jobs=None):
    """Return the same cells clean and dirty, and the features of both."""
    params = {
        "multilabel": False,
        "weights": dict.fromkeys(DEFAULT_SHARES, 1),
        "n_jobs": n_jobs,
        "random_state": seed,
    }
    clean = make_cell_images(n_samples, **params)
    dirty = make_cell_images(n_samples, label_noise=LABEL_NOISE, dirt=DIRT, **params)
    features = FeatureExtractor().fit(clean.images)
    return clean, dirty, [features.transform(data.images) for data in (clean, dirty)]


def folds_by_plate(X, y, groups, seed):
    """Return five folds."""
    cv = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    return list(cv.split(X, y, groups))


def label_issues(X, y, groups):
    """Return which labels cleanlab trusts least, by probabilities out of fold."""
    svm = CalibratedClassifierCV(SVC(C=10), cv=3, ensemble=False)
    model = make_pipeline(StandardScaler(), svm)
    codes = np.unique(y, return_inverse=True)[1]
    proba = cross_val_predict(
        model,
        X,
        codes,
        cv=folds_by_plate(X, codes, groups, 1),
        method="predict_proba",
    )
    quality = get_label_quality_scores(codes, proba, method="normalized_margin")
    issue = np.zeros(len(y), dtype=bool)
    issue[np.argsort(quality)[: round(ISSUES * len(y))]] = True
    return issue


def outliers(remover, X, y):
    """Return what a remover drops."""
    remover.fit_resample(X, y)
    dropped = np.ones(len(y), dtype=bool)
    dropped[remover.sample_indices_] = False
    return dropped


def detect(dirty, X, seed):
    """Return a row for each detector: what it drops of all images of a seed."""
    y, rows = dirty.target, X
    network = make_pipeline(
        ResizeImages((32, 32)), LipNetClassifier(max_epochs=5, random_state=seed)
    ).fit(dirty.images, y)
    scaled = StandardScaler()
    found = {
        "intensity, 3 sd": (IntensityOutlierRemover(), dirty.images),
        "intensity, 3 sd, robust": (
            IntensityOutlierRemover(robust=True),
            dirty.images,
        ),
        "intensity, 2 sd, robust": (
            IntensityOutlierRemover(2, robust=True),
            dirty.images,
        ),
        "features, distance": (EmbeddingOutlierRemover(scaled), rows),
        "features, local outlier factor": (
            EmbeddingOutlierRemover(scaled, method="lof"),
            rows,
        ),
        "features, isolation forest": (
            EmbeddingOutlierRemover(scaled, method="isolation_forest"),
            rows,
        ),
        "LipNet-4, distance": (
            EmbeddingOutlierRemover(FrozenEstimator(network)),
            dirty.images,
        ),
    }
    dropped = {}
    for name, (remover, given) in found.items():
        if "contamination" in remover.get_params():
            remover.set_params(contamination=DIRT)
        if "random_state" in remover.get_params(deep=False):
            remover.set_params(random_state=seed)
        dropped[name] = outliers(remover, given, y)
    dropped["cleanlab, out of fold"] = label_issues(X, y, dirty.groups)
    bad_image = (dirty.frame["dirt"] != "none").to_numpy()
    bad_label = dirty.frame["wrong_label"].to_numpy()
    return pd.DataFrame(
        {
            name: {
                "dropped": out.mean(),
                "bad images: precision": bad_image[out].mean(),
                "bad images: recall": out[bad_image].mean(),
                "wrong labels: precision": bad_label[out].mean(),
                "wrong labels: recall": out[bad_label].mean(),
            }
            for name, out in dropped.items()
        }
    ).T


def keep(train, dirty, X, kind):
    """Return the training images that a filter leaves."""
    kept = train
    if kind == "all that is dirty":
        bad = (dirty.frame["dirt"] != "none") | dirty.frame["wrong_label"]
        return train[~bad.to_numpy()[train]]
    if kind in ("outliers", "both"):
        remover = EmbeddingOutlierRemover(StandardScaler(), contamination=DIRT)
        kept = kept[~outliers(remover, X[kept], dirty.target[kept])]
    if kind in ("label issues", "both"):
        kept = kept[~label_issues(X[kept], dirty.target[kept], dirty.groups[kept])]
    return kept


def score(clean, dirty, features, seed):
    """Return the macro-F1 of each model (rows) by what it is trained on (columns)."""
    of_clean, of_dirty = features
    folds = folds_by_plate(of_clean, clean.target, clean.groups, seed)
    sides = {"clean": [(of_clean, clean.target, train) for train, _ in folds]}
    sides["dirty"] = [(of_dirty, dirty.target, train) for train, _ in folds]
    for kind in FILTERS:
        sides[kind] = [
            (of_dirty, dirty.target, keep(train, dirty, of_dirty, kind))
            for train, _ in folds
        ]
    scores = pd.DataFrame(index=list(MODELS), columns=list(sides), dtype=float)
    for name, model in MODELS.items():
        for side, trainings in sides.items():
            predicted = np.empty_like(clean.target)
            for (X, y, train), (_, test) in zip(trainings, folds, strict=True):
                model.fit(X[train], y[train])
                predicted[test] = model.predict(of_clean[test])
            scores.loc[name, side] = f1_score(clean.target, predicted, average="macro")
    return scores


def report(found, scores, args, started, seconds):
    """Return the page."""
    mean, spread = (
        getattr(pd.concat(scores).groupby(level=0, sort=False), how)()
        for how in ("mean", "std")
    )
    cost = mean["clean"] - mean["dirty"]
    back = mean[list(FILTERS)].sub(mean["dirty"], axis=0).div(cost, axis=0)
    n_seeds, seeds = len(args.seeds), ", ".join(map(str, args.seeds))
    seeds = f"Means over the seeds {seeds}." if n_seeds > 1 else f"Seed {seeds}."
    if n_seeds > 1:
        largest = spread.max().max()
        seeds += f" No score's standard deviation over seeds is above {largest:.3f}."
    command = "python -m studies.cells.dirt"
    command += f" --samples {args.samples} --seeds {' '.join(map(str, args.seeds))}"
    record = {
        "command": command,
        "machine": describe_machine(),
        "started": started,
        "seconds": seconds,
        "versions": versions_of(PACKAGES),
    }
    detectors = pd.concat(found).groupby(level=0, sort=False).mean()
    return f"""# Dirty labels and images, on simulated cells

All images are simulated. The figures say how the methods compare on them, and nothing
about real cells.

{args.samples:,} images of ten locations, one each, in equal shares;
{100 * LABEL_NOISE:.0f} % of the labels are wrong, {100 * DIRT:.0f} % of the images
saturated or empty.
{seeds}

## What the detectors find

Embedding removers drop {100 * DIRT:.0f} % of the images, cleanlab the
{100 * ISSUES:.0f} % whose labels have the lowest margin. By chance, precision is
{DIRT:.2f} for bad images and {LABEL_NOISE:.2f} for wrong labels.

{table_as_markdown(numbers_as_text(detectors, 2))}

## What it is worth

Macro-F1 out of fold (five folds by plate) on clean images and true labels, by what the
model is trained on. "outliers": dirty, without the {100 * DIRT:.0f} % furthest from
their class in the features; "label issues": without those of cleanlab; "all that is
dirty": without everything that is known to be dirty.

{table_as_markdown(numbers_as_text(mean))}

Share of the cost (clean less dirty) that comes back:

{table_as_markdown(numbers_as_text(back, 2))}

{run_line(record)}
"""


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m studies.cells.dirt",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")
    parser.add_argument("--samples", type=int, default=2400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--jobs", type=int, help="threads that simulate")
    args = parser.parse_args(arguments)
    check_numbers(parser, args, {"samples": 200})
    if not all(0 <= seed <= LARGEST_SEED for seed in args.seeds):
        parser.error(f"--seeds must be from 0 to {LARGEST_SEED}; got {args.seeds}")
    if not args.out.absolute().parent.is_dir():
        parser.error(f"--out is in a folder that isn't there: {args.out}")
    start, started = time.perf_counter(), date.today().isoformat()
    found, scores = [], []
    for seed in args.seeds:
        clean, dirty, features = simulate(args.samples, seed, args.jobs)
        found.append(detect(dirty, features[1], seed))
        scores.append(score(clean, dirty, features, seed))
        print(f"seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
    page = report(found, scores, args, started, time.perf_counter() - start)
    args.out.write_text(page, "utf-8")
    print(page)


if __name__ == "__main__":
    main()
