"""What a benchmark's models gave, fold by fold, before anything is tested."""

from collections.abc import Container
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin

from emclassify.metrics._bootstrap import pooled_confusion
from emclassify.metrics._figures import RATIOS
from emclassify.metrics._targets import OneLabel, SeveralLabels
from emclassify.model_selection.benchmark._tables import fold_scores, share_counts
from emclassify.model_selection.running._run_fold import FoldOutcome
from emclassify.model_selection.running._scoring import NOT_SCORES

__all__ = ["OutOfFold"]


class OutOfFold:
    """Predictions of models for samples that they had not seen, and how they came.

    The part of :class:`BenchmarkResult` that needs no statistics, with its attributes
    of the same names.
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
        outcomes: dict[str, list[FoldOutcome]],
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

    def codes(
        self, name: str, folds: Container[int] | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Out-of-fold predictions as positions in ``classes``, or rows of indicators.

        Parameters
        ----------
        name : str
            A model.
        folds : container of int, default=None
            Only those of some folds.

        Returns
        -------
        sample, y_true, y_pred : ndarray of int
        """
        runs = self._runs(name)
        if folds is not None:
            runs = [run for run in runs if run.fold in folds]
        if not runs:
            raise ValueError(f"Model {name!r} failed in every fold.")
        sample = np.concatenate([self.folds[run.fold][1] for run in runs])
        predicted = np.concatenate([run.predicted for run in runs])
        return sample, self.target.codes(self.y)[sample], predicted

    def known_figures(self, name: str) -> pd.DataFrame:
        """Whether each figure of each class is other than 0/0. For the tables.

        Returns
        -------
        DataFrame of bool
            One row for each class, a column for each figure.
        """
        _, true, predicted = self.codes(name)
        has, said = self.target.presence(true), self.target.presence(predicted)
        counts = [(has & said), (~has & said), (has & ~said), (~has & ~said)]
        counts = [count.sum(axis=0) for count in counts]
        known = {f: ratio.parts(*counts)[1] > 0 for f, ratio in RATIOS.items()}
        return pd.DataFrame(known, index=self.target_names)

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
