"""The commands that make, use and show models in files."""

import argparse
import hashlib
import json
import math
from pathlib import Path

from emclassify.cli._data import (
    MODELS,
    add_folder,
    add_on_error,
    add_training,
    at_least,
    benchmark,
    check_out,
    load_folder,
    make_model,
)


def add_train(commands):
    """Add ``emclassify train``."""
    command = commands.add_parser(
        "train",
        help="train a model on a folder and keep it in a file",
        description=(
            "Train a model on all labelled images of a folder, and write it to a file "
            "with its card: data, groups, splits, figures, date."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_folder(command)
    add = command.add_argument
    add("--model", choices=MODELS, default="lipnet4", help="what to train")
    add(
        "--cv",
        type=at_least(2),
        help="number of folds, for figures in the card; none without it",
    )
    add_training(command)
    add("--seed", type=int, default=0, help="of folds and networks")
    add("--out", metavar="MODEL", required=True, help="file to write")
    add("--quiet", action="store_true", help="no progress bar")
    command.set_defaults(run=_train)


def add_predict(commands):
    """Add ``emclassify predict``."""
    command = commands.add_parser(
        "predict",
        help="predict the images in a folder with a model that was kept",
        description=(
            "Predict all images in a folder, or with --watch also those still to come, "
            "and write a table with a row for each."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = command.add_argument
    add("model", metavar="MODEL", help="file that emclassify train has written")
    add("folder", metavar="FOLDER", help="images in files, stacks in HDF5 or CXI files")
    add("--out", metavar="CSV", required=True, help="table to write")
    add(
        "--watch",
        action="store_true",
        help="wait for more files until interrupted; go on with the table if it exists",
    )
    add(
        "--interval",
        type=_positive,
        default=1.0,
        help="seconds between looks at the folder; a file that changes in them waits",
    )
    add("--dataset", default="/entry_1/data_1/data", help="stack in HDF5 files")
    add("--batch-size", type=at_least(1), default=128, help="images at a time")
    add_on_error(command)
    command.set_defaults(run=_predict)


def add_card(commands):
    """Add ``emclassify card``."""
    command = commands.add_parser(
        "card",
        help="print what a model's file says of it",
        description="Print the card of a model as JSON, without loading the model.",
    )
    command.add_argument("model", metavar="MODEL")
    command.set_defaults(run=_print_card)


def _positive(text):
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return number


def _train(args):
    check_out(args.out)
    data = load_folder(args)
    card = _describe(args, data)
    if args.cv is not None:
        result = benchmark(args, [args.model], data, args.cv)
        card |= _figures(args, result)
        print(result.summary().loc[args.model].round(3).to_string())
    model = make_model(args.model, args, data.images).fit(data.images, data.target)
    from emclassify.persistence import save

    save(model, args.out, card=card)
    print(f"Model: {args.out} ({_fingerprint(args.out)})")


def _describe(args, data):
    """Return what the card says of the data."""
    import numpy as np

    names, counts = np.unique(data.target, return_counts=True)
    return {
        "data": f"Images of the folder {args.folder}.",
        "n_images": len(data.target),
        "n_of_class": {str(name): n for name, n in zip(names, counts, strict=True)},
        "group_column": args.group_column,
        "n_groups": None if data.groups is None else len(np.unique(data.groups)),
        "left_out": data.errors["file"].tolist(),
        "command": args.command_line,
        "splits": None,
        "figures": None,
    }


def _figures(args, result):
    """Return what the card says of folds, and of figures out of fold."""
    summary = result.summary().loc[args.model]
    return {
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
            for name, row in summary.iterrows()
        },
    }


def _predict(args):
    check_out(args.out)
    from emclassify.persistence import load
    from emclassify.prediction import predict_folder

    n_rows = predict_folder(
        load(args.model),
        args.folder,
        args.out,
        watch=args.watch,
        dataset=args.dataset,
        batch_size=args.batch_size,
        interval=args.interval,
        on_error=args.on_error,
        model_name=_fingerprint(args.model),
    )
    print(f"{n_rows} rows: {args.out}")


def _print_card(args):
    from emclassify.persistence import read_model_card

    print(json.dumps(read_model_card(args.model), indent=2, ensure_ascii=False))


def _fingerprint(path):
    """Return in brief what tells a file from all others."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
