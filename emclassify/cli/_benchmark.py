"""``emclassify benchmark``: models against each other on the same folds."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from emclassify.cli._labelled_folder import compare, load_folder
from emclassify.cli._models import default_models, describe_names
from emclassify.cli._options import (
    HelpFormatter,
    add_folder,
    add_training,
    at_least,
    check_out,
    model_names,
    numbers,
)
from emclassify.cli._settings import check_settings

if TYPE_CHECKING:
    from sklearn.utils import Bunch

__all__ = ["add_benchmark"]


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
    add(
        "--seed",
        type=int,
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
    add("--weights", type=numbers, help="share of each class, as 0.75,0.2,0.05")
    command.set_defaults(run=_benchmark)


def _benchmark(args: argparse.Namespace) -> None:
    check_out(args.out)
    names = args.models if "models" in args else default_models()
    check_settings(args, names)
    data, description = _load_or_simulate(args)
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
        return load_folder(args), f"Images of the folder {args.folder}."
    for option in ("labels", "group_column"):
        if getattr(args, option) is not None:
            raise ValueError(
                f"--{option.replace('_', '-')} needs a FOLDER; without one, the "
                "images are simulated."
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
