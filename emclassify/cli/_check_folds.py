"""Whether labels and groups are enough for folds, in words of the command line."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sklearn.utils import Bunch

__all__ = ["check_classes", "check_folds"]


def check_classes(args: argparse.Namespace, target: Sequence[str]) -> None:
    """Raise if there is one class only.

    Raises
    ------
    ValueError
        It says where the labels come from.
    """
    classes = sorted(set(target))
    if len(classes) > 1:
        return
    if args.folder is None:
        raise ValueError(
            f"--samples {args.samples} gives images of one class only, "
            f"'{classes[0]}': give more."
        )
    if args.labels is None:
        raise ValueError(
            f"{args.folder} holds one class only, '{classes[0]}': a model needs two. "
            "Give each class a folder of its own in it, or name a table by --labels."
        )
    raise ValueError(
        f"{args.labels} has one label only, '{classes[0]}': a model needs two. "
        f"--label-column says which column has the labels; it is {args.label_column}."
    )


def check_folds(args: argparse.Namespace, data: "Bunch", n_folds: int) -> None:
    """Raise if classes or groups are too few for folds.

    Raises
    ------
    ValueError
        Before scikit-learn does, which knows of no files, columns and options.
    """
    check_classes(args, data.target)
    _check_groups_of_files(args, data, n_folds)
    images = {name: int((data.target == name).sum()) for name in set(data.target)}
    most = max(images.values())
    if n_folds > most:
        raise ValueError(
            f"--cv {n_folds} is more folds than any class has images. Give --cv "
            f"{most}, or fewer."
            if most > 1
            else "Each class has one image only: too few for folds. Is --label-column "
            "the column of classes?"
        )
    if data.groups is not None and n_folds > (n_groups := len(set(data.groups))):
        raise ValueError(
            f"--cv {n_folds} is more folds than there are {_groups(args)}: {n_groups}. "
            + ("Give fewer folds." if n_groups > 1 else "Folds need two at least.")
        )
    if args.on_missing_class == "raise":
        _check_each_class(args, data)


def _check_each_class(args: argparse.Namespace, data: "Bunch") -> None:
    """Raise if a class is in one place only, so that a fold has none to learn from."""
    units = data.groups
    for name in sorted(set(data.target)):
        there = data.target == name
        if there.sum() == 1:
            where = "has one image only"
        elif units is not None and len(set(units[there])) == 1:
            where = f"lies in one of the {_groups(args)} only, '{units[there][0]}'"
        else:
            continue
        raise ValueError(
            f"Class '{name}' {where}: no fold can both learn and test it. "
            "Give more images of it, leave it out, or give --on-missing-class warn."
        )


def _groups(args: argparse.Namespace) -> str:
    return (
        "groups"
        if args.group_column is None
        else f"groups in the column {args.group_column}"
    )


def _check_groups_of_files(
    args: argparse.Namespace, data: "Bunch", n_folds: int
) -> None:
    """Raise if images of one file are one group, and files are too few for folds."""
    if data.groups is None or getattr(args, "page", None) != "all":
        return
    if args.group_column is not None or not args.group_pages:
        return
    files = {name: set(data.groups[data.target == name]) for name in set(data.target)}
    rare = min(sorted(files), key=lambda name: len(files[name]))
    if len(files[rare]) >= 2 and len(set(data.groups)) >= n_folds:
        return
    raise ValueError(
        f"The images of a file are one group, which no fold may part, and class {rare} "
        f"has {len(files[rare])} of {len(set(data.groups))} files: too few for "
        f"{n_folds} folds. Give more files, or fewer folds if each class has two files "
        "at least. If the images of a file have nothing to do with each other, pass "
        "group_pages=False."
    )
