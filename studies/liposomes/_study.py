"""The liposome thesis's study, run again on simulated images.

    python -m studies.liposomes --out FOLDER            # small, for a laptop
    python -m studies.liposomes --out FOLDER --full     # the thesis's sizes

Which LipNet is best (with our recipe and, "published", with the thesis's: at most 200
epochs, patience 20), what augmentation and regularisation are worth, what helps
against unequal classes, which kind of input is best, and whether LipNet-4 beats an SVM
on features. Folds keep micrographs together. --full means 14,169 images for
lamellarity and 24,918 for encapsulation, in the thesis's class ratios, and five folds;
it wants a GPU. Each fit is kept in FOLDER/fits, so that a run that was stopped goes
on. Networks train one after the other; "--models others --jobs 14" fits the rest at the
same time, as a second process, and a last run without --models writes the tables.

FOLDER gets, for each part, a CSV table of each class's figures, one of the scores of
each fold, one of the confusion matrices, and a record (JSON); and of all parts
summary.md and summary.html. A part whose table is there is not run again.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from emclassify import make_liposomes
from emclassify.metrics._figures import AVERAGES
from studies._arguments import check_folds, check_numbers
from studies._fits import KINDS, compare, say
from studies._kept_arrays import kept_arrays, name_of
from studies._machine import describe_machine
from studies._record import is_done, write_record
from studies.liposomes._parts import (
    IMAGE_SIZE,
    PARTS,
    Setting,
    inputs_for,
    wide_images,
)
from studies.liposomes._summary import write_summary

GROUPS = ["lipnets", "cnn-vs-svm", "published", "length", "augmentation", "imbalance"]
GROUPS += ["inputs", "regularisation"]
# The thesis's class ratios leave no empty liposome in a few hundred.
SMALL = {
    "n_lamellarity": 600,
    "n_encapsulation": 600,
    "n_folds": 3,
    "max_epochs": 8,
    "batch_size": 128,
    "published_epochs": 8,
    "lamellarity_weights": (0.6, 0.3, 0.1),
    "encapsulation_weights": (0.7, 0.15, 0.15),
    "k_neighbors": 2,
}
FULL = {
    "n_lamellarity": 14169,
    "n_encapsulation": 24918,
    "n_folds": 5,
    "max_epochs": 40,
    "batch_size": 128,
    "published_epochs": 200,
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
        "--only",
        nargs="+",
        choices=sorted({*GROUPS, *(part.name for part in PARTS)}),
        metavar="PART",
        help=f"{', '.join(GROUPS)}, or a longer name of one",
    )
    parser.add_argument("--device", default="auto", help="of networks")
    parser.add_argument("--models", choices=KINDS, default="all", help="which to fit")
    parser.add_argument("--samples", type=int, help="images of each task; 600")
    parser.add_argument("--folds", type=int, help="3, with --full 5")
    parser.add_argument("--epochs", type=int, help="8, with --full 40")
    parser.add_argument(
        "--batch-size",
        type=int,
        help="images in a batch, all but published parts; 128",
    )
    parser.add_argument(
        "--published-epochs", type=int, help="at most; 8, with --full the thesis's 200"
    )
    parser.add_argument(
        "--depths",
        type=int,
        nargs="+",
        choices=Setting.depths,
        help="of the LipNets that are compared; all five",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, help="fits at a time, not of networks")
    args = parser.parse_args(arguments)
    least = dict.fromkeys(("epochs", "published_epochs", "batch_size"), 1)
    check_numbers(parser, args, {"samples": 30, "folds": 2, **least})
    setting = make_setting(args)
    tasks = {part.task for part in chosen_parts(args)}
    most, task = min((setting.rarest(task), task) for task in tasks)
    check_folds(parser, setting.n_folds, most, f"images of {task}'s rarest class")
    return args


def chosen_parts(args):
    """Return the parts that the command line asks for, in the order of the page."""
    return [
        part
        for part in PARTS
        if args.only is None or any(part.name.startswith(group) for group in args.only)
    ]


def make_setting(args):
    """Return the sizes that the command line asks for."""
    sizes = dict(FULL if args.full else SMALL)
    if args.samples is not None:
        sizes |= {"n_lamellarity": args.samples, "n_encapsulation": args.samples}
    if args.folds is not None:
        sizes["n_folds"] = args.folds
    if args.epochs is not None:
        sizes["max_epochs"] = args.epochs
    if args.batch_size is not None:
        sizes["batch_size"] = args.batch_size
    if args.published_epochs is not None:
        sizes["published_epochs"] = args.published_epochs
    if args.depths is not None:
        sizes["depths"] = tuple(sorted(set(args.depths)))
    return Setting(seed=args.seed, **sizes)


def command_of(args):
    """Return the command without the folder, which is nobody's business."""
    words = ["python -m studies.liposomes"]
    words += ["--full"] if args.full else []
    words += ["--only", *args.only] if args.only else []
    words += ["--depths", *map(str, args.depths)] if args.depths else []
    numbers = ("samples", "folds", "epochs", "batch_size", "published_epochs")
    for name in (*numbers, "seed", "jobs"):
        value = getattr(args, name)
        words += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    return " ".join(words)


def data_of(part, setting, folder):
    """Return images, labels and groups; simulated once for all parts with the same."""
    if part.data is wide_images:  # larger than it takes to make them
        return part.data(setting)
    told = {**setting.simulation(part.task), "image_size": IMAGE_SIZE}
    kept = kept_arrays(
        folder / "data" / name_of(part.task, make_liposomes, told),
        lambda: dict(zip("Xyg", part.data(setting), strict=True)),
    )
    return kept["X"], kept["y"], kept["g"]


def run_part(part, setting, folder, args):
    """Run a part and write its files, the table last; None if some fits were left."""
    X, y, groups = data_of(part, setting, folder)
    models = part.models(setting)
    folds = list(
        StratifiedGroupKFold(
            setting.n_folds, shuffle=True, random_state=setting.seed
        ).split(X, y, groups)
    )
    result = compare(
        models,
        inputs_for(models, X),
        y,
        # A point of a curve is one split, at several seeds.
        folds[:1] if part.name == "length" else folds,
        folder,
        groups=groups,
        device=args.device,
        kinds=args.models,
        n_jobs=args.jobs,
        random_state=setting.seed,
    )
    if result is None:
        return None
    record = {
        "part": part.name,
        "command": command_of(args),
        "seed": setting.seed,
        "machine": describe_machine(),
        "versions": result.settings["versions"],
        "started": result.settings["started"][:10],
        # Of all fits, also those of a run before.
        "seconds": result.settings["seconds"],
        "n_images": len(y),
        "n_groups": len(set(groups.tolist())),
        "n_folds": setting.n_folds,
        "max_epochs": setting.max_epochs,
        "batch_size": setting.batch_size,
        "counts": pd.Series(y).value_counts().to_dict(),
        # Points of curves are not to be tested against each other.
        "verdict": "" if part.name == "length" else result.verdict(),
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
    with_both_f1(result.summary()).to_csv(unfinished)
    unfinished.replace(folder / f"{part.name}.csv")
    return record


def with_both_f1(summary):
    """Return a table of figures with the harmonic mean of TPR and TNR as well."""
    tpr, tnr = summary["TPR"], summary["TNR"]
    both = (2 * tpr * tnr / (tpr + tnr)).where(tpr + tnr > 0, 0.0)
    of_class = ~both.index.get_level_values("class").isin(AVERAGES)
    means = both[of_class].groupby(level="estimator").mean()
    for name, mean in means.items():
        both[(name, "macro")] = mean
        both[(name, "weighted")] = both[(name, "micro")] = float("nan")
    summary.insert(summary.columns.get_loc("support"), "F1TNR", both)
    return summary


def main(arguments=None):
    args = parse(arguments)
    setting = make_setting(args)
    folder = args.out
    folder.mkdir(parents=True, exist_ok=True)
    chosen = chosen_parts(args)
    chosen.sort(key=lambda part: [part.name.startswith(g) for g in GROUPS].index(True))
    waiting = [
        part
        for part in chosen
        if not is_done(folder, part.name, asdict(setting), last=".csv")
    ]
    if len(waiting) < len(chosen):
        print(f"{len(chosen) - len(waiting)} of {len(chosen)} parts are done already")
    for number, part in enumerate(waiting, start=1):
        say(f"[{number}/{len(waiting)}] {part.name}: {part.question}")
        record = run_part(part, setting, folder, args)
        if record is not None:
            say(f"{record['verdict']} ({record['seconds']:.0f} s in fits)")
            write_summary(folder, PARTS)
    if args.models == "all":
        write_summary(folder, PARTS)
        print("Written: summary.md, summary.html and the tables of each part")
