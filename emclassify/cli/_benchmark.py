"""``emclassify benchmark``: models against each other on the same folds."""

import argparse
import math
import sys
from typing import TYPE_CHECKING, Any

from emclassify.cli._labelled_folder import compare, load_folder
from emclassify.cli._models import default_models, describe_names, say_what_is_left_out
from emclassify.cli._no_effect import refuse_given, refuse_unread
from emclassify.cli._options import (
    HelpFormatter,
    add_folder,
    add_folds,
    add_training,
    at_least,
    check_out,
    label_tables,
    model_names,
    numbers,
    seed,
)
from emclassify.cli._settings import check_settings

if TYPE_CHECKING:
    from sklearn.utils import Bunch

__all__ = ["add_benchmark"]

_OF_FOLDERS = (
    *("labels", "file_column", "label_column", "group_column", "as_gray"),
    *("pixel_size", "format", "page", "dataset", "axes", "no_orient"),
    *("group_pages", "on_error"),
)
_OF_SIMULATOR = ("samples", "task", "weights")
# Of each task of the simulator.
_N_CLASSES = 3


def add_benchmark(commands: Any) -> None:
    """Add ``emclassify benchmark``."""
    command = commands.add_parser(
        "benchmark",
        help="compare a CNN with an SVM on features, with the same folds",
        description=(
            "Compare classifiers on a folder of labelled images, or on simulated "
            "liposomes if no folder is given: prints each class's figures and which "
            "model wins, and writes a report."
        ),
        formatter_class=HelpFormatter,
    )
    add_folder(command, nargs="?")
    add = command.add_argument
    add(
        "--models",
        type=model_names,
        metavar="NAMES",
        default=argparse.SUPPRESS,
        help=f"comma-separated, of {describe_names()}; TIMM is a network of timm "
        "(default: svm,lipnet4,lipnet8, and backbone where its weights are on this "
        "machine)",
    )
    add("--cv", type=at_least(2), metavar="N", default=5, help="number of folds")
    add(
        "--repeats",
        type=at_least(1),
        metavar="N",
        default=1,
        help="how many times all folds are run, with other folds and other seeds",
    )
    add(
        "--tune",
        action="store_true",
        help="tune each model within the training sides: twelve times as long",
    )
    add_training(command)
    add_folds(command)
    add(
        "--seed",
        type=seed,
        metavar="N",
        default=0,
        help="of folds, networks and simulator",
    )
    add("--out", metavar="HTML", default="benchmark.html", help="report to write")
    add("--quiet", action="store_true", help="no progress bar")
    simulator = command.add_argument_group("simulated liposomes, if no folder is given")
    add = simulator.add_argument
    add("--samples", type=at_least(1), default=1500, help="number of images")
    add("--task", choices=["lamellarity", "encapsulation"], default="lamellarity")
    add("--weights", type=_shares, help="share of each class, as 0.75,0.2,0.05")
    command.set_defaults(run=_benchmark)


def _shares(text: str) -> list[float]:
    """Return the shares of classes, none negative and not all zero."""
    shares = numbers(text)
    if not all(0 <= share < math.inf for share in shares) or not any(shares):
        raise argparse.ArgumentTypeError(
            f"{text!r}: shares are finite, none below 0 and not all 0"
        )
    return shares


def _benchmark(args: argparse.Namespace) -> None:
    check_out(args.out, *label_tables(args))
    names = args.models if "models" in args else default_models()
    check_settings(args, names)
    refuse_unread(args, names)
    if "models" not in args and not args.quiet:
        say_what_is_left_out(names, f"--models {','.join(names)},backbone")
    data, description = _load_or_simulate(args)
    refuse_unread(args, names, data.images)
    result = compare(args, names, data, args.cv)
    print(result)
    path = result.to_html(
        args.out,
        description=description,
        command=args.command_line,
        names=data.get("filenames"),
        pixel_size=data.get("pixel_size"),
    )
    print(f"\nReport: {path}")


def _load_or_simulate(args: argparse.Namespace) -> tuple["Bunch", str]:
    """Return the data set and a sentence about it."""
    if args.folder is not None:
        why = f"is of simulated images; those of {args.folder} are as they are. Leave "
        refuse_given(args, _OF_SIMULATOR, f"{why}one of the two out")
        return load_folder(args), f"Images of the folder {args.folder}."
    why = "needs a FOLDER; without one, the images are simulated"
    refuse_given(args, _OF_FOLDERS, why)
    if args.weights is not None and len(args.weights) != _N_CLASSES:
        raise ValueError(
            f"--weights takes {_N_CLASSES} numbers, a share for each class; it has "
            f"{len(args.weights)}."
        )
    if not args.quiet:
        print(f"Simulating {args.samples} images ({args.task}) …", file=sys.stderr)
    from emclassify.datasets import make_liposomes

    data = make_liposomes(
        args.samples, task=args.task, weights=args.weights, random_state=args.seed
    )
    return data, (
        f"Simulated cryo-TEM images of liposomes ({args.task}, seed {args.seed}); "
        "groups are simulated micrographs."
    )
