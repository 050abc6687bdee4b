"""ClassThresholdClassifierCV: a threshold for each class, tuned out of fold."""

from numbers import Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import fbeta_score
from sklearn.utils import get_tags, indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from emclassify._fit_state import fit_context
from emclassify._incoming import plain_images
from emclassify._typing import CrossValidation, Estimator, ImagesLike
from emclassify.metrics._targets import (
    OneLabel,
    SeveralLabels,
    all_classes,
    as_target,
    presence,
)
from emclassify.model_selection.thresholds._out_of_fold import (
    OutOfFoldClassifier,
    middle_of_gap,
)

__all__ = ["ClassThresholdClassifierCV"]


class ClassThresholdClassifierCV(OutOfFoldClassifier):
    """Classifier with a threshold of its own for each class, tuned out of fold.

    A rare label seldom reaches a probability of a half, so with the usual threshold it
    is seldom found. Here `estimator` is fitted on the training side of each fold, and
    says its probabilities for the test side; on all of these together, each class gets
    the threshold with the best F-beta [1]_. Then `estimator` is fitted on all samples.

    With several labels a sample (y is an indicator matrix), a sample has the labels
    whose probability is at least their threshold. With one, it has the class whose
    probability is largest relative to its threshold.

    Parameters
    ----------
    estimator : classifier or Pipeline
        With `predict_proba`.
    beta : float, default=1.0
        How many times as much recall counts as precision. 1 is F1.
    cv : int, splitter or iterable of (train, test), default=None
        As in `benchmark_classifiers`: a whole number means
        MultilabelStratifiedGroupKFold with several labels, StratifiedGroupKFold with
        groups, else StratifiedKFold. None is 5.
    n_jobs : int, default=None
        Fits at a time, through joblib; None is 1, -1 is all cores.
    verbose : int, default=0
        1 shows a progress bar over folds.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on all samples.
    thresholds_ : ndarray of shape (n_classes,)
        In the order of `classes_`.
    classes_ : ndarray of shape (n_classes,)
        Labels as they came; the numbers of the columns of an indicator matrix.
    multilabel_ : bool
        Whether y was an indicator matrix.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`, if `estimator_` has it.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`, if `estimator_` has it.

    See Also
    --------
    BoundedThresholdClassifierCV : Two classes, and a bound that must be kept.
    sklearn.model_selection.TunedThresholdClassifierCV : Two classes, any metric.

    Notes
    -----
    Probabilities of the folds' models are pooled as they are, as if those models were
    one. The thresholds were chosen on them, so an F-beta on the same samples flatters:
    score this classifier in a cross-validation of its own.

    Where several thresholds do equally well, the usual one is taken (0.5 with several
    labels, 1 / n_classes with one) if it is among them; else the middle between the
    nearest probability that makes the cut and the next one below. A class that no
    sample out of fold has keeps the usual one. A probability of 0 never makes the cut.

    With one label a sample, classes compete, and thresholds that are best one by one
    need not be best together: the usual ones are kept, which predict the most probable
    class, unless the macro F-beta out of fold is better with the others.

    References
    ----------
    .. [1] Z. C. Lipton, C. Elkan and B. Naryanaswamy, "Optimal thresholding of
       classifiers to maximize F1 measure", ECML PKDD 2014.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.metrics import f1_score
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from emclassify.model_selection import ClassThresholdClassifierCV
    >>> X, y = make_multilabel_classification(
    ...     1000, n_classes=8, n_labels=1, random_state=0
    ... )
    >>> plain = KNeighborsClassifier(15).fit(X[:500], y[:500])
    >>> round(f1_score(y[500:], plain.predict(X[500:]), average="macro"), 2)
    0.42
    >>> tuned = ClassThresholdClassifierCV(plain).fit(X[:500], y[:500])
    >>> round(f1_score(y[500:], tuned.predict(X[500:]), average="macro"), 2)
    0.59
    >>> tuned.thresholds_.round(2)
    array([0.23, 0.37, 0.3 , 0.23, 0.3 , 0.37, 0.23, 0.3 ])
    """

    _parameter_constraints = {
        **OutOfFoldClassifier._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "beta": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator: Estimator,
        *,
        beta: float = 1.0,
        cv: CrossValidation = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.beta = beta
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
        """Fit on all samples, and find the thresholds out of fold.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.
        y : array-like of shape (n,) or (n, n_labels)
            Labels, or an indicator matrix.
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
            If y holds one class only, a fold tears a group or lacks a class to train
            on, or `estimator` gives no probability for each class.
        """
        X, y, classes = self._check_data(X, y)
        fitted, _, pooled = self._fit_and_predict_folds(
            X, y, classes, sample_weight, groups
        )
        proba = pooled.class_scores
        self._check_proba(proba, pooled.score_kind, self.estimator)
        truth = presence(pooled.true, classes)
        self.thresholds_ = self._tune(proba, truth, pooled.weight, y.ndim == 2)
        self.classes_ = classes
        self.multilabel_ = y.ndim == 2
        self.estimator_ = fitted
        return self

    def predict_proba(self, X: ImagesLike) -> np.ndarray:
        """Return the probabilities that `estimator_` gives, untouched.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of `classes_`; with several labels a sample too, where some
            estimators of scikit-learn give a list.
        """
        check_is_fitted(self)
        target = (
            SeveralLabels(len(self.classes_))
            if self.multilabel_
            else OneLabel(self.classes_)
        )
        proba, kind = target.class_scores(self.estimator_, X)
        self._check_proba(proba, kind, self.estimator_)
        return proba

    def predict(self, X: ImagesLike) -> np.ndarray:
        """Return the class of each sample, or its labels, by the thresholds.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n,) or (n, n_labels)
            Labels, or the indicator matrix of those that reach their threshold.
        """
        proba = self.predict_proba(X)
        if self.multilabel_:
            return (proba >= self.thresholds_).astype(np.int64)
        return self.classes_[(proba / self.thresholds_).argmax(axis=1)]

    def _check_data(self, X, y):
        """Return X, y and the sorted classes, or the numbers of y's columns."""
        y = None if y is None else as_target(y)
        if y is None or y.ndim == 1:
            return super()._check_data(X, y)
        X, y = indexable(plain_images(X), y)
        return X, y, all_classes(y)

    def _check_proba(self, proba, kind, estimator):
        """Raise unless there is a number for each class."""
        name = type(estimator).__name__
        if kind != "probability":
            raise ValueError(
                f"predict_proba of {name} does not give one probability for each class "
                "or label of y."
            )
        if not np.isfinite(proba).all():
            raise ValueError(f"predict_proba of {name} gives NaN or infinity.")

    def _tune(self, proba, truth, weight, multilabel):
        """Return the thresholds."""
        k = truth.shape[1]
        usual = np.full(k, 0.5 if multilabel else 1 / k)
        tuned = np.array(
            [
                best_f_threshold(
                    truth[:, c], proba[:, c], weight, self.beta, default=usual[c]
                )
                for c in range(k)
            ]
        )
        if multilabel:
            return tuned
        macro = [
            fbeta_score(
                truth.argmax(axis=1),
                (proba / thresholds).argmax(axis=1),
                beta=self.beta,
                average="macro",
                labels=np.flatnonzero(truth.any(axis=0)),
                sample_weight=weight,
                zero_division=0,
            )
            for thresholds in (usual, tuned)
        ]
        return tuned if macro[1] > macro[0] else usual

    def __sklearn_tags__(self):
        """Say of labels too what the estimator says."""
        tags = super().__sklearn_tags__()
        within = get_tags(self.estimator)
        if within.classifier_tags is not None:
            tags.classifier_tags = within.classifier_tags
        return tags


def best_f_threshold(
    truth: np.ndarray,
    score: np.ndarray,
    weight: np.ndarray,
    beta: float,
    *,
    default: float,
) -> float:
    """Return the threshold from which on calling samples positive gives the best F.

    With w the weights, F-beta is (1 + β²) TP / (called + β² positives).

    Parameters
    ----------
    truth : ndarray of bool of shape (n,)
    score : ndarray of shape (n,)
        At least 0. A score of 0 is never called positive.
    weight : ndarray of shape (n,)
    beta : float
    default : float
        Returned where no threshold is better, such as without positives.
    """
    positives = weight[truth].sum()
    order = np.argsort(-score, kind="stable")
    ranked, weight, hits = score[order], weight[order], (weight * truth)[order]
    last = np.append(ranked[1:] != ranked[:-1], True) & (ranked > 0)
    if positives == 0 or not last.any():
        return default

    def f(hits, called):
        return (1 + beta**2) * hits / (called + beta**2 * positives)

    found = f(hits.cumsum(), weight.cumsum())[last]
    called = ranked >= default
    best = found.max() * (1 - 1e-12)  # sums of weights are rounded
    if f(hits[called].sum(), weight[called].sum()) >= best:
        return default
    uppers = ranked[last][found >= best]
    upper = uppers[np.abs(uppers - default).argmin()]
    return middle_of_gap(np.append(score, 0.0), upper, default, exclusive=False)
