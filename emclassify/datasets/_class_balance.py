"""How many images each class of a simulated set gets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def check_weights(
    weights: Mapping[Any, float] | ArrayLike | None, names: Sequence[str], of: str
) -> NDArray[np.float64]:
    """Return the classes' shares, in the order of `names`; they sum to 1.

    `of` is what has these classes, for errors: "which {of} does not have".
    """
    weights = by_label(weights)
    if isinstance(weights, dict):
        unknown = [name for name in weights if name not in names]
        if unknown:
            raise ValueError(
                f"weights names the class {unknown[0]!r}, which {of} does not have. "
                f"Its classes are {', '.join(names)}."
            )
        weights = [weights.get(name, 0) for name in names]
    try:
        shares = np.array(weights, dtype=np.float64)
    except (TypeError, ValueError):
        shares = np.empty(0)
    if shares.shape != (len(names),):
        raise ValueError(
            f"weights must be a dict by class name or {len(names)} numbers, in the "
            f"order {', '.join(names)}; got {weights!r}."
        )
    if not np.isfinite(shares).all() or shares.min() < 0 or shares.sum() == 0:
        raise ValueError(
            "weights must be finite, none negative and not all zero; got "
            f"{dict(zip(names, shares.tolist(), strict=True))}."
        )
    return shares / shares.sum()


def by_label(weights: Any) -> Any:
    """Return mappings, and Series that have labels, as a dict; all else as it is."""
    if isinstance(weights, Mapping):
        return dict(weights)
    if not isinstance(weights, pd.Series):
        return weights
    if weights.index.equals(pd.RangeIndex(len(weights))):
        return weights.tolist()  # its labels are places
    if not weights.index.is_unique:
        raise ValueError(
            "weights has more than one number for the class "
            f"{weights.index[weights.index.duplicated()][0]!r}."
        )
    return weights.to_dict()


def share_out(n_samples: int, shares: NDArray[np.float64]) -> NDArray[np.intp]:
    """Share out `n_samples` by largest remainder, one at least to each class."""
    exact = shares * n_samples
    counts = np.floor(exact).astype(int)
    by_remainder = np.argsort(counts - exact, kind="stable")
    counts[by_remainder[: n_samples - counts.sum()]] += 1
    for empty in np.flatnonzero((counts == 0) & (shares > 0)):
        if counts.max() > 1:
            counts[counts.argmax()] -= 1
            counts[empty] = 1
    return counts
