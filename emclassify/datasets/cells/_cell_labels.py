"""Which locations a simulated protein has, and which ones its label says."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets._class_balance import share_out

# Shares of proteins with one, two and three locations, about as in the Human Protein
# Atlas.
_N_LOCATIONS = (0.52, 0.38, 0.10)


def draw_locations(
    rng: np.random.Generator,
    n_samples: int,
    names: Sequence[str],
    shares: NDArray[np.float64],
    max_locations: int,
) -> NDArray[Any]:
    """Return the true locations, a matrix (n_samples, n_names) of 0 and 1.

    The first location of each protein is shared out exactly; what is "negative" has no
    other.
    """
    first = np.repeat(np.arange(len(names)), share_out(n_samples, shares))
    first = rng.permutation(first)
    truth = np.eye(len(names), dtype=np.uint8)[first]
    others = np.where(np.array(names) == "negative", 0, shares)
    odds = np.array(_N_LOCATIONS[:max_locations])
    n_more = rng.choice(len(odds), n_samples, p=odds / odds.sum())
    for row, own, n in zip(truth, first, n_more, strict=True):
        weights = others * (row == 0)
        n = min(n, np.count_nonzero(weights))
        if n and names[own] != "negative":
            row[rng.choice(len(names), n, replace=False, p=weights / weights.sum())] = 1
    return truth


def spoil(
    rng: np.random.Generator, truth: NDArray[Any], names: Sequence[str], share: float
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Replace one location by a wrong one in a share of the rows.

    A row that has all locations loses one.

    Returns
    -------
    target : ndarray like `truth`
    wrong : ndarray of bool of shape (n_samples,)
    """
    n_wrong = round(share * len(truth))
    wrong = np.zeros(len(truth), dtype=bool)
    wrong[rng.choice(len(truth), n_wrong, replace=False)] = True
    target = truth.copy()
    for row in (target[i] for i in np.flatnonzero(wrong)):
        absent = np.flatnonzero(row == 0)
        lost = rng.choice(np.flatnonzero(row))
        new = rng.choice(absent) if absent.size else None
        if new is not None and names[new] == "negative":
            row[:] = 0
        row[lost] = 0
        if new is not None:
            row[new] = 1
    return target, wrong


def draw_dirt(rng: np.random.Generator, n_samples: int, share: float) -> NDArray[Any]:
    """Return what is wrong with each image: "none", "saturated" or "empty"."""
    n_dirty = round(share * n_samples)
    dirt = np.full(n_samples, "none", dtype="<U9")
    which = rng.choice(n_samples, n_dirty, replace=False)
    dirt[which[: (n_dirty + 1) // 2]] = "saturated"
    dirt[which[(n_dirty + 1) // 2 :]] = "empty"
    return dirt
