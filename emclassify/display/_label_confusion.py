"""Which labels go with which, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emclassify._typing import ImagesLike
from emclassify.display._confusion_matrices import text_colour
from emclassify.metrics._label_confusion import label_confusion_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from sklearn.base import BaseEstimator

__all__ = ["LabelConfusionDisplay"]

# What the last row and column of "mistakes" are called.
_NONE = "none"
# Numbers in the cells are read up to here.
_MOST_WITH_TEXT = 25


class LabelConfusionDisplay:
    """Confusion of several labels a sample: true ones in rows, predicted in columns.

    Cells show the number of samples, and their share of those that have the true label
    sets the shade, so that rare labels are as easy to read as frequent ones.

    Parameters
    ----------
    confusion_matrix : array-like of shape (n, n)
        Counts, as `metrics.label_confusion_matrix` returns them.
    shares : array-like of shape (n, n)
        What sets the shade, from 0 to 1: the same, normalised.
    display_labels : sequence of str
        Names of the rows and columns.

    Attributes
    ----------
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes
    im_ : matplotlib AxesImage

    See Also
    --------
    emclassify.metrics.label_confusion_matrix : What the cells hold.
    ConfusionMatricesDisplay : For one label a sample.

    Examples
    --------
    >>> from emclassify.display import LabelConfusionDisplay
    >>> truth = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]]
    >>> found = [[1, 0, 0], [1, 0, 1], [0, 0, 1], [0, 0, 0]]
    >>> display = LabelConfusionDisplay.from_predictions(
    ...     truth, found, display_labels=["nucleoplasm", "cytosol", "Golgi"]
    ... )
    >>> display.confusion_matrix.tolist()
    [[2, 0, 1], [1, 0, 2], [0, 0, 0]]
    >>> display.ax_.get_ylabel()
    'true label'
    """

    def __init__(
        self,
        confusion_matrix: ArrayLike,
        *,
        shares: ArrayLike,
        display_labels: Sequence[str],
    ) -> None:
        self.confusion_matrix = confusion_matrix
        self.shares = shares
        self.display_labels = display_labels

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        kind: Literal["cooccurrence", "mistakes"] = "cooccurrence",
        normalize: Literal["true", "pred"] = "true",
        sample_weight: ArrayLike | None = None,
        display_labels: Sequence[str] | None = None,
        ax: Axes | None = None,
        cmap: str | Colormap = "Blues",
    ) -> Self:
        """Count and draw.

        Parameters
        ----------
        y_true : {array-like, sparse matrix} of shape (n_samples, n_labels)
            Indicator matrix.
        y_pred : {array-like, sparse matrix} of shape (n_samples, n_labels)
            Indicator matrix of the predicted labels.
        kind : {"cooccurrence", "mistakes"}, default="cooccurrence"
            As `metrics.label_confusion_matrix` has it; "mistakes" has a row and a
            column "none" after the labels.
        normalize : {"true", "pred"}, default="true"
            Whether shades are shares of the samples that have the true label, or of
            those that are given the predicted one.
        sample_weight : array-like of shape (n_samples,), default=None
        display_labels : sequence of str, default=None
            Name of each label; their numbers by default.
        ax : matplotlib Axes, default=None
            A new figure by default.
        cmap : str or Colormap, default="Blues"

        Returns
        -------
        LabelConfusionDisplay

        Raises
        ------
        ValueError
            If `display_labels` are not as many as there are labels, or as
            `metrics.label_confusion_matrix`.
        """
        params = {"kind": kind, "sample_weight": sample_weight}
        counts = label_confusion_matrix(y_true, y_pred, **params)
        shares = label_confusion_matrix(y_true, y_pred, normalize=normalize, **params)
        n_labels = len(counts) - (kind == "mistakes")
        if display_labels is None:
            display_labels = range(n_labels)
        names = [str(name) for name in display_labels]
        if len(names) != n_labels:
            raise ValueError(
                f"display_labels holds {len(names)} names for {n_labels} labels."
            )
        names += [_NONE] * (kind == "mistakes")
        return cls(counts, shares=shares, display_labels=names).plot(ax, cmap=cmap)

    @classmethod
    def from_estimator(
        cls, estimator: BaseEstimator, X: ImagesLike, y: ArrayLike, **params: Any
    ) -> Self:
        """Predict, count and draw.

        Parameters
        ----------
        estimator : fitted classifier that predicts indicator matrices
        X : images, array-like or list
        y : {array-like, sparse matrix} of shape (n_samples, n_labels)
            Indicator matrix of the true labels.
        **params : dict
            As `from_predictions` has them.

        Returns
        -------
        LabelConfusionDisplay
        """
        return cls.from_predictions(y, estimator.predict(X), **params)

    def plot(self, ax: Axes | None = None, *, cmap: str | Colormap = "Blues") -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure by default.
        cmap : str or Colormap, default="Blues"
            Shades from 0 to 1.

        Returns
        -------
        LabelConfusionDisplay
        """
        counts, shares = np.asarray(self.confusion_matrix), np.asarray(self.shares)
        n = len(counts)
        if ax is None:
            import matplotlib.pyplot as plt

            side = 2.2 + 0.38 * n
            _, ax = plt.subplots(figsize=(side, side), layout="constrained")
        self.im_ = ax.imshow(shares, cmap=cmap, vmin=0, vmax=1)
        if n <= _MOST_WITH_TEXT:
            self._write(ax, counts, shares)
        ax.set_xticks(range(n), self.display_labels, rotation=90)
        ax.set_yticks(range(n), self.display_labels)
        ax.tick_params(length=0, labelsize="small" if n > 8 else "medium")
        ax.set_xlabel("predicted label")
        ax.set_ylabel("true label")
        self.ax_ = ax
        self.figure_ = ax.figure.figure
        return self

    def _write(self, ax, counts: NDArray[Any], shares: NDArray[np.float64]):
        """Write the counts into the cells; off the diagonal no zeros."""
        size = "medium" if len(counts) <= 8 else "x-small"
        for (i, j), count in np.ndenumerate(counts):
            if count or i == j:
                colour = text_colour(self.im_, shares[i, j])
                ax.text(
                    j,
                    i,
                    f"{count:g}",
                    ha="center",
                    va="center",
                    color=colour,
                    size=size,
                )
