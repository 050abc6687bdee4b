"""Scores of pooled out-of-fold predictions, and their bootstrap."""

from functools import cached_property

import numpy as np

from emclassify.metrics._bootstrap import bootstrap_scores, percentile_interval


class PooledScores:
    """Scores of all out-of-fold predictions of a model taken together.

    The bootstrap is drawn when the first interval is asked for.

    Parameters
    ----------
    result : BenchmarkResult

    Attributes
    ----------
    values : dict of str to dict of str to float
        {model: {score: value}}, without models that failed in every fold.
    metrics : list of str
        Names of the scores.
    n_units : int
        How many groups (samples, without groups) the bootstrap draws from.
    """

    def __init__(self, result):
        self._confidence_level = result.settings["confidence_level"]
        self._n_bootstrap = result.settings["n_bootstrap"]
        self._seed = result.settings["bootstrap_seed"]
        self._target = result.target
        tested = np.unique(np.concatenate([test for _, test in result.folds]))
        n = len(result.y)
        labels = np.arange(n) if result.groups is None else result.groups
        units, codes = np.unique(labels[tested], return_inverse=True)
        unit_of = np.full(n, -1)
        unit_of[tested] = codes
        self.n_units = len(units)
        self._predictions = {}
        self.values = {}
        for name in result.names:
            if result.failed(name):
                continue
            sample, true, predicted = result.codes(name)
            self._predictions[name] = (true, predicted, unit_of[sample])
            self.values[name] = self._target.pooled_scores(true, predicted)
        self.metrics = list(next(iter(self.values.values()), {}))

    @cached_property
    def replicates(self):
        """{model: {score: ndarray (n_bootstrap,)}}, the same draws for all models."""
        return bootstrap_scores(
            self._predictions,
            n_units=self.n_units,
            target=self._target,
            n_bootstrap=self._n_bootstrap,
            seed=self._seed,
        )

    def score(self, name, metric):
        """Return (value, low, high); NaN for scores that labels alone don't give."""
        value = self.values.get(name, {}).get(metric, np.nan)
        if np.isnan(value):
            return (float("nan"),) * 3
        replicates = self.replicates[name][metric]
        return value, *percentile_interval(replicates, self._confidence_level)

    def difference(self, a, b, metric):
        """Return (a − b, low, high) from paired replicates."""
        values = [self.values.get(name, {}).get(metric, np.nan) for name in (a, b)]
        if np.isnan(values).any():
            return (float("nan"),) * 3
        replicates = self.replicates[a][metric] - self.replicates[b][metric]
        low_high = percentile_interval(replicates, self._confidence_level)
        return values[0] - values[1], *low_high
