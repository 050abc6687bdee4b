"""The command line: a thin layer over the public Python API."""

import argparse
import os
import shlex
import sys

__all__ = ["main"]

MODELS = ("lipnet4", "svm", "svm-linear")


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; ``sys.argv[1:]`` without it.

    Returns
    -------
    int
        0 if all went well, 2 if the input is no good, 130 if interrupted.
    """
    args = _parser().parse_args(argv)
    args.command_line = shlex.join(
        ["emclassify", *(sys.argv[1:] if argv is None else argv)]
    )
    try:
        args.run(args)
    except (ValueError, OSError, ImportError) as error:
        print(f"emclassify: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nemclassify: interrupted, nothing was written.", file=sys.stderr)
        return 130
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="emclassify", description="Classify scientific images."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_benchmark(commands)
    return parser


def _add_benchmark(commands):
    command = commands.add_parser(
        "benchmark",
        help="compare a CNN with an SVM on features, with the same folds",
        description=(
            "Compare classifiers on a folder of labelled images, or on simulated "
            "liposomes if no folder is given: prints each class's figures and which "
            "model wins, and writes a report."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = command.add_argument
    add(
        "folder",
        nargs="?",
        metavar="FOLDER",
        help="one folder a class, or see --labels",
    )
    add("--labels", metavar="CSV", help="table of files and labels")
    add("--file-column", default="file", help="column of files in CSV")
    add("--label-column", default="label", help="column of labels in CSV")
    add("--group-column", help="column of groups that no fold may part")
    add(
        "--on-error",
        choices=["raise", "skip"],
        default="raise",
        help="unreadable files",
    )
    add(
        "--models",
        type=_models,
        default="lipnet4,svm",
        help=f"comma-separated, of {', '.join(MODELS)}",
    )
    add("--cv", type=_at_least(2), default=5, help="number of folds")
    add("--image-size", type=_at_least(1), default=48, help="pixels a side for the CNN")
    add(
        "--epochs",
        type=_at_least(1),
        default=20,
        help="passes of the CNN over its images",
    )
    add(
        "--class-weight", choices=["balanced"], help="of the CNN; the SVM's is balanced"
    )
    add("--jobs", type=int, default=os.cpu_count(), help="folds at a time")
    add("--seed", type=int, default=0, help="of folds, networks and simulator")
    add("--out", metavar="HTML", default="benchmark.html", help="report to write")
    add("--quiet", action="store_true", help="no progress bar")
    simulator = command.add_argument_group("simulated liposomes, if no folder is given")
    add = simulator.add_argument
    add("--samples", type=_at_least(1), default=1500, help="number of images")
    add("--task", choices=["lamellarity", "encapsulation"], default="lamellarity")
    add("--weights", type=_numbers, help="share of each class, as 0.75,0.2,0.05")
    command.set_defaults(run=_benchmark)


def _models(text):
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in MODELS]
    if unknown or not names or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give each model once, of {', '.join(MODELS)}"
        )
    return names


def _numbers(text):
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no comma-separated list of numbers"
        ) from None


def _at_least(low):
    def whole_number(text):
        if not text.lstrip("-").isdigit() or int(text) < low:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no whole number of at least {low}"
            )
        return int(text)

    return whole_number


def _benchmark(args):
    if not os.path.isdir(folder := os.path.dirname(os.path.abspath(args.out))):
        # Said now, not after an hour of training.
        raise FileNotFoundError(f"--out {args.out}: there is no folder {folder}.")
    data, description = _load(args)
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    from .model_selection import benchmark_classifiers

    splitter = StratifiedKFold if data.groups is None else StratifiedGroupKFold
    result = benchmark_classifiers(
        {name: _make_model(name, args, data.images) for name in args.models},
        data.images,
        data.target,
        groups=data.groups,
        cv=splitter(args.cv, shuffle=True, random_state=args.seed),
        random_state=args.seed,
        n_jobs=args.jobs,
        verbose=0 if args.quiet else 1,
    )
    print(result)
    names = data.get("filenames")
    path = result.to_html(
        args.out, description=description, command=args.command_line, names=names
    )
    print(f"\nReport: {path}")


def _load(args):
    """Return the data set and a sentence about it."""
    from .datasets import load_image_folder, make_liposomes

    if args.folder is None:
        for option in ("labels", "group_column"):
            if getattr(args, option) is not None:
                raise ValueError(
                    f"--{option.replace('_', '-')} needs a FOLDER; without one, the "
                    "images are simulated."
                )
        if not args.quiet:
            print(f"Simulating {args.samples} images ({args.task}) …", file=sys.stderr)
        data = make_liposomes(
            args.samples, task=args.task, weights=args.weights, random_state=args.seed
        )
        return data, (
            f"Simulated cryo-TEM images of liposomes ({args.task}, seed {args.seed}); "
            "groups are simulated micrographs."
        )
    data = load_image_folder(
        args.folder,
        labels=args.labels,
        file_column=args.file_column,
        label_column=args.label_column,
        group_column=args.group_column,
        on_error=args.on_error,
        verbose=0 if args.quiet else 1,
    )
    return data, f"Images of the folder {args.folder}."


def _make_model(name, args, images):
    """Return the estimator that a name of --models stands for."""
    from sklearn.pipeline import make_pipeline

    from .baselines import svm_baseline
    from .preprocessing import ResizeImages

    resize = ResizeImages((args.image_size, args.image_size))
    if name == "lipnet4":
        from .classifiers import LipNetClassifier

        network = LipNetClassifier(
            depth=4,
            max_epochs=args.epochs,
            class_weight=args.class_weight,
            random_state=args.seed,
        )
        return make_pipeline(resize, network)
    svm = svm_baseline(kernel="linear" if name == "svm-linear" else "rbf")
    # Features are taken at full size where there is one size.
    return svm if images.ndim > 1 else make_pipeline(resize, *svm.named_steps.values())
