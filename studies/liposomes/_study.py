"""The liposome thesis's study, run again on simulated images.

    python -m studies.liposomes --out FOLDER            # small, for a laptop
    python -m studies.liposomes --out FOLDER --full     # the thesis's sizes

Which LipNet is best, what augmentation and regularisation are worth, what helps
against unequal classes, which kind of input is best, and whether LipNet-4 beats an SVM
on features. Folds keep micrographs together. --full means 14,169 images for
lamellarity and 24,918 for encapsulation, in the thesis's class ratios, and five folds;
it wants a GPU.

FOLDER gets, for each part, a CSV table of each class's figures, one of the scores of
each fold, one of the confusion matrices, and a record (JSON); and of all parts
summary.md and summary.html. A part whose table is there is not run again.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from emclassify import benchmark_classifiers
from studies._machine import describe_machine
from studies._record import is_done, write_record
from studies.liposomes._parts import PARTS, Setting
from studies.liposomes._summary import write_summary

GROUPS = ["lipnets", "augmentation", "imbalance", "inputs", "regularisation"]
GROUPS += ["cnn-vs-svm"]
# The thesis's class ratios leave no empty liposome in a few hundred.
SMALL = {
    "n_lamellarity": 600,
    "n_encapsulation": 600,
    "n_folds": 3,
    "max_epochs": 8,
    "lamellarity_weights": (0.6, 0.3, 0.1),
    "encapsulation_weights": (0.7, 0.15, 0.15),
    "k_neighbors": 2,
}
FULL = {
    "n_lamellarity": 14169,
    "n_encapsulation": 24918,
    "n_folds": 5,
    "max_epochs": 20,
    "lamellarity_weights": None,
    "encapsulation_weights": None,
    "k_neighbors": 5,
}


def parse(arguments):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m studies.liposomes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--full", action="store_true", help="the thesis's sizes")
    parser.add_argument(
        "--only", nargs="+", choices=GROUPS, metavar="PART", help=", ".join(GROUPS)
    )
    parser.add_argument("--samples", type=int, help="images of each task")
    parser.add_argument("--folds", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, help="fits at a time")
    args = parser.parse_args(arguments)
    for name, least in (("samples", 30), ("folds", 2), ("epochs", 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            parser.error(f"--{name} must be at least {least}; got {value}")
    return args


def make_setting(args):
    """Return the sizes that the command line asks for."""
    sizes = dict(FULL if args.full else SMALL)
    if args.samples is not None:
        sizes |= {"n_lamellarity": args.samples, "n_encapsulation": args.samples}
    if args.folds is not None:
        sizes["n_folds"] = args.folds
    if args.epochs is not None:
        sizes["max_epochs"] = args.epochs
    return Setting(seed=args.seed, **sizes)


def command_of(args):
    """Return the command without the folder, which is nobody's business."""
    words = ["python -m studies.liposomes"]
    words += ["--full"] if args.full else []
    words += ["--only", *args.only] if args.only else []
    for name in ("samples", "folds", "epochs", "seed", "jobs"):
        value = getattr(args, name)
        words += [] if value is None else [f"--{name}", str(value)]
    return " ".join(words)


def run_part(part, setting, folder, *, command, n_jobs):
    """Run a part and write its files, the table last."""
    start = time.perf_counter()
    X, y, groups = part.data(setting)
    result = benchmark_classifiers(
        part.models(setting),
        X,
        y,
        groups=groups,
        cv=StratifiedGroupKFold(
            setting.n_folds, shuffle=True, random_state=setting.seed
        ),
        random_state=setting.seed,
        n_jobs=n_jobs,
        verbose=1,
    )
    record = {
        "part": part.name,
        "command": command,
        "seed": setting.seed,
        "machine": describe_machine(),
        "versions": result.settings["versions"],
        "started": result.settings["started"][:10],
        "seconds": time.perf_counter() - start,
        "n_images": len(y),
        "n_groups": len(set(groups.tolist())),
        "n_folds": setting.n_folds,
        "max_epochs": setting.max_epochs,
        "counts": pd.Series(y).value_counts().to_dict(),
        "verdict": result.verdict(),
        "setting": asdict(setting),
    }
    write_record(folder, part.name, record)
    result.to_frame().to_csv(folder / f"{part.name}-folds.csv", index=False)
    matrices = {name: result.confusion_matrix(name) for name in result.names}
    pd.concat(matrices, names=["estimator"]).to_csv(
        folder / f"{part.name}-confusion.csv"
    )
    # Renamed when complete: its being there means that the part is done.
    unfinished = folder / f"{part.name}.csv.part"
    result.summary().to_csv(unfinished)
    unfinished.replace(folder / f"{part.name}.csv")
    return record


def main(arguments=None):
    args = parse(arguments)
    setting = make_setting(args)
    folder = args.out
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [
        part
        for part in PARTS
        if args.only is None or any(part.name.startswith(group) for group in args.only)
    ]
    waiting = [
        part
        for part in chosen
        if not is_done(folder, part.name, asdict(setting), last=".csv")
    ]
    if len(waiting) < len(chosen):
        print(f"{len(chosen) - len(waiting)} of {len(chosen)} parts are done already")
    for number, part in enumerate(waiting, start=1):
        print(f"[{number}/{len(waiting)}] {part.name}: {part.question}", flush=True)
        record = run_part(
            part, setting, folder, command=command_of(args), n_jobs=args.jobs
        )
        print(f"  {record['verdict']} ({record['seconds']:.0f} s)", flush=True)
        write_summary(folder, PARTS)
    write_summary(folder, PARTS)
    print("Written: summary.md, summary.html and the tables of each part")
