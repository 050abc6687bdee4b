"""What a benchmark found."""

import os
import shutil
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin

from emclassify.metrics._bootstrap import pooled_confusion
from emclassify.metrics._targets import OneLabel, SeveralLabels
from emclassify.model_selection.benchmark._as_text import (
    Training,
    tables_as_text,
    trainings_of,
    verdict_sentence,
)
from emclassify.model_selection.benchmark._pooled import PooledScores
from emclassify.model_selection.benchmark._repeats import distinct_folds
from emclassify.model_selection.benchmark._tables import (
    comparison_table,
    fold_scores,
    fold_table,
    group_table,
    mean_table,
    overview_table,
    repeat_table,
    share_counts,
    summary_table,
)
from emclassify.model_selection.running._run_fold import FoldOutcome
from emclassify.model_selection.running._scoring import NOT_SCORES
from emclassify.model_selection.splits._split_audit import SplitAudit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emclassify.display import BenchmarkDisplay

__all__ = ["BenchmarkResult"]

FOLD_METRICS = ("accuracy", "F1_macro", "PPV_macro", "TPR_macro")
GROUP_METRICS = ("accuracy", "balanced_accuracy", "F1_macro")
MAIN_METRICS = ("F1_macro", "balanced_accuracy", "accuracy")


class BenchmarkResult:
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
        self.estimators = estimators
        self.X = X
        self.y = y
        self.target = target
        self.classes = target.classes
        self.target_names = target.names
        self.multilabel = y.ndim == 2
        self.groups = groups
        self.folds = folds
        self.repeats = repeats
        self._distinct = distinct_folds(folds)
        self.fold_table = fold_table
        self.audit = audit
        self.settings = settings
        self.fitted = {
            name: [o.fitted for o in runs if o.fitted is not None]
            for name, runs in outcomes.items()
        }
        self._outcomes = outcomes
        self._frame = fold_scores(outcomes, folds, repeats, target.codes(y), target)
        self.metrics = [
            column for column in self._frame.columns if column not in NOT_SCORES
        ]

    @property
    def names(self) -> list[str]:
        """Names of the models."""
        return list(self.estimators)

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
            self.summary(),
            n_folds=len(self.folds),
            confidence_level=self.confidence_level,
            units=f"{self.pooled.n_units} {unit}",
            trainings=self.trainings,
            width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None,
        )

    # What each fold gave ------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """One row for each model and fold.

        Returns
        -------
        DataFrame
            Columns estimator, fold, n_train, n_test, fit_time and predict_time
            (seconds), then every score. With repeats, also repeat; where fits or scores
            failed, also error.
        """
        return self._frame.copy()

    def _runs(self, name: str) -> list[FoldOutcome]:
        """Return the outcomes of model `name` that have predictions."""
        if name not in self._outcomes:
            raise ValueError(f"No model is called {name!r}; there are {self.names}.")
        return [run for run in self._outcomes[name] if run.predicted is not None]

    def failed(self, name: str) -> bool:
        """Whether model `name` failed in every fold."""
        return not self._runs(name)

    def codes(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Out-of-fold predictions as positions in ``classes``, or rows of indicators.

        Returns
        -------
        sample, y_true, y_pred : ndarray of int
        """
        runs = self._runs(name)
        if not runs:
            raise ValueError(f"Model {name!r} failed in every fold.")
        sample = np.concatenate([self.folds[run.fold][1] for run in runs])
        predicted = np.concatenate([run.predicted for run in runs])
        return sample, self.target.codes(self.y)[sample], predicted

    def class_scores(self, name: str) -> tuple[np.ndarray | None, str | None]:
        """Probability or decision score of each class, in the order of ``codes``.

        None where the model gives none in some fold.

        Returns
        -------
        scores : ndarray of shape (n_predictions, n_classes) or None
        kind : {"probability", "decision", None}
        """
        runs = self._runs(name)
        kinds = {run.score_kind for run in runs}
        if len(kinds) != 1 or kinds == {None}:
            return None, None
        return np.concatenate([run.class_scores for run in runs]), kinds.pop()

    def out_of_fold(self, name: str) -> pd.DataFrame:
        """Predictions of model `name` for samples that it had not seen.

        Returns
        -------
        DataFrame
            One row for each time that a sample was in a test side: sample (index),
            fold, group (where there are groups), y_true, y_pred (with several
            labels, true_<label> and pred_<label> of each), then the probability or
            decision score of each class, as "score_<class>", where the model has any
            (NaN in folds where it gave none).
        """
        sample, true, predicted = self.codes(name)
        fold = [np.full(len(r.predicted), r.fold) for r in self._runs(name)]
        frame = pd.DataFrame({"sample": sample, "fold": np.concatenate(fold)})
        if self.groups is not None:
            frame["group"] = self.groups[sample]
        frame = frame.assign(**self.target.columns(true, predicted))
        runs = self._runs(name)
        if len({run.score_kind for run in runs} - {None}) == 1:
            nothing = np.full(len(self.classes), np.nan)
            scores = np.concatenate(
                [
                    np.tile(nothing, (len(run.predicted), 1))
                    if run.class_scores is None
                    else run.class_scores
                    for run in runs
                ]
            )
            for code, target in enumerate(self.target_names):
                frame[f"score_{target}"] = scores[:, code]
        return frame

    def confusion_matrix(
        self, name: str, *, normalize: Literal["true", "pred", "all"] | None = None
    ) -> pd.DataFrame:
        """Confusion matrix of the pooled out-of-fold predictions of model `name`.

        Parameters
        ----------
        name : str
            A model.
        normalize : {None, "true", "pred", "all"}, default=None
            Counts; or shares of the true class (rows sum to 1), of the predicted
            class (columns), of all. 0 where there is nothing to share.

        Returns
        -------
        DataFrame
            Rows are true classes, columns predicted ones.

        Raises
        ------
        ValueError
            If samples have several labels, which are not mixed up with each other.
        """
        if self.multilabel:
            raise ValueError(
                "There is no confusion matrix across several labels a sample; see "
                "summary() for the figures of each."
            )
        _, true, predicted = self.codes(name)
        counts = pooled_confusion(true, predicted, len(self.classes))
        counts = share_counts(counts, normalize)
        index = pd.Index(self.target_names, name="true")
        columns = pd.Index(self.target_names, name="predicted")
        return pd.DataFrame(counts, index=index, columns=columns)

    def training_table(self) -> pd.DataFrame:
        """How networks were trained, and whether that was enough.

        Returns
        -------
        DataFrame
            One row for each model and fold with networks in it (what has
            `converged_`): estimator, fold, networks (trained in this fold),
            still_learning (how many of them were not trained enough), updates (steps of
            the optimizer of each, the mean; 0 where a network doesn't say).
        """
        rows = [
            {"estimator": name, "fold": run.fold, **run.training}
            for name, runs in self._outcomes.items()
            for run in runs
            if run.training is not None
        ]
        columns = ["estimator", "fold", "networks", "still_learning", "updates"]
        return pd.DataFrame(rows, columns=columns)

    def tuning_table(self) -> pd.DataFrame:
        """Parameters that searches chose, those of ``tune`` and of models themselves.

        Returns
        -------
        DataFrame
            One row for each model, fold and parameter: estimator, fold, parameter,
            value.
        """
        rows = [
            {"estimator": name, "fold": run.fold, "parameter": key, "value": value}
            for name, runs in self._outcomes.items()
            for run in runs
            for key, value in (run.chosen or {}).items()
        ]
        return pd.DataFrame(rows, columns=["estimator", "fold", "parameter", "value"])

    @cached_property
    def trainings(self) -> dict[str, Training]:
        """The same over all folds, by model. For the tables, not for users."""
        return trainings_of(self.training_table())

    # Figures and their intervals ----------------------------------------------------

    @cached_property
    def pooled(self) -> PooledScores:
        """Scores of the pooled out-of-fold predictions, with bootstrap intervals."""
        return PooledScores(
            {name: self.codes(name) for name in self.names if not self.failed(name)},
            target=self.target,
            groups=self.groups,
            tested=np.concatenate([test for _, test in self.folds]),
            n_bootstrap=self.settings["n_bootstrap"],
            seed=self.settings["bootstrap_seed"],
            confidence_level=self.confidence_level,
        )

    def summary(self) -> pd.DataFrame:
        """Figures of each class and model, with bootstrap intervals.

        Returns
        -------
        DataFrame
            Rows (estimator, class), the averages "macro", "weighted" and "micro"
            among the classes. Columns TPR, TNR, PPV, NPV and F1 of the pooled
            out-of-fold predictions, each followed by its interval as <figure>_low
            and <figure>_high; then support, the number of predictions of true
            samples.
        """
        return summary_table(self.pooled, self.target_names)

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
            <score>_low and <score>_high (bootstrap interval of the pooled one;
            NaN for scores from ``scoring``); then fit_time and predict_time, mean
            seconds a fold.
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
        metrics, known = list(metrics or GROUP_METRICS), self.pooled.metrics
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
            return [*default, *extra]
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
            over all pairs), all from :func:`corrected_resampled_ttest`; then
            pooled_difference with pooled_low and pooled_high from the paired
            bootstrap; n_folds.
        """
        return comparison_table(
            self._frame,
            self.pooled,
            self._check_metric(metric),
            names=self.names,
            distinct=self._distinct,
            confidence_level=self.confidence_level,
        )

    def verdict(self, metric: str = "F1_macro") -> str:
        """Say which model wins, by how much, and whether that is more than noise.

        Parameters
        ----------
        metric : str, default="F1_macro"
            One of ``metrics``.

        Returns
        -------
        str
            A few sentences. A lead over networks that were still learning in a fold
            (their `converged_` is False) is never called more than noise. After
            several repeats it says who led in how many; at last, on what it rests.
        """
        self._check_metric(metric)
        means = self._frame.groupby("estimator", sort=False)[metric].mean()
        return verdict_sentence(
            means,
            self.compare(metric),
            metric,
            self.confidence_level,
            self.trainings,
            self.settings.get("cut", {}),
            self.by_repeat([metric])[metric],
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
