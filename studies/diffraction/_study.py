"""The diffraction study: single hits kept, all else dropped, on simulated patterns.

    python -m studies.diffraction --out FOLDER                 # all of it
    python -m studies.diffraction --out FOLDER --full          # 50,000 patterns
    python -m studies.diffraction --out FOLDER --only shapes
    python -m studies.diffraction --out FOLDER --vgg16 FILE    # with VGG16

domains: trained on ideal and on experiment-like patterns, tested on both. shapes:
trained on icosahedra, tested on soccer balls and tori, and what helps. depth: accuracy
on training and test patterns against n and m of ResNet(n, m). Patterns are 256×256 and
cropped to 128×128, as published. --full is the source's 50,000 simulated patterns, half
of them to test on; it wants a GPU. FILE is one of pretrained weights of VGG16.

FOLDER gets a record of each part (JSON) and of all parts summary.md. A part whose
record is there is not run again.
"""

import argparse
import platform
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from studies._arguments import check_numbers
from studies._machine import describe_machine, versions_of
from studies._markdown import as_markdown, run_line
from studies._record import is_done, read_record, write_record
from studies._sources import DIFFRACTION_SIMULATED
from studies.diffraction._parts import PARTS, Setting, use_device

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
    parser.add_argument("--vgg16", metavar="FILE", help="pretrained weights")
    args = parser.parse_args(arguments)
    size = DIFFRACTION_SIMULATED // 2 if args.full else 1000
    args.train = size if args.train is None else args.train
    args.test = size if args.test is None else args.test
    check_numbers(parser, args, {"train": 60, "test": 20, "epochs": 1})
    return args


def command_of(args):
    """Return the command without folders and files, which are nobody's business."""
    words = ["python -m studies.diffraction"]
    for name in ("train", "test", "epochs", "seed"):
        words += [f"--{name}", str(getattr(args, name))]
    return " ".join([*words, "--vgg16 FILE"] if args.vgg16 else words)


def run_part(part, setting, args):
    """Run a part; return its record."""
    start = time.perf_counter()
    rows = part.run(setting, args.vgg16)
    return {
        "part": part.name,
        "command": command_of(args),
        "machine": describe_machine(),
        "versions": {"Python": platform.python_version()} | versions_of(PACKAGES),
        "started": time.strftime("%Y-%m-%d"),
        "seconds": time.perf_counter() - start,
        "setting": asdict(setting),
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
    setting = Setting(args.train, args.test, args.epochs, args.seed, bool(args.vgg16))
    use_device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if args.only is not None and part.name not in args.only:
            continue
        if is_done(args.out, part.name, asdict(setting)):
            print(f"{part.name} is done already")
            continue
        print(f"{part.name}: {part.question}", flush=True)
        record = run_part(part, setting, args)
        write_record(args.out, part.name, record)
        print(f"  {record['seconds']:.0f} s", flush=True)
        write_summary(args.out)
    write_summary(args.out)
