"""Can a class of a simulator be told by one number? Then a lead shows little.

    python -m studies.shortcuts

For each simulator and class, the area under the ROC curve of the three numbers that
tell this class best from the rest, each by itself: no training, no combination.
"""

import argparse

import numpy as np
import pandas as pd
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from emclassify import (
    make_cell_images,
    make_diffraction_patterns,
    make_ion_images,
    make_liposomes,
)
from studies._arguments import check_numbers

__all__ = ["main", "numbers", "shortcuts"]

WIDE_IONS = {"variety": 0.3, "faint": 0.2, "clip": "visible"}


def numbers(images):
    """Return a table of ten plain numbers, a row an image; channels are averaged."""
    return pd.DataFrame([_numbers_of(np.asarray(image, float)) for image in images])


def _numbers_of(image):
    image = image.mean(axis=-1) if image.ndim == 3 else image
    height, width = image.shape
    rows, columns = np.ogrid[:height, :width]
    radius = np.hypot(rows - height // 2, columns - width // 2).astype(int)
    rings = ndimage.mean(image, radius, np.arange(min(height, width) // 2))
    inner = rings[1:-1]
    middle = image[height // 4 : -height // 4, width // 4 : -width // 4]
    rim = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    return {
        "mean": image.mean(),
        "standard deviation": image.std(),
        "median": np.median(image),
        "maximum": image.max(),
        "share above the mean": (image > image.mean()).mean(),
        "middle less mean": middle.mean() - image.mean(),
        "rim less mean": rim.mean() - image.mean(),
        "number of bright rings": ((inner > rings[:-2]) & (inner > rings[2:])).sum(),
        "slope from ring to ring": np.abs(np.diff(rings)).mean(),
        "difference of neighbours": np.abs(np.diff(image, axis=0)).mean(),
    }


def shortcuts(images, target, n_best=3):
    """Return, for each class, the numbers that tell it best and their AUC."""
    table, target = numbers(images), np.asarray(target)
    rows = []
    for name in np.unique(target):
        area = {c: roc_auc_score(target == name, table[c]) for c in table}
        area = pd.Series(area).map(lambda value: max(value, 1 - value))
        best = area.sort_values(ascending=False, kind="stable").head(n_best)
        rows += [
            {"class": name, "images": (target == name).sum(), "number": n, "AUC": a}
            for n, a in best.items()
        ]
    return pd.DataFrame(rows)


def simulators(n_samples, seed):
    """Return the sets by name, all with their simulator's defaults but for balance."""
    seeded = {"random_state": seed}
    return {
        "liposomes, lamellarity": make_liposomes(
            n_samples, task="lamellarity", weights=(0.5, 0.3, 0.2), **seeded
        ),
        "liposomes, encapsulation": make_liposomes(
            n_samples, task="encapsulation", weights=(0.4, 0.3, 0.3), **seeded
        ),
        "ion images": make_ion_images(n_samples, n_groups=n_samples // 20, **seeded),
        "ion images, wide": make_ion_images(
            n_samples, n_groups=n_samples // 20, **WIDE_IONS, **seeded
        ),
        "cells": make_cell_images(
            n_samples, image_size=64, multilabel=False, weights=[1] * 10, **seeded
        ),
        "cells, all 19 locations": make_cell_images(
            n_samples, image_size=64, multilabel=False, weights=[1] * 19, **seeded
        ),
        "diffraction patterns": make_diffraction_patterns(n_samples // 2, **seeded),
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m studies.shortcuts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--samples", type=int, default=900, help="of each simulator")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    # A dataset of ion images has twenty of them.
    check_numbers(parser, args, {"samples": 20})
    for name, data in simulators(args.samples, args.seed).items():
        print(f"\n{name}")
        table = shortcuts(data.images, data.target)
        print(table.to_string(index=False, float_format="{:.2f}".format), flush=True)


if __name__ == "__main__":
    main()
