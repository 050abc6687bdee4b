"""Options that several commands have, and what an option's text may be."""

import argparse
import math
import os
from collections.abc import Callable
from typing import Any

from emclassify.cli._models import check_name
from emclassify.cli._settings import setting

__all__ = [
    "OF_FOLDS",
    "HelpFormatter",
    "add_folder",
    "add_folder_settings",
    "add_folds",
    "add_jobs",
    "add_on_error",
    "add_reading",
    "add_training",
    "all_actions",
    "at_least",
    "check_out",
    "check_out_folder",
    "flag",
    "folder_settings",
    "label_tables",
    "model_name",
    "model_names",
    "numbers",
    "positive",
    "seed",
    "whole_number",
]

OF_FOLDS = ("time_limit", "on_missing_class", "jobs")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Help with the defaults that say something: not those of None, False or []."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or action.default == []:
            return action.help
        return super()._get_help_string(action)


def add_folder(command: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """Add the options of `load_image_folder`."""
    add = command.add_argument
    add(
        "folder",
        nargs=nargs,
        metavar="FOLDER",
        help="one folder a class, or see --labels",
    )
    add_folder_settings(command)
    add(
        "--no-group-pages",
        dest="group_pages",
        action="store_false",
        help="with --page all, let folds part the images of a file",
    )
    add_on_error(command)


def add_folder_settings(command: argparse.ArgumentParser) -> None:
    """Add what `folder_settings` reads: where labels are, and how files are read."""
    add = command.add_argument_group("table of labels").add_argument
    add("--labels", metavar="CSV", help="table of files and labels")
    add("--file-column", metavar="NAME", default="file", help="column of files in CSV")
    add("--label-column", metavar="NAME", default="label", help="column of labels")
    add("--group-column", metavar="NAME", help="column of groups that no fold may part")
    add_reading(command)


def folder_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the options of `add_folder_settings` say.

    Raises
    ------
    ValueError
        If they name columns and no table.
    """
    for name in ("file_column", "label_column", "group_column"):
        if args.labels is None and name in args.given:
            raise ValueError(
                f"{flag(name)} {getattr(args, name)} is a column of a table: give "
                "--labels too."
            )
    return {
        "labels": args.labels,
        "file_column": args.file_column,
        "label_column": args.label_column,
        "group_column": args.group_column,
        "as_gray": args.as_gray,
        "pixel_size": args.pixel_size,
        "page": args.page,
        "format": args.format,
        "dataset": args.dataset,
        "axes": args.axes,
        "orient": not args.no_orient,
        "verbose": 0 if args.quiet else 1,
    }


def add_reading(command: argparse.ArgumentParser) -> None:
    """Add how files are read."""
    add = command.add_argument_group("reading files").add_argument
    add("--as-gray", action="store_true", help="make colours grey")
    add(
        "--pixel-size",
        type=positive,
        metavar="NM",
        help="size of a pixel; else as each file states it",
    )
    add("--format", help="read files as this format, such as mrc; else by content")
    add("--page", type=_page, help="which image of a file, from 0, or all")
    add("--dataset", help="array in HDF5 and zarr files")
    add("--axes", help='of that array, such as "nyx": images, rows, columns')
    add("--no-orient", action="store_true", help="don't turn images upright")


def _page(text: str) -> int | str:
    return text if text == "all" else at_least(0)(text)


def add_on_error(command: argparse.ArgumentParser) -> None:
    """Add what to do about files that can't be read."""
    command.add_argument(
        "--on-error",
        choices=["raise", "skip"],
        default="raise",
        help="unreadable files",
    )


def add_training(command: argparse.ArgumentParser) -> None:
    """Add the options of the models."""
    add = command.add_argument_group("models").add_argument
    add(
        "--image-size",
        type=at_least(1),
        metavar="PX",
        default=32,
        help="pixels a side for networks that take one size, and for SVMs where images "
        "differ in size",
    )
    add(
        "--epochs",
        type=_epochs,
        metavar="N",
        default="auto",
        help='passes of networks over their images; "auto" goes by the number of these '
        "and of classes",
    )
    add(
        "--class-weight",
        choices=["balanced", "none"],
        default="balanced",
        help="of all models: whether rare classes count as much as others",
    )
    add(
        "--set",
        type=setting,
        action="append",
        default=[],
        metavar="MODEL.PARAMETER=VALUE",
        help="a parameter of a model, as lipnet4.max_epochs=80 or svm.C=100; give it "
        "as often as needed",
    )


def add_folds(command: argparse.ArgumentParser) -> None:
    """Add the options of models that are compared on folds: those of `OF_FOLDS`."""
    add = command.add_argument_group("folds").add_argument
    add(
        "--time-limit",
        type=_minutes,
        default=40,
        metavar="MIN",
        help='minutes that the folds of networks may take, or "none"; they get fewer '
        "epochs where it would be more",
    )
    add(
        "--on-missing-class",
        choices=["raise", "warn"],
        default="raise",
        help="folds without a class in their training side",
    )
    add_jobs(command)


def add_jobs(command: argparse.ArgumentParser) -> None:
    """Add how many folds are worked on at a time."""
    command.add_argument(
        "--jobs",
        type=at_least(1),
        metavar="N",
        default=os.cpu_count(),
        help="folds at a time",
    )


def model_names(text: str) -> list[str]:
    """Return the models of a comma-separated list."""
    names = [model_name(name) for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError(f"{text!r} names no model")
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"{text!r}: give each model once")
    return names


def model_name(text: str) -> str:
    """Return the name of a model."""
    try:
        return check_name(text.strip())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def numbers(text: str) -> list[float]:
    """Return the numbers of a comma-separated list."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no comma-separated list of numbers"
        ) from None


def at_least(low: int) -> Callable[[str], int]:
    """Return a type of option: a whole number of at least `low`."""
    return whole_number(low, None)


def whole_number(low: int, high: int | None) -> Callable[[str], int]:
    """Return a type of option: a whole number of at least `low` and at most `high`."""
    limits = f"of at least {low}" if high is None else f"from {low} to {high}"

    def number(text: str) -> int:
        digits = text.removeprefix("-")
        if (
            not (digits.isascii() and digits.isdigit())
            or int(text) < low
            or (high is not None and int(text) > high)
        ):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number {limits}")
        return int(text)

    return number


def seed(text: str) -> int:
    """Return what NumPy takes as a seed."""
    return whole_number(0, 2**32 - 1)(text)


def _epochs(text: str) -> int | str:
    """Return "auto", or a whole number of at least 1."""
    return text if text == "auto" else at_least(1)(text)


def _minutes(text: str) -> float | None:
    """Return a positive number, or None for "none"."""
    return None if text == "none" else positive(text)


def positive(text: str) -> float:
    """Return a positive number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return number


def flag(name: str) -> str:
    """Return the option that argparse keeps under a name."""
    name = "no_group_pages" if name == "group_pages" else name
    return "--" + name.replace("_", "-")


def all_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return all arguments of a parser and of its commands."""
    actions = []
    for action in parser._actions:
        actions.append(action)
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                actions += all_actions(command)
    return actions


def check_out(path: str, *inputs: str | None) -> None:
    """Raise now, not after an hour of training, if no file can be written at `path`.

    Parameters
    ----------
    path : str
    *inputs : str or None
        Files that are read and must not be written over; None is none.

    Raises
    ------
    OSError
        If it is a folder, a device or a pipe, lies in no folder, it or the folder may
        not be written, or it is one of `inputs`, or an image.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f"--out {path} is a folder; give a file in it.")
    if not os.path.isdir(folder := os.path.dirname(os.path.abspath(path))):
        raise FileNotFoundError(f"--out {path}: there is no folder {folder}.")
    there = os.path.exists(path)
    if there and not os.path.isfile(path):
        raise FileExistsError(f"--out {path} is no regular file: give another.")
    if there and path.lower().endswith(_image_suffixes()):
        raise FileExistsError(
            f"--out {path} is an image, which would be lost: give another."
        )
    # Files are written beside their place, and moved there when they are complete.
    for place in [path, folder] if there else [folder]:
        if not os.access(place, os.W_OK):
            raise PermissionError(f"--out {path}: {place} may not be written.")
    for file in inputs:
        if file is None or not (os.path.isfile(path) and os.path.isfile(file)):
            continue
        if os.path.samefile(path, file):
            raise FileExistsError(
                f"--out {path} is a file that is read here, and would be lost: give "
                "another."
            )


def _image_suffixes() -> tuple[str, ...]:
    # Readers take their time to load, and few files are there already.
    from emclassify.readers._formats import SUFFIXES

    return SUFFIXES


def label_tables(args: argparse.Namespace) -> list[str]:
    """Return where the table of labels may lie: as it is named, and in the folder."""
    if args.labels is None or args.folder is None:
        return []
    return [args.labels, os.path.join(args.folder, args.labels)]


def check_out_folder(path: str) -> None:
    """Raise now if `path` is no empty folder, and none can be made there."""
    if os.path.exists(path) and not os.path.isdir(path):
        raise NotADirectoryError(f"--out {path} is a file; give a folder.")
    if os.path.isdir(path) and os.listdir(path):
        raise FileExistsError(f"--out {path} is not empty; give another folder.")
