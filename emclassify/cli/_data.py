"""What the commands that learn from a folder share: options, data, models."""

import argparse
import os
import sys

MODELS = ("lipnet4", "svm", "svm-linear")


def add_folder(command, nargs=None):
    """Add the options of `load_image_folder`."""
    add = command.add_argument
    add(
        "folder",
        nargs=nargs,
        metavar="FOLDER",
        help="one folder a class, or see --labels",
    )
    add("--labels", metavar="CSV", help="table of files and labels")
    add("--file-column", default="file", help="column of files in CSV")
    add("--label-column", default="label", help="column of labels in CSV")
    add("--group-column", help="column of groups that no fold may part")
    add_on_error(command)


def add_on_error(command):
    """Add what to do about files that can't be read."""
    command.add_argument(
        "--on-error",
        choices=["raise", "skip"],
        default="raise",
        help="unreadable files",
    )


def add_training(command):
    """Add the options of the models."""
    add = command.add_argument
    add("--image-size", type=at_least(1), default=48, help="pixels a side for the CNN")
    add(
        "--epochs",
        type=at_least(1),
        default=20,
        help="passes of the CNN over its images",
    )
    add(
        "--class-weight", choices=["balanced"], help="of the CNN; the SVM's is balanced"
    )
    add("--jobs", type=int, default=os.cpu_count(), help="folds at a time")


def model_names(text):
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in MODELS]
    if unknown or not names or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            f"{text!r}: give each model once, of {', '.join(MODELS)}"
        )
    return names


def numbers(text):
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no comma-separated list of numbers"
        ) from None


def at_least(low):
    def whole_number(text):
        if not text.lstrip("-").isdigit() or int(text) < low:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no whole number of at least {low}"
            )
        return int(text)

    return whole_number


def load_data(args):
    """Return the data set and a sentence about it."""
    from emclassify.datasets import make_liposomes

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
    data = load_folder(args)
    return data, f"Images of the folder {args.folder}."


def load_folder(args):
    """Return the data set of a folder."""
    from emclassify.readers import load_image_folder

    return load_image_folder(
        args.folder,
        labels=args.labels,
        file_column=args.file_column,
        label_column=args.label_column,
        group_column=args.group_column,
        on_error=args.on_error,
        verbose=0 if args.quiet else 1,
    )


def check_out(path):
    """Raise now, not after an hour of training, if there is no folder for `path`."""
    if not os.path.isdir(folder := os.path.dirname(os.path.abspath(path))):
        raise FileNotFoundError(f"--out {path}: there is no folder {folder}.")


def benchmark(args, names, data, n_folds):
    """Return the BenchmarkResult of models on the folds of a data set."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    from emclassify.model_selection import benchmark_classifiers

    splitter = StratifiedKFold if data.groups is None else StratifiedGroupKFold
    return benchmark_classifiers(
        {name: make_model(name, args, data.images) for name in names},
        data.images,
        data.target,
        groups=data.groups,
        cv=splitter(n_folds, shuffle=True, random_state=args.seed),
        random_state=args.seed,
        n_jobs=args.jobs,
        verbose=0 if args.quiet else 1,
    )


def make_model(name, args, images):
    """Return the estimator that a name of --models stands for."""
    from sklearn.pipeline import make_pipeline

    from emclassify.baselines import svm_baseline
    from emclassify.preprocessing import ResizeImages

    resize = ResizeImages((args.image_size, args.image_size))
    if name == "lipnet4":
        from emclassify.classifiers import LipNetClassifier

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
