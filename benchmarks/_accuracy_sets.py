"""The sets of real images that `accuracy.py` measures on: images, folds, opponents.

A set is one entry of `SETS`. Folds are StratifiedGroupKFold(5, shuffle=True,
random_state=0) where images come in groups, StratifiedKFold of the same arguments
where they don't, and the set's own division where it has one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from skimage.io import imread
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

N_FOLDS = 5


@dataclass
class ImageSet:
    """Images (n, h, w) or (n, h, w, c), labels and, where there are any, groups.

    `own_test` says which images a set keeps for the test itself; there is one fold
    then.
    """

    images: np.ndarray
    target: np.ndarray
    groups: np.ndarray | None = None
    own_test: np.ndarray | None = None

    def folds(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Give the number of each fold, what to train on, and what to test on."""
        if self.own_test is not None:
            yield 0, np.flatnonzero(~self.own_test), np.flatnonzero(self.own_test)
            return
        kind = StratifiedKFold if self.groups is None else StratifiedGroupKFold
        splitter = kind(N_FOLDS, shuffle=True, random_state=0)
        split = splitter.split(self.images, self.target, self.groups)
        for number, (train, test) in enumerate(split):
            yield number, train, test


@dataclass
class SetToMeasure:
    """How a set is read, which figure counts, and what that figure stands beside.

    `opponents` are figures that others, or the defaults of commit 1a49013, reached;
    `to_reach` holds what issue 14 asks for, by the kind of the model.
    """

    load: Callable[[Path], ImageSet]
    metric: str
    opponents: dict[str, float]
    to_reach: dict[str, float] = field(default_factory=dict)


def load_vnc_sstem(folder: Path) -> ImageSet:
    """Read serial sections of a nerve cord, 64×64, grouped by blocks of tissue."""
    images, table = read_table(folder / "vnc_sstem")
    return ImageSet(images, table["label"].to_numpy(str), table["group"].to_numpy(str))


def load_elpv(folder: Path) -> ImageSet:
    """Read electroluminescence of solar cells, 150×150, functional or defective."""
    images, table = read_table(folder / "elpv")
    return ImageSet(images, table["label"].to_numpy(str))


def load_jurkat(folder: Path) -> ImageSet:
    """Read cells in a flow cytometer, brightfield and darkfield, without the stain."""
    with np.load(folder / "jurkat_cellcycle" / "jurkat_cellcycle.npz") as stored:
        return ImageSet(stored["X"][..., [0, 2]], stored["y"])


def load_pneumoniamnist(folder: Path) -> ImageSet:
    """Read X-rays of chests, 28×28, with the test images that MedMNIST sets apart.

    The images that MedMNIST has for validation are trained on: nothing is tuned here.
    """
    names = "train", "val", "test"
    with np.load(folder / "pneumoniamnist" / "pneumoniamnist.npz") as stored:
        parts = [stored[f"{part}_images"] for part in names]
        labels = [stored[f"{part}_labels"].ravel() for part in names]
    own_test = np.repeat([False, False, True], [len(part) for part in parts])
    names = np.array(["normal", "pneumonia"])
    return ImageSet(
        np.concatenate(parts), names[np.concatenate(labels)], own_test=own_test
    )


def read_table(folder: Path) -> tuple[np.ndarray, pd.DataFrame]:
    """Read labels.csv and the images that it names."""
    table = pd.read_csv(folder / "labels.csv")
    return np.stack([imread(folder / file) for file in table["file"]]), table


SETS = {
    "vnc_sstem": SetToMeasure(
        load_vnc_sstem,
        "macro-F1",
        {
            "HOG, percentiles, PCA and SVM": 0.576,
            "SVM of 1a49013": 0.828,
            "LipNet-4 of 1a49013": 0.906,
            "hand-written loop of timm, Lite0 (one fold)": 0.918,
        },
        {"svm": 0.920, "network": 0.930, "backbone": 0.945},
    ),
    "elpv": SetToMeasure(
        load_elpv,
        "macro-F1",
        {
            "HOG, percentiles, PCA and SVM": 0.773,
            "SVM of 1a49013": 0.762,
            "LipNet-4 of 1a49013, 112 px (two folds)": 0.778,
        },
        {"svm": 0.815},
    ),
    "elpv accuracy": SetToMeasure(
        load_elpv,
        "accuracy",
        {
            "SVM of 1a49013": 0.787,
            "LipNet-4 of 1a49013, 112 px (two folds)": 0.830,
            "published SVM (Deitsch et al. 2019, 300 px, 75/25)": 0.824,
            "published CNN (Deitsch et al. 2019, 300 px, 75/25)": 0.884,
        },
        {"backbone": 0.890},
    ),
    "jurkat": SetToMeasure(
        load_jurkat,
        "macro-F1",
        {
            "HOG, percentiles, PCA and SVM": 0.551,
            "SVM of 1a49013": 0.633,
            "LipNet-4 of 1a49013": 0.591,
        },
        {"svm": 0.660, "backbone": 0.680},
    ),
    "pneumoniamnist": SetToMeasure(
        load_pneumoniamnist,
        "accuracy",
        {
            "HOG, percentiles, PCA and SVM": 0.840,
            "SVM of 1a49013": 0.877,
            "LipNet-4 of 1a49013": 0.846,
            "published ResNet-18 (Yang et al. 2023)": 0.854,
            "published AutoKeras (Yang et al. 2023)": 0.878,
            "published Google AutoML (Yang et al. 2023)": 0.946,
        },
        {"svm": 0.865, "backbone": 0.900},
    ),
}
