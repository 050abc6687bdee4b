"""``emclassify``: its commands, its warnings and its exit status."""

import argparse
import re
import shlex
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

from emclassify.cli._benchmark import add_benchmark
from emclassify.cli._card import add_card
from emclassify.cli._label import add_label
from emclassify.cli._particles import add_particles
from emclassify.cli._predict import add_predict
from emclassify.cli._review import add_review
from emclassify.cli._train import add_train

__all__ = ["main"]

# As messages have them: on_error='skip', page=0.
_PARAMETER = re.compile(r"\b(?P<name>[a-z]\w*)=(?P<value>'[^']*'|\"[^\"]*\"|\w+|\.{3})")
COMMANDS = (
    add_benchmark,
    add_train,
    add_predict,
    add_particles,
    add_card,
    add_review,
    add_label,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; ``sys.argv[1:]`` without it.

    Returns
    -------
    int
        0 if all went well, 2 if the input is no good, 130 if interrupted. A watch that
        is stopped by Ctrl-C or SIGTERM has gone well.
    """
    args = _parser().parse_args(argv)
    args.command_line = shlex.join(
        ["emclassify", *(sys.argv[1:] if argv is None else argv)]
    )
    with warnings.catch_warnings():
        warnings.showwarning = partial(_print_warning, args)
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    try:
        args.run(args)
    except (ValueError, OSError, ImportError) as error:
        print(f"emclassify: {_in_options(str(error), args)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nemclassify: interrupted, nothing was written.", file=sys.stderr)
        return 130
    return 0


def _print_warning(
    args: argparse.Namespace, message: Warning | str, *_: Any, **__: Any
) -> None:
    print(f"emclassify: {_in_options(str(message), args)}", file=sys.stderr)


def _in_options(text: str, args: argparse.Namespace) -> str:
    """Turn what a message says of Python's parameters into options of the command."""

    def option(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"].strip("'\"")
        if value == "False" and name in ("orient", "recentre"):
            return f"--no-{name}"
        if not hasattr(args, name):
            return found[0]
        flag = "--" + name.replace("_", "-")
        return flag if value == "True" else f"{flag} {value}"

    if hasattr(args, "epochs"):
        text = text.replace("max_epochs", "--epochs")
    return _PARAMETER.sub(option, text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emclassify", description="Classify scientific images."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_command in COMMANDS:
        add_command(commands)
    return parser
