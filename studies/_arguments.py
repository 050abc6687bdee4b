"""What all studies ask of the numbers on their command lines."""

import argparse
from collections.abc import Mapping

__all__ = ["LARGEST_SEED", "check_folds", "check_numbers"]

# Some studies draw several seeds from theirs, which NumPy wants below 2**32.
LARGEST_SEED = 10**9


def check_numbers(
    parser: argparse.ArgumentParser, args: argparse.Namespace, least: Mapping[str, int]
) -> None:
    """End with the parser's error where a number is too small, or a seed too large.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    args : argparse.Namespace
        Options that aren't there, or None, are left alone.
    least : dict of str to int
        The smallest value of each option. That of seeds is 0.
    """
    for name, smallest in {**least, "seed": 0}.items():
        value = getattr(args, name, None)
        if value is not None and value < smallest:
            option = name.replace("_", "-")
            parser.error(f"--{option} must be at least {smallest}; got {value}")
    if getattr(args, "seed", 0) > LARGEST_SEED:
        parser.error(f"--seed must be at most {LARGEST_SEED}; got {args.seed}")
    if getattr(args, "jobs", None) == 0:
        parser.error("--jobs must not be 0: name a number of fits, or -1 for all cores")


def check_folds(
    parser: argparse.ArgumentParser, folds: int, most: int, what: str
) -> None:
    """End with the parser's error where there are more folds than can be filled.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    folds : int
    most : int
        How many groups, or images of the rarest class, there are.
    what : str
        Of what there are so many.
    """
    if folds > most:
        parser.error(
            f"--folds must be at most {most}, the number of {what}; got {folds}. "
            "More --samples allow more."
        )
