"""Confusion matrices of several models side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import unique_labels

from emclassify._incoming import plain_labels
from emclassify.metrics._per_class import check_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from emclassify.model_selection.benchmark._result import BenchmarkResult

__all__ = ["ConfusionMatricesDisplay"]


def row_shares(
    counts: ArrayLike, totals: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return each row over its total, by default its sum; 0 where that is 0."""
    counts = np.asarray(counts, dtype=np.float64)
    totals = counts.sum(axis=1) if totals is None else np.asarray(totals)
    sums = np.broadcast_to(totals[:, np.newaxis], counts.shape)
    return np.divide(counts, sums, out=np.zeros(counts.shape), where=sums > 0)


def text_colour(image: NDArray[Any], value: float) -> str:
    """Return the colour in which text is read on the shade of a value."""
    red, green, blue, alpha = image.cmap(image.norm(value))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
    return "white" if dark and alpha > 0 else "black"  # NaN has no shade


class ConfusionMatricesDisplay:
    """Confusion matrices of one or more models, all in one shading.

    Cells show counts and the share of the true class; the share sets the shade, so
    that rare classes are as easy to read as frequent ones.

    Parameters
    ----------
    confusion_matrices : dict of str to array-like of shape (n_classes, n_classes)
        Counts by model; rows are true classes.
    display_labels : sequence of str
        Names of the classes.
    n_true : array-like of shape (n_classes,), default=None
        Samples of each true class, which shares are of; the sums of the rows by
        default. More, if some predictions are of classes that have no column.

    Attributes
    ----------
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes, shape (n_models,)

    Examples
    --------
    >>> from emclassify.display import ConfusionMatricesDisplay
    >>> y_true = ["full", "full", "empty", "empty"]
    >>> display = ConfusionMatricesDisplay.from_predictions(
    ...     y_true,
    ...     {"CNN": ["full", "full", "empty", "full"], "SVM": ["full"] * 4},
    ... )
    >>> [ax.get_title() for ax in display.axes_]
    ['CNN', 'SVM']
    >>> display.confusion_matrices["CNN"].tolist()
    [[1, 1], [0, 2]]
    """

    def __init__(
        self,
        confusion_matrices: dict[str, NDArray[np.intp]],
        *,
        display_labels: Sequence[str],
        n_true: ArrayLike | None = None,
    ) -> None:
        self.confusion_matrices = confusion_matrices
        self.display_labels = display_labels
        self.n_true = n_true

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: dict[str, list[str]] | list[str],
        *,
        labels: ArrayLike | None = None,
        display_labels: Sequence[str] | None = None,
        axes: Sequence[Axes] | NDArray[Any] | None = None,
    ) -> Self:
        """Count and draw the predictions of each model.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        y_pred : dict of str to array-like of shape (n_samples,)
            Predicted labels by model.
        labels : array-like, default=None
            Order of the classes; sorted by default. Predictions of others are not
            shown, but count in what shares are of.
        display_labels : sequence of str, default=None
            Names of the classes in this order; the labels by default.
        axes : sequence of matplotlib Axes, default=None
            One for each model; a new figure by default.

        Returns
        -------
        ConfusionMatricesDisplay

        Raises
        ------
        ValueError
            If a label is missing, lengths differ, or `labels` repeats one.
        """
        if not isinstance(y_pred, dict) or not y_pred:
            raise TypeError("y_pred must be a non-empty {model name: predictions}.")
        y_true = column_or_1d(plain_labels(y_true, "y_true"))
        said = {
            name: column_or_1d(plain_labels(predicted, f"y_pred[{name!r}]"))
            for name, predicted in y_pred.items()
        }
        if labels is None:
            labels = unique_labels(y_true, *said.values())
        else:
            labels = check_labels(labels)
        matrices = {
            name: confusion_matrix(y_true, predicted, labels=labels)
            for name, predicted in said.items()
        }
        names = labels if display_labels is None else display_labels
        own = y_true == labels[:, np.newaxis]
        return cls(
            matrices,
            display_labels=[str(name) for name in names],
            n_true=own.sum(axis=1),
        ).plot(axes)

    @classmethod
    def from_result(
        cls,
        result: BenchmarkResult,
        *,
        axes: Sequence[Axes] | NDArray[Any] | None = None,
    ) -> ConfusionMatricesDisplay:
        """Draw the pooled out-of-fold predictions of a benchmark.

        Parameters
        ----------
        result : BenchmarkResult
        axes : sequence of matplotlib Axes, default=None
            One for each model; a new figure by default.

        Returns
        -------
        ConfusionMatricesDisplay
        """
        return cls(
            {
                name: result.confusion_matrix(name).to_numpy()
                for name in predicting(result)
            },
            display_labels=result.target_names,
        ).plot(axes)

    def plot(
        self,
        axes: Sequence[Axes] | NDArray[Any] | None = None,
        *,
        cmap: str | Colormap = "Blues",
    ) -> Self:
        """Draw.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            One for each model; a new figure by default.
        cmap : str or Colormap, default="Blues"
            Shades from 0 to 1.

        Returns
        -------
        ConfusionMatricesDisplay

        Raises
        ------
        ValueError
            If there are more or fewer names than classes, or axes than models.
        """
        for name, matrix in self.confusion_matrices.items():
            if len(matrix) != len(self.display_labels):
                raise ValueError(
                    f"display_labels holds {len(self.display_labels)} names for the "
                    f"{len(matrix)} classes of {name!r}."
                )
        import matplotlib.pyplot as plt

        n = len(self.confusion_matrices)
        if axes is None:
            side = 1.6 + 0.55 * len(self.display_labels)
            _, axes = plt.subplots(
                1, n, figsize=(n * (side + 0.4), side), layout="constrained"
            )
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(axes) != n:
            raise ValueError(f"axes holds {len(axes)} axes for {n} models.")
        for i, (ax, name) in enumerate(zip(axes, self.confusion_matrices, strict=True)):
            self._draw(ax, self.confusion_matrices[name], cmap, first=i == 0)
            ax.set_title(name)
        self.axes_ = axes
        self.figure_ = axes[0].figure.figure
        return self

    def _draw(self, ax, counts, cmap, *, first):
        """Draw one matrix; names of the true classes on the first only."""
        counts, shares = np.asarray(counts), row_shares(counts, self.n_true)
        image = ax.imshow(shares, cmap=cmap, vmin=0, vmax=1)
        k = len(counts)
        size = "medium" if k <= 4 else "small" if k <= 8 else "xx-small"
        for i, j in np.ndindex(k, k):
            if counts[i, j] == 0 and i != j:
                continue
            text = f"{counts[i, j]:g}"
            if k <= 8:
                text += f"\n{100 * shares[i, j]:.0f} %"
            colour = text_colour(image, shares[i, j])
            ax.text(j, i, text, ha="center", va="center", color=colour, size=size)
        ax.set_xticks(range(k), self.display_labels, rotation=45, ha="right")
        ax.set_yticks(range(k), self.display_labels if first else [])
        ax.set_xlabel("predicted class")
        if first:
            ax.set_ylabel("true class")


def predicting(result: BenchmarkResult) -> list[str]:
    """Return the names of the models that have predictions."""
    return [name for name in result.names if not result.failed(name)]
