"""The tables of a benchmark's result."""

from itertools import combinations

import numpy as np
import pandas as pd

from emclassify.metrics._confusion import AVERAGES, FIGURES
from emclassify.model_selection.benchmark._corrected_ttest import (
    corrected_resampled_ttest,
    holm,
)


def fold_scores(result, outcomes):
    """Return one row of scores for each model and fold."""
    true = result.target.codes(result.y)
    rows = []
    for name, runs in outcomes.items():
        for run in runs:
            train, test = result.folds[run.fold]
            row = {"estimator": name, "fold": run.fold}
            row |= {"n_train": len(train), "n_test": len(test)}
            row |= {"fit_time": run.fit_time, "predict_time": run.predict_time}
            if run.predicted is None:
                row["error"] = run.error
            else:
                row |= result.target.pooled_scores(true[test], run.predicted)
                row |= run.extra_scores
            rows.append(row)
    frame = pd.DataFrame(rows)
    if "error" in frame:
        frame["error"] = frame.pop("error")  # last, after the scores
    return frame


def summary_table(result):
    """Return pooled figures with intervals, by model and class."""
    rows, index = [], []
    for name in result.pooled.values:
        _, true, _ = result.codes(name)
        support = result.target.presence(true).sum(axis=0)
        supports = np.append(support, [support.sum()] * len(AVERAGES))
        classes = [*result.target_names, *AVERAGES]
        for what, n in zip(classes, supports, strict=True):
            row = {}
            for figure in FIGURES:
                value, low, high = result.pooled.score(name, f"{figure}_{what}")
                row |= {figure: value, f"{figure}_low": low, f"{figure}_high": high}
            rows.append(row | {"support": int(n)})
            index.append((name, what))
    index = pd.MultiIndex.from_tuples(index, names=["estimator", "class"])
    return pd.DataFrame(rows, index=index)


def overview_table(result, metrics):
    """Return main scores with intervals, and times, by model."""
    rows = {}
    for name, frame in result.to_frame().groupby("estimator", sort=False):
        row = {}
        for metric in metrics:
            pooled, low, high = result.pooled.score(name, metric)
            row[metric] = frame[metric].mean()
            row[f"{metric}_sd"] = frame[metric].std(ddof=1)
            row[f"{metric}_pooled"] = pooled
            row[f"{metric}_low"] = low
            row[f"{metric}_high"] = high
        row["fit_time"] = frame["fit_time"].mean()
        row["predict_time"] = frame["predict_time"].mean()
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("estimator")


def comparison_table(result, metric):
    """Return the difference, intervals and p value of each pair of models."""
    frame = result.to_frame()
    scores = frame.pivot(index="fold", columns="estimator", values=metric)
    sizes = result.fold_table
    ratio = float((sizes["n_test"] / sizes["n_train"]).mean())
    rows = []
    for a, b in combinations(result.names, 2):
        test = corrected_resampled_ttest(
            scores[a],
            scores[b],
            test_train_ratio=ratio,
            confidence_level=result.confidence_level,
        )
        pooled, low, high = result.pooled.difference(a, b, metric)
        rows.append(
            {
                "model_a": a,
                "model_b": b,
                "difference": test.difference,
                "low": test.low,
                "high": test.high,
                "statistic": test.statistic,
                "p": test.pvalue,
                "p_adjusted": np.nan,
                "pooled_difference": pooled,
                "pooled_low": low,
                "pooled_high": high,
                "n_folds": test.n_folds,
            }
        )
    columns = ["model_a", "model_b", "difference", "low", "high", "statistic", "p"]
    columns += ["p_adjusted", "pooled_difference", "pooled_low", "pooled_high"]
    table = pd.DataFrame(rows, columns=[*columns, "n_folds"])
    table["p_adjusted"] = holm(table["p"].to_numpy(dtype=np.float64))
    return table
