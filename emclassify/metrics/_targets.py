"""What y is: one label a sample, or several; how predictions are read and counted.

Counts are rows of cells that add up: over samples to groups, over groups to a bootstrap
replicate. What the cells are only the target knows, which makes scores of them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from emclassify._incoming import plain_labels
from emclassify._typing import Estimator, ImagesLike
from emclassify.metrics._confusion import score_arrays, scores_from_counts
from emclassify.metrics._figures import AVERAGES


def is_indicator(y: Any) -> bool:
    """Whether y is an indicator matrix (n_samples, n_labels).

    Raises
    ------
    ValueError
        If y has several columns, of two other values than 0 and 1.
    """
    if type_of_target(y, input_name="y_true") != "multilabel-indicator":
        return False
    refuse_other_values(y, "y_true")
    return True


def refuse_other_values(y: Any, name: str) -> None:
    """Raise ValueError if a matrix, which may be sparse, holds but 0 and 1.

    scikit-learn takes any two values for an indicator matrix.
    """
    values = y.data if sparse.issparse(y) else np.asarray(y)
    strange = values[(values != 0) & (values != 1)]
    if len(strange):
        raise ValueError(
            f"{name} has several columns and holds {strange[0]}; an indicator matrix "
            "(n, n_labels) holds 0 and 1. For one label a sample give labels (n,)."
        )


def is_multilabel(y: Any) -> bool:
    """Whether y is an indicator matrix: several labels a sample.

    Raises
    ------
    ValueError
        If y has several columns and is none, or holds other values than 0 and 1.
    """
    y = plain_labels(y)
    if y is None or y.ndim != 2 or y.shape[1] == 1:
        return False
    kind = type_of_target(y, input_name="y")
    if kind != "multilabel-indicator":
        raise ValueError(
            f"y has shape {y.shape} and is {kind}; expected labels (n,), or an "
            "indicator matrix (n, n_labels) of 0 and 1 for several labels an image."
        )
    refuse_other_values(y, "y")
    return True


def check_indicator(
    y: ArrayLike, n_samples: int, classes: ArrayLike | None = None
) -> NDArray[np.int8]:
    """Return an indicator matrix as int8.

    Parameters
    ----------
    y : array-like or sparse matrix of shape (n, n_labels)
    n_samples : int
        Number of images.
    classes : array-like of int, default=None
        The numbers of the columns that there must be.

    Raises
    ------
    ValueError
        If y has other rows, columns or values.
    """
    y = plain_labels(y)
    refuse_other_values(y, "y")
    y = dense(y).astype(np.int8)
    if len(y) != n_samples:
        raise ValueError(f"y has {len(y)} rows for {n_samples} images.")
    if classes is not None and not np.array_equal(classes, np.arange(y.shape[1])):
        raise ValueError(
            f"y has {y.shape[1]} columns, one a label; expected the labels "
            f"{np.asarray(classes).tolist()}."
        )
    return y


def choose_labels(
    proba: NDArray[np.float64], classes: NDArray[Any], multilabel: bool
) -> NDArray[Any]:
    """Return the most probable labels, or the indicator matrix of those from 0.5 on."""
    if multilabel:
        return (proba >= 0.5).astype(np.int64)
    return classes[proba.argmax(axis=1)]


def as_target(y: ArrayLike) -> NDArray[Any]:
    """Return y as labels (n,), or as an indicator matrix of int.

    Raises
    ------
    ValueError
        If a label is missing.
    """
    y = plain_labels(y)
    if y is not None and y.ndim == 2 and is_indicator(y):
        return dense(y).astype(np.int64)
    return column_or_1d(y, warn=True)


def all_classes(y: NDArray[Any]) -> NDArray[Any]:
    """Return the sorted labels, or the numbers of an indicator matrix's columns."""
    return np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)


def presence(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether each sample has each class, bool (n, n_classes)."""
    return y.astype(bool) if y.ndim == 2 else y[:, np.newaxis] == classes


class _Target:
    """What both kinds of y do alike with their counts."""

    def pooled_scores(self, true, predicted):
        """Return {score: float} of codes."""
        units = np.zeros(len(true), dtype=np.intp)
        (cells,) = self.cells(true, predicted, units, 1).toarray()
        return {name: float(score) for name, score in self.scores(cells).items()}


class OneLabel(_Target):
    """One label a sample; its code is the place among the sorted classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    names : list of str, default=None
        What scores call the classes; the labels by default.
    """

    def __init__(
        self, classes: NDArray[Any], names: Sequence[str] | None = None
    ) -> None:
        self.classes = classes
        self.names = [str(c) for c in classes] if names is None else names

    @property
    def n_cells(self) -> int:
        """Cells of a row of counts: those of the confusion matrix."""
        return len(self.classes) ** 2

    def codes(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Return the code (n,) of each label."""
        return np.searchsorted(self.classes, y)

    def columns(
        self, true: NDArray[np.intp], predicted: NDArray[np.intp]
    ) -> dict[str, NDArray[Any]]:
        """Return codes as columns of a table of predictions, {name: labels}."""
        return {"y_true": self.classes[true], "y_pred": self.classes[predicted]}

    def presence(self, codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return whether each sample has each class, bool (n, n_classes)."""
        return presence(codes, np.arange(len(self.classes)))

    def cells(
        self,
        true: NDArray[np.intp],
        predicted: NDArray[np.intp],
        units: NDArray[np.intp],
        n_units: int,
    ) -> sparse.csr_array:
        """Return the counts of each unit, a sparse array (n_units, n_cells)."""
        cell = true * len(self.classes) + predicted
        return sparse.csr_array(
            (np.ones(len(units)), (units, cell)), shape=(n_units, self.n_cells)
        )

    def counts(
        self, cells: sparse.csr_array
    ) -> tuple[Sequence[NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64]]:
        """Return ((TP, FP, FN, TN), hits, total) of sparse cells (n_units, n_cells).

        Arrays (n_units, n_classes), then twice (n_units,).
        """
        k = len(self.classes)
        true, said = np.divmod(np.arange(self.n_cells), k)
        true, said = (
            sparse.csr_array(c[:, np.newaxis] == np.arange(k), dtype=float)
            for c in (true, said)
        )
        total = np.asarray(cells.sum(axis=1))
        tp = (cells @ true.multiply(said).tocsr()).toarray()
        fn, fp = (cells @ true).toarray() - tp, (cells @ said).toarray() - tp
        tn = total[:, np.newaxis] - tp - fp - fn
        return (tp, fp, fn, tn), tp.sum(axis=1), total

    def scores(self, cells: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return {score: array (...)} of counts (..., n_cells)."""
        k = len(self.classes)
        confusion = cells.reshape(*cells.shape[:-1], k, k)
        return score_arrays(confusion, self.names, absent_is_nan=True)

    def labels(self, codes: NDArray[np.intp]) -> NDArray[Any]:
        """Return the label of each code."""
        return self.classes[codes]

    def encode(self, predicted: ArrayLike, name: str) -> NDArray[np.intp]:
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

    def class_scores(
        self, estimator: Estimator, X: ImagesLike
    ) -> tuple[NDArray[np.float64], str] | tuple[None, None]:
        """Return (probabilities or decision scores (n, k), which of both), or Nones."""
        classes = self.classes
        for method, kind, fill in (
            ("predict_proba", "probability", 0.0),
            ("decision_function", "decision", np.nan),
        ):
            if not hasattr(estimator, method):
                continue
            if kind == "decision" and scores_pairs(estimator):
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


class SeveralLabels(_Target):
    """Several labels a sample, or none: an indicator matrix.

    Parameters
    ----------
    n_labels : int
    names : list of str, default=None
        What scores call the labels; the numbers of the columns by default.
    """

    def __init__(self, n_labels: int, names: Sequence[str] | None = None) -> None:
        self.classes = np.arange(n_labels)
        self.names = [str(c) for c in self.classes] if names is None else names

    @property
    def n_cells(self) -> int:
        """Cells of a row of counts: TP, FP, FN, TN of each label, hits, samples."""
        return 4 * len(self.classes) + 2

    def codes(self, y: NDArray[Any]) -> NDArray[np.intp]:
        """Return the indicator matrix itself."""
        return y

    def columns(
        self, true: NDArray[np.intp], predicted: NDArray[np.intp]
    ) -> dict[str, NDArray[Any]]:
        """Return codes as columns of a table of predictions, {name: 0 or 1}."""
        return {
            f"{what}_{name}": codes[:, label]
            for what, codes in (("true", true), ("pred", predicted))
            for label, name in enumerate(self.names)
        }

    def presence(self, codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return whether each sample has each label, bool (n, n_labels)."""
        return codes.astype(bool)

    def cells(
        self,
        true: NDArray[np.intp],
        predicted: NDArray[np.intp],
        units: NDArray[np.intp],
        n_units: int,
    ) -> sparse.csr_array:
        """Return the counts of each unit, a sparse array (n_units, n_cells)."""
        n = len(units)
        has, said = self.presence(true), self.presence(predicted)
        counts = [has & said, ~has & said, has & ~said, ~has & ~said]
        right = (has == said).all(axis=1, keepdims=True)
        of_sample = np.column_stack([*counts, right, np.ones((n, 1))])
        of_unit = sparse.csr_array(
            (np.ones(n), (units, np.arange(n))), shape=(n_units, n)
        )
        return of_unit @ sparse.csr_array(of_sample)

    def counts(
        self, cells: sparse.csr_array
    ) -> tuple[Sequence[NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64]]:
        """Return ((TP, FP, FN, TN), hits, total) of sparse cells (n_units, n_cells).

        Arrays (n_units, n_labels), then twice (n_units,).
        """
        cells = cells.toarray()
        return np.split(cells[:, :-2], 4, axis=1), cells[:, -2], cells[:, -1]

    def scores(self, cells: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return {score: array (...)} of counts (..., n_cells)."""
        counts = np.split(cells[..., :-2], 4, axis=-1)
        return scores_from_counts(
            counts,
            cells[..., -2],
            cells[..., -1],
            self.names,
            averages=AVERAGES,
            absent_is_nan=True,
        )

    def labels(self, codes: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the indicator matrix itself."""
        return codes

    def encode(self, predicted: ArrayLike, name: str) -> NDArray[np.intp]:
        """Return a predicted indicator matrix as int64, or raise if it is none."""
        labels = dense(predicted)
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

    def class_scores(
        self, estimator: Estimator, X: ImagesLike
    ) -> tuple[NDArray[np.float64], str] | tuple[None, None]:
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


def scores_pairs(estimator: Estimator) -> bool:
    """Whether decision scores are of pairs of classes, as many as classes of three."""
    last = behind(estimator)
    return (
        getattr(last, "decision_function_shape", None) == "ovo"
        and len(getattr(last, "classes_", ())) > 2
    )


def behind(estimator: Estimator) -> Estimator:
    """Return the fitted classifier at the end of pipelines and searches."""
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator


def _of_presence(scores, known):
    """Return the score (n,) of 1 among the `known` values of a label."""
    scores = np.asarray(scores)
    if scores.ndim == 1:
        return scores
    columns = np.flatnonzero(np.asarray(known) == 1)
    return scores[:, columns[0]] if len(columns) else np.zeros(len(scores))


def dense(y: Any) -> NDArray[Any]:
    """Return a matrix, which may be sparse, as an array."""
    return y.toarray() if sparse.issparse(y) else np.asarray(y)
