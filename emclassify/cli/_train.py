"""``emclassify train``: a model learnt from a folder and kept in a file."""

import argparse
import math
from typing import TYPE_CHECKING, Any

from emclassify.cli._fingerprint import fingerprint
from emclassify.cli._labelled_folder import compare, load_folder
from emclassify.cli._models import (
    default_models,
    describe_names,
    make_model,
    say_what_is_left_out,
    with_probabilities,
)
from emclassify.cli._no_effect import refuse_given, refuse_unread
from emclassify.cli._options import (
    OF_FOLDS,
    HelpFormatter,
    add_folder,
    add_folds,
    add_training,
    at_least,
    check_out,
    label_tables,
    model_name,
    seed,
)
from emclassify.cli._settings import check_settings

if TYPE_CHECKING:
    from sklearn.utils import Bunch

    from emclassify.model_selection import BenchmarkResult

__all__ = ["add_train"]


def add_train(commands: Any) -> None:
    """Add ``emclassify train``."""
    command = commands.add_parser(
        "train",
        help="train a model on a folder and keep it in a file",
        description=(
            "Train a model on all labelled images of a folder, and write it to a file "
            "with its card: data, groups, splits, figures, date."
        ),
        formatter_class=HelpFormatter,
    )
    add_folder(command)
    add = command.add_argument
    add(
        "--model",
        type=lambda text: text if text == "auto" else model_name(text),
        metavar="NAME",
        default="lipnet4",
        help=f"what to train: {describe_names()}, where TIMM is a network of timm; or "
        "auto, which compares models as the benchmark does and takes the best",
    )
    add(
        "--cv",
        type=at_least(2),
        metavar="N",
        help="number of folds, for figures in the card; none without it, 5 for "
        "--model auto",
    )
    add_training(command)
    add_folds(command)
    add("--seed", type=seed, metavar="N", default=0, help="of folds and networks")
    add("--out", metavar="MODEL", required=True, help="file to write")
    add("--quiet", action="store_true", help="no progress bar")
    command.set_defaults(run=_train)


def _train(args: argparse.Namespace) -> None:
    if args.cv is None and args.model != "auto":
        refuse_given(args, OF_FOLDS, "needs folds: give --cv too")
    check_out(args.out, *label_tables(args))
    names = default_models() if args.model == "auto" else [args.model]
    check_settings(args, names)
    refuse_unread(args, names)
    if args.model == "auto" and not args.quiet:
        say_what_is_left_out(names, "--model backbone")
    data = load_folder(args)
    # Without folds, a seed is of the model only.
    told = () if args.cv or args.model == "auto" else ("seed",)
    refuse_unread(args, names, data.images, told=told)
    card = _describe(args, data)
    if args.model == "auto":
        args.cv = args.cv or 5
    name = args.model
    if args.cv is not None:
        result = compare(args, names, data, args.cv)
        name = result.leader()
        card |= _figures(args, result, name)
        if args.model == "auto":
            card["chosen"] = f"{name}: {result.verdict()}"
        print(result)
        if card["shorter_trainings"]:
            print(f"\n{card['shorter_trainings']}")
        if args.model == "auto":
            print(f"\nTaken: {name}, the highest macro F1.")
    # Anew: for a limit of time, the folds may have had shorter trainings.
    model = make_model(name, args, data.images)
    model = with_probabilities(model, data.target, data.groups)
    _fit(model, data, verbose=0 if args.quiet else 1)
    from emclassify.persistence import save

    save(model, args.out, card=card)
    print(f"Model: {args.out} ({fingerprint(args.out)})")


def _fit(model: Any, data: "Bunch", verbose: int) -> None:
    """Fit with a bar over the epochs, and say what they ended with."""
    from emclassify._fit_params import add_groups, fit_with

    network = model[-1] if hasattr(model, "steps") else model
    shows = type(network).__module__.startswith("emclassify.classifiers")
    if shows:
        network.set_params(verbose=verbose)
    fit_with(model, data.images, data.target, add_groups({}, model, data.groups))
    if shows:
        # The bar was of this run, not of the model.
        network.set_params(verbose=0)
    if verbose and getattr(network, "history_", None):
        last = network.history_[-1]
        losses = [
            f"{words} {last[key]:.4f}"
            for key, words in (("train_loss", "loss"), ("valid_loss", "held out"))
            if key in last
        ]
        n = len(network.history_)
        print(f"Trained for {n} epoch{'s' * (n != 1)}: {', '.join(losses)}.")


def _describe(args: argparse.Namespace, data: "Bunch") -> dict[str, Any]:
    """Return what the card says of the data."""
    import numpy as np

    names, counts = np.unique(data.target, return_counts=True)
    return {
        "data": f"Images of the folder {args.folder}.",
        "n_images": len(data.target),
        "n_of_class": {str(name): n for name, n in zip(names, counts, strict=True)},
        "group_column": args.group_column,
        "pixel_size_nm": _pixel_sizes(data),
        "n_groups": None if data.groups is None else len(np.unique(data.groups)),
        "left_out": data.errors["file"].tolist(),
        "command": args.command_line,
        "splits": None,
        "figures": None,
        "shorter_trainings": None,
    }


def _pixel_sizes(data: "Bunch") -> list[float] | None:
    """Return the least and the most, in nm, where all images have one."""
    import numpy as np

    sizes = data.pixel_size
    if sizes is None or not np.isfinite(sizes).all():
        return None
    return [float(np.min(sizes)), float(np.max(sizes))]


def _figures(
    args: argparse.Namespace, result: "BenchmarkResult", name: str
) -> dict[str, Any]:
    """Return what the card says of folds, and of figures out of fold."""
    figures = result.shown_figures(name)
    was, now = result.settings["cut"].get(name, (None, None))
    return {
        "shorter_trainings": None
        if now is None
        else f"The figures are of trainings of {now} epochs, for the limit of time; "
        f"the model was to have {was}.",
        "splits": {
            "folds": args.cv,
            "seed": args.seed,
            "groups_kept_together": result.groups is not None,
            "n_train_and_test": [[len(a), len(b)] for a, b in result.folds],
        },
        "figures": {
            str(name): {
                figure: value if math.isfinite(value) else None
                for figure, value in row.items()
            }
            for name, row in figures.iterrows()
        },
    }
