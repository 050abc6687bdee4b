"""Which mistakes a model makes, and the samples that show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from emclassify.model_selection.benchmark._out_of_fold import OutOfFold


@dataclass
class Mistake:
    """One kind of mistake: samples of one class taken for another."""

    true: str
    predicted: str
    count: int
    support: int
    examples: list


@dataclass
class Example:
    """A sample that shows a mistake, with scores of the class said and the true one."""

    sample: int
    score: float | None
    true_score: float | None = None


def find_mistakes(result: OutOfFold, name: str, *, n_examples: int) -> list[Mistake]:
    """Return the kinds of mistakes of model `name`, most frequent first.

    The examples of each are those that the model was most sure of.
    """
    sample, true, predicted = result.codes(name)
    scores, _ = result.class_scores(name)
    of_predicted = of_true = None
    if scores is not None:
        of_predicted = scores[np.arange(len(sample)), predicted]
        of_true = scores[np.arange(len(sample)), true]
    support = np.bincount(true, minlength=len(result.classes))
    mistakes = []
    for t, p in np.argwhere(result.confusion_matrix(name).to_numpy() > 0):
        if t == p:
            continue
        where = np.flatnonzero((true == t) & (predicted == p))
        mistakes.append(
            Mistake(
                true=result.target_names[t],
                predicted=result.target_names[p],
                count=len(where),
                support=int(support[t]),
                examples=_surest(where, sample, of_predicted, of_true, n_examples),
            )
        )
    return sorted(mistakes, key=lambda mistake: -mistake.count)


def _surest(where, sample, scores, true_scores, n_examples):
    """Return up to `n_examples` different samples, by falling score."""
    if scores is not None:
        where = where[np.argsort(-scores[where], kind="stable")]
    examples = {}
    for row in where:
        if len(examples) == n_examples:
            break
        index = int(sample[row])
        example = Example(index, None)
        if scores is not None:
            example = Example(index, float(scores[row]), float(true_scores[row]))
        # Repeated cross-validation can show a sample twice; the surest time counts.
        examples.setdefault(index, example)
    return list(examples.values())


def mistake_table(
    result: OutOfFold, name: str, names: Sequence[str] | None
) -> pd.DataFrame:
    """Return every mistake of model `name`, a row each.

    Parameters
    ----------
    result : OutOfFold
    name : str
    names : sequence of str or None
        Name of each sample.

    Returns
    -------
    DataFrame
        Columns sample, name (with `names`), group (where there are groups), fold, true,
        predicted; then, where the model gave scores, score_predicted and score_true.
    """
    frame = result.out_of_fold(name)
    _, true, predicted = result.codes(name)
    wrong = np.flatnonzero(true != predicted)
    true, predicted = true[wrong], predicted[wrong]
    frame = frame.iloc[wrong].reset_index(drop=True)
    labels = np.asarray(result.target_names, dtype=object)
    table = frame[["sample"]].copy()
    if names is not None:
        table["name"] = [names[i] for i in table["sample"]]
    if "group" in frame:
        table["group"] = frame["group"]
    table["fold"] = frame["fold"]
    table["true"], table["predicted"] = labels[true], labels[predicted]
    scores, _ = result.class_scores(name)
    if scores is not None:
        table["score_predicted"] = scores[wrong, predicted]
        table["score_true"] = scores[wrong, true]
    return table
