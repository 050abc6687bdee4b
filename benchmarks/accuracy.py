"""Accuracy of the models on four sets of real images, beside their opponents.

    python benchmarks/accuracy.py DATA OUT [--sets vnc_sstem elpv] [--models SVM]
        [--folds 0 1] [--seeds 0 1]

DATA is the folder of the sets, see `_accuracy_sets`; OUT gets one JSON record for each
set, model, seed and fold, and a table, results.md. What has a record is not measured
again, so that a run that was stopped goes on, and more models or folds can come
later; ``--models`` without a name only prints the table. Models are in
`_accuracy_models`.

A figure is that of the predictions of all folds put together; where there are several
seeds, the mean of theirs and their standard deviation.
"""

import argparse
import json
import platform
import re
import time
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from _accuracy_models import MODELS, Task
from _accuracy_sets import SETS, ImageSet
from joblib import Memory
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import Pipeline

METRICS = {
    "accuracy": accuracy_score,
    "macro-F1": lambda target, said: f1_score(target, said, average="macro"),
}


def main() -> None:
    """Measure what has no record yet, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--folds", nargs="*", type=int)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for set_name in args.sets:
        measure_set(set_name, args)
    table = results_table(args.out)
    (args.out / "results.md").write_text(table, encoding="utf-8")
    print(table)


def measure_set(set_name: str, args: argparse.Namespace) -> None:
    """Fit all models on all folds of a set, but those that have a record."""
    images = None
    for model_name in args.models:
        model = MODELS[model_name]
        for seed in args.seeds if model.has_seeds else [0]:
            if images is None:
                images = SETS[set_name].load(args.data)
            for fold, train, test in images.folds():
                path = args.out / record_name(set_name, model_name, seed, fold)
                if path.exists() or (args.folds and fold not in args.folds):
                    continue
                record = {"set": set_key(set_name), "model": model_name}
                record |= {"seed": seed, "fold": fold}
                estimator = model.make(Task(seed, args.out))
                record |= fit_and_predict(estimator, images, train, test, args.out)
                record["trained"] = training_of(estimator)
                write(path, record)
                score = METRICS[SETS[set_name].metric](
                    record["target"], record["predicted"]
                )
                print(f"{path.stem}: {score:.3f}, {record['fit_s']:.0f} s", flush=True)


def set_key(set_name: str) -> str:
    """Return what the records of a set are kept under: two metrics share them."""
    return set_name.split()[0]


def training_of(estimator: BaseEstimator) -> dict:
    """Return how long a fitted network was trained, and whether that was enough."""
    names = "max_epochs_", "batch_size_", "converged_"
    return {
        name: getattr(estimator, name) for name in names if hasattr(estimator, name)
    }


def record_name(set_name: str, model_name: str, seed: int, fold: int) -> str:
    """Return the name of a record's file."""
    parts = set_key(set_name), model_name, f"seed{seed}", f"fold{fold}"
    return "-".join(re.sub("[^A-Za-z0-9.()-]+", "_", part) for part in parts) + ".json"


def fit_and_predict(
    estimator: BaseEstimator,
    images: ImageSet,
    train: np.ndarray,
    test: np.ndarray,
    out: Path,
) -> dict:
    """Return predictions for a fold, and how long they took."""
    X, y = images.images, images.target
    if isinstance(estimator, Pipeline) and "features" in estimator.named_steps:
        # The features of an image hang on no other image: they are computed once.
        X = Memory(out / "features", verbose=0).cache(features_of)(
            clone(estimator["features"]), X
        )
        estimator = estimator[1:]
    start = time.perf_counter()
    estimator.fit(X[train], y[train])
    fitted = time.perf_counter()
    predicted = estimator.predict(X[test])
    return {
        "test": test.tolist(),
        "target": y[test].tolist(),
        "predicted": predicted.tolist(),
        "n_train": len(train),
        "fit_s": round(fitted - start, 2),
        "predict_s": round(time.perf_counter() - fitted, 2),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "versions": {
            name: version(name)
            for name in ("emclassify", "scikit-learn", "numpy", "torch")
        },
    }


def features_of(extractor: BaseEstimator, X: np.ndarray) -> np.ndarray:
    """Return the features of all images."""
    return extractor.fit_transform(X)


def write(path: Path, record: dict) -> None:
    """Write a record as a whole: one that is there is complete."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record), encoding="utf-8")
    part.rename(path)


def results_table(out: Path) -> str:
    """Return all records as a Markdown table, each set with its opponents."""
    found = defaultdict(lambda: defaultdict(list))
    for path in sorted(out.glob("*-seed*-fold*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        found[record["set"], record["model"]][record["seed"]].append(record)
    lines = [
        "| set | model | figure | to reach | folds | minutes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for set_name, entry in SETS.items():
        metric = METRICS[entry.metric]
        title = f"{set_key(set_name)}, {entry.metric}"
        for model_name, model in MODELS.items():
            seeds = found.get((set_key(set_name), model_name))
            if not seeds:
                continue
            scores, n_folds, seconds = [], 0, 0.0
            for records in seeds.values():
                target = [label for record in records for label in record["target"]]
                said = [label for record in records for label in record["predicted"]]
                scores.append(metric(target, said))
                n_folds += len(records)
                seconds += sum(r["fit_s"] + r["predict_s"] for r in records)
            figure = f"{np.mean(scores):.3f}"
            if len(scores) > 1:
                figure += f" ± {np.std(scores, ddof=1):.3f} ({len(scores)} seeds)"
            wanted = entry.to_reach.get(model.kind)
            wanted = "" if wanted is None else f"{wanted:.3f}"
            lines.append(
                f"| {title} | **{model_name}** | {figure} | {wanted} | {n_folds} | "
                f"{seconds / 60:.1f} |"
            )
        for opponent, score in entry.opponents.items():
            lines.append(f"| {title} | {opponent} | {score:.3f} | | | |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
