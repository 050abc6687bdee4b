"""Scores of pooled out-of-fold predictions, and their bootstrap."""

from collections.abc import Container
from functools import cached_property

import numpy as np

from emclassify.metrics._bootstrap import bootstrap_scores
from emclassify.metrics._intervals import difference_limits, score_limits
from emclassify.metrics._targets import OneLabel, SeveralLabels

Predictions = tuple[np.ndarray, np.ndarray, np.ndarray]


class PooledScores:
    """Scores of all out-of-fold predictions of a model taken together.

    The bootstrap is drawn when the first interval is asked for.

    Parameters
    ----------
    predictions : dict of str to (sample, y_true, y_pred)
        By model: number of the sample, its code and the predicted one.
    target : OneLabel or SeveralLabels
        What the codes are of.
    groups : ndarray of shape (n_samples,) or None
        Group of each sample; without, each is by itself.
    tested : ndarray of int
        Samples in any test side. The bootstrap draws from their groups.
    n_bootstrap, seed : int
    confidence_level : float
    replaced : container of str, default=()
        Scores that mean something else in this benchmark: the user's, under names of
        built-in ones.

    Attributes
    ----------
    values : dict of str to dict of str to float
        {model: {score: value}}.
    metrics : list of str
        Names of the scores, without those that are replaced.
    n_units : int
        How many groups (samples, without groups) the bootstrap draws from.
    """

    def __init__(
        self,
        predictions: dict[str, Predictions],
        *,
        target: OneLabel | SeveralLabels,
        groups: np.ndarray | None,
        tested: np.ndarray,
        n_bootstrap: int,
        seed: int,
        confidence_level: float,
        replaced: Container[str] = (),
    ) -> None:
        self._target = target
        self._n_bootstrap = n_bootstrap
        self._seed = seed
        self._confidence_level = confidence_level
        names = np.unique(tested if groups is None else groups[tested])
        self.n_units = len(names)
        self._predictions = {}
        for model, (sample, true, predicted) in predictions.items():
            units = np.searchsorted(names, sample if groups is None else groups[sample])
            self._predictions[model] = true, predicted, units
        self.values = {
            model: target.pooled_scores(true, predicted)
            for model, (true, predicted, _) in self._predictions.items()
        }
        known = next(iter(self.values.values()), {})
        self.metrics = [metric for metric in known if metric not in replaced]

    @cached_property
    def replicates(self) -> dict[str, dict[str, np.ndarray]]:
        """{model: {score: ndarray (n_bootstrap,)}}, the same draws for all models."""
        return bootstrap_scores(
            self._predictions,
            n_units=self.n_units,
            target=self._target,
            n_bootstrap=self._n_bootstrap,
            seed=self._seed,
        )

    def support(self, name: str) -> np.ndarray:
        """Return the number of predictions of true samples of each class."""
        true, _, _ = self._predictions[name]
        return self._target.presence(true).sum(axis=0)

    def score(self, name: str, metric: str) -> tuple[float, float, float]:
        """Return (value, low, high); NaN for scores that labels alone don't give."""
        value = self.values.get(name, {}).get(metric, np.nan)
        if np.isnan(value):
            return (float("nan"),) * 3
        return value, *self._limits[name][metric]

    def difference(self, a: str, b: str, metric: str) -> tuple[float, float, float]:
        """Return (a − b, low, high) from paired replicates."""
        values = [self.values.get(name, {}).get(metric, np.nan) for name in (a, b)]
        if np.isnan(values).any():
            return (float("nan"),) * 3
        replicates = self.replicates[a][metric] - self.replicates[b][metric]
        difference = values[0] - values[1]
        low_high = difference_limits(
            difference, replicates, self._sizes(a), self._confidence_level
        )
        return difference, *low_high

    @cached_property
    def _limits(self) -> dict[str, dict[str, tuple[float, float]]]:
        """{model: {score: (low, high)}}."""
        return {
            name: score_limits(
                self._target.cells(*predictions, self.n_units),
                self._target,
                self.replicates[name],
                self._confidence_level,
            )
            for name, predictions in self._predictions.items()
        }

    def _sizes(self, name: str) -> np.ndarray:
        """Return the number of predictions of each unit."""
        return np.bincount(self._predictions[name][2], minlength=self.n_units)
