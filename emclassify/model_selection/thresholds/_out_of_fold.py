"""What classifiers share that choose a threshold on out-of-fold predictions."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import assert_all_finite, column_or_1d, get_tags, indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.parallel import delayed
from sklearn.utils.validation import (
    _check_sample_weight,
    _estimator_has,
    check_is_fitted,
)

from emclassify._delegation import DelegatedInputMixin
from emclassify._fit_params import (
    add_groups,
    fit_parameter,
    fit_with,
    warn_lost_groups,
    why_not_taken,
)
from emclassify._groups import check_groups
from emclassify._incoming import plain_images, plain_labels, plain_numbers
from emclassify._typing import ImagesLike
from emclassify.metrics._targets import OneLabel, SeveralLabels
from emclassify.model_selection.running._run_fold import run_fold
from emclassify.model_selection.running._tasks import run_tasks
from emclassify.model_selection.splits._folds import check_training_sides, make_folds


@dataclass
class PooledPredictions:
    """Predictions of all test sides, one entry each; none of samples without weight."""

    score_kind: str
    sample: np.ndarray  # index in X
    true: np.ndarray  # label, or row of an indicator matrix
    predicted: np.ndarray  # the same
    class_scores: np.ndarray  # (n, k)
    weight: np.ndarray


class OutOfFoldClassifier(
    DelegatedInputMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator
):
    """Wraps `estimator`; its children choose thresholds on out-of-fold predictions."""

    _parameter_constraints = {
        "estimator": [
            HasMethods(["fit", "predict_proba"]),
            HasMethods(["fit", "decision_function"]),
        ],
        "cv": ["cv_object"],
        "n_jobs": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
            None,
        ],
        "verbose": ["verbose"],
    }

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: ImagesLike) -> np.ndarray:
        """Return the probabilities that `estimator_` gives, untouched.

        Parameters
        ----------
        X : array-like of n samples
            What `estimator` takes.

        Returns
        -------
        ndarray of shape (n, n_classes)
            In the order of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def _check_data(self, X, y):
        """Return X, y and the sorted classes, at least two."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        X, y = plain_images(X), column_or_1d(plain_labels(y), warn=True)
        assert_all_finite(y, input_name="y")
        X, y = indexable(X, y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if get_tags(self).classifier_tags.multi_class:
            check_classification_targets(y)
        elif kind != "binary":
            raise ValueError(
                f"Only binary classification is supported. Unknown label type: {kind}."
            )
        classes = np.unique(y)
        if len(classes) < 2:
            number = "one class only" if len(classes) else "none"
            raise ValueError(
                f"y must hold two classes; its {len(y)} samples hold {number}."
            )
        return X, y, classes

    def _fit_and_predict_folds(self, X, y, classes, sample_weight, groups):
        """Return an estimator fitted on all, the folds, and what was predicted there.

        Sets no attribute: a fit that finds no threshold leaves nothing behind. Raises
        if a fold tears a group or lacks a class to train on.
        """
        groups = check_groups(groups, len(y))
        sample_weight = check_weights(sample_weight, y)
        params = self._fit_params(sample_weight, groups)
        _, folds = make_folds(self.cv, X, y, groups)
        check_training_sides(y, folds, groups)
        # First, because its errors speak of samples by their place in X.
        fitted = fit_with(clone(self.estimator), X, y, params)
        target = SeveralLabels(y.shape[1]) if y.ndim == 2 else OneLabel(classes)
        outcomes = self._run_folds(X, y, target, folds, params)
        if outcomes[0].score_kind is None:
            raise ValueError(
                f"{type(self.estimator).__name__} gives no probability or decision "
                "score for each class of y."
            )
        sample = np.concatenate([folds[o.fold][1] for o in outcomes])
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        # Samples without weight are as if they weren't there.
        kept = weight[sample] > 0
        sample = sample[kept]
        predicted = np.concatenate([o.predicted for o in outcomes])[kept]
        return (
            fitted,
            folds,
            PooledPredictions(
                score_kind=outcomes[0].score_kind,
                sample=sample,
                true=y[sample],
                predicted=target.labels(predicted),
                class_scores=np.concatenate([o.class_scores for o in outcomes])[kept],
                weight=weight[sample],
            ),
        )

    def _fit_params(self, sample_weight, groups):
        """Return the arguments of the estimator's fit."""
        params = {}
        if sample_weight is not None:
            name = fit_parameter(self.estimator, "sample_weight")
            if name is None:
                why = why_not_taken(self.estimator, "sample_weight")
                raise ValueError(f"sample_weight was given, but {why}.")
            params[name] = sample_weight
        if groups is not None:
            name = type(self.estimator).__name__
            warn_lost_groups(name, self.estimator, params)
        return add_groups(params, self.estimator, groups)

    def _run_folds(self, X, y, target, folds, params):
        """Return the outcome of each fold, in their order."""
        name = type(self.estimator).__name__
        settings = {"scoring": None, "error_score": "raise"}
        settings["return_estimators"] = False
        tasks = [
            delayed(run_fold)(
                name,
                self.estimator,
                fold,
                X,
                y,
                target,
                train,
                test,
                settings=settings,
                fit_params=params,
            )
            for fold, (train, test) in enumerate(folds)
        ]
        outcomes = run_tasks(
            tasks,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            name="threshold",
            describe=lambda o: f"fold {o.fold}: fit {o.fit_time:.1f} s",
        )
        return sorted(outcomes, key=lambda outcome: outcome.fold)

    def __sklearn_tags__(self):
        """Say of inputs what the estimator says."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def check_weights(sample_weight: ArrayLike | None, y: np.ndarray) -> np.ndarray | None:
    """Return finite weights that are not negative, one a sample; None stays."""
    if sample_weight is None:
        return None
    sample_weight = plain_numbers(sample_weight, "sample_weight")
    return _check_sample_weight(sample_weight, y, ensure_non_negative=True)


def middle_of_gap(
    score: np.ndarray, upper: float, default: float, *, exclusive: bool
) -> float:
    """Return a threshold that splits the scores from `upper` up from those below.

    `exclusive` says whether a score equal to the threshold is called negative.
    """
    below = score[score < upper]
    lower = below.max() if len(below) else -np.inf
    if lower < default < upper:
        return default
    if np.isinf(lower):
        return float(np.nextafter(upper, -np.inf))
    middle = lower + (upper - lower) / 2
    if not lower < middle < upper:  # neighbouring floats
        middle = lower if exclusive else upper
    return float(middle)
