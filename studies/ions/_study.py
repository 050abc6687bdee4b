"""Off-sample ion images: a network against masks, co-localisation and features.

    python -m studies.ions --out FOLDER                   # simulated datasets
    python -m studies.ions --out FOLDER --data GS         # the gold standard

The source's table: ten folds that keep datasets together, five trainings averaged,
accuracy, AUC, F1, precision and recall of off-sample images. Then the same models with
datasets torn between training and test, which is what a random split does.

--data is a folder of the layout dataset/on|off/ion.png, as the public gold standard has
it (metaspace2020/offsample, release 0.2).

FOLDER gets summary.md and, as CSV, the scores of each fold (folds.csv, leak-folds.csv)
and the accuracy in each dataset (datasets.csv).
"""

import argparse
import time
from pathlib import Path

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from emclassify import (
    OffSampleNetClassifier,
    ResizeImages,
    SeedEnsembleClassifier,
    benchmark_classifiers,
    load_image_folder,
    make_ion_images,
    svm_baseline,
)
from emclassify.baselines import ColocalizationClassifier, MaskCorrelationClassifier
from studies._machine import describe_machine
from studies._markdown import table_as_markdown

# Pixels of what the network and the features get.
NET_SIZE = (56, 56)
METRICS = {
    "accuracy": "accuracy",
    "AUC": "AUC",
    "F1": "F1_off",
    "precision": "PPV_off",
    "recall": "TPR_off",
}
AVERAGED = "OffSampleNet, averaged"
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
    parser.add_argument("--samples", type=int, default=800, help="simulated images")
    parser.add_argument("--datasets", type=int, default=40, help="simulated datasets")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--members", type=int, default=5, help="trainings averaged")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, help="fits at a time")
    return parser.parse_args(arguments)


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
    return load_image_folder(
        folder, labels=table, group_column="dataset", as_gray=True, verbose=1
    )


def make_models(args):
    """Return the models by name."""
    net = OffSampleNetClassifier(
        max_epochs=args.epochs, batch_size=32, random_state=args.seed
    )
    averaged = SeedEnsembleClassifier(
        net, n_members=args.members, random_state=args.seed
    )
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
        AVERAGED: make_pipeline(ResizeImages(NET_SIZE), averaged),
        "OffSampleNet, one training": make_pipeline(ResizeImages(NET_SIZE), net),
        **{
            f"mask, {name}": MaskCorrelationClassifier(
                estimator, n_pixels=200, random_state=args.seed
            )
            for name, estimator in pixels.items()
        },
        "co-localisation, SVM": ColocalizationClassifier(),
        "features, SVM": make_pipeline(
            ResizeImages(NET_SIZE), *svm_baseline(families="thesis")
        ),
    }


def run_torn(models, data, args):
    """Benchmark with datasets on both sides of the folds, as a random split has."""
    fit_params = {
        name: {"groups": data.groups}
        for name in ("mask, logistic regression", "co-localisation, SVM")
    }
    return benchmark_classifiers(
        {name: models[name] for name in TORN},
        data.images,
        data.target,
        cv=KFold(args.folds, shuffle=True, random_state=args.seed),
        scoring={"AUC": "roc_auc"},
        # A benchmark refuses torn groups: these go to the models alone.
        fit_params=fit_params,
        random_state=args.seed,
        n_jobs=args.jobs,
        verbose=1,
    )


def by_dataset(result, data):
    """Return the accuracy in each dataset, the averaged network's worst first."""
    tables = {name: result.by_group(name, ["accuracy"]) for name in result.names}
    table = pd.DataFrame({name: each["accuracy"] for name, each in tables.items()})
    table.insert(0, "images", tables[AVERAGED]["n"])
    if "frame" in data:
        table.insert(1, "strange", data.frame.groupby("group")["strange"].first())
    return table.sort_values(AVERAGED, kind="stable")


def score_table(result):
    """Return mean ± sd over folds, and precision and recall with their intervals."""
    overview = result.overview(list(METRICS.values()))
    table = pd.DataFrame(index=overview.index)
    for shown, name in METRICS.items():
        spread = zip(overview[name], overview[f"{name}_sd"], strict=True)
        table[shown] = [f"{mean:.3f} ± {sd:.3f}" for mean, sd in spread]
    for shown in ("precision", "recall"):
        name = METRICS[shown]
        columns = [f"{name}_pooled", f"{name}_low", f"{name}_high"]
        table[f"pooled {shown}"] = [
            f"{value:.3f} [{low:.3f}, {high:.3f}]"
            for value, low, high in overview[columns].to_numpy()
        ]
    return table.rename_axis("model").reset_index()


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
    counts = pd.Series(data.target).value_counts()
    worst = datasets.head(5).round(3).rename_axis("dataset").reset_index()
    versions = ", ".join(f"{k} {v}" for k, v in result.settings["versions"].items())
    caution = (
        "All images are simulated. The figures say how the methods compare on them, "
        "and nothing about real ion images."
    )
    command = ["python -m studies.ions", *(["--data GS"] if args.data else [])]
    names = ["samples", "datasets"] * simulated
    names += ["folds", "members", "epochs", "seed"]
    command += [f"--{name} {getattr(args, name)}" for name in names]
    parts = [
        f"# Off-sample {kind}",
        caution if simulated else "",
        f"{len(data.target):,} {kind} ({counts['off']:,} off-sample, {counts['on']:,} "
        f"on-sample) of {len(set(data.groups))} datasets; {args.folds} folds, no "
        f"dataset on both sides; {args.members} trainings of {args.epochs} epochs "
        f"averaged; seed {args.seed}.",
        "## A network against baselines",
        "Mean ± standard deviation over folds; F1, precision and recall are those of "
        "off-sample images. Last, precision and recall of the pooled out-of-fold "
        "predictions, with 95 % intervals from a bootstrap over datasets.",
        table_as_markdown(score_table(result)),
        result.verdict("F1_off"),
        "## The worst datasets",
        f"Accuracy in the five datasets that {AVERAGED} does worst in.",
        table_as_markdown(worst.astype(str)),
        "## What a random split would have said",
        "The same images and models, with datasets on both sides of the folds.",
        table_as_markdown(leak_table(result, torn)),
        f"Run as “{' '.join(command)}” on {describe_machine()}, "
        f"{result.settings['started'][:10]}, {seconds:,.0f} s. {versions}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def main(arguments=None):
    args = parse(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    if args.data is None:
        data = make_ion_images(
            args.samples, n_groups=args.datasets, random_state=args.seed
        )
    else:
        data = read_gold_standard(args.data)
    models = make_models(args)
    result = benchmark_classifiers(
        models,
        data.images,
        data.target,
        groups=data.groups,
        cv=GroupKFold(args.folds),
        scoring={"AUC": "roc_auc"},
        random_state=args.seed,
        n_jobs=args.jobs,
        verbose=1,
    )
    print(result.overview(list(METRICS.values())).round(3), flush=True)
    torn = run_torn(models, data, args)
    datasets = by_dataset(result, data)
    result.to_frame().to_csv(args.out / "folds.csv", index=False)
    torn.to_frame().to_csv(args.out / "leak-folds.csv", index=False)
    datasets.to_csv(args.out / "datasets.csv")
    page = summary(args, data, result, torn, datasets, time.perf_counter() - start)
    (args.out / "summary.md").write_text(page, "utf-8")
    print("Written: summary.md and the tables of folds and datasets")
