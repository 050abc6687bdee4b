"""Which labels to look at first."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils._param_validation import HasMethods, StrOptions, validate_params

from emclassify.review._doubt import given_probability, label_margin

if TYPE_CHECKING:
    from emclassify.model_selection import BenchmarkResult

__all__ = ["doubtful_labels", "mean_probabilities", "mean_scores"]


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "X": "no_validation",
        "y": ["array-like"],
        "groups": ["array-like", None],
        "cv": "no_validation",
        "names": ["array-like", None],
        "method": [StrOptions({"normalized_margin", "self_confidence"})],
        "n_jobs": "no_validation",
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def doubtful_labels(
    estimator: BaseEstimator,
    X: ArrayLike,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    cv: int | BaseCrossValidator | Iterable = 5,
    names: ArrayLike | None = None,
    method: str = "normalized_margin",
    n_jobs: int | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Rank labels by how much a model that has not seen them doubts them.

    The model is trained on the other folds and predicts the images of one, so that it
    can't remember a wrong label. cleanlab [1]_ turns the probabilities into a quality
    of each label, and says which are likely wrong.

    Parameters
    ----------
    estimator : classifier
        With probabilities, such as ``svm_baseline(probability=True)``.
    X : array-like of n images
        Whatever the estimator takes.
    y : array-like of shape (n,)
        Labels, one an image.
    groups : array-like of shape (n,), default=None
        Group of each image; no group lies on both sides of a fold.
    cv : int, splitter or iterable of (train, test), default=5
        As in :func:`~emclassify.benchmark_classifiers`. Each image must be in a test
        side; with several predictions of one, their mean counts.
    names : array-like of shape (n,), default=None
        Name of each image, such as its file; its number by default.
    method : {"normalized_margin", "self_confidence"}, default="normalized_margin"
        Quality of a label: its probability less that of the likeliest other class, or
        its probability alone.
    n_jobs : int, default=None
        Folds at a time, through joblib; None is 1, -1 is all cores.
    verbose : int, default=0
        1 shows progress.

    Returns
    -------
    DataFrame
        One row an image, the most doubtful label first: sample (its number), name,
        label, predicted (the likeliest class), probability (of the label), margin (that
        less the probability of the likeliest other class), quality (of cleanlab, 0 to
        1), issue (whether cleanlab takes the label for wrong), then
        ``probability_<class>``.

    Raises
    ------
    ImportError
        If cleanlab is not installed.
    ValueError
        If images have several labels, or `cv` leaves some without a prediction.

    See Also
    --------
    write_review_page : A page to look at them and set them right.

    References
    ----------
    .. [1] C. Northcutt, L. Jiang and I. Chuang, "Confident learning: estimating
       uncertainty in dataset labels", Journal of Artificial Intelligence Research 70,
       1373-1411 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from emclassify.review import doubtful_labels
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["dim", "bright"], 30)
    >>> X = rng.normal(size=(60, 4)) + np.where(y == "bright", 3, 0)[:, np.newaxis]
    >>> y[7] = "dim"
    >>> table = doubtful_labels(LogisticRegression(), X, y)
    >>> print(table[["sample", "label", "predicted", "issue"]].head(1))
       sample label predicted  issue
    0       7   dim    bright   True
    """
    filter_issues, score = _cleanlab()
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(
            f"y has shape {y.shape}; labels are ranked where each image has one."
        )
    classes, codes = np.unique(y, return_inverse=True)
    proba = _out_of_fold(estimator, X, y, groups, cv, n_jobs, verbose)
    names = np.arange(len(y)) if names is None else np.asarray(names)
    if names.shape != y.shape:
        raise ValueError(f"names has shape {names.shape} for {len(y)} images.")
    quality = score(codes, proba, method=method)
    issue = np.asarray(filter_issues(codes, proba))
    table = pd.DataFrame(
        {
            "sample": np.arange(len(y)),
            "name": names,
            "label": y,
            "predicted": classes[proba.argmax(axis=1)],
            "probability": given_probability(proba, codes),
            "margin": label_margin(proba, codes),
            "quality": quality,
            "issue": issue,
            **{f"probability_{c}": proba[:, k] for k, c in enumerate(classes)},
        }
    )
    return table.sort_values("quality", kind="stable", ignore_index=True)


def _cleanlab():
    """Return what cleanlab is asked for."""
    try:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
    except ImportError as error:
        raise ImportError(
            'doubtful_labels needs cleanlab: pip install "emclassify[review]".'
        ) from error

    def issues(codes, proba):
        return find_label_issues(codes, proba, n_jobs=1)

    return issues, get_label_quality_scores


def _out_of_fold(estimator, X, y, groups, cv, n_jobs, verbose):
    """Return probabilities (n, n_classes), out of fold."""
    from emclassify.model_selection import benchmark_classifiers

    result = benchmark_classifiers(
        {"model": estimator},
        X,
        y,
        groups=groups,
        cv=cv,
        n_bootstrap=1,
        random_state=0,
        n_jobs=n_jobs,
        verbose=verbose,
        audit=False,
    )
    return mean_probabilities(result, "model")


def mean_probabilities(result: "BenchmarkResult", model: str) -> np.ndarray:
    """Return the out-of-fold probabilities of a benchmark's model, one row an image.

    Raises
    ------
    ValueError
        If it has none, or not for all images.
    """
    scores, kind = mean_scores(result, model)
    if kind != "probability":
        raise ValueError(
            f"Model {model!r} has no probabilities: give it some, as "
            "svm_baseline(probability=True) has them."
        )
    return scores


def mean_scores(
    result: "BenchmarkResult", model: str
) -> tuple[np.ndarray | None, str | None]:
    """Return the out-of-fold scores of a benchmark's model, one row an image.

    Their kind is "probability", "decision" or, where there are none, None.

    Raises
    ------
    ValueError
        If images were never tested.
    """
    scores, kind = result.class_scores(model)
    if kind is None:
        return None, None
    sample = result.codes(model)[0]
    n = len(result.y)
    times = np.bincount(sample, minlength=n)
    if (times == 0).any():
        missing = np.flatnonzero(times == 0)
        raise ValueError(
            f"cv has {len(missing)} of {n} images in no test side, the first is "
            f"{missing[0]}; each must be predicted once at least."
        )
    total = np.zeros((n, scores.shape[1]))
    np.add.at(total, sample, scores)
    return total / times[:, np.newaxis], kind
