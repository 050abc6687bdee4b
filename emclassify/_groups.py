"""Groups of samples that stay together."""

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d


def check_groups(groups, n):
    """Return `groups` as an array of length n without missing values, or raise."""
    if groups is None:
        return None
    groups = column_or_1d(groups)
    if len(groups) != n:
        raise ValueError(f"groups has {len(groups)} entries for {n} samples in y.")
    missing = pd.isna(groups)
    if missing.any():
        raise ValueError(
            f"groups is missing for sample {np.flatnonzero(missing)[0]} "
            f"({missing.sum()} of {n} samples). Name the group of every sample."
        )
    return groups
