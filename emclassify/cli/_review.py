"""``emclassify review``: a page to set the labels of a folder right."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emclassify.cli._no_effect import refuse_given
from emclassify.cli._options import (
    HelpFormatter,
    add_folder_settings,
    add_jobs,
    at_least,
    check_out,
    folder_settings,
    label_tables,
    seed,
)

if TYPE_CHECKING:
    from emclassify.review._folder_images import FolderImages

__all__ = ["add_images", "add_review", "read_images"]

_OF_JUDGING = ("cv", "jobs", "seed")


def read_images(args: argparse.Namespace) -> "FolderImages":
    """Return the images of the folder that options name."""
    if args.unlabelled and args.labels is not None:
        raise ValueError(
            f"--unlabelled has no effect with --labels {args.labels}, which says the "
            "labels. Leave one of the two out."
        )
    from emclassify.review._folder_images import read_folder

    return read_folder(args.folder, unlabelled=args.unlabelled, **folder_settings(args))


def add_images(command: argparse.ArgumentParser) -> None:
    """Add the options of `read_images`."""
    add = command.add_argument
    add(
        "folder",
        metavar="FOLDER",
        help="one folder a class, or images without labels, or see --labels",
    )
    add(
        "--unlabelled",
        action="store_true",
        help="names of folders are no labels",
    )
    add_folder_settings(command)


def add_review(commands: Any) -> None:
    """Add ``emclassify review``."""
    command = commands.add_parser(
        "review",
        help="write a page on which labels are set right",
        description=(
            "Write a page that shows the images of a folder by doubt, to set their "
            "labels right in a browser. Where there are labels, they are judged out "
            "of fold, by clones of the model that have not seen them."
        ),
        formatter_class=HelpFormatter,
    )
    add = command.add_argument
    add(
        "source",
        metavar="MODEL|TABLE",
        help="file that emclassify train has written, or CSV table with columns file "
        "and probability_<class>, such as emclassify predict writes",
    )
    add_images(command)
    add(
        "--out",
        metavar="HTML|FOLDER",
        default="review.html",
        help="page to write: one file, or a folder for thousands of images",
    )
    add("--cv", type=at_least(2), metavar="N", default=5, help="number of folds")
    add("--title", default="Review of labels", help="heading of the page")
    add_jobs(command)
    add("--seed", type=seed, metavar="N", default=0, help="of folds")
    add("--quiet", action="store_true", help="no progress bar")
    command.set_defaults(run=_review)


def _review(args: argparse.Namespace) -> None:
    from emclassify._text_table import TABLE_SUFFIXES
    from emclassify.review._folder_page import (
        read_probabilities,
        review_folder,
        unseen_probabilities,
    )
    from emclassify.review._page_file import is_page

    out = Path(args.out)
    if not (out.is_dir() and (is_page(out) or not any(out.iterdir()))):
        check_out(args.out, args.source, *label_tables(args))
    if out.is_file() and out.suffix.lower() not in (".html", ".htm"):
        raise FileExistsError(
            f"--out {out} is a file: give a name that ends in .html, or a folder."
        )

    verbose = 0 if args.quiet else 1
    if not Path(args.source).is_file():
        raise FileNotFoundError(f"There is no file {args.source}.")
    is_table = args.source.lower().endswith(TABLE_SUFFIXES)
    if is_table:
        why = f"is of folds, and {args.source} is a table of what a model has said"
        refuse_given(args, _OF_JUDGING, f"{why}: nothing is trained. Leave it out")
    folder = read_images(args)
    if is_table:
        proba, classes = read_probabilities(args.source, folder.files)
    else:
        from emclassify.persistence import load

        if all(label is None for label in folder.labels[folder.readable]):
            why = "is of folds, and there are no labels to judge out of fold"
            refuse_given(args, _OF_JUDGING, f"{why}. Leave it out")
        proba, classes = unseen_probabilities(
            load(args.source),
            folder,
            n_folds=args.cv,
            random_state=args.seed,
            n_jobs=args.jobs,
            verbose=verbose,
        )
    page = review_folder(
        folder,
        proba,
        classes,
        args.out,
        pixel_size=folder.pixel_size,
        title=args.title,
        verbose=verbose,
    )
    n_unread = int((~folder.readable).sum())
    unread = f", {n_unread} of which cannot be read" if n_unread else ""
    print(f"{len(folder.files)} images{unread}. Open in a browser: {page}")
