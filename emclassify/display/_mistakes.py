"""Which mistakes a model makes, and the samples that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from emclassify.model_selection.benchmark._result import BenchmarkResult


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
    """One sample that shows a mistake."""

    sample: int
    score: float | None


def find_mistakes(
    result: BenchmarkResult, name: str, *, n_examples: int
) -> list[Mistake]:
    """Return the kinds of mistakes of model `name`, most frequent first.

    The examples of each are those that the model was most sure of.
    """
    sample, true, predicted = result.codes(name)
    scores, _ = result.class_scores(name)
    of_predicted = None
    if scores is not None:
        of_predicted = scores[np.arange(len(sample)), predicted]
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
                examples=_surest(where, sample, of_predicted, n_examples),
            )
        )
    return sorted(mistakes, key=lambda mistake: -mistake.count)


def _surest(where, sample, scores, n_examples):
    """Return up to `n_examples` different samples, by falling score."""
    if scores is not None:
        where = where[np.argsort(-scores[where], kind="stable")]
    examples = {}
    for row in where:
        if len(examples) == n_examples:
            break
        index = int(sample[row])
        score = None if scores is None else float(scores[row])
        # Repeated cross-validation can show a sample twice; the surest time counts.
        examples.setdefault(index, Example(index, score))
    return list(examples.values())
