"""BoundedThresholdClassifierCV: a threshold that keeps a bound out of fold."""

from dataclasses import replace
from numbers import Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import as_fitted, fit_context
from emclassify._typing import CrossValidation, Estimator, ImagesLike
from emclassify.metrics import operating_point
from emclassify.metrics._targets import OneLabel
from emclassify.model_selection.thresholds._out_of_fold import (
    OutOfFoldClassifier,
    middle_of_gap,
)

__all__ = ["BoundedThresholdClassifierCV"]

_BOUND = [Interval(Real, 0, 1, closed="both"), None]
_DEFAULTS = {"probability": 0.5, "decision": 0.0}


class BoundedThresholdClassifierCV(OutOfFoldClassifier):
    """Classifier of two classes whose threshold keeps a bound, out of fold.

    Where one kind of mistake costs more than the other, the threshold of a half is the
    wrong one. This one is chosen on scores of samples that the scoring model had not
    seen: `estimator` is fitted on the training side of each fold, scores the test
    side, and on all these scores together the best threshold that keeps the bound is
    sought. Then `estimator` is fitted on all samples.

    Give exactly one of `max_fpr`, `min_precision` and `min_recall`.

    Parameters
    ----------
    estimator : classifier or Pipeline
        With `predict_proba` or `decision_function`; probabilities are preferred.
    max_fpr : float, default=None
        Highest recall with at most this false-positive rate: the share of negatives
        that are called positive.
    min_precision : float, default=None
        Highest recall with at least this precision.
    min_recall : float, default=None
        Highest precision with at least this recall.
    pos_label : int, float, bool or str, default=None
        The positive class; None is ``classes_[1]``, the last of the sorted labels.
    cv : int, splitter or iterable of (train, test), default=None
        As in `benchmark_classifiers`: with groups, a whole number means
        StratifiedGroupKFold; without, StratifiedKFold. None is 5.
    n_jobs : int, default=None
        Fits at a time, through joblib; None is 1, -1 is all cores.
    verbose : int, default=0
        1 shows a progress bar over folds.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on all samples.
    threshold_ : float
        Scores of the positive class above it are called positive.
    operating_point_ : OperatingPoint
        Precision, recall and false-positive rate of the pooled out-of-fold scores at
        this threshold.
    score_kind_ : {"probability", "decision"}
        What the threshold is a number of.
    classes_ : ndarray of shape (2,)
        Labels as they came.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`, if `estimator_` has it.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`, if `estimator_` has it.

    See Also
    --------
    emclassify.metrics.operating_point : The same for scores at hand.
    sklearn.model_selection.TunedThresholdClassifierCV : The threshold with the best
        mean score over folds, without a bound.

    Notes
    -----
    The bound holds for the out-of-fold scores, not for certain on new samples: the
    threshold was chosen on them, which flatters. None among n negatives called
    positive still allows, at 95 % confidence, a rate of about 3/n [1]_. And it holds
    for samples like these only; see `transfer_matrix` for others. Scores of the folds'
    models are pooled as they are, as if those models were one.

    Between the lowest score called positive and the next one below, all thresholds are
    as good out of fold. The usual one (0.5 for probabilities, else 0) is taken if it
    is among them, else the middle.

    `decision_function` is above 0 where ``classes_[1]`` is predicted. The more probable
    class need not be the one predicted: `predict_proba` knows nothing of the threshold.

    References
    ----------
    .. [1] J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all
       right?", JAMA 249, 1743-1745 (1983).

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from emclassify.model_selection import BoundedThresholdClassifierCV
    >>> X, y = make_classification(1000, random_state=0)
    >>> clf = BoundedThresholdClassifierCV(LogisticRegression(), max_fpr=0.01)
    >>> clf.fit(X, y).operating_point_.fpr <= 0.01
    True
    >>> bool(clf.threshold_ > 0.5)
    True
    """

    _parameter_constraints = {
        **OutOfFoldClassifier._parameter_constraints,
        "max_fpr": _BOUND,
        "min_precision": _BOUND,
        "min_recall": _BOUND,
        "pos_label": [Real, str, "boolean", None],
    }

    def __init__(
        self,
        estimator: Estimator,
        *,
        max_fpr: float | None = None,
        min_precision: float | None = None,
        min_recall: float | None = None,
        pos_label: float | str | None = None,
        cv: CrossValidation = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.max_fpr = max_fpr
        self.min_precision = min_precision
        self.min_recall = min_recall
        self.pos_label = pos_label
        self.cv = cv
        self.n_jobs = n_jobs
        self.verbose = verbose

    # The estimator within has a validation of its own.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ImagesLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit on all samples, and find the threshold out of fold.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.
        y : array-like of shape (n,)
            Labels of two classes.
        sample_weight : array-like of shape (n,), default=None
            For the fits, and for the figures at each threshold. Refused if `estimator`
            takes none.
        groups : array-like of shape (n,), default=None
            Group of each sample (micrograph, grid, patient). None may lie on both
            sides of a fold. Handed on to `estimator` if it takes groups.

        Returns
        -------
        self : object
            Fitted.

        Raises
        ------
        ValueError
            If there are not two classes, a fold tears a group or lacks a class to
            train on, or no threshold keeps the bound and calls anything positive.
        """
        bound = self._check_bound()
        X, y, classes = self._check_data(X, y)
        positive = self._check_pos_label(classes)
        fitted, _, pooled = self._fit_and_predict_folds(
            X, y, classes, sample_weight, groups
        )
        score = pooled.class_scores[:, positive]
        label = classes.tolist()[positive]
        point = _find_point(pooled.true, score, pooled.weight, label, bound)
        self.threshold_ = middle_of_gap(
            score,
            point.threshold,
            _DEFAULTS[pooled.score_kind],
            exclusive=positive == 1,
        )
        self.operating_point_ = replace(point, threshold=self.threshold_)
        self.score_kind_ = pooled.score_kind
        self.classes_ = classes
        self.estimator_ = fitted
        return self

    @as_fitted
    def decision_function(self, X: ImagesLike) -> np.ndarray:
        """Return how far scores are on the side of ``classes_[1]``.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n,)
            The distance of the positive class's score from the threshold; above 0
            where ``classes_[1]`` is predicted.
        """
        check_is_fitted(self)
        positive = self._check_pos_label(self.classes_)
        scores, _ = OneLabel(self.classes_).class_scores(self.estimator_, X)
        distance = scores[:, positive] - self.threshold_
        return distance if positive == 1 else -distance

    def predict(self, X: ImagesLike) -> np.ndarray:
        """Return the class of each sample by the threshold.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n,)
        """
        is_last = self.decision_function(X) > 0
        return self.classes_[is_last.astype(np.intp)]

    def _check_bound(self):
        """Return {name: value} of the one bound."""
        names = ("max_fpr", "min_precision", "min_recall")
        given = {n: getattr(self, n) for n in names if getattr(self, n) is not None}
        if len(given) != 1:
            raise ValueError(
                f"Give exactly one of {', '.join(names)}; got {given or 'none'}."
            )
        return given

    def _check_pos_label(self, classes):
        """Return the index of the positive class."""
        if self.pos_label is None:
            return 1
        if self.pos_label not in classes.tolist():
            raise ValueError(
                f"pos_label={self.pos_label!r} is not a label of y: {classes.tolist()}."
            )
        return classes.tolist().index(self.pos_label)

    def __sklearn_tags__(self):
        """Two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _find_point(truth, score, weight, pos_label, bound):
    """Return the best point that keeps the bound and calls something positive."""
    if len(np.unique(truth)) < 2:
        raise ValueError("The test sides of cv, taken together, hold one class only.")
    settings = {"pos_label": pos_label, "sample_weight": weight}
    point = operating_point(truth, score, **bound, **settings)
    if np.isinf(point.threshold):
        ((name, value),) = bound.items()
        # Any recall above 0.
        best = operating_point(truth, score, min_recall=1e-9, **settings)
        raise ValueError(
            f"No threshold keeps {name}={value} out of fold and calls any of the "
            f"{len(truth)} samples {pos_label!r}. Within reach is a precision of "
            f"{best.precision:.3g} at a recall of {best.recall:.3g} and a "
            f"false-positive rate of {best.fpr:.3g}. Loosen the bound, or improve the "
            "estimator."
        )
    return point
