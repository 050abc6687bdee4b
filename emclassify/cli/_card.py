"""``emclassify card``: what a model's file says of it."""

import argparse
import json
from typing import Any

__all__ = ["add_card"]


def add_card(commands: Any) -> None:
    """Add ``emclassify card``."""
    command = commands.add_parser(
        "card",
        help="print what a model's file says of it",
        description="Print the card of a model as JSON, without loading the model.",
    )
    command.add_argument(
        "model", metavar="MODEL", help="file that emclassify train has written"
    )
    command.set_defaults(run=_print_card)


def _print_card(args: argparse.Namespace) -> None:
    from emclassify.persistence import read_model_card

    print(json.dumps(read_model_card(args.model), indent=2, ensure_ascii=False))
