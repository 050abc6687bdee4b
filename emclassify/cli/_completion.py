"""``emclassify completion``: what lets a shell complete commands and options."""

import argparse
from typing import Any

from emclassify.cli._models import MODELS
from emclassify.cli._options import all_actions

__all__ = ["add_completion"]

SHELLS = ("bash", "zsh", "tcsh", "fish", "powershell")
# By what stands for a value in the help.
_FILES = {"CSV", "HTML", "MODEL", "MODEL|TABLE", "TABLE", "PATH", "MICROGRAPHS"}
_FOLDERS = {"FOLDER", "ROUNDS", "HTML|FOLDER"}


def add_completion(commands: Any) -> None:
    """Add ``emclassify completion``."""
    command = commands.add_parser(
        "completion",
        help="print what lets a shell complete commands and options",
        description=(
            "Print a script that lets a shell complete commands, options and files. "
            "For bash: emclassify completion bash > "
            "~/.local/share/bash-completion/completions/emclassify"
        ),
    )
    command.add_argument("shell", choices=SHELLS, help="for which shell")
    command.set_defaults(run=_completion)


def _completion(args: argparse.Namespace) -> None:
    try:
        import shtab
    except ImportError:
        raise ImportError(
            "Completion needs shtab: pip install emclassify[completion]"
        ) from None
    if args.shell not in shtab.SUPPORTED_SHELLS:
        raise ValueError(
            f"This shtab ({shtab.__version__}) knows "
            f"{', '.join(shtab.SUPPORTED_SHELLS)}, not {args.shell}: upgrade it."
        )
    for action in all_actions(args.parser):
        if action.metavar in _FILES and action.choices is None:
            action.complete = shtab.FILE
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY
        elif action.dest in ("model", "models"):
            action.choices = [*MODELS, "auto"] if _takes(action, "auto") else [*MODELS]
    print(shtab.complete(args.parser, shell=args.shell))


def _takes(action: Any, text: str) -> bool:
    """Return whether an argument may have this value."""
    try:
        action.type(text)
    except argparse.ArgumentTypeError:
        return False
    return True
