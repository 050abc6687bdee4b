"""Macro-F1 of LipNet-4 with precision="auto" against float32, on real images.

    python benchmarks/accuracy_of_precision.py --data FOLDER [--sets NAME ...]
                                               [--epochs 20] [--seeds 5]

FOLDER holds the sets, each in a folder of its own:

vnc_sstem        labels.csv with columns file, label, group, and the images: electron
                 micrographs, here resized to 28×28. One fold of five by group is the
                 test set; 3,000 of the other images, in the shares of the classes,
                 are trained on
pneumoniamnist   pneumoniamnist.npz as MedMNIST has it: its own training and test set

Both precisions train from the same seeds, with the defaults of LipNetClassifier. The
standard deviation is that over the seeds of one precision; half precision costs nothing
that can be seen if the difference of the means is no larger than float32's.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from emclassify import LipNetClassifier, ResizeImages, load_image_folder


def vnc_sstem(folder):
    """Return training and test images and labels, split by group."""
    data = load_image_folder(folder, labels=folder / "labels.csv", group_column="group")
    X, y = ResizeImages((28, 28)).fit_transform(data.images), data.target
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    train, test = next(folds.split(X, y, data.groups))
    train, _ = train_test_split(
        train, train_size=3000, stratify=y[train], random_state=0
    )
    return X[train], y[train], X[test], y[test]


def pneumoniamnist(folder):
    """Return training and test images and labels, as MedMNIST splits them."""
    with np.load(folder / "pneumoniamnist.npz") as data:
        return tuple(
            data[f"{part}_{what}"] if what == "images" else data[f"{part}_{what}"][:, 0]
            for part in ("train", "test")
            for what in ("images", "labels")
        )


SETS = {"vnc_sstem": vnc_sstem, "pneumoniamnist": pneumoniamnist}


def macro_f1(precision, seed, epochs, X, y, X_test, y_test):
    """Return macro-F1 of one training, and the precision that it ran in."""
    clf = LipNetClassifier(max_epochs=epochs, precision=precision, random_state=seed)
    predicted = clf.fit(X, y).predict(X_test)
    score = f1_score(y_test, predicted, average="macro")
    return score, clf.net_.module_.precision


def compare(name, data, epochs, n_seeds):
    """Print each seed's scores, then the row of the table."""
    scores = []
    for seed in range(n_seeds):
        auto, used = macro_f1("auto", seed, epochs, *data)
        full, _ = macro_f1("float32", seed, epochs, *data)
        scores.append((auto, full))
        print(f"{name}, seed {seed}: {used} {auto:.4f}, float32 {full:.4f}", flush=True)
    if used == "float32":
        print(f"{name}: auto is float32 on this machine; nothing is compared.")
        return
    (auto, full), (sd, sd_full) = np.mean(scores, 0), np.std(scores, 0, ddof=1)
    verdict = "within" if abs(auto - full) <= sd_full else "beyond"
    print(
        f"{name} ({len(data[0]):,} training, {len(data[2]):,} test images): "
        f"{used} {auto:.4f} ± {sd:.4f}, float32 {full:.4f} ± {sd_full:.4f}, "
        f"difference {auto - full:+.4f}: {verdict} the spread over seeds",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args()
    for name in args.sets:
        compare(name, SETS[name](args.data / name), args.epochs, args.seeds)


if __name__ == "__main__":
    main()
