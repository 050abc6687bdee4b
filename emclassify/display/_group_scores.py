"""Scores of single groups, the worst by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from emclassify._words import number
from emclassify.display._benchmark_display import FOLD_COLOUR, MAIN_COLOUR
from emclassify.display._confusion_matrices import predicting
from emclassify.metrics._figures import metric_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from emclassify.model_selection.benchmark._result import BenchmarkResult

__all__ = ["GroupScoresDisplay"]


class GroupScoresDisplay:
    """Scores of each group by model: all as dots, the worst as bars with names.

    A mean over many groups hides the few on which a model fails.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By model, one row for each group, worst first, with a column "n" and one called
        `metric`: what :meth:`~emclassify.model_selection.BenchmarkResult.by_group`
        returns.
    metric : str, default="accuracy"
        The score to draw.
    n_worst : int, default=10
        How many groups of each model to name.

    Attributes
    ----------
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes, shape (n_models,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from emclassify.display import GroupScoresDisplay
    >>> from emclassify.model_selection import benchmark_classifiers
    >>> X, y = load_iris(return_X_y=True)
    >>> field = np.arange(150) % 10
    >>> result = benchmark_classifiers(
    ...     {"Bayes": GaussianNB()}, X, y, groups=field, random_state=0
    ... )
    >>> display = GroupScoresDisplay.from_result(result, n_worst=3)
    >>> display.axes_[0].get_title(loc="left")
    'Bayes: 3 worst of 10 groups'
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        *,
        metric: str = "accuracy",
        n_worst: int = 10,
    ) -> None:
        self.tables = tables
        self.metric = metric
        self.n_worst = n_worst

    @classmethod
    def from_result(
        cls,
        result: BenchmarkResult,
        *,
        metric: str = "accuracy",
        n_worst: int = 10,
        axes: Sequence[Axes] | NDArray[Any] | None = None,
    ) -> GroupScoresDisplay:
        """Draw the groups of a benchmark.

        Parameters
        ----------
        result : BenchmarkResult
            With groups.
        metric : str, default="accuracy"
            A built-in score.
        n_worst : int, default=10
            How many groups of each model to name.
        axes : sequence of matplotlib Axes, default=None
            One for each model; a new figure by default.

        Returns
        -------
        GroupScoresDisplay
        """
        tables = {name: result.by_group(name, [metric]) for name in predicting(result)}
        return cls(tables, metric=metric, n_worst=n_worst).plot(axes)

    def plot(self, axes: Sequence[Axes] | NDArray[Any] | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            One for each model; a new figure by default.

        Returns
        -------
        GroupScoresDisplay
        """
        import matplotlib.pyplot as plt

        worst = {name: table.head(self.n_worst) for name, table in self.tables.items()}
        n = len(worst)
        if axes is None:
            rows = max(map(len, worst.values()))
            _, axes = plt.subplots(
                n, 1, figsize=(6.4, n * (1.3 + 0.24 * rows)), layout="constrained"
            )
        axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if len(axes) != n:
            raise ValueError(f"axes holds {len(axes)} axes for {n} models.")
        for ax, (name, table) in zip(axes, self.tables.items(), strict=True):
            self._draw(ax, name, table[self.metric], worst[name])
        self.axes_ = axes
        self.figure_ = axes[0].figure.figure
        return self

    def _draw(self, ax, name, scores, worst):
        """Draw one model: a strip of all groups on top, the worst below."""
        median = scores.median()
        ax.axvline(median, color="0.6", linewidth=1, linestyle="--", zorder=0)
        ax.annotate(
            f"median {number(median, 2)}",
            (median, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-3, -2),
            textcoords="offset points",
            ha="right",
            va="top",
            size="small",
            color="0.35",
        )
        # Spread over the height of the strip, by place, so that equals stay apart.
        spread = -0.15 * (np.arange(len(scores)) % 5 - 2)
        ax.plot(
            scores,
            spread,
            "o",
            markersize=3.5,
            markerfacecolor="none",
            color=FOLD_COLOUR,
        )
        place = np.arange(1, len(worst) + 1)
        ax.barh(place, worst[self.metric], height=0.7, color=MAIN_COLOUR)
        for y, value in zip(place, worst[self.metric], strict=True):
            ax.annotate(
                number(value, 2),
                (np.nan_to_num(value), y),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                size="small",
            )
        labels = [f"{group} (n = {n})" for group, n in worst["n"].items()]
        ax.set_yticks([0, *place], ["all groups", *labels])
        ax.set_ylim(len(worst) + 0.6, -1.2)
        ax.set_xlim(min(0, scores.min() * 1.1), 1.02)
        ax.set_xlabel(metric_name(self.metric))
        some = f"{len(worst)} worst of" if len(worst) < len(scores) else "all"
        ax.set_title(f"{name}: {some} {len(scores)} groups", loc="left")
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
