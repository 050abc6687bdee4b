"""Heat maps of training on one domain and testing on others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from emclassify._words import number
from emclassify.display._confusion_matrices import text_colour
from emclassify.metrics._figures import metric_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emclassify.model_selection.transfer._transfer_result import (
        TransferMatrixResult,
    )

__all__ = ["TransferMatrixDisplay"]

# What counts mistakes is drawn in another colour than what counts hits.
_ERROR_RATES = ("FNR", "FPR")
_NAMES = {"FNR": "false-negative rate", "FPR": "false-positive rate"}


class TransferMatrixDisplay:
    """Heat maps with numbers: a row for each domain trained on.

    Parameters
    ----------
    matrices : dict of str to array-like of shape (n_train, n_test)
        Values from 0 to 1 by metric.
    intervals : dict of str to array-like of shape (n_train, n_test, 2), default=None
        Low and high ends by metric, written below the values.
    train_domains, test_domains : sequence of str
        Names of the rows and columns.

    Attributes
    ----------
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes, shape (n_metrics,)

    Examples
    --------
    >>> from emclassify.display import TransferMatrixDisplay
    >>> display = TransferMatrixDisplay(
    ...     {"accuracy": [[0.99, 0.62], [0.91, 0.95]]},
    ...     train_domains=["ideal", "experiment-like"],
    ...     test_domains=["ideal", "experiment-like"],
    ... ).plot()
    >>> display.axes_[0].get_ylabel()
    'trained on'
    """

    def __init__(
        self,
        matrices: dict[str, NDArray[np.float64]] | dict[str, list[list]],
        *,
        intervals: dict[str, NDArray[np.float64]] | None = None,
        train_domains: Sequence[str],
        test_domains: Sequence[str],
    ) -> None:
        self.matrices = matrices
        self.intervals = intervals
        self.train_domains = train_domains
        self.test_domains = test_domains

    @classmethod
    def from_result(
        cls,
        result: TransferMatrixResult,
        metrics: str | list[str] | None = None,
        *,
        axes: Sequence[Axes] | NDArray[Any] | None = None,
    ) -> TransferMatrixDisplay:
        """Draw the result of `transfer_matrix`.

        Parameters
        ----------
        result : TransferMatrixResult
        metrics : str or list of str, default=None
            Of ``result.metrics``; all by default.
        axes : sequence of matplotlib Axes, default=None
            One for each metric; a new figure by default.

        Returns
        -------
        TransferMatrixDisplay
        """
        metrics = [metrics] if isinstance(metrics, str) else metrics or result.metrics
        unknown = [metric for metric in metrics if metric not in result.metrics]
        if unknown:
            raise ValueError(
                f"metrics holds {unknown[0]!r}, which is not among {result.metrics}."
            )
        ends = ("low", "high")
        return cls(
            {metric: result.matrix(metric).to_numpy() for metric in metrics},
            intervals={
                metric: np.stack(
                    [result.matrix(f"{metric}_{end}").to_numpy() for end in ends],
                    axis=-1,
                )
                for metric in metrics
            },
            train_domains=result.train_domains,
            test_domains=result.test_domains,
        ).plot(axes)

    def plot(self, axes: Sequence[Axes] | NDArray[Any] | None = None) -> Self:
        """Draw; all shades run from 0 to 1.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            One for each metric; a new figure by default.

        Returns
        -------
        TransferMatrixDisplay
        """
        n = len(self.matrices)
        if axes is None:
            import matplotlib.pyplot as plt

            size = (
                n * (0.6 + 1.05 * len(self.test_domains)) + 1.2,
                1.5 + 0.6 * len(self.train_domains),
            )
            _, axes = plt.subplots(1, n, figsize=size, layout="constrained")
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(axes) != n:
            raise ValueError(f"axes holds {len(axes)} axes for {n} metrics.")
        for k, (ax, metric) in enumerate(zip(axes, self.matrices, strict=True)):
            self._draw(ax, metric, first=k == 0)
        self.axes_ = axes
        self.figure_ = axes[0].figure.figure
        return self

    def _draw(self, ax, metric, *, first):
        """Draw one metric; names of the rows on the first only."""
        values = np.asarray(self.matrices[metric], dtype=np.float64)
        cmap = "Oranges" if metric in _ERROR_RATES else "Blues"
        image = ax.imshow(values, cmap=cmap, vmin=0, vmax=1, aspect="auto")
        for (i, j), value in np.ndenumerate(values):
            settings = {"ha": "center", "color": text_colour(image, value)}
            interval = self._interval(metric, i, j)
            upper = "bottom" if interval else "center"
            ax.text(j, i, number(value), va=upper, **settings)
            if interval:
                ax.text(j, i, interval, va="top", size="x-small", **settings)
        ax.set_xticks(range(len(self.test_domains)), self.test_domains)
        ax.set_yticks(
            range(len(self.train_domains)), self.train_domains if first else []
        )
        ax.tick_params(length=0)
        ax.tick_params(axis="x", rotation=20)
        ax.set_xlabel("tested on")
        if first:
            ax.set_ylabel("trained on")
        ax.set_title(_NAMES.get(metric, metric_name(metric)), size="medium")

    def _interval(self, metric, row, column):
        """Return "0.910–0.970", or "" where there is none."""
        if self.intervals is None:
            return ""
        low, high = np.asarray(self.intervals[metric])[row, column]
        return "" if np.isnan(low) else f"{number(low)}–{number(high)}"
