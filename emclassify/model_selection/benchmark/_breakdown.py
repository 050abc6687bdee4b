"""A benchmark's scores taken apart: by fold, by group."""

import numpy as np
import pandas as pd

FOLD_METRICS = ("accuracy", "F1_macro", "PPV_macro", "TPR_macro")
GROUP_METRICS = ("accuracy", "balanced_accuracy", "F1_macro")


class BreakdownMixin:
    """Gives a `BenchmarkResult` its tables by fold and by group."""

    def by_fold(self, metrics=None):
        """Scores of each fold, their mean and standard deviation.

        Parameters
        ----------
        metrics : list of str, default=None
            Some of ``metrics``. Accuracy, macro F1, PPV (precision) and TPR (recall),
            and the scores from ``scoring``, such as the area under the ROC curve, by
            default.

        Returns
        -------
        DataFrame
            Rows (estimator, fold); after the folds of a model, "mean" and "sd"
            (ddof=1). One column for each score.
        """
        if metrics is None:
            extra = [m for m in self.metrics if m not in self.pooled.metrics]
            metrics = [*FOLD_METRICS, *extra]
        for metric in metrics:
            self._check_metric(metric)
        parts = {}
        for name, frame in self.to_frame().groupby("estimator", sort=False):
            scores = frame.set_index("fold")[list(metrics)]
            summary = scores.agg(["mean", "std"]).rename({"std": "sd"})
            parts[name] = pd.concat(
                [scores.set_axis(scores.index.astype(object)), summary]
            )
        return pd.concat(parts, names=["estimator", "fold"])

    def by_group(self, name, metrics=None):
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
        metrics = list(metrics or GROUP_METRICS)
        known = self.pooled.metrics
        for metric in metrics:
            if metric not in known:
                raise ValueError(
                    f"metrics: {metric!r} is not a built-in score: {', '.join(known)}."
                )
        groups, units, n = np.unique(
            self.groups[sample], return_inverse=True, return_counts=True
        )
        cells = self.target.cells(true, predicted, units, len(groups)).toarray()
        scores = self.target.scores(cells)
        table = pd.DataFrame(
            {"n": n, **{m: scores[m] for m in metrics}},
            index=pd.Index(groups, name="group"),
        )
        return table.sort_values(
            [metrics[0], "n"], ascending=[True, False], kind="stable"
        )
