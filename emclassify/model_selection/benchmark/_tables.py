"""The tables of a benchmark, from scores of folds and of pooled predictions."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from emclassify.metrics._figures import AVERAGES, FIGURES
from emclassify.metrics._targets import OneLabel, SeveralLabels
from emclassify.model_selection.benchmark._corrected_ttest import (
    corrected_resampled_ttest,
    holm,
)
from emclassify.model_selection.benchmark._pooled import PooledScores
from emclassify.model_selection.running._run_fold import FoldOutcome


def fold_scores(
    outcomes: dict[str, list[FoldOutcome]],
    folds: list[tuple[np.ndarray, np.ndarray]],
    repeats: np.ndarray,
    true: np.ndarray,
    target: OneLabel | SeveralLabels,
) -> pd.DataFrame:
    """Return one row of scores for each model and fold; `true` holds codes."""
    rows = []
    for name, runs in outcomes.items():
        for run in runs:
            train, test = folds[run.fold]
            row = {"estimator": name, "fold": run.fold}
            if repeats.any():
                row["repeat"] = int(repeats[run.fold])
            row |= {"n_train": len(train), "n_test": len(test)}
            row |= {"fit_time": run.fit_time, "predict_time": run.predict_time}
            if run.predicted is not None:
                row |= target.pooled_scores(true[test], run.predicted)
                row |= run.extra_scores
            if run.error is not None:
                row["error"] = run.error
            rows.append(row)
    frame = pd.DataFrame(rows)
    runs = [run for of_model in outcomes.values() for run in of_model]
    if not any(run.extra_scores for run in runs):
        for score in {score for run in runs for score in run.failed_scores}:
            frame[score] = np.nan
    if "error" in frame:
        frame["error"] = frame.pop("error")  # last, after the scores
    return frame


def share_counts(counts: np.ndarray, normalize: str | None) -> np.ndarray:
    """Return a confusion matrix as it is, or as shares; 0 of nothing is 0."""
    sums = {
        None: None,
        "true": counts.sum(axis=1, keepdims=True),
        "pred": counts.sum(axis=0, keepdims=True),
        "all": counts.sum(keepdims=True),
    }
    if normalize not in sums:
        raise ValueError(
            f'normalize must be None, "true", "pred" or "all"; got {normalize!r}.'
        )
    if normalize is None:
        return counts
    whole = np.broadcast_to(sums[normalize], counts.shape)
    return np.divide(counts, whole, out=np.zeros(counts.shape), where=whole > 0)


def summary_table(pooled: PooledScores, target_names: list[str]) -> pd.DataFrame:
    """Return pooled figures with intervals, by model and class."""
    rows, index = [], []
    for name in pooled.values:
        support = pooled.support(name)
        supports = np.append(support, [support.sum()] * len(AVERAGES))
        for what, n in zip([*target_names, *AVERAGES], supports, strict=True):
            row = {}
            for figure in FIGURES:
                value, low, high = pooled.score(name, f"{figure}_{what}")
                row |= {figure: value, f"{figure}_low": low, f"{figure}_high": high}
            rows.append(row | {"support": int(n)})
            index.append((name, what))
    index = pd.MultiIndex.from_tuples(index, names=["estimator", "class"])
    return pd.DataFrame(rows, index=index)


def shown_figures(
    summary: pd.DataFrame, averages: pd.Series, known: pd.DataFrame
) -> pd.DataFrame:
    """Return the `summary` of one model with averages over folds, and NaN for 0/0.

    `averages` has each <figure>_<average> with <..>_low and <..>_high; `known` says by
    class which figures are none of 0/0.
    """
    table = summary.copy()
    for figure in FIGURES:
        for end in ("", "_low", "_high"):
            for average in AVERAGES:
                table.loc[average, figure + end] = averages[f"{figure}_{average}{end}"]
            table.loc[known.index[~known[figure]], figure + end] = np.nan
    return table


def overview_table(
    frame: pd.DataFrame, pooled: PooledScores, metrics: Sequence[str]
) -> pd.DataFrame:
    """Return main scores with intervals, and times, by model."""
    rows = {}
    for name, of_model in frame.groupby("estimator", sort=False):
        row = {}
        for metric in metrics:
            value, low, high = (
                pooled.score(name, metric) if metric in pooled.metrics else [np.nan] * 3
            )
            row[metric] = of_model[metric].mean()
            row[f"{metric}_sd"] = of_model[metric].std(ddof=1)
            row[f"{metric}_pooled"] = value
            row[f"{metric}_low"] = low
            row[f"{metric}_high"] = high
        row["fit_time"] = of_model["fit_time"].mean()
        row["predict_time"] = of_model["predict_time"].mean()
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("estimator")


def mean_table(
    frame: pd.DataFrame,
    pooled: PooledScores,
    metrics: Sequence[str],
    *,
    distinct: np.ndarray,
    confidence_level: float,
) -> pd.DataFrame:
    """Return the mean of each score over folds, with its interval, by model.

    `distinct` has the same number for folds that are the same, as has `comparison`.
    """
    ratio = _test_train_ratio(frame)
    rows = {}
    for name, of_model in frame.groupby("estimator", sort=False):
        row = {}
        for metric in metrics:
            by_fold = of_model[metric].groupby(distinct[of_model["fold"]]).mean()
            scores = by_fold.to_numpy(dtype=np.float64)
            test = corrected_resampled_ttest(
                scores,
                np.zeros(len(scores)),
                test_train_ratio=ratio,
                confidence_level=confidence_level,
            )
            low, high = test.low, test.high
            if metric in pooled.metrics:
                if not test.standard_error > 0:
                    _, low, high = pooled.score(name, metric)
                low, high = np.clip([low, high], 0, 1)
            row[metric] = of_model[metric].mean()
            row[f"{metric}_sd"] = of_model[metric].std(ddof=1)
            row[f"{metric}_low"] = low
            row[f"{metric}_high"] = high
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("estimator")


def _test_train_ratio(frame):
    """Return the mean ratio of test to training samples."""
    sizes = frame.drop_duplicates("fold")
    return float((sizes["n_test"] / sizes["n_train"]).mean())


def fold_table(frame: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the scores of each fold by model, then their mean and deviation."""
    parts = {}
    for name, of_model in frame.groupby("estimator", sort=False):
        parts[name] = _with_mean_and_sd(of_model.set_index("fold")[list(metrics)])
    return pd.concat(parts, names=["estimator", "fold"])


def repeat_table(frame: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return the mean over the folds of each repeat by model, then mean and deviation.

    A frame without the column "repeat" is one repeat.
    """
    parts = {}
    repeats = frame["repeat"] if "repeat" in frame else pd.Series(0, frame.index)
    for name, of_model in frame.groupby("estimator", sort=False):
        parts[name] = _with_mean_and_sd(of_model[list(metrics)].groupby(repeats).mean())
    return pd.concat(parts, names=["estimator", "repeat"])


def _with_mean_and_sd(scores):
    """Return scores with two rows more, their mean and deviation (ddof=1)."""
    summary = scores.agg(["mean", "std"]).rename({"std": "sd"})
    return pd.concat([scores.set_axis(scores.index.astype(object)), summary])


def group_table(
    groups: np.ndarray,
    true: np.ndarray,
    predicted: np.ndarray,
    target: OneLabel | SeveralLabels,
    metrics: Sequence[str],
) -> pd.DataFrame:
    """Return the scores of each group, the worst first; one entry a prediction."""
    names, units, n = np.unique(groups, return_inverse=True, return_counts=True)
    cells = target.cells(true, predicted, units, len(names)).toarray()
    scores = target.scores(cells)
    table = pd.DataFrame(
        {"n": n, **{m: scores[m] for m in metrics}},
        index=pd.Index(names, name="group"),
    )
    return table.sort_values([metrics[0], "n"], ascending=[True, False], kind="stable")


def comparison_table(
    frame: pd.DataFrame,
    pooled_on_shared: Callable[[str, str], PooledScores],
    metric: str,
    *,
    names: Sequence[str],
    distinct: np.ndarray,
    confidence_level: float,
) -> pd.DataFrame:
    """Return the difference, intervals and p value of each pair of models.

    ``pooled_on_shared(a, b)`` gives the predictions on the folds that both have.
    """
    scores = frame.pivot(index="fold", columns="estimator", values=metric)
    ratio = _test_train_ratio(frame)
    rows = []
    for a, b in combinations(names, 2):
        pair = scores[[a, b]].dropna()
        # Trainings on the same fold are no folds of their own.
        pair = pair.groupby(distinct[pair.index]).mean()
        pooled = pooled_on_shared(a, b)
        test = corrected_resampled_ttest(
            pair[a],
            pair[b],
            test_train_ratio=ratio,
            confidence_level=confidence_level,
        )
        low, high = test.low, test.high
        difference = pooled_low = pooled_high = np.nan
        if metric in pooled.metrics:
            difference, pooled_low, pooled_high = pooled.difference(a, b, metric)
            low, high = np.clip([low, high], -1, 1)
        rows.append(
            {
                "model_a": a,
                "model_b": b,
                "difference": test.difference,
                "low": low,
                "high": high,
                "statistic": test.statistic,
                "p": test.pvalue,
                "p_adjusted": np.nan,
                "pooled_difference": difference,
                "pooled_low": pooled_low,
                "pooled_high": pooled_high,
                "n_folds": test.n_folds,
            }
        )
    columns = ["model_a", "model_b", "difference", "low", "high", "statistic", "p"]
    columns += ["p_adjusted", "pooled_difference", "pooled_low", "pooled_high"]
    table = pd.DataFrame(rows, columns=[*columns, "n_folds"])
    table["p_adjusted"] = holm(table["p"].to_numpy(dtype=np.float64))
    return table
