"""RejectClassifierCV: no answer where it would be wrong too often."""

import warnings
from numbers import Real
from operator import itemgetter
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import delayed
from sklearn.utils.validation import _estimator_has, check_is_fitted

from emclassify._fit_state import fit_context
from emclassify._groups import check_groups
from emclassify._typing import CrossValidation, Estimator, ImagesLike
from emclassify.metrics._targets import OneLabel
from emclassify.model_selection.running._tasks import run_tasks
from emclassify.model_selection.thresholds._error_threshold import (
    error_threshold,
    share_threshold,
)
from emclassify.model_selection.thresholds._out_of_fold import (
    OutOfFoldClassifier,
    check_weights,
)

__all__ = ["RejectClassifierCV"]


class RejectClassifierCV(OutOfFoldClassifier):
    """Classifier that rejects what it is not sure of, for a wanted error rate.

    Each class gets a threshold: the lowest confidence from which, out of fold, at most
    `max_error` of the samples called by its name are wrong. Confidence is the
    probability (or decision score) of the predicted class. `estimator` is fitted on the
    training side of each fold and predicts the test side; all these predictions
    together give the thresholds. Then `estimator` is fitted on all samples.

    A network is often sure of images unlike any that it was trained on. For those,
    give a `novelty_detector` too.

    Parameters
    ----------
    estimator : classifier or Pipeline
        With `predict_proba` or `decision_function`; probabilities are preferred.
    max_error : float, default=0.05
        Highest share of wrong labels among the accepted samples of each predicted
        class.
    confidence_level : float, default=None
        With a number between 0.5 and 1, the upper confidence limit of the error is
        bounded, not the error found: a one-sided limit, the upper end of the two-sided
        interval of level ``2 * confidence_level - 1``. It takes more samples: for an
        error of 0.05 at a level of 0.95, 59 without a mistake, and with groups as
        many groups.
    reject_label : int, float or str, default=None
        What `predict` says of rejected samples; of the kind of the labels and none of
        them. None: "rejected" where labels are strings, -1 where they are numbers, or
        one less than the lowest if that is negative.
    novelty_detector : outlier detector or Pipeline, default=None
        With `fit` and `score_samples`, such as an `IsolationForest` or a
        `LocalOutlierFactor` with ``novelty=True``, behind a `FeatureExtractor`. Fitted
        on the same samples. What it scores below `novelty_threshold_` is rejected,
        however sure the classifier is.
    max_false_novelty : float, default=0.01
        Highest share of the samples given that the detector may reject, out of fold.
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
    thresholds_ : ndarray of shape (n_classes,)
        Confidence from which a sample of each predicted class is accepted. -inf where
        all are, inf where none is: no threshold keeps the bound.
    coverage_, risk_ : float
        Share of samples accepted, and of wrong labels among them, out of fold.
    class_coverage_, class_risk_ : ndarray of shape (n_classes,)
        The same among samples predicted as each class; nan where there are none.
    reject_label_ : int, float or str
        What `predict` says of rejected samples.
    novelty_detector_ : estimator or None
        Fitted on all samples.
    novelty_threshold_ : float
        Score of the detector from which samples are accepted; -inf without one.
    score_kind_ : {"probability", "decision"}
        What the confidence is.
    classes_ : ndarray of shape (n_classes,)
        Labels as they came, without `reject_label_`.
    n_features_in_ : int
        ``X.shape[1]`` seen in `fit`, if `estimator_` has it.
    image_shape_ : tuple of 3 int
        (height, width, channels) seen in `fit`, if `estimator_` has it.

    See Also
    --------
    emclassify.metrics.coverage_risk_curve : The error at every coverage.
    BoundedThresholdClassifierCV : Two classes, no rejection, one kind of mistake
        bounded.

    Notes
    -----
    The bound holds for the out-of-fold predictions. On new samples the error is above
    it about as often as below: the threshold was sought on these predictions, and a
    class with few of them promises little.

    With `confidence_level`, the limit at any one threshold is above the true error
    with about that probability (see the guide for the simulation). Samples without
    groups count as independent: Clopper and Pearson's limit. With groups the limit
    is that of the effective number of samples, by the variance between groups and
    their degrees of freedom [3]_, and at least what groups alone allow: of n groups
    none may have been of a kind that is always wrong. Without any mistake it is
    ``1 - (1 - confidence_level) ** (1 / n)``, 0.39 for 6 groups at 0.95, however many
    samples they hold. Groups of unlike sizes count as fewer of the same size. Where
    `cv` tests samples several times, each sample is a group.
    The threshold is sought among all, with no correction for the search: where
    confidence orders right and wrong, the error was above the bound in 0 to 6 % of
    simulated runs at a level of 0.95; where it tells nothing and all errors are just
    above the bound (0.06 for 0.05), in up to 10 %.

    All this holds for samples, and groups, like these only.

    The rule with one threshold for all classes is Chow's [1]_; choosing it for an
    error rate with an upper limit is as in [2]_, which also corrects for the search.

    `score` is the accuracy with rejected samples counted as wrong.

    References
    ----------
    .. [1] C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE
       Transactions on Information Theory 16, 41-46 (1970).
    .. [2] Y. Geifman and R. El-Yaniv, "Selective classification for deep neural
       networks", NeurIPS 2017.
    .. [3] E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with
       small expected number of positive counts estimated from survey data", Survey
       Methodology 24, 193-201 (1998).

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from emclassify.model_selection import RejectClassifierCV
    >>> X, y = make_classification(1000, flip_y=0.05, random_state=0)
    >>> clf = RejectClassifierCV(LogisticRegression(), max_error=0.05).fit(X, y)
    >>> bool(clf.risk_ <= 0.05), bool(0.5 < clf.coverage_ < 1)
    (True, True)
    >>> sorted(set(clf.predict(X).tolist()))
    [-1, 0, 1]
    """

    _parameter_constraints = {
        **OutOfFoldClassifier._parameter_constraints,
        "max_error": [Interval(Real, 0, 1, closed="both")],
        "confidence_level": [Interval(Real, 0.5, 1, closed="neither"), None],
        "reject_label": [Real, str, None],
        "novelty_detector": [HasMethods(["fit", "score_samples"]), None],
        "max_false_novelty": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        estimator: Estimator,
        *,
        max_error: float = 0.05,
        confidence_level: float | None = None,
        reject_label: float | str | None = None,
        novelty_detector: Estimator | None = None,
        max_false_novelty: float = 0.01,
        cv: CrossValidation = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.max_error = max_error
        self.confidence_level = confidence_level
        self.reject_label = reject_label
        self.novelty_detector = novelty_detector
        self.max_false_novelty = max_false_novelty
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
            What `estimator` takes; and what `novelty_detector` takes, if there is one.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            For the fits of `estimator`, and for the rates; the detector is fitted on
            the samples whose weight is above 0. Refused if `estimator` takes none, and
            with `confidence_level`.
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
            If there is one class only, a fold tears a group or lacks a class to train
            on, `reject_label` is a label of y, or no threshold of any class keeps the
            bound.

        Warns
        -----
        UserWarning
            If no threshold of some class keeps the bound: whatever is called by its
            name will be rejected.
        """
        if self.confidence_level is not None and sample_weight is not None:
            raise ValueError(
                "confidence_level counts samples, so it can't be had with "
                "sample_weight: leave one of them out."
            )
        X, y, classes = self._check_data(X, y)
        reject_label = self._check_reject_label(classes)
        groups = check_groups(groups, len(y))
        sample_weight = check_weights(sample_weight, y)
        fitted, folds, pooled = self._fit_and_predict_folds(
            X, y, classes, sample_weight, groups
        )
        codes = np.searchsorted(classes, pooled.predicted)
        confidence = pooled.class_scores[np.arange(len(codes)), codes]
        detector, lowest = None, -np.inf
        accepted = np.ones(len(codes), dtype=bool)
        if self.novelty_detector is not None:
            scores = self._score_novelty_of_folds(X, folds, sample_weight)
            lowest = share_threshold(scores, pooled.weight, self.max_false_novelty)
            accepted = scores >= lowest
            rows = _with_weight(np.arange(len(y)), sample_weight)
            known = X if len(rows) == len(y) else _safe_indexing(X, rows)
            detector = clone(self.novelty_detector).fit(known)
        self.thresholds_ = self._find_thresholds(
            classes, pooled, codes, confidence, accepted, groups
        )
        accepted &= confidence >= self.thresholds_[codes]
        self._set_rates(len(classes), pooled, codes, accepted)
        self.score_kind_ = pooled.score_kind
        self.novelty_detector_ = detector
        self.novelty_threshold_ = lowest
        self.reject_label_ = reject_label
        self.classes_ = classes
        self.estimator_ = fitted
        return self

    def predict(self, X: ImagesLike) -> np.ndarray:
        """Return the class of each sample, or `reject_label_`.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n,)
            Integers where the labels are boolean or unsigned: -1 is neither.
        """
        codes, accepted = self._decide(X)
        classes = self.classes_
        if classes.dtype.kind in "bu":  # neither has room for -1
            classes = classes.astype(np.int64)
        labels = np.append(classes, self.reject_label_)
        return labels[np.where(accepted, codes, len(self.classes_))]

    def accepts(self, X: ImagesLike) -> np.ndarray:
        """Return which samples are not rejected.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.

        Returns
        -------
        ndarray of bool of shape (n,)
        """
        return self._decide(X)[1]

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: ImagesLike) -> np.ndarray:
        """Return the decision scores that `estimator_` gives, untouched.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n,) or (n, n_classes)
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    def _decide(self, X):
        """Return the code of the predicted class, and whether it is accepted."""
        check_is_fitted(self)
        predicted = self.estimator_.predict(X)
        target = OneLabel(self.classes_)
        codes = target.encode(predicted, type(self.estimator_).__name__)
        scores, _ = target.class_scores(self.estimator_, X)
        accepted = scores[np.arange(len(codes)), codes] >= self.thresholds_[codes]
        if self.novelty_detector_ is not None:
            scores = self.novelty_detector_.score_samples(X)
            accepted &= scores >= self.novelty_threshold_
        return codes, accepted

    def _check_reject_label(self, classes):
        """Return what rejected samples are called."""
        numbers = classes.dtype.kind not in "OSU"
        label = self.reject_label
        if label is None and numbers:
            label = min(-1, classes.min().item() - 1)
        elif label is None:
            label = "rejected"
        if isinstance(label, str) == numbers:
            kind = "number" if numbers else "string"
            raise ValueError(
                f"reject_label={label!r} must be a {kind}, as the labels of y are: "
                f"{classes.tolist()}."
            )
        if label in classes.tolist():
            raise ValueError(
                f"reject_label={label!r} is a label of y: {classes.tolist()}. Choose "
                "another."
            )
        return label

    def _score_novelty_of_folds(self, X, folds, sample_weight):
        """Return the detector's score of each sample of weight in the test sides."""
        tasks = [
            delayed(_score_novelty)(
                self.novelty_detector,
                fold,
                X,
                *(_with_weight(side, sample_weight) for side in sides),
            )
            for fold, sides in enumerate(folds)
        ]
        scores = run_tasks(
            tasks,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            name="novelty",
            describe=lambda outcome: f"fold {outcome[0]}",
        )
        return np.concatenate([score for _, score in sorted(scores, key=itemgetter(0))])

    def _find_thresholds(self, classes, pooled, codes, confidence, familiar, groups):
        """Return the thresholds; warn of classes without any, raise if none has one."""
        # Predictions of one sample in several test sides are as alike as can be.
        units = pooled.sample if groups is None else groups[pooled.sample]
        thresholds = np.empty(len(classes))
        for code in range(len(classes)):
            some = familiar & (codes == code)
            thresholds[code] = error_threshold(
                pooled.true[some],
                pooled.predicted[some],
                confidence[some],
                pooled.weight[some],
                units[some],
                max_error=self.max_error,
                confidence_level=self.confidence_level,
            )
        hopeless = np.flatnonzero(thresholds == np.inf)
        if len(hopeless) == 0:
            return thresholds
        called = ", ".join(
            f"{classes.tolist()[code]!r} ({np.sum(codes == code)} samples)"
            for code in hopeless
        )
        level = ""
        if self.confidence_level is not None:
            level = f" at confidence_level={self.confidence_level}"
        message = (
            f"No threshold keeps max_error={self.max_error}{level} out of fold among "
            f"what is called {called}. "
        )
        advice = "Loosen the bound, give more samples, or improve the estimator."
        if len(hopeless) == len(classes):
            raise ValueError(f"{message}{advice}")
        warnings.warn(
            f"{message}All of it will be rejected. {advice}", UserWarning, stacklevel=4
        )
        return thresholds

    def _set_rates(self, k, pooled, codes, accepted):
        """Set coverage and risk, of all and of each of k predicted classes."""
        missed = accepted & (pooled.true != pooled.predicted)
        called, accepted, missed = (
            np.bincount(codes, weights=pooled.weight * some, minlength=k)
            for some in (1, accepted, missed)
        )
        self.coverage_ = float(accepted.sum() / called.sum())
        self.risk_ = float(missed.sum() / accepted.sum())
        rates = np.full((2, k), np.nan)
        np.divide(accepted, called, out=rates[0], where=called > 0)
        np.divide(missed, accepted, out=rates[1], where=accepted > 0)
        self.class_coverage_, self.class_risk_ = rates


def _with_weight(rows, sample_weight):
    """Return the rows whose weight is above 0."""
    if sample_weight is None:
        return rows
    return rows[sample_weight[rows] > 0]


def _score_novelty(detector, fold, X, train, test):
    """Return the fold, and scores of its test side by a detector fitted on the rest."""
    fitted = clone(detector).fit(_safe_indexing(X, train))
    return fold, np.asarray(fitted.score_samples(_safe_indexing(X, test)))
