"""Models that failed in some folds: which are compared with others, and on what."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

__all__ = ["fair_part", "tell_failures"]


def fair_part(
    frame: pd.DataFrame, metric: str, names: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the scores of the folds that models share, and which models these are.

    They share more than half of the folds in which anyone has a score. Models with the
    fewest are left out until it is so.

    Parameters
    ----------
    frame : DataFrame
        One row for each model and fold, with columns estimator, fold and `metric`.
    metric : str
    names : list of str
        The models; of equals the last is left out first.
    """
    known = frame.pivot(index="fold", columns="estimator", values=metric).notna()
    known = known.loc[known.any(axis=1), list(names)]
    compared = [name for name in names if known[name].any()]
    while len(compared) > 1 and known[compared].all(axis=1).mean() <= 0.5:
        counts = known[compared].sum().to_numpy()[::-1]
        del compared[len(compared) - 1 - int(np.argmin(counts))]
    shared = known.index[known[compared].all(axis=1)]
    rows = frame["fold"].isin(shared) & frame["estimator"].isin(compared)
    return frame[rows], compared


def tell_failures(
    frame: pd.DataFrame,
    metric: str,
    compared: Sequence[str],
    failed: Mapping[str, int],
) -> list[str]:
    """Return "A failed in 1 of 5 folds" and what it means for the comparison.

    Parameters
    ----------
    frame, metric
        As for `fair_part`.
    compared : list of str
        What it returns.
    failed : dict of str to int
        In how many folds there are no predictions, by model.
    """
    scores = frame.pivot(index="fold", columns="estimator", values=metric).notna()
    scores = scores[scores.any(axis=1)]
    kept, sentences = [], []
    for name in failed:
        n, lacks, what = frame["fold"].nunique(), failed[name], "failed"
        if not lacks:
            n, lacks, what = len(scores), int((~scores[name]).sum()), "has no score"
        if not lacks:
            continue
        where = "the only fold" if n == 1 else f"{lacks} of {n} folds"
        if name in compared:
            kept.append(f"{name} {what} in {where}")
        else:
            sentences.append(f"{name} {what} in {where} and is not compared.")
    if kept and len(compared) > 1:
        shared = int(scores[compared].all(axis=1).sum())
        kept.append(f"the comparison is over the {shared} that all in it have")
    return ([f"{'; '.join(kept)}."] if kept else []) + sentences
