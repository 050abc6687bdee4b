"""``emclassify predict``: a table of predictions for a folder."""

import argparse
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from emclassify.cli._fingerprint import fingerprint
from emclassify.cli._no_effect import refuse_given
from emclassify.cli._options import (
    HelpFormatter,
    add_on_error,
    add_reading,
    at_least,
    check_out,
    positive,
)

__all__ = ["add_predict", "sigterm_as_interrupt"]


def add_predict(commands: Any) -> None:
    """Add ``emclassify predict``."""
    command = commands.add_parser(
        "predict",
        help="predict the images in a folder with a model that was kept",
        description=(
            "Predict all images in a folder, or with --watch also those still to come, "
            "and write a table with a row for each."
        ),
        formatter_class=HelpFormatter,
    )
    add = command.add_argument
    add("model", metavar="MODEL", help="file that emclassify train has written")
    add("folder", metavar="FOLDER", help="images and stacks, of any format")
    add("--out", metavar="CSV", required=True, help="table to write")
    add(
        "--watch",
        action="store_true",
        help="wait for more files until stopped (Ctrl-C, SIGTERM); go on with the "
        "table if it exists",
    )
    add(
        "--interval",
        type=positive,
        default=1.0,
        help="seconds between looks at the folder; a file that changes in them waits",
    )
    add_reading(command)
    add(
        "--rescale",
        action="store_true",
        help="bring images to the pixel size that the model has learnt from",
    )
    add("--batch-size", type=at_least(1), default=128, help="images at a time")
    add_on_error(command)
    command.set_defaults(run=_predict)


def _predict(args: argparse.Namespace) -> None:
    if not args.watch:
        refuse_given(args, ["interval"], "is of a watch: give --watch too")
    check_out(args.out, args.model)
    from emclassify.persistence import load, read_model_card
    from emclassify.prediction import predict_folder

    learnt = read_model_card(args.model)["card"].get("pixel_size_nm")
    if args.rescale and learnt is None:
        raise ValueError(
            f"--rescale: the card of {args.model} has no pixel size, since the images "
            "that it was trained on had none. Train again with --pixel-size."
        )
    if learnt is None:
        why = f"has no effect: the card of {args.model} has no pixel size to hold it "
        refuse_given(args, ["pixel_size"], f"{why}against. Leave it out")

    def predict() -> int:
        return predict_folder(
            load(args.model),
            args.folder,
            args.out,
            watch=args.watch,
            page=None if args.page == "all" else args.page,
            format=args.format,
            dataset=args.dataset,
            axes=args.axes,
            orient=not args.no_orient,
            as_gray=args.as_gray,
            pixel_size=args.pixel_size,
            model_pixel_size=learnt,
            rescale=args.rescale,
            batch_size=args.batch_size,
            interval=args.interval,
            on_error=args.on_error,
            model_name=fingerprint(args.model),
        )

    if not args.watch:
        n_rows = predict()
    else:
        try:
            with sigterm_as_interrupt():
                n_rows = predict()
        except KeyboardInterrupt:
            # While the model was loaded: to be stopped is how a watch ends.
            print("emclassify: stopped before the first look.", file=sys.stderr)
            return
    print(f"{n_rows} rows: {args.out}")


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM, by which services are stopped, do what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may say what a signal does.
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
