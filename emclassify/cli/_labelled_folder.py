"""What the commands that learn do with a folder: read it, and compare models on it."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from emclassify.cli._models import make_model
from emclassify.cli._options import folder_settings

if TYPE_CHECKING:
    from sklearn.utils import Bunch

    from emclassify.model_selection import BenchmarkResult

__all__ = ["compare", "load_folder"]


def load_folder(args: argparse.Namespace) -> "Bunch":
    """Return the data set of a folder."""
    from emclassify.readers import load_image_folder

    return load_image_folder(
        args.folder,
        on_error=args.on_error,
        group_pages=args.group_pages,
        **folder_settings(args),
    )


def compare(
    args: argparse.Namespace, names: Sequence[str], data: "Bunch", n_folds: int
) -> "BenchmarkResult":
    """Return the result of models on the folds of a data set."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    from emclassify.model_selection import benchmark_classifiers

    _refuse_too_few_files(args, data, n_folds)
    splitter = StratifiedKFold if data.groups is None else StratifiedGroupKFold
    return benchmark_classifiers(
        {name: make_model(name, args, data.images) for name in names},
        data.images,
        data.target,
        groups=data.groups,
        cv=splitter(n_folds, shuffle=True, random_state=args.seed),
        random_state=args.seed,
        n_jobs=args.jobs,
        on_missing_class=args.on_missing_class,
        tune=getattr(args, "tune", False),
        n_repeats=getattr(args, "repeats", 1),
        time_limit=None if args.time_limit is None else 60 * args.time_limit,
        verbose=0 if args.quiet else 1,
    )


def _refuse_too_few_files(
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
