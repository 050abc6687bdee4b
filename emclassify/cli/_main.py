"""``emclassify``: its commands, its warnings and its exit status."""

import argparse
import contextlib
import os
import re
import shlex
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

from emclassify._version import __version__
from emclassify.cli._benchmark import add_benchmark
from emclassify.cli._card import add_card
from emclassify.cli._completion import add_completion
from emclassify.cli._label import add_label
from emclassify.cli._no_effect import given_options
from emclassify.cli._options import flag
from emclassify.cli._particles import add_particles
from emclassify.cli._predict import add_predict
from emclassify.cli._review import add_review
from emclassify.cli._train import add_train

__all__ = ["main"]

# As messages have them: on_error='skip', page=0.
# Names of files may hold the like: /data/seed=3/page=7, page=7.tif.
_NOT_BEFORE, _NOT_AFTER = r"(?<![\w/\\.-])", r"(?![\w/\\]|[.-]\w)"
_PARAMETER = re.compile(
    rf"{_NOT_BEFORE}(?P<name>[a-z]\w*)="
    r"(?P<value>'[^']*'|\"[^\"]*\"|\d++(?:\.\d+)?(?:e-?\d+)?|\w++|\.{3})"
    rf"{_NOT_AFTER}"
)
_EPOCHS = re.compile(rf"{_NOT_BEFORE}max_epochs(?!=\w*[/\\]){_NOT_AFTER}")
# What is in brackets after a value: has no column 'grid' (group_column).
_IN_BRACKETS = re.compile(r"(?<=\s)\((?P<name>[a-z]+(?:_[a-z]+)+)\)")
# What Python calls one thing and the command line another.
_OTHER_NAMES = {"n_splits": "cv", "n_jobs": "jobs", "random_state": "seed"}
# For Python only, at the end of a warning of the benchmark; the report has the audit.
_LOOK_AT_AUDIT = " See `audit` of the result, and its plot()."
COMMANDS = (
    add_benchmark,
    add_train,
    add_predict,
    add_particles,
    add_card,
    add_review,
    add_label,
    add_completion,
)
_LISTED = " All are listed in `errors`."
# Positions of the command line, which have no option.
_PLACES = ("path", "folder", "micrographs")
# Parameters of models that messages advise to change.
_OF_MODELS = ("precision", "device", "lr", "batch_size")
EXIT_STATUS = """\
exit status:
  0    all went well; so does a watch or server that is stopped
  1    a fault of the program, with a traceback: please report it
  2    an option or the input is no good: one line says why
  130  interrupted by Ctrl-C, nothing was written; label keeps the rounds so far
  141  nobody reads the output any more, as after `| head`
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; ``sys.argv[1:]`` without it.

    Returns
    -------
    int
        0 if all went well, 2 if the input is no good, 130 if interrupted, 141 if nobody
        reads what is printed. A watch that is stopped by Ctrl-C or SIGTERM has gone
        well.
    """
    args = _parser().parse_args(argv)
    args.given = given_options(_parser(), argv)
    args.command_line = shlex.join(
        ["emclassify", *(sys.argv[1:] if argv is None else argv)]
    )
    with warnings.catch_warnings():
        warnings.showwarning = partial(_print_warning, args)
        # scikit-learn's: of `y`. What follows of them is said where it matters.
        for words in ("The number of unique classes is", "The least populated class"):
            warnings.filterwarnings("ignore", words)
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    try:
        args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would try to write the rest when it ends, and complain.
        with open(os.devnull, "w") as nowhere, contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 141
    except (ValueError, OSError, ImportError) as error:
        print(f"emclassify: {_in_options(_said(error), args)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        said = getattr(args, "interrupted", "interrupted, nothing was written.")
        print(f"\nemclassify: {said}", file=sys.stderr)
        return 130
    return 0


def _said(error: Exception) -> str:
    """Return what an error says; of one of the system, the file and what is wrong."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}."
    return str(error).strip()


def _print_warning(
    args: argparse.Namespace, message: Warning | str, *_: Any, **__: Any
) -> None:
    text = f"emclassify: {_in_options(str(message), args)}"
    if "tqdm" not in sys.modules:
        print(text, file=sys.stderr)
        return
    # Above the bar, not into it.
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)


def _in_options(text: str, args: argparse.Namespace) -> str:
    """Turn what a message says of Python's parameters into options of the command."""

    def option(found: re.Match[str]) -> str:
        name, value = _own_name(found["name"]), found["value"].strip("'\"")
        if value == "False" and name in ("orient", "recentre", "group_pages"):
            return flag(f"no_{name}")
        if name in _PLACES and value in (
            getattr(args, "folder", None),
            getattr(args, "micrographs", None),
        ):
            return value
        if not hasattr(args, name):
            return _of_model(name, value, found[0], args)
        return flag(name) if value == "True" else f"{flag(name)} {value}"

    def bracketed(found: re.Match[str]) -> str:
        name = _own_name(found["name"])
        return f"({flag(name)})" if hasattr(args, name) else found[0]

    if text.startswith("--set"):
        # It is about parameters of Python.
        return text
    if hasattr(args, "epochs"):
        text = _EPOCHS.sub(_epochs_option(args), text)
    if hasattr(args, "set"):
        text = re.sub(r"(?<![\w/])lr \(it is ", "--set MODEL.lr (it is ", text)
    text = text.replace(_LOOK_AT_AUDIT, "").replace(_LISTED, "")
    return _PARAMETER.sub(option, _IN_BRACKETS.sub(bracketed, text))


def _epochs_option(args: argparse.Namespace) -> str:
    """Return what sets the epochs: --set has the last word over --epochs."""
    given = {
        one.model: str(one)
        for one in args.set
        if one.parameter.rpartition("__")[2] == "max_epochs"
    }
    models = getattr(args, "models", None) or [getattr(args, "model", "")]
    others = [name for name in models if name not in given and "svm" not in name]
    return " or ".join(
        [*(["--epochs"] if others or not given else []), *given.values()]
    )


def _own_name(name: str) -> str:
    """Return what the command line calls a parameter."""
    return _OTHER_NAMES.get(name, name)


def _of_model(name: str, value: str, text: str, args: argparse.Namespace) -> str:
    """Return how --set gives a parameter of a model, or `text` if it is none."""
    for given in getattr(args, "set", []):
        if given.parameter == name:
            return f"{given}={value}"
    if name in _OF_MODELS and hasattr(args, "set"):
        return f"--set MODEL.{name}={value}"
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emclassify",
        description="Classify scientific images.",
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"emclassify {__version__}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_command in COMMANDS:
        add_command(commands)
    parser.set_defaults(parser=parser)
    return parser
