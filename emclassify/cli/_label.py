"""``emclassify label``: from a folder without labels to a classifier, by rounds."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emclassify.cli._models import describe_names, make_model
from emclassify.cli._no_effect import refuse_given, refuse_unread
from emclassify.cli._options import (
    HelpFormatter,
    add_jobs,
    add_training,
    at_least,
    model_name,
    seed,
    whole_number,
)
from emclassify.cli._predict import sigterm_as_interrupt
from emclassify.cli._review import add_images, read_images
from emclassify.cli._settings import check_settings

if TYPE_CHECKING:
    from emclassify.review._labelling import Labelling

__all__ = ["add_label"]


def add_label(commands: Any) -> None:
    """Add ``emclassify label``."""
    command = commands.add_parser(
        "label",
        help="label a folder in rounds, and train on what is labelled",
        description=(
            "Label a folder of images in rounds: the images to label first, a page to "
            "label them on, a model of the labels and how good it is, the next images. "
            "Run it again with the corrections that the page has saved. All rounds "
            "are kept in a folder; stop and go on at any time."
        ),
        formatter_class=HelpFormatter,
    )
    add_images(command)
    add = command.add_argument
    add(
        "--classes",
        type=_names,
        metavar="A,B",
        help="labels to choose from, beside those that there are; kept, and may grow",
    )
    add("--out", metavar="ROUNDS", default="labelling", help="folder of the rounds")
    add(
        "--corrections",
        nargs="+",
        default=[],
        metavar="CSV",
        help="what pages have saved; of several people, one file each",
    )
    add(
        "--serve",
        action="store_true",
        help="open the page from a server on this machine, which keeps each decision "
        "at once and trains in the background, until stopped (Ctrl-C, SIGTERM)",
    )
    add(
        "--port",
        type=whole_number(0, 65535),
        default=0,
        help="of the server; 0 is a free one",
    )
    add("--number", type=at_least(1), default=50, help="images to label a round")
    add(
        "--model",
        type=model_name,
        metavar="NAME",
        default="svm",
        help=f"what to train: {describe_names()}, where TIMM is a network of timm",
    )
    add(
        "--cv",
        type=at_least(2),
        metavar="N",
        default=5,
        help="number of folds that try the model",
    )
    add_training(command)
    add_jobs(command)
    add(
        "--seed",
        type=seed,
        metavar="N",
        default=0,
        help="of suggestions, folds and networks",
    )
    add("--quiet", action="store_true", help="no progress bar")
    command.set_defaults(
        run=_label,
        interrupted="interrupted, no round was begun; those before are kept.",
    )


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if len(set(names)) < len(names) or not names:
        raise argparse.ArgumentTypeError(f"{text!r}: give each class once, as a,b,c")
    return names


def _label(args: argparse.Namespace) -> None:
    if not args.serve:
        refuse_given(args, ["port"], "is of a server: give --serve too")
    check_settings(args, [args.model])
    refuse_unread(args, [args.model])
    out = Path(args.out)
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"--out {out} is a file; give a folder.")
    if not out.absolute().parent.is_dir():
        raise FileNotFoundError(f"--out: there is no folder {out.absolute().parent}.")
    if out.resolve().is_relative_to(Path(args.folder).resolve()):
        raise ValueError(
            f"--out {out} lies in {args.folder}, where its pictures would be taken for "
            "images to label. Give a folder beside it."
        )
    from emclassify.review._one_process import alone_in

    with alone_in(out):
        _go_on(args, out)


def _go_on(args: argparse.Namespace, out: Path) -> None:
    """Begin the first round, or go on from the last."""
    labelling = _labelling(args, out)
    is_new = not labelling.rounds()
    if is_new and args.corrections:
        raise ValueError(
            f"{out} has no round yet that --corrections could be of: run it without "
            "them first."
        )
    if is_new:
        _tell(labelling, labelling.next_round())
    else:
        labelling.add(args.corrections)
    if args.serve:
        _serve(args, labelling)
    elif not is_new and labelling.n_decisions():
        _tell(labelling, labelling.next_round())
    elif not is_new:
        print(
            f"Round {len(labelling.rounds())} waits for labels. Open in a browser: "
            f"{labelling.page()}\nSave there, and run this again with --corrections."
        )


def _serve(args: argparse.Namespace, labelling: "Labelling") -> None:
    """Serve the pages of the rounds until stopped."""
    from emclassify.review._serve import LabelServer

    served = LabelServer(labelling)
    with sigterm_as_interrupt():
        server = served.make_server(args.port)
        print(f"Serving: {served.address(server)}", flush=True)
        print("Ctrl-C ends it; every decision is on the disk.", flush=True)
        server.serve_forever()
    print(f"Stopped. Go on at any time: the rounds are in {labelling.out}.")


def _labelling(args: argparse.Namespace, out: Path) -> "Labelling":
    """Return the rounds of a folder, begun or to begin."""
    from emclassify._whole_file import whole_file
    from emclassify._words import name_some
    from emclassify.review._labelling import Labelling
    from emclassify.review._page_data import MOST_CLASSES

    folder = read_images(args)
    refuse_unread(args, [args.model], folder.images)
    kept = out / "classes.json"
    before = json.loads(kept.read_text("utf-8")) if kept.is_file() else []
    found = sorted({label for label in folder.labels if label is not None})
    classes = list(dict.fromkeys([*before, *(args.classes or []), *found]))
    if len(classes) < 2:
        raise ValueError(
            f"There is {'one class' if classes else 'no class'} to choose from: give "
            "--classes a,b."
        )
    if len(classes) > MOST_CLASSES:
        # Before they are kept, or no later run could do with fewer.
        raise ValueError(
            f"A page has keys for {MOST_CLASSES} classes; there are {len(classes)}: "
            f"{name_some(classes, 3)}. Label them in parts."
        )
    labelling = Labelling(
        out,
        folder,
        classes,
        lambda images: make_model(args.model, args, images),
        n=args.number,
        n_folds=args.cv,
        random_state=args.seed,
        n_jobs=args.jobs,
        verbose=0 if args.quiet else 1,
        title=f"Labels of {Path(args.folder).name}",
    )
    out.mkdir(exist_ok=True)
    if classes != before:
        with whole_file(kept) as file:
            file.write(json.dumps(classes, ensure_ascii=False).encode())
    return labelling


def _tell(labelling: "Labelling", known: dict[str, Any]) -> None:
    """Print what is known at the begin of a round, and what to do."""
    from emclassify._words import name_some
    from emclassify.review._labelling import CURVE

    counts = ", ".join(f"{name} {n}" for name, n in known["n_of_class"].items())
    print(f"Round {known['round']}: {known['n_labels']} labels ({counts}).")
    if known["n_conflicts"]:
        where = labelling.rounds()[-1] / "conflicts.csv"
        print(f"{known['n_conflicts']} corrections were not applied: see {where}.")
    if "macro_f1" in known:
        print(
            "Macro F1 out of fold, of the images labelled so far: "
            f"{known['macro_f1']:.3f} [{known['macro_f1_low']:.3f}, "
            f"{known['macro_f1_high']:.3f}]."
        )
        print(f"Learning curve: {labelling.out / CURVE}")
    elif known["n_labels"]:
        print("There is no model yet: it takes 3 labels of two classes at least.")
    if "macro_f1" in known and known["left_out"]:
        print(f"Fewer than 3 labels, not learnt yet: {name_some(known['left_out'])}.")
    print(f"Open in a browser: {labelling.page()}")
