"""Scores of several models with intervals and folds, and what they mix up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from emclassify._words import number
from emclassify.display._confusion_matrices import ConfusionMatricesDisplay, predicting
from emclassify.metrics._figures import metric_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emclassify.model_selection.benchmark._result import BenchmarkResult

__all__ = ["BenchmarkDisplay"]

# Blue and vermilion of Okabe and Ito: told apart by every kind of colour vision.
MAIN_COLOUR = "#0072B2"
FOLD_COLOUR = "#D55E00"


class BenchmarkDisplay:
    """Scores of a benchmark's models, and their confusion matrices.

    Parameters
    ----------
    scores : dict of str to array-like of shape (n_folds,)
        Score of each fold by model.
    intervals : dict of str to (value, low, high)
        Mean over folds with its interval; NaN where there is none.
    metric : str
        Name of the score.
    confidence_level : float, default=0.95
        Coverage of the intervals.
    confusion_matrices : dict of str to array-like, default=None
        Counts by model. None are drawn where samples have several labels.
    display_labels : sequence of str, default=None
        Names of the classes.

    Attributes
    ----------
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes
        The scores.
    axes_ : ndarray of matplotlib Axes
        The confusion matrices; empty where ``ax`` was given.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from emclassify.display import BenchmarkDisplay
    >>> from emclassify.model_selection import benchmark_classifiers
    >>> X, y = load_iris(return_X_y=True)
    >>> result = benchmark_classifiers({"Bayes": GaussianNB()}, X, y, random_state=0)
    >>> display = BenchmarkDisplay.from_result(result)
    >>> display.ax_.get_xlabel()
    'macro F1'
    >>> len(display.axes_)
    1
    """

    def __init__(
        self,
        *,
        scores: dict[str, NDArray[np.float64]],
        intervals: dict[str, tuple[float, float, float]],
        metric: str,
        confidence_level: float = 0.95,
        confusion_matrices: Any = None,
        display_labels: Sequence[str] | None = None,
    ) -> None:
        self.scores = scores
        self.intervals = intervals
        self.metric = metric
        self.confidence_level = confidence_level
        self.confusion_matrices = confusion_matrices
        self.display_labels = display_labels

    @classmethod
    def from_result(
        cls,
        result: BenchmarkResult,
        *,
        metric: str = "F1_macro",
        ax: Axes | None = None,
    ) -> BenchmarkDisplay:
        """Draw the result of a benchmark.

        Parameters
        ----------
        result : BenchmarkResult
        metric : str, default="F1_macro"
            One of ``result.metrics``.
        ax : matplotlib Axes, default=None
            Where to draw the scores alone; a new figure with everything by default.

        Returns
        -------
        BenchmarkDisplay
        """
        if metric not in result.metrics:
            raise ValueError(
                f"metric={metric!r} is not among the scores of this benchmark: "
                f"{', '.join(result.metrics)}."
            )
        names = predicting(result)
        frame = result.to_frame().groupby("estimator")
        means = result.means([metric])
        return cls(
            scores={name: frame.get_group(name)[metric].to_numpy() for name in names},
            intervals={name: means.loc[name].drop(f"{metric}_sd") for name in names},
            metric=metric,
            confidence_level=result.confidence_level,
            confusion_matrices={
                name: result.confusion_matrix(name).to_numpy()
                for name in names
                if not result.multilabel
            },
            display_labels=result.target_names,
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw the scores alone; a new figure with everything by default.

        Returns
        -------
        BenchmarkDisplay
        """
        self.axes_ = np.array([], dtype=object)
        if ax is None:
            ax = self._new_figure()
        self.ax_, self.figure_ = ax, ax.figure.figure  # not the subfigure
        self._draw_scores(ax)
        return self

    def _new_figure(self):
        """Return the axes for the scores in a new figure; draw the matrices."""
        import matplotlib.pyplot as plt

        top = 1.1 + 0.42 * len(self.scores)
        if not self.confusion_matrices:
            return plt.subplots(figsize=(6.4, top), layout="constrained")[1]
        n, k = len(self.confusion_matrices), len(self.display_labels)
        columns = min(n, 3)
        rows = -(-n // columns)
        side = 1.5 + 0.55 * k
        figure = plt.figure(
            figsize=(max(6.4, columns * side + 1), top + rows * (side + 0.5)),
            layout="constrained",
        )
        upper, lower = figure.subfigures(2, 1, height_ratios=[top, rows * (side + 0.5)])
        axes = np.ravel(lower.subplots(rows, columns, squeeze=False))
        for spare in axes[n:]:
            spare.remove()
        display = ConfusionMatricesDisplay(
            self.confusion_matrices, display_labels=self.display_labels
        ).plot(axes[:n])
        self.axes_ = display.axes_
        return upper.subplots()

    def _draw_scores(self, ax):
        """Draw one line a model: folds as dots, their mean, its interval."""
        level = f"{100 * self.confidence_level:g} % interval"
        for position, (name, folds) in enumerate(self.scores.items()):
            folds = np.asarray(folds, dtype=np.float64)
            value, low, high = self.intervals[name]
            has_interval = np.isfinite([low, high]).all()
            first = position == 0
            ax.plot(
                folds,
                position + 0.24 + np.zeros(len(folds)),
                "o",
                markersize=4.5,
                markerfacecolor="none",
                color=FOLD_COLOUR,
                label="one fold" if first else None,
            )
            if has_interval:
                ax.plot(
                    [low, high],
                    [position, position],
                    color=MAIN_COLOUR,
                    linewidth=2.5,
                    solid_capstyle="butt",
                    label=level if first else None,
                )
            ax.plot(
                [value],
                [position],
                "D",
                markersize=6,
                color=MAIN_COLOUR,
                label="mean over folds" if first else None,
            )
            ax.annotate(
                number(value),
                (value, position),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                size="small",
            )
        ax.set_yticks(range(len(self.scores)), list(self.scores))
        ax.set_ylim(len(self.scores) - 0.4, -0.6)
        ax.set_xlabel(metric_name(self.metric))
        ax.margins(x=0.08)
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1.0),
            ncols=3,
            frameon=False,
            fontsize="small",
            borderaxespad=0.2,
            handletextpad=0.4,
            columnspacing=1.2,
        )
