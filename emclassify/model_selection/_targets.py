"""What y is: one label a sample, or several; and how predictions of it are read."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.utils import column_or_1d

from ..metrics._multilabel import is_indicator


def as_target(y):
    """Return y as labels (n,), or as an indicator matrix of int."""
    if (sparse.issparse(y) or np.asarray(y).ndim == 2) and is_indicator(y):
        return _dense(y).astype(np.int64)
    return column_or_1d(y, warn=True)


def all_classes(y):
    """Return the sorted labels, or the numbers of an indicator matrix's columns."""
    return np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)


def presence(y, classes):
    """Return whether each sample has each class, bool (n, n_classes)."""
    return y.astype(bool) if y.ndim == 2 else y[:, np.newaxis] == classes


class OneLabel:
    """One label a sample; its code is the place among the sorted classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    """

    def __init__(self, classes):
        self.classes = classes

    def labels(self, codes):
        """Return the label of each code."""
        return self.classes[codes]

    def encode(self, predicted, name):
        """Return class codes of predicted labels, or raise on a label never seen."""
        labels = np.asarray(predicted)
        classes = self.classes
        if labels.ndim != 1:
            raise ValueError(
                f"Estimator {name!r} predicts an array of shape {labels.shape}; y has "
                "one label a sample."
            )
        codes = np.clip(np.searchsorted(classes, labels), 0, len(classes) - 1)
        strange = labels[classes[codes] != labels]
        if len(strange):
            raise ValueError(
                f"Estimator {name!r} predicts {str(strange[0])!r}, which is not a "
                f"class of y: {classes.tolist()}."
            )
        return codes

    def class_scores(self, estimator, X):
        """Return (probabilities or decision scores (n, k), which of both), or Nones."""
        classes = self.classes
        for method, kind, fill in (
            ("predict_proba", "probability", 0.0),
            ("decision_function", "decision", np.nan),
        ):
            if not hasattr(estimator, method):
                continue
            scores = np.asarray(getattr(estimator, method)(X), dtype=np.float64)
            if scores.ndim == 1:
                scores = np.column_stack([-scores, scores])
            known = np.asarray(getattr(estimator, "classes_", classes))
            if scores.shape[1] != len(known):
                continue
            full = np.full((len(scores), len(classes)), fill)
            full[:, np.searchsorted(classes, known)] = scores
            return full, kind
        return None, None


class SeveralLabels:
    """Several labels a sample, or none: an indicator matrix.

    Parameters
    ----------
    n_labels : int
    """

    def __init__(self, n_labels):
        self.classes = np.arange(n_labels)

    def labels(self, codes):
        """Return the indicator matrix itself."""
        return codes

    def encode(self, predicted, name):
        """Return a predicted indicator matrix as int64, or raise if it is none."""
        labels = _dense(predicted)
        n_labels = len(self.classes)
        if labels.ndim != 2 or labels.shape[1] != n_labels:
            raise ValueError(
                f"Estimator {name!r} predicts an array of shape {labels.shape}; y is "
                f"an indicator matrix of {n_labels} columns."
            )
        strange = labels[(labels != 0) & (labels != 1)]
        if len(strange):
            raise ValueError(
                f"Estimator {name!r} predicts {str(strange[0])!r}; an indicator matrix "
                "holds 0 and 1."
            )
        return labels.astype(np.int64)

    def class_scores(self, estimator, X):
        """Return (probabilities or decision scores (n, k), which of both), or Nones.

        A list with one array a label, as those of scikit-learn's forests and
        neighbours, becomes one array.
        """
        for method, kind in (
            ("predict_proba", "probability"),
            ("decision_function", "decision"),
        ):
            if not hasattr(estimator, method):
                continue
            scores = getattr(estimator, method)(X)
            if isinstance(scores, list):
                known = getattr(estimator, "classes_", [np.arange(2)] * len(scores))
                pairs = zip(scores, known, strict=True)
                scores = np.column_stack([_of_presence(*pair) for pair in pairs])
            scores = np.asarray(scores, dtype=np.float64)
            if scores.ndim == 2 and scores.shape[1] == len(self.classes):
                return scores, kind
        return None, None


def _of_presence(scores, known):
    """Return the score (n,) of 1 among the `known` values of a label."""
    scores = np.asarray(scores)
    if scores.ndim == 1:
        return scores
    columns = np.flatnonzero(np.asarray(known) == 1)
    return scores[:, columns[0]] if len(columns) else np.zeros(len(scores))


def _dense(y):
    return y.toarray() if sparse.issparse(y) else np.asarray(y)
