"""Groups of samples that stay together."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from emclassify._incoming import plain_values

_ONE = "Pass one name or number a sample."


def check_groups(groups: ArrayLike | None, n: int) -> np.ndarray | None:
    """Return `groups` as an array of length n; None where they are None.

    Raises
    ------
    ValueError
        If there isn't one group a sample, or one is missing: NaN, None, pd.NA, pd.NaT
        or masked. A missing group would become one group of all such samples.
    """
    if groups is None:
        return None
    # Before the conversion, which turns ["a", nan] into "a" and "nan".
    missing = _missing(groups)
    if missing.any():
        raise ValueError(
            f"groups is missing for sample {np.flatnonzero(missing)[0]} "
            f"({missing.sum()} of {len(missing)} samples). Name the group of every "
            "sample."
        )
    groups = plain_values(groups, "groups", _ONE)
    if groups.ndim == 2 and groups.shape[1] == 1:
        groups = groups.ravel()
    if groups.ndim != 1 or groups.dtype.kind == "c":
        raise ValueError(
            f"groups has shape {groups.shape} and type {groups.dtype}. {_ONE}"
        )
    if len(groups) != n:
        raise ValueError(f"groups has {len(groups)} entries for {n} samples.")
    return groups


def _missing(groups):
    """Return which entries are missing, bool (n,)."""
    masked = np.ma.getmaskarray(groups) if np.ma.isMaskedArray(groups) else False
    if not hasattr(groups, "dtype") and np.iterable(groups):
        groups = np.array(list(groups), dtype=object)
    return np.ravel(np.asarray(pd.isna(groups)) | masked)
