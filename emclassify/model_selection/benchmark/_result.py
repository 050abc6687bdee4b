"""What a benchmark found."""

import os
import shutil
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin

from emclassify.metrics._figures import AVERAGES, FIGURES
from emclassify.metrics._targets import OneLabel, SeveralLabels
from emclassify.model_selection.benchmark._as_text import (
    Repeats,
    Training,
    tables_as_text,
    trainings_of,
    verdict_sentence,
)
from emclassify.model_selection.benchmark._fair_part import fair_part, tell_failures
from emclassify.model_selection.benchmark._out_of_fold import OutOfFold
from emclassify.model_selection.benchmark._pooled import PooledScores
from emclassify.model_selection.benchmark._repeats import distinct_folds
from emclassify.model_selection.benchmark._tables import (
    comparison_table,
    fold_table,
    group_table,
    mean_table,
    overview_table,
    repeat_table,
    shown_figures,
    summary_table,
)
from emclassify.model_selection.running._run_fold import FoldOutcome
from emclassify.model_selection.splits._split_audit import SplitAudit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emclassify.display import BenchmarkDisplay

__all__ = ["BenchmarkResult"]

FOLD_METRICS = ("accuracy", "F1_macro", "PPV_macro", "TPR_macro")
GROUP_METRICS = ("accuracy", "balanced_accuracy", "F1_macro")
MAIN_METRICS = ("F1_macro", "balanced_accuracy", "accuracy")


class BenchmarkResult(OutOfFold):
    """Result of :func:`benchmark_classifiers`; made by it, not by hand.

    Attributes
    ----------
    estimators : dict of str to classifier
        The models, unfitted.
    fitted : dict of str to list of classifier
        The fitted models by fold; empty lists without ``return_estimators``.
    classes : ndarray of shape (n_classes,)
        Sorted class labels; the numbers of the columns of an indicator matrix.
    multilabel : bool
        Whether y is an indicator matrix: several labels a sample.
    target_names : list of str
        Names of the classes.
    target : OneLabel or SeveralLabels
        What y is: how its codes are counted. For the tables, not for users.
    X, y, groups
        The data, as given.
    folds : list of (train, test)
        Sample indices; those of all repeats, one after the other.
    repeats : ndarray of shape (n_folds,)
        Number of the repeat that each fold belongs to.
    fold_table : DataFrame
        What each fold holds; see :func:`check_folds`.
    audit : SplitAudit or None
        Copies of images, and what folds do to them; None if X holds no images or nobody
        looked.
    metrics : list of str
        Names of all scores.
    settings : dict
        Splitter, seed, date, software versions.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from emclassify.model_selection import benchmark_classifiers
    >>> X, y = load_iris(return_X_y=True)
    >>> models = {
    ...     "stump": DecisionTreeClassifier(max_depth=1, random_state=0),
    ...     "Bayes": GaussianNB(),
    ... }
    >>> result = benchmark_classifiers(models, X, y, random_state=0)
    >>> print(result.verdict())
    Bayes is better than stump by more than noise: macro F1 0.953 against 0.556,
    a difference of 0.397 (95 % interval 0.342 to 0.453, p < 0.001).
    >>> result.summary().loc[("Bayes", "0"), ["TPR", "PPV"]].tolist()
    [1.0, 1.0]
    """

    def __init__(
        self,
        *,
        estimators: dict[str, ClassifierMixin],
        X: ArrayLike,
        y: np.ndarray,
        target: OneLabel | SeveralLabels,
        groups: np.ndarray | None,
        folds: list[tuple[np.ndarray, np.ndarray]],
        repeats: np.ndarray,
        fold_table: pd.DataFrame,
        audit: SplitAudit | None,
        outcomes: dict[str, list[FoldOutcome]],
        settings: dict[str, Any],
    ) -> None:
        super().__init__(
            estimators=estimators,
            X=X,
            y=y,
            target=target,
            groups=groups,
            folds=folds,
            repeats=repeats,
            outcomes=outcomes,
        )
        self._distinct = distinct_folds(folds)
        self.fold_table = fold_table
        self.audit = audit
        self.settings = settings

    @property
    def confidence_level(self) -> float:
        """Coverage of all intervals."""
        return self.settings["confidence_level"]

    def __repr__(self) -> str:
        return (
            f"<BenchmarkResult: {len(self.names)} models, {len(self.folds)} folds, "
            f"{len(self.y)} samples, {len(self.classes)} classes>"
        )

    def _repr_html_(self) -> str:
        from emclassify.display._report import result_html

        return result_html(self)

    def __str__(self) -> str:
        unit = "samples" if self.groups is None else "groups"
        return tables_as_text(
            self.verdict(),
            self.overview(),
            {name: self.shown_figures(name) for name in self.pooled.values},
            n_folds=len(self.folds),
            confidence_level=self.confidence_level,
            units=f"{self.pooled.n_units} {unit}",
            trainings=self.trainings,
            width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None,
        )

    # Figures and their intervals ----------------------------------------------------

    @cached_property
    def pooled(self) -> PooledScores:
        """Scores of the pooled out-of-fold predictions, with intervals."""
        return self._pool({n: self.codes(n) for n in self.names if not self.failed(n)})

    def _pool(self, predictions):
        """Return `predictions` by model with what all pooled scores share."""
        return PooledScores(
            predictions,
            target=self.target,
            groups=self.groups,
            tested=np.concatenate([test for _, test in self.folds]),
            n_bootstrap=self.settings["n_bootstrap"],
            seed=self.settings["bootstrap_seed"],
            confidence_level=self.confidence_level,
            replaced={
                score
                for runs in self._outcomes.values()
                for run in runs
                for score in (*run.extra_scores, *run.failed_scores)
            },
        )

    def _pooled_on_shared(self, a, b):
        """Return pooled scores of two models on the folds where both predicted."""
        folds = [{run.fold for run in self._runs(name)} for name in (a, b)]
        if not all(folds) or folds[0] == folds[1]:
            return self.pooled
        shared = folds[0] & folds[1]
        names = (a, b) if shared else ()
        return self._pool({name: self.codes(name, shared) for name in names})

    def summary(self) -> pd.DataFrame:
        """Figures of each class and model, with intervals.

        Returns
        -------
        DataFrame
            Rows (estimator, class), the averages "macro", "weighted" and "micro"
            among the classes. Columns TPR, TNR, PPV, NPV and F1 of the pooled
            out-of-fold predictions, each followed by its interval as <figure>_low
            and <figure>_high, which allow for groups; then support, the number of
            predictions of true samples.
        """
        return summary_table(self.pooled, self.target_names)

    def shown_figures(self, name: str) -> pd.DataFrame:
        """Figures of model `name` as text, report and card show them. For the tables.

        Returns
        -------
        DataFrame
            As a model's part of :meth:`summary`, but averages are means over folds, as
            the verdict has them, with the interval of the mean; and what is 0/0 is NaN.
        """
        averages = self.means([f"{f}_{a}" for a in AVERAGES for f in FIGURES])
        return shown_figures(
            self.summary().loc[name], averages.loc[name], self.known_figures(name)
        )

    def overview(self, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """One row for each model: main scores with intervals, and times.

        Parameters
        ----------
        metrics : list of str, default=None
            Scores to show. Macro F1, balanced accuracy, accuracy and the scores
            from ``scoring`` by default.

        Returns
        -------
        DataFrame
            For each score, its mean over folds, <score>_sd (standard deviation
            over folds), <score>_pooled (of the pooled out-of-fold predictions),
            <score>_low and <score>_high (interval of the pooled one, which allows for
            groups; NaN for scores from ``scoring``); then fit_time and predict_time,
            mean seconds a fold.
        """
        metrics = self._choose_metrics(metrics, MAIN_METRICS)
        return overview_table(self._frame, self.pooled, metrics)

    def means(self, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Mean of each score over the folds, with the interval of this mean.

        These are the numbers that :meth:`verdict` and :meth:`compare` rest on, and
        that report and plot show. The intervals are those of
        :func:`corrected_resampled_ttest`, within 0 to 1 for built-in scores. Where the
        folds don't differ, or there is one, that of the pooled predictions stands in.

        Parameters
        ----------
        metrics : list of str, default=None
            Some of ``metrics``. Macro F1, balanced accuracy, accuracy and the scores
            from ``scoring`` by default.

        Returns
        -------
        DataFrame
            One row for each model. For each score, its mean over folds, <score>_sd
            (standard deviation over folds), <score>_low and <score>_high.
        """
        metrics = self._choose_metrics(metrics, MAIN_METRICS)
        return mean_table(
            self._frame,
            self.pooled,
            metrics,
            distinct=self._distinct,
            confidence_level=self.confidence_level,
        )

    def by_fold(self, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Scores of each fold, their mean and standard deviation.

        Parameters
        ----------
        metrics : list of str, default=None
            Some of ``metrics``. Accuracy, macro F1, PPV (precision), TPR (recall) and
            the scores from ``scoring`` by default.

        Returns
        -------
        DataFrame
            Rows (estimator, fold), then "mean" and "sd" (ddof=1) over the folds of a
            model. One column for each score.
        """
        metrics = self._choose_metrics(metrics, FOLD_METRICS)
        return fold_table(self._frame, metrics)

    def by_repeat(self, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Mean over the folds of each repeat: what another run would give.

        Parameters
        ----------
        metrics : list of str, default=None
            As for :meth:`by_fold`.

        Returns
        -------
        DataFrame
            Rows (estimator, repeat), then "mean" and "sd" over the repeats of a model.
        """
        metrics = self._choose_metrics(metrics, FOLD_METRICS)
        return repeat_table(self._frame, metrics)

    def by_group(self, name: str, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Scores of model `name` in each group, the worst first.

        Parameters
        ----------
        name : str
            A model.
        metrics : list of str, default=None
            Built-in scores; the first decides which groups are worst. Accuracy,
            balanced accuracy and macro F1 by default. Scores from ``scoring`` are not
            known by group.

        Returns
        -------
        DataFrame
            One row for each group with out-of-fold predictions: n (their number), then
            the scores. A class that a group lacks stays out of its averages. Among
            equals the group with more predictions comes first.
        """
        if self.groups is None:
            raise ValueError(
                "This benchmark had no groups. Pass groups to benchmark_classifiers."
            )
        sample, true, predicted = self.codes(name)
        known = self.pooled.metrics
        metrics = list(metrics or [m for m in GROUP_METRICS if m in known])
        for metric in metrics:
            if metric not in known:
                raise ValueError(
                    f"metrics: {metric!r} is not a built-in score: {', '.join(known)}."
                )
        return group_table(self.groups[sample], true, predicted, self.target, metrics)

    def _choose_metrics(self, metrics, default):
        """Return the scores asked for, or those by default and of ``scoring``."""
        if metrics is None:
            extra = [m for m in self.metrics if m not in self.pooled.metrics]
            return [*default, *(m for m in extra if m not in default)]
        return [self._check_metric(metric) for metric in metrics]

    def _check_metric(self, metric: str) -> str:
        """Return `metric`, or raise with the names there are."""
        if metric not in self.metrics:
            raise ValueError(
                f"metric={metric!r} is not among the scores of this benchmark: "
                f"{', '.join(self.metrics)}."
            )
        return metric

    # Models against each other ------------------------------------------------------

    def compare(self, metric: str = "F1_macro") -> pd.DataFrame:
        """Difference of each pair of models, and whether it is more than noise.

        Parameters
        ----------
        metric : str, default="F1_macro"
            One of ``metrics``.

        Returns
        -------
        DataFrame
            One row for each pair: model_a, model_b; difference (a − b, mean over
            folds) with its interval low, high, statistic, p and p_adjusted (Holm,
            over all pairs), all from :func:`corrected_resampled_ttest`, the interval
            within −1 to 1 for built-in scores; then pooled_difference with pooled_low
            and pooled_high from the paired bootstrap; n_folds. A fold in which one of
            a pair has no score counts for neither.
        """
        return self._compare(self._frame, self._check_metric(metric), self.names)

    def _compare(self, frame, metric, names):
        """Return `compare` of some models on some folds."""
        return comparison_table(
            frame,
            self._pooled_on_shared,
            metric,
            names=names,
            distinct=self._distinct,
            confidence_level=self.confidence_level,
        )

    def _ranked(self, metric):
        """Return scores on the folds that models share, and the means of each model."""
        frame, compared = fair_part(self._frame, metric, self.names)
        scores = frame.groupby(["estimator", self._distinct[frame["fold"]]])[metric]
        means = scores.mean().groupby(level="estimator").mean()
        return frame, means.reindex(compared)

    def leader(self, metric: str = "F1_macro") -> str | None:
        """Return the model that the verdict names first, None without any score.

        Parameters
        ----------
        metric : str, default="F1_macro"
            One of ``metrics``.

        Returns
        -------
        str or None
            The highest mean over the folds in which all compared models have a score.
        """
        _, means = self._ranked(self._check_metric(metric))
        return None if means.empty else str(means.idxmax())

    @cached_property
    def trainings(self) -> dict[str, Training]:
        """How networks were trained, by model. For the tables, not for users."""
        return trainings_of(self.training_table())

    def verdict(self, metric: str = "F1_macro") -> str:
        """Say which model wins, by how much, and whether that is more than noise.

        Parameters
        ----------
        metric : str, default="F1_macro"
            One of ``metrics``.

        Returns
        -------
        str
            A few sentences. Models are ranked over the folds in which all of them have
            a score; one that failed in so many that they would share no more than half
            is named and left out. A lead over networks that were still learning in a
            fold (their `converged_` is False) is never called more than noise. After
            several repeats it says who led in how many, and how far scores moved from
            repeat to repeat and from fold to fold; at last, on what it rests.
        """
        frame, means = self._ranked(self._check_metric(metric))
        compared = list(means.index)
        again = self._distinct[self.repeats > 0]
        repeats = None
        if len(again) and compared:
            repeats = Repeats(
                repeat_table(frame, [metric])[metric],
                over_folds=frame.groupby("estimator", sort=False)[metric].std(),
                same_folds=bool(
                    np.isin(again, self._distinct[self.repeats == 0]).all()
                ),
            )
        failed = {name: len(self.folds) - len(self._runs(name)) for name in self.names}
        return verdict_sentence(
            means,
            self._compare(frame, metric, compared),
            metric,
            self.confidence_level,
            self.trainings,
            self.settings.get("cut", {}),
            repeats,
            tell_failures(self._frame, metric, compared, failed),
        )

    # To look at ---------------------------------------------------------------------

    def plot(
        self, *, metric: str = "F1_macro", ax: "Axes | None" = None
    ) -> "BenchmarkDisplay":
        """Draw scores with intervals and folds, and the confusion matrices.

        Parameters
        ----------
        metric : str, default="F1_macro"
            One of ``metrics``.
        ax : matplotlib Axes, default=None
            Where to draw the scores alone. By default a new figure holds the scores
            and the confusion matrices.

        Returns
        -------
        BenchmarkDisplay
            With ``figure_``, ``ax_`` (scores) and ``axes_`` (confusion matrices).
        """
        from emclassify.display import BenchmarkDisplay

        return BenchmarkDisplay.from_result(self, metric=metric, ax=ax)

    def to_html(self, path: str | os.PathLike, **settings: Any) -> Path:
        """Write the report, one self-contained HTML file.

        Parameters
        ----------
        path : str or path-like
            File to write.
        **settings
            As for :func:`emclassify.display.write_report`: metric, title,
            description, command, names, images, pixel_size, n_examples, max_kinds.

        Returns
        -------
        pathlib.Path
            The file written.
        """
        from emclassify.display import write_report

        return write_report(self, path, **settings)
