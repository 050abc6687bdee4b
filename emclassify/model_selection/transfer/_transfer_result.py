"""What came of training on one domain and testing on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from emclassify.metrics._bootstrap import (
    bootstrap_scores,
    pooled_confusion,
)
from emclassify.metrics._intervals import score_limits
from emclassify.metrics._proportion import proportion_interval
from emclassify.metrics._targets import OneLabel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emclassify.display import TransferMatrixDisplay

__all__ = ["TransferMatrixResult"]

_N_BOOTSTRAP = 2000


class TransferMatrixResult:
    """Result of :func:`transfer_matrix`; made by it, not by hand.

    Attributes
    ----------
    train_domains, test_domains : list of str
        What was trained and tested on.
    classes : ndarray of shape (n_classes,)
        Sorted class labels.
    pos_label : label or None
        The positive one of two classes.
    metrics : list of str
        "accuracy", "FNR" and "FPR" of two classes, "accuracy" and "F1_macro" of more.
    confidence_level : float
        Coverage of all intervals.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from emclassify.model_selection import transfer_matrix
    >>> X, y = make_blobs(90, centers=3, random_state=0)
    >>> domains = {"plain": (X, y), "wider": (1.5 * X, y)}
    >>> result = transfer_matrix(GaussianNB(), domains, train_on="plain")
    >>> result.matrix("F1_macro").round(2)
    test   plain  wider
    train
    plain   0.92   0.89
    """

    def __init__(
        self,
        *,
        domains: Mapping[str, Any],
        trained: list[str],
        classes: np.ndarray,
        positive: int | None,
        predictions: Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]],
        confidence_level: float,
        seed: int,
    ) -> None:
        self.train_domains = trained
        self.test_domains = list(domains)
        self.classes = classes
        self.pos_label = None if positive is None else classes.tolist()[positive]
        self.metrics = ["accuracy", "F1_macro" if positive is None else "FNR"]
        if positive is not None:
            self.metrics.append("FPR")
        self.confidence_level = confidence_level
        self._positive = positive
        self._seed = seed
        self._cells = {}
        for pair, (samples, predicted) in predictions.items():
            tested = domains[pair[1]]
            true = np.searchsorted(classes, tested.y)[samples]
            # Predictions of one sample in several folds are as alike as can be.
            groups = samples if tested.groups is None else tested.groups[samples]
            self._cells[pair] = true, predicted, groups
        self._frame = self._tabulate()

    def __repr__(self):
        return (
            f"<TransferMatrixResult: trained on {len(self.train_domains)}, tested on "
            f"{len(self.test_domains)} domains, {len(self.classes)} classes>"
        )

    def _repr_html_(self) -> str:
        table = self.matrix().rename_axis(index="trained on", columns="tested on")
        return f"<p>{escape(repr(self)[1:-1])}; accuracy:</p>" + table.to_html(
            float_format="{:.3f}".format, na_rep="–", border=0
        )

    def to_frame(self) -> pd.DataFrame:
        """One row for each pair of domains.

        Returns
        -------
        DataFrame
            train and test (domains), n_test (predictions; those of a domain for itself
            are out of fold), then each metric, followed by its interval as
            <metric>_low and <metric>_high. NaN where it can't be told, as that of
            one group.

            Of accuracy, FNR and FPR the interval is Clopper and Pearson's; where
            samples come in groups, for the number of independent samples that has the
            variance found between groups (Korn and Graubard 1998), and at least as
            wide as groups unlike all that were seen allow. With no mistake at all it
            counts groups, not samples. A sample that is tested several times is a
            group. Of F1_macro it has the standard error of 2,000
            bootstrap draws of groups, or samples, and Student's t.
        """
        return self._frame.copy()

    def matrix(self, metric: str = "accuracy") -> pd.DataFrame:
        """Return one metric as a matrix.

        Parameters
        ----------
        metric : str, default="accuracy"
            One of `metrics`, also with "_low" or "_high" behind it.

        Returns
        -------
        DataFrame
            A row for each domain trained on, a column for each tested on.
        """
        columns = self._frame.columns[3:]
        if metric not in columns:
            raise ValueError(f"metric={metric!r} is not among {', '.join(columns)}.")
        table = self._frame.pivot(index="train", columns="test", values=metric)
        return table.loc[self.train_domains, self.test_domains]

    def confusion_matrix(self, train: str, test: str) -> pd.DataFrame:
        """Return the confusion matrix of one pair of domains.

        Parameters
        ----------
        train, test : str
            The domain trained on, and that tested on.

        Returns
        -------
        DataFrame
            Rows are true classes, columns predicted ones.
        """
        if (train, test) not in self._cells:
            raise ValueError(
                f"train must be one of {self.train_domains}, test one of "
                f"{self.test_domains}; got {train!r} and {test!r}."
            )
        true, predicted, _ = self._cells[train, test]
        return pd.DataFrame(
            pooled_confusion(true, predicted, len(self.classes)),
            index=pd.Index(self.classes, name="true"),
            columns=pd.Index(self.classes, name="predicted"),
        )

    def plot(
        self,
        metrics: str | Sequence[str] | None = None,
        *,
        axes: Sequence[Axes] | None = None,
    ) -> TransferMatrixDisplay:
        """Draw a heat map of each metric.

        Parameters
        ----------
        metrics : str or list of str, default=None
            Of `metrics`; all by default.
        axes : sequence of matplotlib Axes, default=None
            One for each metric; a new figure by default.

        Returns
        -------
        TransferMatrixDisplay
        """
        from emclassify.display import TransferMatrixDisplay

        return TransferMatrixDisplay.from_result(self, metrics, axes=axes)

    def _tabulate(self):
        rows = []
        for train in self.train_domains:
            for test in self.test_domains:
                true, predicted, groups = self._cells[train, test]
                row = {"train": train, "test": test, "n_test": len(true)}
                for metric in self.metrics:
                    value, low, high = self._score(metric, true, predicted, groups)
                    row |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
                rows.append(row)
        return pd.DataFrame(rows)

    def _score(self, metric, true, predicted, groups):
        """Return the value and the interval of a metric."""
        if metric == "F1_macro":
            return self._macro_f1(true, predicted, groups)
        counted = np.ones(len(true), dtype=bool)
        if metric != "accuracy":
            counted = (true == self._positive) == (metric == "FNR")
        hits = (true == predicted) == (metric == "accuracy")
        hits, groups = hits[counted], groups[counted]
        share = float(hits.mean()) if len(hits) else float("nan")
        return share, *proportion_interval(hits, groups, self.confidence_level)

    def _macro_f1(self, true, predicted, groups):
        # By number: a class may have the name of an average.
        target = OneLabel(self.classes, list(range(len(self.classes))))
        value = target.pooled_scores(true, predicted)["F1_macro"]
        units, codes = np.unique(groups, return_inverse=True)
        drawn = bootstrap_scores(
            {"model": (true, predicted, codes)},
            n_units=len(units),
            target=target,
            n_bootstrap=_N_BOOTSTRAP,
            seed=self._seed,
        )
        limits = score_limits(
            target.cells(true, predicted, codes, len(units)),
            target,
            drawn["model"],
            self.confidence_level,
        )
        return value, *limits["F1_macro"]
