"""Squared distances between the ends of a mask's rows, as its outline has them.

The outline of a mask is the set of midpoints of its pixels' edges. Of two pixel
centres that lie (dy, dx) apart, the edge midpoints that lie furthest apart are half a
pixel further out along the longer of |dy| and |dx|, so their squared distance is
dy² + dx² + 2 max(|dy|, |dx|) + 1. That grows with |dx|, so on each row only the first
and the last pixel can be an end of the longest axis.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def squared_lengths(
    first: NDArray[Any], last: NDArray[Any], used: NDArray[np.bool_]
) -> NDArray[Any]:
    """Squared outline distance of the last pixel of row i and the first of row k.

    Takes what `ParticleMasks.row_ends` gives. Returns (n, lines, lines), 0 where a
    row is empty.
    """
    across = last[:, :, None] - first[:, None, :]
    np.abs(across, out=across)
    lines = np.arange(first.shape[1], dtype=first.dtype)
    along = np.abs(lines[:, None] - lines)
    squared = np.maximum(across, along)
    squared *= 2
    across *= across
    squared += across
    squared += along**2 + 1
    if not used.all():
        used = used.astype(first.dtype)
        squared *= used[:, :, None] * used[:, None, :]
    return squared
