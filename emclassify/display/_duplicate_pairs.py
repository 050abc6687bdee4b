"""Pairs of images that show the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from emclassify._square import TRANSFORMS, turn
from emclassify._thumbnails import to_8_bit, visible_channels
from emclassify._typing import ImagesLike
from emclassify.display._thumbnails import image_at

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DuplicatePairsDisplay"]

_PAIRS_IN_A_ROW = 4


def turn_as_first(image: NDArray[Any], pair: Any) -> NDArray[np.float64]:
    """Return the second image of a pair in the orientation of the first."""
    return turn(image[np.newaxis], TRANSFORMS.index(pair.transform))[0]


def describe_pair(pair: Any) -> str:
    """Return "equal" or the similarity, and how the second is turned."""
    how = "equal" if pair.exact else f"{pair.similarity:.3f}"
    return how if pair.transform == TRANSFORMS[0] else f"{how}, {pair.transform}"


class DuplicatePairsDisplay:
    """Pairs of images side by side, the second turned as the first.

    Parameters
    ----------
    images : list of (first, second)
        Arrays (h, w) or (h, w, 3).
    titles : list of str
        One a pair.

    Attributes
    ----------
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes, shape (n_pairs, 2)

    See Also
    --------
    emclassify.model_selection.find_duplicates : Finds the pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.display import DuplicatePairsDisplay
    >>> from emclassify.model_selection import find_duplicates
    >>> X = np.random.default_rng(0).normal(size=(4, 24, 24))
    >>> X[3] = -X[0].T[::-1] * -2
    >>> display = DuplicatePairsDisplay.from_pairs(X, find_duplicates(X))
    >>> display.axes_.shape
    (1, 2)
    """

    def __init__(self, images: NDArray[Any], titles: Sequence[str]) -> None:
        self.images = images
        self.titles = titles

    @classmethod
    def from_pairs(
        cls, X: ImagesLike, pairs: pd.DataFrame, *, n_pairs: int = 8
    ) -> DuplicatePairsDisplay:
        """Draw the first rows of a table of pairs.

        Parameters
        ----------
        X : array-like of images
            What `pairs` was found in.
        pairs : DataFrame
            From `find_duplicates`, or ``pairs`` of a `SplitAudit`.
        n_pairs : int, default=8
            How many, at most.

        Returns
        -------
        DuplicatePairsDisplay

        Raises
        ------
        ValueError
            If there are no pairs.
        """
        if not len(pairs):
            raise ValueError("pairs is empty: there is nothing to draw.")
        images, titles = [], []
        for pair in pairs.head(n_pairs).itertuples():
            second = turn_as_first(image_at(X, pair.second), pair)
            images.append((image_at(X, pair.first), second))
            titles.append(f"{pair.first} and {pair.second}: {describe_pair(pair)}")
        return cls(images, titles).plot()

    def plot(self) -> Self:
        """Draw all pairs.

        Returns
        -------
        self : DuplicatePairsDisplay
        """
        import matplotlib.pyplot as plt

        n = len(self.images)
        columns = min(n, _PAIRS_IN_A_ROW)
        rows = -(-n // columns)
        self.figure_ = plt.figure(
            figsize=(3.2 * columns, 2.0 * rows), layout="constrained"
        )
        parts = self.figure_.subfigures(rows, columns, squeeze=False).ravel()
        self.axes_ = np.empty((n, 2), dtype=object)
        for k, (pair, title) in enumerate(zip(self.images, self.titles, strict=True)):
            parts[k].suptitle(title, size="small")
            self.axes_[k] = parts[k].subplots(1, 2)
            for ax, image in zip(self.axes_[k], pair, strict=True):
                ax.imshow(to_8_bit(visible_channels(image)), cmap="gray")
                ax.set_axis_off()
        return self
