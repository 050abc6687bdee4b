"""``emclassify particles``: from micrographs to particles, and to labels of them."""

import argparse
from typing import TYPE_CHECKING, Any

from emclassify.cli._no_effect import refuse_given
from emclassify.cli._options import (
    HelpFormatter,
    add_on_error,
    at_least,
    check_out,
    check_out_folder,
    positive,
)

if TYPE_CHECKING:
    from sklearn.utils import Bunch

__all__ = ["add_particles"]


def add_particles(commands: Any) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "particles",
        help="cut particles out of micrographs, or label them",
        description=(
            "Cut particles out of micrographs, as a table says where they are. Without "
            "--model, --out is a folder: a TIFF file for each, and labels.csv. With "
            "it, --out is the table with predicted labels, .star or .csv."
        ),
        formatter_class=HelpFormatter,
    )
    add = command.add_argument
    add("micrographs", metavar="MICROGRAPHS", help="folder, or a file")
    add(
        "--star",
        "--particles",
        dest="particles",
        metavar="TABLE",
        required=True,
        help=".star, .cs, .box or .csv; label masks; or a folder of these",
    )
    add("--box", "--box-size", dest="box_size", type=at_least(1), help="pixels a side")
    add("--margin", type=at_least(0), default=0, help="pixels more on each side")
    add(
        "--edge",
        choices=["raise", "pad", "drop"],
        default="raise",
        help="particles over the edge",
    )
    add("--label-column", default="auto", help="column of classes; else as usual")
    add("--micrograph-column", default="micrograph", help="column in .csv")
    add(
        "--recentre",
        action=argparse.BooleanOptionalAction,
        help="apply the origin shifts of RELION",
    )
    add("--invert-y", action="store_true", help="y counts from the last row")
    add("--pixel-size", type=positive, help="nm; else as files state it")
    add("--as-gray", action="store_true", help="make colours grey")
    add("--format", help="read micrographs as this format, such as mrc")
    add("--page", type=at_least(0), help="which image of a micrograph's file, from 0")
    add("--dataset", help="array in HDF5 and zarr files")
    add("--axes", help='of that array, such as "nyx": images, rows, columns')
    add("--no-orient", action="store_true", help="don't turn images upright")
    add("--model", metavar="MODEL", help="file of a model that labels the particles")
    add("--out", metavar="PATH", required=True, help="folder, or table to write")
    add("--quiet", action="store_true", help="no progress bar")
    add_on_error(command)
    command.set_defaults(run=_particles)


def _particles(args: argparse.Namespace) -> None:
    from emclassify.readers import write_particles

    if args.model is None:
        check_out_folder(args.out)
        data = _load(args)
        table = write_particles(args.out, data)
        print(f"{len(data.images)} particles of {len(set(data.groups))} micrographs")
        print(f"Table: {table}")
        return
    _label(args)


def _load(args: argparse.Namespace) -> "Bunch":
    from emclassify.readers import load_particles

    return load_particles(
        args.micrographs,
        args.particles,
        box_size=args.box_size,
        margin=args.margin,
        edge=args.edge,
        # A model says the labels: those of the table may have gaps.
        label_column=args.label_column if args.model is None else None,
        micrograph_column=args.micrograph_column,
        recentre=args.recentre,
        invert_y=args.invert_y,
        pixel_size=args.pixel_size,
        as_gray=args.as_gray,
        page=args.page,
        orient=not args.no_orient,
        format=args.format,
        dataset=args.dataset,
        axes=args.axes,
        on_error=args.on_error,
        verbose=0 if args.quiet else 1,
    )


def _label(args: argparse.Namespace) -> None:
    why = "has no effect with --model, which says the labels. Leave one of the two out"
    refuse_given(args, ["label_column"], why)
    from emclassify.persistence import load
    from emclassify.readers import write_star

    if not args.out.lower().endswith((".star", ".csv")):
        raise ValueError(f"--out {args.out}: with --model, a .star or .csv file.")
    check_out(args.out, args.model, args.particles, args.micrographs)
    model = load(args.model)
    data = _load(args)
    labels = model.predict(data.images)
    probabilities = (
        model.predict_proba(data.images) if hasattr(model, "predict_proba") else None
    )
    write_star(args.out, data, labels, probabilities, classes=model.classes_)
    for name in model.classes_:
        print(f"{name}: {sum(labels == name)}")
    print(f"Table: {args.out}")
