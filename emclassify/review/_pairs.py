"""Pairs of images that are nearly the same, as a table has them."""

import numpy as np
import pandas as pd

__all__ = ["pairs_of"]


def pairs_of(duplicates: pd.DataFrame, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the first and of the second image of each pair.

    Parameters
    ----------
    duplicates : DataFrame
        With the columns first and second, as from `find_duplicates`.
    n : int
        How many images there are.

    Returns
    -------
    first, second : ndarray of int

    Raises
    ------
    ValueError
        If a column is missing, or holds anything but numbers of images.
    """
    sides = []
    for side in ("first", "second"):
        if side not in duplicates.columns:
            raise ValueError(
                f"duplicates has no column {side}; see emclassify.find_duplicates."
            )
        numbers = duplicates[side].to_numpy()
        whole = numbers.dtype.kind in "iu" or not len(numbers)
        if not whole or (len(numbers) and not 0 <= numbers.min() <= numbers.max() < n):
            raise ValueError(
                f"duplicates must hold numbers of images, 0 to {n - 1}; its column "
                f"{side} holds others."
            )
        sides.append(numbers.astype(np.intp))
    return sides[0], sides[1]
