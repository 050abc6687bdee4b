"""Options that are given and have no effect: an error says so, or a line."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emclassify.cli._models import make_model
from emclassify.cli._options import all_actions, flag

if TYPE_CHECKING:
    import numpy as np

__all__ = ["given_options", "refuse_given", "refuse_unread"]

# By option: what a model reads that it concerns, and what it is for.
_OF_MODELS = {
    "epochs": ("epochs", "networks that are trained"),
    "time_limit": ("epochs", "networks that are trained"),
    "image_size": (
        "image_size",
        "networks that take one size, and for SVMs on features where images differ in "
        "size",
    ),
}


def given_options(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> frozenset[str]:
    """Return the names of the options on a command line, whatever their values.

    Parameters
    ----------
    parser : ArgumentParser
        It loses its defaults.
    argv : list of str or None
        As for its ``parse_args``, which takes it.
    """
    for action in all_actions(parser):
        action.default = argparse.SUPPRESS
    return frozenset(vars(parser.parse_args(argv)))


def refuse_given(args: argparse.Namespace, names: Sequence[str], why: str) -> None:
    """Raise ValueError if an option is given that has no effect here."""
    for name in names:
        if name in args.given:
            raise ValueError(f"{flag(name)} {why}.")


def refuse_unread(
    args: argparse.Namespace,
    names: Sequence[str],
    images: "np.ndarray | None" = None,
    *,
    told: Sequence[str] = (),
) -> None:
    """Raise ValueError if an option of models is given that none of these reads.

    Parameters
    ----------
    args : Namespace
    names : list of str
        Models that are made.
    images : ndarray, default=None
        What they are fitted on. With them, a line says which models an option doesn't
        concern that it does others. Before they are read: whatever they may be.
    told : list of str
        Options that are of models only: where none reads them, a line says so too.
    """
    import numpy as np

    given = [name for name in (*_OF_MODELS, *told) if name in args.given]
    if not given:
        return
    known = images is not None
    # Most is read where images differ in size.
    images = images if known else np.empty(1, dtype=object)
    read = {name: _read_by(name, args, images) for name in names}
    for option in given:
        what, why = _OF_MODELS.get(option, (option, ""))
        others = [name for name in names if what not in read[name]]
        if len(others) == len(names) and option not in told:
            raise ValueError(
                f"{flag(option)} has no effect on {', '.join(names)}: it is for {why}. "
                "Leave it out."
            )
        if others and known and not args.quiet:
            print(
                f"emclassify: {flag(option)} doesn't concern {', '.join(others)}.",
                file=sys.stderr,
            )


def _read_by(name: str, args: argparse.Namespace, images: "np.ndarray") -> set[str]:
    """Return the options that a model is made with."""
    reader = _Reader(args)
    make_model(name, reader, images)
    return reader.read


class _Reader(argparse.Namespace):
    """Options that remember which of them were read."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._args, name)
