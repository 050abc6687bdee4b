"""Off-sample ion images: a network against masks, co-localisation and features.

    python -m studies.ions --out FOLDER                   # simulated datasets
    python -m studies.ions --out FOLDER --full            # the source's numbers
    python -m studies.ions --out FOLDER --wide            # what real sets have beyond
    python -m studies.ions --out FOLDER --data GS         # the gold standard

The source's table: ten folds that keep datasets together, five trainings averaged,
accuracy, AUC, F1, precision and recall of off-sample images. Then the same models with
datasets torn between training and test, which is what a random split does.

--full means 23,116 images (7,451 off-sample) of 100 simulated datasets; it wants a GPU.
Each fit is kept in FOLDER/fits, so that a run that was stopped goes on. Networks train
one after the other; "--models others --jobs 14" fits the rest at the same time, as a
second process, and a last run without --models writes the tables.

--data is a folder of the layout dataset/on|off/ion.png, as the public gold standard has
it (metaspace2020/offsample, release 0.2).

FOLDER gets summary.md and, as CSV, the scores of each fold (folds.csv, leak-folds.csv)
and the accuracy in each dataset (datasets.csv).
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier

from emclassify import (
    OffSampleNetClassifier,
    ResizeImages,
    SeedEnsembleClassifier,
    load_image_folder,
    make_ion_images,
    svm_baseline,
)
from emclassify.baselines import ColocalizationClassifier, MaskCorrelationClassifier
from studies._arguments import check_numbers
from studies._fits import KINDS, Model, compare, say
from studies._kept_arrays import kept_arrays, name_of
from studies._machine import describe_machine
from studies._markdown import table_as_markdown
from studies._sources import (
    OFF_SAMPLE,
    OFF_SAMPLE_BASELINE,
    OFF_SAMPLE_COUNTS,
    OFF_SAMPLE_NAME,
)
from studies.shortcuts import WIDE_IONS

# Pixels of what the network and the features get.
NET_SIZE = (56, 56)
METRICS = {
    "accuracy": "accuracy",
    "AUC": "AUC",
    "F1": "F1_off",
    "precision": "PPV_off",
    "recall": "TPR_off",
}
# Figures with intervals; an AUC has none.
POOLED = ("accuracy", "F1", "precision", "recall")
AVERAGED = "OffSampleNet, averaged"
PUBLISHED = "OffSampleNet as published, averaged"
SMALL = {"samples": 800, "datasets": 40, "epochs": 8}
FULL = {"samples": sum(OFF_SAMPLE_COUNTS.values()), "datasets": 100, "epochs": 5}
# Models whose split is torn as well: one training of the network is enough for that.
TORN = ["OffSampleNet, one training", "mask, logistic regression"]
TORN += ["co-localisation, SVM", "features, SVM"]


def parse(arguments):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m studies.ions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER")
    parser.add_argument("--data", type=Path, metavar="FOLDER")
    parser.add_argument("--full", action="store_true", help="the source's size")
    parser.add_argument("--samples", type=int, help="simulated images; 800")
    parser.add_argument(
        "--datasets", type=int, help="simulated datasets; 40, with --full 100"
    )
    parser.add_argument(
        "--wide", action="store_true", help="datasets that vary more, some ions faint"
    )
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--members", type=int, default=5, help="trainings averaged")
    parser.add_argument("--epochs", type=int, help="8, with --full 5")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, help="fits at a time, not of networks")
    parser.add_argument("--device", default="auto", help="of networks")
    parser.add_argument("--models", choices=KINDS, default="all", help="which to fit")
    args = parser.parse_args(arguments)
    args.weights = tuple(OFF_SAMPLE_COUNTS.values()) if args.full else None
    for name, value in (FULL if args.full else SMALL).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    least = {"samples": 40, "folds": 2, "members": 1, "epochs": 1}
    # Folds keep datasets together, and each dataset has an image at least.
    check_numbers(parser, args, {**least, "datasets": args.folds})
    if args.samples < args.datasets:
        parser.error(f"--samples must be at least --datasets, which is {args.datasets}")
    return args


def read_gold_standard(folder):
    """Read dataset/on|off/ion.png; each dataset is a group."""
    files = sorted(path.relative_to(folder) for path in folder.glob("*/*/*.png"))
    files = [file for file in files if file.parts[1] in ("on", "off")]
    if not files:
        raise SystemExit("--data holds no images of the layout dataset/on|off/ion.png.")
    table = pd.DataFrame(
        {
            "file": [file.as_posix() for file in files],
            "label": [file.parts[1] for file in files],
            "dataset": [file.parts[0] for file in files],
        }
    )
    data = load_image_folder(
        folder, labels=table, group_column="dataset", as_gray=True, verbose=1
    )
    return {"X": data.images, "y": data.target, "groups": data.groups}


def simulation(args):
    """Return what the simulator gets, all but the number of threads."""
    return {
        "n_samples": args.samples,
        "n_groups": args.datasets,
        "weights": args.weights,
        "random_state": args.seed,
        **(WIDE_IONS if args.wide else {}),
    }


def simulate(args):
    """Simulate ion images; strange is what sets an image's dataset apart."""
    data = make_ion_images(**simulation(args), n_jobs=args.jobs)
    return {
        "X": data.images,
        "y": data.target,
        "groups": data.groups,
        "strange": data.frame["strange"].to_numpy(dtype=str),
    }


def make_models(args):
    """Return the models by name; "small" are images of the size of the network."""
    net = OffSampleNetClassifier(
        max_epochs=args.epochs, batch_size=32, random_state=args.seed
    )
    published = OffSampleNetClassifier.as_published(
        max_epochs=args.epochs, random_state=args.seed
    )
    ensemble = {"n_members": args.members, "random_state": args.seed}
    pixels = {
        "logistic regression": None,
        "naive Bayes": GaussianNB(),
        "random forest": RandomForestClassifier(
            50, min_samples_leaf=10, random_state=args.seed
        ),
        "dense network": MLPClassifier(
            (32, 16), max_iter=50, early_stopping=True, random_state=args.seed
        ),
    }
    return {
        AVERAGED: Model(SeedEnsembleClassifier(net, **ensemble), "small"),
        PUBLISHED: Model(SeedEnsembleClassifier(published, **ensemble), "small"),
        "OffSampleNet, one training": Model(net, "small"),
        **{
            f"mask, {name}": Model(
                MaskCorrelationClassifier(
                    estimator, n_pixels=200, random_state=args.seed
                )
            )
            for name, estimator in pixels.items()
        },
        "co-localisation, SVM": Model(ColocalizationClassifier()),
        "features, SVM": Model(svm_baseline(families="thesis"), "small"),
    }


def run(models, data, folds, args, groups=None):
    """Return the benchmark, or None if some fits were left."""
    return compare(
        models,
        {"images": data["X"], "small": data["small"]},
        data["y"],
        folds,
        args.out,
        groups=groups,
        device=args.device,
        kinds=args.models,
        n_jobs=args.jobs,
        random_state=args.seed,
        scoring={"AUC": "roc_auc"},
    )


def run_torn(models, data, args):
    """Benchmark with datasets on both sides of the folds, as a random split has."""
    chosen = {name: models[name] for name in TORN}
    for name in ("mask, logistic regression", "co-localisation, SVM"):
        # A benchmark refuses torn groups: these go to the models alone.
        chosen[name] = replace(chosen[name], fit_params={"groups": data["groups"]})
    folds = KFold(args.folds, shuffle=True, random_state=args.seed)
    return run(chosen, data, list(folds.split(data["y"])), args)


def by_dataset(result, data):
    """Return the accuracy in each dataset, the averaged network's worst first."""
    tables = {name: result.by_group(name, ["accuracy"]) for name in result.names}
    table = pd.DataFrame({name: each["accuracy"] for name, each in tables.items()})
    table.insert(0, "images", tables[AVERAGED]["n"])
    if "strange" in data:
        strange = pd.Series(data["strange"]).groupby(data["groups"]).first()
        table.insert(1, "strange", strange)
    return table.sort_values(AVERAGED, kind="stable")


def score_table(result):
    """Return mean ± sd over folds, and pooled figures with their intervals."""
    overview = result.overview(list(METRICS.values()))
    table = pd.DataFrame(index=overview.index)
    for shown, name in METRICS.items():
        spread = zip(overview[name], overview[f"{name}_sd"], strict=True)
        table[shown] = [f"{mean:.3f} ± {sd:.3f}" for mean, sd in spread]
    for shown in POOLED:
        name = METRICS[shown]
        columns = [f"{name}_pooled", f"{name}_low", f"{name}_high"]
        table[f"pooled {shown}"] = [
            f"{value:.3f} [{low:.3f}, {high:.3f}]"
            for value, low, high in overview[columns].to_numpy()
        ]
    table = table.rename_axis("model").reset_index()
    for name, figures in (
        ("source, network, real images", OFF_SAMPLE),
        ("source, baseline, real images", OFF_SAMPLE_BASELINE),
    ):
        table.loc[len(table)] = pd.Series({"model": name, **figures})
    return table.fillna("")


def leak_table(result, torn):
    """Return the scores of both splits, and by how much the random one flatters."""
    apart, mixed = (r.overview(["accuracy", "F1_off"]) for r in (result, torn))
    table = pd.DataFrame({"model": TORN})
    for shown, name in (("accuracy", "accuracy"), ("F1", "F1_off")):
        honest, flattered = apart.loc[TORN, name], mixed.loc[TORN, name]
        table[f"{shown}, datasets apart"] = honest.map("{:.3f}".format).to_numpy()
        table[f"{shown}, random split"] = flattered.map("{:.3f}".format).to_numpy()
        table[f"{shown}, flattered by"] = (
            (flattered - honest).map("{:+.3f}".format).to_numpy()
        )
    return table


def summary(args, data, result, torn, datasets, seconds):
    """Return the page."""
    simulated = args.data is None
    kind = "simulated ion images" if simulated else "ion images"
    counts = pd.Series(data["y"]).value_counts()
    worst = datasets.head(5).round(3).rename_axis("dataset").reset_index()
    versions = ", ".join(f"{k} {v}" for k, v in result.settings["versions"].items())
    caution = (
        "All images are simulated. The figures say how the methods compare on them, "
        "and nothing about real ion images."
    )
    command = ["python -m studies.ions", *(["--data GS"] if args.data else [])]
    command += ["--full"] * args.full + ["--wide"] * args.wide
    names = ["samples", "datasets"] * simulated
    names += ["folds", "members", "epochs", "seed"]
    command += [f"--{name} {getattr(args, name)}" for name in names]
    parts = [
        f"# Off-sample {kind}",
        caution if simulated else "",
        f"{len(data['y']):,} {kind} ({counts['off']:,} off-sample, {counts['on']:,} "
        f"on-sample) of {len(set(data['groups']))} datasets; {args.folds} folds, no "
        f"dataset on both sides; {args.members} trainings of {args.epochs} epochs "
        f"averaged; seed {args.seed}.",
        "## A network against baselines",
        "Mean ± standard deviation over folds; F1, precision and recall are those of "
        "off-sample images. “Pooled”: of all out-of-fold predictions together, with "
        "95 % intervals that allow for datasets. The last "
        f"rows are the source's, on its own images ({OFF_SAMPLE_NAME}; the AUC is "
        "the range over folds).",
        table_as_markdown(score_table(result)),
        result.verdict("F1_off"),
        "## The worst datasets",
        f"Accuracy in the five datasets that {AVERAGED} does worst in.",
        table_as_markdown(worst.astype(str)),
        "## What a random split would have said",
        "The same images and models, with datasets on both sides of the folds.",
        table_as_markdown(leak_table(result, torn)),
        f"Run as `{' '.join(command)}` on {describe_machine()}, "
        f"{result.settings['started'][:10]}, {seconds:,.0f} s. {versions}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def main(arguments=None):
    args = parse(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.data is None:
        name = name_of("ions", make_ion_images, simulation(args))
        data = kept_arrays(args.out / "data" / name, lambda: simulate(args))
    else:
        data = read_gold_standard(args.data)
        n_datasets = len(set(data["groups"]))
        if n_datasets < args.folds:
            sys.exit(
                f"--folds must be at most {n_datasets}, the number of datasets of "
                f"--data; got {args.folds}."
            )
    data["small"] = ResizeImages(NET_SIZE).fit_transform(data["X"])
    say(f"{len(data['y']):,} images are ready")
    models = make_models(args)
    folds = GroupKFold(args.folds).split(data["y"], groups=data["groups"])
    result = run(models, data, list(folds), args, data["groups"])
    torn = run_torn(models, data, args)
    if result is None:
        return
    print(result.overview(list(METRICS.values())).round(3), flush=True)
    datasets = by_dataset(result, data)
    result.to_frame().to_csv(args.out / "folds.csv", index=False)
    torn.to_frame().to_csv(args.out / "leak-folds.csv", index=False)
    datasets.to_csv(args.out / "datasets.csv")
    seconds = result.settings["seconds"] + torn.settings["seconds"]
    page = summary(args, data, result, torn, datasets, seconds)
    (args.out / "summary.md").write_text(page, "utf-8")
    say("Written: summary.md and the tables of folds and datasets")
