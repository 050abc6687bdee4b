"""What the commands that learn do with a folder: read it, and compare models on it."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from emclassify.cli._check_folds import check_classes, check_folds
from emclassify.cli._models import make_model
from emclassify.cli._options import folder_settings

if TYPE_CHECKING:
    from sklearn.utils import Bunch

    from emclassify.model_selection import BenchmarkResult

__all__ = ["compare", "load_folder"]


def load_folder(args: argparse.Namespace) -> "Bunch":
    """Return the data set of a folder."""
    if "group_pages" in args.given and args.page != "all":
        raise ValueError(
            "--no-group-pages is of files of several images: give --page all too."
        )
    if "group_pages" in args.given and args.group_column is not None:
        raise ValueError(
            f"--no-group-pages has no effect: groups are those of the column "
            f"{args.group_column}. Leave it or --group-column out."
        )
    from emclassify.readers import load_image_folder

    data = load_image_folder(
        args.folder,
        on_error=args.on_error,
        group_pages=args.group_pages,
        **folder_settings(args),
    )
    check_classes(args, data.target)
    return data


def compare(
    args: argparse.Namespace, names: Sequence[str], data: "Bunch", n_folds: int
) -> "BenchmarkResult":
    """Return the result of models on the folds of a data set."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    from emclassify.model_selection import benchmark_classifiers

    check_folds(args, data, n_folds)
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
