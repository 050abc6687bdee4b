"""What dirt costs, and what filtering brings back, on simulated images of cells.

    python -m studies.cells.dirt --out FILE                # the developers' page
    python -m studies.cells.dirt --out FILE --samples 600 --seeds 0

A tenth of the training labels is wrong, and 3 % of the training images are saturated or
empty. How many of these do the outlier removers and cleanlab find, and how much of the
macro-F1 that they cost comes back when what is found is dropped? Folds keep plates
together; test images are clean, and scored against their true labels.

Beside FILE, a folder gets what the page is made of: features, and a record (JSON) of
the detectors of each seed and of each way of training. What is there is not run again,
so that a run that was stopped goes on.
"""

import argparse
import time
from datetime import date
from functools import lru_cache
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
from emclassify._version import __version__
from emclassify.datasets.cells._cell_images import DEFAULT_SHARES
from studies._arguments import LARGEST_SEED, check_numbers
from studies._kept_arrays import code_of, kept_arrays, name_of
from studies._machine import describe_machine, versions_of
from studies._markdown import numbers_as_text, run_line, table_as_markdown
from studies._record import is_done, read_record, write_record

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
SIDES = ("clean", "dirty", *FILTERS)
DIRTY = {"label_noise": LABEL_NOISE, "dirt": DIRT}


def parameters(n_samples, seed):
    """Return what the simulator gets for clean cells, all but the threads."""
    return {
        "n_samples": n_samples,
        "multilabel": False,
        "weights": dict.fromkeys(DEFAULT_SHARES, 1),
        "random_state": seed,
    }


@lru_cache(maxsize=1)
def dirty_images(n_samples, seed, n_jobs=None):
    """Return the cells with dirt; not twice where features and detectors want them."""
    return make_cell_images(**parameters(n_samples, seed), **DIRTY, n_jobs=n_jobs)


def cells(n_samples, seed, folder, n_jobs=None):
    """Return features and labels of the same cells clean and dirty, kept in a file."""
    params = parameters(n_samples, seed)

    def make():
        clean = make_cell_images(**params, n_jobs=n_jobs)
        dirty = dirty_images(n_samples, seed, n_jobs)
        features = FeatureExtractor().fit(clean.images)
        return {
            "X clean": features.transform(clean.images),
            "X dirty": features.transform(dirty.images),
            "y clean": np.asarray(clean.target, dtype=str),
            "y dirty": np.asarray(dirty.target, dtype=str),
            "plate": np.asarray(clean.groups),
            "bad image": (dirty.frame["dirt"] != "none").to_numpy(),
            "bad label": dirty.frame["wrong_label"].to_numpy(),
        }

    told = {**params, **DIRTY, "version": __version__}
    name = name_of(f"seed-{seed}", make_cell_images, told)
    return kept_arrays(folder / name, make)


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


def detect(images, data, seed):
    """Return a row for each detector: what it drops of all images of a seed."""
    y, rows = data["y dirty"], data["X dirty"]
    network = make_pipeline(
        ResizeImages((32, 32)), LipNetClassifier(max_epochs=5, random_state=seed)
    ).fit(images, y)
    scaled = StandardScaler()
    found = {
        "intensity, 3 sd": (IntensityOutlierRemover(), images),
        "intensity, 3 sd, robust": (IntensityOutlierRemover(robust=True), images),
        "intensity, 2 sd, robust": (IntensityOutlierRemover(2, robust=True), images),
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
            images,
        ),
    }
    dropped = {}
    for name, (remover, given) in found.items():
        if "contamination" in remover.get_params():
            remover.set_params(contamination=DIRT)
        if "random_state" in remover.get_params(deep=False):
            remover.set_params(random_state=seed)
        dropped[name] = outliers(remover, given, y)
    dropped["cleanlab, out of fold"] = label_issues(rows, y, data["plate"])
    bad_image, bad_label = data["bad image"], data["bad label"]
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


def keep(train, data, kind):
    """Return the training images that a filter leaves."""
    X, y, plate = data["X dirty"], data["y dirty"], data["plate"]
    kept = train
    if kind == "all that is dirty":
        return train[~(data["bad image"] | data["bad label"])[train]]
    if kind in ("outliers", "both"):
        remover = EmbeddingOutlierRemover(StandardScaler(), contamination=DIRT)
        kept = kept[~outliers(remover, X[kept], y[kept])]
    if kind in ("label issues", "both"):
        kept = kept[~label_issues(X[kept], y[kept], plate[kept])]
    return kept


def score(data, side, seed):
    """Return the macro-F1 of each model by its name, trained on one of SIDES."""
    X, y = data["X clean"], data["y clean"]
    folds = folds_by_plate(X, y, data["plate"], seed)
    kind = "clean" if side == "clean" else "dirty"
    X_seen, y_seen = data[f"X {kind}"], data[f"y {kind}"]
    trains = [keep(t, data, side) if side in FILTERS else t for t, _ in folds]
    scores = {}
    for name, model in MODELS.items():
        predicted = np.empty_like(y)
        for train, (_, test) in zip(trains, folds, strict=True):
            model.fit(X_seen[train], y_seen[train])
            predicted[test] = model.predict(X[test])
        scores[name] = f1_score(y, predicted, average="macro")
    return scores


def step(folder, name, setting, make):
    """Return the record of a step of a seed; run unless it is done."""
    if not is_done(folder, name, setting):
        start, started = time.perf_counter(), date.today().isoformat()
        result = make()
        record = {
            "machine": describe_machine(),
            "started": started,
            "seconds": time.perf_counter() - start,
            "versions": versions_of(PACKAGES),
            "setting": setting,
            "result": result,
        }
        write_record(folder, name, record)
        print(f"{name}: {record['seconds']:.0f} s", flush=True)
    return read_record(folder, name)


def run_seed(args, seed, folder):
    """Return the detectors' table and the scores' of a seed, and all records."""
    setting = {"samples": args.samples, "simulator": code_of(make_cell_images)}

    def data():
        return cells(args.samples, seed, folder, args.jobs)

    def found():
        images = dirty_images(args.samples, seed, args.jobs).images
        return detect(images, data(), seed).to_dict("split")

    detectors = step(folder, f"seed-{seed}-detectors", setting, found)
    sides = {
        side: step(
            folder,
            f"seed-{seed}-{side.replace(' ', '-')}",
            setting,
            lambda side=side: score(data(), side, seed),
        )
        for side in SIDES
    }
    scores = pd.DataFrame({side: record["result"] for side, record in sides.items()})
    records = [detectors, *sides.values()]
    return pd.DataFrame(**detectors["result"]), scores, records


def report(found, scores, args, records):
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
    # Of all steps, also those of a run before.
    record = {
        **min(records, key=lambda one: one["started"]),
        "command": command,
        "seconds": sum(one["seconds"] for one in records),
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
    folder = args.out.with_name(f"{args.out.stem}-kept")
    folder.mkdir(exist_ok=True)
    runs = [run_seed(args, seed, folder) for seed in args.seeds]
    found, scores, records = zip(*runs, strict=True)
    page = report(found, scores, args, [one for of_seed in records for one in of_seed])
    args.out.write_text(page, "utf-8")
    print(page)


if __name__ == "__main__":
    main()
