"""pool_predictions: from predictions of cells to predictions of images."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import StrOptions, validate_params
from sklearn.utils.validation import column_or_1d

from emclassify._groups import check_groups
from emclassify._incoming import plain_numbers

__all__ = ["pool_predictions"]

# Probabilities in float32 may miss 0 and 1 by so much.
_ROUNDING = 1e-6


@validate_params(
    {
        "proba": ["array-like"],
        "groups": ["array-like"],
        "method": [StrOptions({"mean", "max", "noisy_or"})],
        "images": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def pool_predictions(
    proba: ArrayLike,
    groups: ArrayLike,
    *,
    method: Literal["mean", "max", "noisy_or"] = "mean",
    images: ArrayLike | None = None,
) -> NDArray[Any]:
    r"""Pool the predicted probabilities of cells into one row for each image.

    Parameters
    ----------
    proba : array-like of shape (n_all_cells, n_labels)
        What ``predict_proba`` gives for the cells; each from 0 to 1.
    groups : array-like of shape (n_all_cells,)
        The image that each cell is from, as `split_cells` gives it.
    method : {"mean", "max", "noisy_or"}, default="mean"
        - "mean": the mean over the cells. Rows of classes still sum to 1.
        - "max": the largest.
        - "noisy_or": :math:`1 - \prod_i (1 - p_i)`, the probability that at least one
          cell shows it if cells were independent [1]_. With many cells it says yes
          to nearly everything unless cells are very sure.

        The last two are made for labels of which an image may have several. They mean
        nothing for "negative", which is true of an image only if it is of all its
        cells; take its mean.
    images : array-like of shape (n_images,), default=None
        Images to give rows for, in this order. One without cells has NaN in all its
        row. Default: those in `groups`, sorted.

    Returns
    -------
    ndarray of shape (n_images, n_labels)

    Raises
    ------
    ValueError
        If `proba` has values outside 0 to 1 or another length than `groups`, or a cell
        is of none of `images`, or these repeat.

    References
    ----------
    .. [1] J. Pearl, "Probabilistic Reasoning in Intelligent Systems", Morgan Kaufmann,
       1988.

    Examples
    --------
    >>> from emclassify.prediction import pool_predictions
    >>> proba = [[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]
    >>> pool_predictions(proba, groups=[0, 0, 2])
    array([[0.7, 0.3],
           [0.2, 0.8]])
    >>> pool_predictions(proba, [0, 0, 2], method="noisy_or", images=range(3))
    array([[0.95, 0.55],
           [ nan,  nan],
           [0.2 , 0.8 ]])
    """
    proba = plain_numbers(proba, "proba")
    if proba.ndim != 2 or 0 in proba.shape:
        raise ValueError(
            f"proba has shape {proba.shape}; it must have one row a cell and one "
            "column a label."
        )
    groups = check_groups(groups, len(proba))
    if proba.min() < -_ROUNDING or proba.max() > 1 + _ROUNDING:
        raise ValueError(
            "proba must hold probabilities, from 0 to 1; got values from "
            f"{proba.min():.9g} to {proba.max():.9g}."
        )
    proba = np.clip(proba, 0, 1)
    found, row = np.unique(groups, return_inverse=True)
    n_cells = np.bincount(row)
    out = np.zeros((len(found), proba.shape[1]))
    if method == "mean":
        np.add.at(out, row, proba)
        out /= n_cells[:, np.newaxis]
    elif method == "max":
        np.maximum.at(out, row, proba)
    else:
        out += 1
        np.multiply.at(out, row, 1 - proba)
        out = 1 - out
    return out if images is None else _in_order(out, found, images)


def _in_order(pooled, found, images):
    """Return the rows of `images`, those without cells filled with NaN."""
    images = column_or_1d(images)
    if len(set(images.tolist())) < len(images):
        raise ValueError("images names an image twice; each gets one row.")
    missing = found[~np.isin(found, images)].tolist()
    if missing:
        raise ValueError(
            f"groups has cells of image {missing[0]!r}, which images does not name."
        )
    out = np.full((len(images), pooled.shape[1]), np.nan)
    known = np.isin(images, found)
    out[known] = pooled[np.searchsorted(found, images[known])]
    return out
