"""``--set MODEL.PARAMETER=VALUE``: read, and checked before anything is trained."""

import argparse
import ast
from collections.abc import Sequence

from emclassify.cli._models import check_name, make_model
from emclassify.cli._set_parameters import Setting

__all__ = ["check_settings", "setting"]

_WORDS = {"none": None, "true": True, "false": False}


def setting(text: str) -> Setting:
    """Return what a text like ``lipnet4.max_epochs=80`` says.

    The value is taken as Python would take it (``80``, ``1e-3``, ``None``,
    ``[32, 64]``), else as a word.
    """
    left, equals, value = text.partition("=")
    # Names of timm's networks hold dots, names of parameters don't.
    model, dot, parameter = left.rpartition(".")
    if not equals or not dot or not parameter.isidentifier():
        raise argparse.ArgumentTypeError(
            f"{text!r}: give MODEL.PARAMETER=VALUE, as lipnet4.max_epochs=80"
        )
    try:
        check_name(model)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Setting(model, parameter, _value(value))


def _value(text: str) -> object:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def check_settings(args: argparse.Namespace, names: Sequence[str]) -> None:
    """Raise ValueError now, not after an hour, if a model doesn't take its --set.

    Parameters
    ----------
    args : Namespace
    names : list of str
        Models that will be made.
    """
    if not args.set:
        return
    import numpy as np

    for given in args.set:
        if given.model not in names:
            raise ValueError(
                f"{given}: that model is not used here; there are {', '.join(names)}."
            )
    for name in names:
        make_model(name, args, np.zeros((1, args.image_size, args.image_size)))
