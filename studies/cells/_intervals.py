"""Figures of out-of-fold predictions, with 95 % intervals that allow for plates."""

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from emclassify.metrics._proportion import proportion_limits
from emclassify.metrics._targets import OneLabel, SeveralLabels
from emclassify.model_selection.benchmark._pooled import PooledScores

__all__ = ["figures", "limits", "share", "with_limits", "write_counts"]

LEVEL, N_BOOTSTRAP = 0.95, 1000


def limits(true, said, plates, names=None):
    """Return what gives (low, high) of a score by its name, such as "F1_macro".

    Parameters
    ----------
    true, said : ndarray of shape (n,) or (n, n_labels)
        Codes from 0, or indicator matrices.
    plates : ndarray of shape (n,)
    names : list of str, default=None
        Of the labels; their numbers by default.
    """
    if true.ndim == 2:
        target = SeveralLabels(true.shape[1], names)
    else:
        target = OneLabel(np.arange(true.max() + 1), names)
    samples = np.arange(len(true))
    pooled = PooledScores(
        {"": (samples, true, said)},
        target=target,
        groups=plates,
        tested=samples,
        n_bootstrap=N_BOOTSTRAP,
        seed=0,
        confidence_level=LEVEL,
    )
    return lambda score: pooled.score("", score)[1:]


def figures(true, said, plates, average):
    """Return (value, low, high) of F1, recall and precision, by the tables' names."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        true, said, average=average, zero_division=0
    )
    of = limits(true, said, plates)
    return {
        f"{average}-F1": (f1, *of(f"F1_{average}")),
        f"{average} recall": (recall, *of(f"TPR_{average}")),
        f"{average} precision": (precision, *of(f"PPV_{average}")),
    }


def share(chosen, plates):
    """Return (value, low, high) of the share of images that are chosen."""
    unit = np.unique(plates, return_inverse=True)[1]
    counts = np.bincount(unit, weights=chosen), np.bincount(unit)
    ends = proportion_limits(*counts, LEVEL)
    return np.mean(chosen), *map(float, ends)


def with_limits(table, columns):
    """Return columns of (value, low, high) of a benchmark's table.

    Parameters
    ----------
    table : DataFrame
        With <name>_low and <name>_high.
    columns : dict of str to str
        Names there, and here. "<name>_pooled" is a value with the limits of <name>.
    """
    shown = {}
    for name, here in columns.items():
        stem = name.removesuffix("_pooled")
        of = [table[column] for column in (name, f"{stem}_low", f"{stem}_high")]
        cells = list(zip(*of, strict=True))
        shown[here] = pd.Series(cells, index=table.index, dtype=object)
    return pd.DataFrame(shown)


def write_counts(path, true, said, plates, names):
    """Write what intervals are made of: counts of each row, plate and label.

    Parameters
    ----------
    path : Path
        Of a CSV table.
    true : ndarray of shape (n, n_labels)
    said : dict of str to ndarray of shape (n, n_labels)
        Of each row of the section's table.
    plates : ndarray of shape (n,)
    names : list of str
        Of the labels.
    """
    rows = []
    for row, found in said.items():
        for plate in np.unique(plates):
            has, given = (each[plates == plate].astype(bool) for each in (true, found))
            of = (has & given, ~has & given, has & ~given)
            for name, *counts in zip(names, *(c.sum(axis=0) for c in of), strict=True):
                rows.append([row, plate, len(has), name, *counts])
    columns = ["row", "plate", "images", "label", "TP", "FP", "FN"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
