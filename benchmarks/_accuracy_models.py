"""The models that `accuracy.py` measures, by name, with no parameter touched.

A model is one entry of `MODELS`: its kind, which says what it has to reach, and a
function of a seed that returns an unfitted estimator.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sklearn.base import BaseEstimator

from emclassify import svm_baseline


@dataclass
class ModelToMeasure:
    """What `accuracy.py` has to know of a model.

    `kind` is "svm", "network" (from scratch) or "backbone". A model that `has_seeds`
    is trained once a seed.
    """

    kind: str
    make: Callable[[int], BaseEstimator]
    has_seeds: bool = True


def make_svm(seed: int) -> BaseEstimator:
    """Return the SVM on all families of features."""
    return svm_baseline()


MODELS = {
    "SVM": ModelToMeasure("svm", make_svm, has_seeds=False),
}
