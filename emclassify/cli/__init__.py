"""The command line: a thin layer over the public Python API."""

import argparse
import shlex
import sys
import warnings

from emclassify.cli import _models as _cli_models
from emclassify.cli._data import (
    MODELS,
    add_folder,
    add_training,
    at_least,
    benchmark,
    check_out,
    load_data,
    model_names,
    numbers,
)

__all__ = ["main"]


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; ``sys.argv[1:]`` without it.

    Returns
    -------
    int
        0 if all went well, 2 if the input is no good, 130 if interrupted.
    """
    args = _parser().parse_args(argv)
    args.command_line = shlex.join(
        ["emclassify", *(sys.argv[1:] if argv is None else argv)]
    )
    with warnings.catch_warnings():
        warnings.showwarning = _print_warning
        return _run(args)


def _run(args):
    try:
        args.run(args)
    except (ValueError, OSError, ImportError) as error:
        print(f"emclassify: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nemclassify: interrupted, nothing was written.", file=sys.stderr)
        return 130
    return 0


def _print_warning(message, *_, **__):
    print(f"emclassify: {message}", file=sys.stderr)


def _parser():
    parser = argparse.ArgumentParser(
        prog="emclassify", description="Classify scientific images."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_benchmark(commands)
    _cli_models.add_train(commands)
    _cli_models.add_predict(commands)
    _cli_models.add_card(commands)
    return parser


def _add_benchmark(commands):
    command = commands.add_parser(
        "benchmark",
        help="compare a CNN with an SVM on features, with the same folds",
        description=(
            "Compare classifiers on a folder of labelled images, or on simulated "
            "liposomes if no folder is given: prints each class's figures and which "
            "model wins, and writes a report."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_folder(command, nargs="?")
    add = command.add_argument
    add(
        "--models",
        type=model_names,
        default="lipnet4,svm",
        help=f"comma-separated, of {', '.join(MODELS)}",
    )
    add("--cv", type=at_least(2), default=5, help="number of folds")
    add_training(command)
    add("--seed", type=int, default=0, help="of folds, networks and simulator")
    add("--out", metavar="HTML", default="benchmark.html", help="report to write")
    add("--quiet", action="store_true", help="no progress bar")
    simulator = command.add_argument_group("simulated liposomes, if no folder is given")
    add = simulator.add_argument
    add("--samples", type=at_least(1), default=1500, help="number of images")
    add("--task", choices=["lamellarity", "encapsulation"], default="lamellarity")
    add("--weights", type=numbers, help="share of each class, as 0.75,0.2,0.05")
    command.set_defaults(run=_benchmark)


def _benchmark(args):
    check_out(args.out)
    data, description = load_data(args)
    result = benchmark(args, args.models, data, args.cv)
    print(result)
    names = data.get("filenames")
    path = result.to_html(
        args.out, description=description, command=args.command_line, names=names
    )
    print(f"\nReport: {path}")
