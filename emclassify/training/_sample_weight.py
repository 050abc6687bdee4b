"""Sample weights as scikit-learn means them: weight two is the sample given twice."""

import numpy as np

__all__ = ["repeat_by_weight"]

_MAX_REPEATS = 100


def repeat_by_weight(sample_weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn weights into repetitions and what is left of the weight for each.

    A sample of weight w comes ceil(w) times an epoch, each with w / ceil(w) on its
    loss. So whole weights repeat a sample, weights below one scale its loss, and
    a weight of zero leaves it out.

    Parameters
    ----------
    sample_weight : ndarray of shape (n,)
        Finite, not negative.

    Returns
    -------
    rows : ndarray of int
        Indices of samples, each ceil(w) times.
    weight : ndarray of float, as long as `rows`

    Raises
    ------
    ValueError
        If no weight is positive, or the epoch would be over 100 times as long.
    """
    if not (sample_weight > 0).any():
        raise ValueError("sample_weight has no positive weight: nothing to learn from.")
    repeats = np.ceil(sample_weight)
    if repeats.sum() > _MAX_REPEATS * len(sample_weight):
        raise ValueError(
            f"sample_weight sums to {sample_weight.sum():g} over "
            f"{len(sample_weight)} samples. A sample of weight w is repeated ceil(w) "
            f"times an epoch, at most {_MAX_REPEATS} times on average: divide the "
            "weights by a constant."
        )
    repeats = repeats.astype(np.intp)
    rows = np.repeat(np.arange(len(repeats)), repeats)
    return rows, sample_weight[rows] / repeats[rows]
