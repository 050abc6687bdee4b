"""Per-class figures as scorers for cross_validate and GridSearchCV."""

import copy
from collections.abc import Callable, Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.metrics import confusion_matrix, make_scorer
from sklearn.utils.metadata_routing import UNCHANGED, MetadataRequest
from sklearn.utils.multiclass import unique_labels

from emclassify._typing import Estimator, ImagesLike
from emclassify.metrics._confusion import (
    check_zero_division,
    one_vs_rest_counts,
    score_arrays,
    scores_from_counts,
    warn_undefined,
)
from emclassify.metrics._figures import ASKED, AVERAGES, FIGURES
from emclassify.metrics._multilabel import label_counts, subset_hits
from emclassify.metrics._per_class import check_labels, check_names, plain_pair
from emclassify.metrics._targets import is_indicator

__all__ = ["PerClassScorer", "per_class_scorers"]


def _check_averages(averages):
    """Return `averages` as a tuple of known names, or raise ValueError."""
    averages = (averages,) if isinstance(averages, str) else tuple(averages)
    unknown = [a for a in averages if a not in AVERAGES]
    if unknown:
        raise ValueError(
            f"averages holds {unknown[0]!r}; known are {', '.join(AVERAGES)}."
        )
    return averages


def _check_figures(figures):
    """Return `figures` as a tuple of known names, or raise ValueError."""
    figures = (figures,) if isinstance(figures, str) else tuple(figures)
    unknown = [f for f in figures if f not in ASKED]
    if unknown:
        raise ValueError(f"figures holds {unknown[0]!r}; known are {', '.join(ASKED)}.")
    return figures


def _all_scores(
    y_true,
    y_pred,
    *,
    labels,
    names,
    averages,
    zero_division,
    figures,
    sample_weight=None,
):
    """Return every score as {name: float}, from one confusion matrix."""
    y_true, y_pred = plain_pair(y_true, y_pred)
    if is_indicator(y_true):
        counts = label_counts(
            y_true, y_pred, columns=labels, sample_weight=sample_weight
        )
        hits = subset_hits(y_true, y_pred, sample_weight=sample_weight)
        n = np.shape(y_true)[0] if sample_weight is None else np.sum(sample_weight)
        if isinstance(zero_division, str):
            warn_undefined(*counts, names, figures, stacklevel=4)
        scores = scores_from_counts(
            counts,
            hits,
            n,
            names,
            averages=averages,
            zero_division=zero_division,
            asked=figures,
        )
        return {name: float(score) for name, score in scores.items()}
    unknown = np.setdiff1d(unique_labels(y_true, y_pred), labels)
    if len(unknown):
        raise ValueError(
            f"Found class {unknown[0]} in the data, which is not among the labels "
            f"given to the scorer: {list(labels)}."
        )
    confusion = confusion_matrix(
        y_true, y_pred, labels=labels, sample_weight=sample_weight
    )
    if isinstance(zero_division, str):
        warn_undefined(*one_vs_rest_counts(confusion), names, figures, stacklevel=4)
    scores = score_arrays(
        confusion,
        names,
        averages=averages,
        zero_division=zero_division,
        asked=figures,
    )
    return {name: float(score) for name, score in scores.items()}


def _one_score(y_true, y_pred, *, score, sample_weight=None, **settings):
    """Return the one score called `score`."""
    return _all_scores(y_true, y_pred, sample_weight=sample_weight, **settings)[score]


def _score_names(names, averages, figures):
    """List the keys in the order of `score_arrays`."""
    groups = [*averages, *names]
    scores = [f"{figure}_{group}" for group in groups for figure in figures]
    return ["accuracy", "balanced_accuracy", *scores]


def per_class_scorers(
    labels: ArrayLike,
    *,
    target_names: Sequence[str] | None = None,
    averages: Sequence[str] = ("macro",),
    zero_division: Literal["warn"] | float = 0,
    figures: Sequence[str] = FIGURES,
) -> dict[str, Callable[..., float]]:
    """Return the dict of scorers for TPR, TNR, PPV, NPV and F1 of each class.

    Give it to ``scoring`` of :func:`sklearn.model_selection.cross_validate`,
    :class:`sklearn.model_selection.GridSearchCV` and the like. scikit-learn then
    calls ``predict`` once for all of them.

    Parameters
    ----------
    labels : array-like
        Every class of y. A class in the data that is missing here is an error. For
        indicator matrices, numbers of columns; "accuracy" then counts samples with
        every label right.
    target_names : list of str, default=None
        Names for the keys, in the order of `labels`. The labels by default.
    averages : sequence of {"macro", "weighted", "micro"}, default=("macro",)
        Averages over classes to add.
    zero_division : {"warn", 0, 1, np.nan}, default=0
        Value of a figure whose denominator is 0, such as the TPR of a class that
        the test fold lacks. NaN is left out of the averages.
    figures : sequence of str, default=("TPR", "TNR", "PPV", "NPV", "F1")
        Which figures. "F1", the harmonic mean of TPR and PPV, goes by the same name
        elsewhere as "F1TNR", that of TPR and TNR: see :func:`tpr_tnr_f1_score`.

    Returns
    -------
    dict of str to scorer
        Keys "accuracy", "balanced_accuracy", then "TPR_macro", "TNR_macro", ...,
        then "TPR_<class>", "TNR_<class>", "PPV_<class>", "NPV_<class>",
        "F1_<class>" of each class.

    See Also
    --------
    PerClassScorer : One callable that returns all of it from one confusion matrix.
    per_class_scores : The same figures as a table.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import cross_validate
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from emclassify.metrics import per_class_scorers
    >>> X, y = load_iris(return_X_y=True)
    >>> scorers = per_class_scorers([0, 1, 2], target_names=["seto", "vers", "virg"])
    >>> results = cross_validate(GaussianNB(), X, y, scoring=scorers)
    >>> results["test_TPR_seto"]
    array([1., 1., 1., 1., 1.])
    >>> results["test_F1_macro"].mean().round(2)
    np.float64(0.95)
    """
    # The checks, and their errors, belong to the class.
    checked = PerClassScorer(
        labels,
        target_names=target_names,
        averages=averages,
        zero_division=zero_division,
        figures=figures,
    )
    return {
        score: make_scorer(_one_score, score=score, **checked._settings)
        for score in checked.score_names
    }


class PerClassScorer:
    """Scorer that returns the figures of all classes as one dict.

    scikit-learn takes such a callable wherever it takes a dict of scorers. It
    computes one confusion matrix where the dict computes one for each key, which
    tells in a grid search over many thousand samples.

    Parameters
    ----------
    labels, target_names, averages, zero_division, figures
        As for :func:`per_class_scorers`.

    Attributes
    ----------
    score_names : list of str
        The keys of the dict.

    Notes
    -----
    Sample weights reach it as they reach scikit-learn's scorers: a search hands over
    those of its fit; with metadata routing on, `set_score_request` says whether they
    are wanted, and they are refused as long as that is not said.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from emclassify.metrics import PerClassScorer
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     KNeighborsClassifier(),
    ...     {"n_neighbors": [1, 5]},
    ...     scoring=PerClassScorer([0, 1, 2]),
    ...     refit="F1_macro",
    ... ).fit(X, y)
    >>> search.best_params_
    {'n_neighbors': 5}
    """

    def __init__(
        self,
        labels: ArrayLike,
        *,
        target_names: Sequence[str] | None = None,
        averages: Sequence[str] = ("macro",),
        zero_division: Literal["warn"] | float = 0,
        figures: Sequence[str] = FIGURES,
    ) -> None:
        check_zero_division(zero_division)
        labels = check_labels(labels)
        names = check_names(target_names, labels)
        averages = _check_averages(averages)
        figures = _check_figures(figures)
        self._settings = {
            "labels": labels,
            "names": names,
            "averages": averages,
            "zero_division": zero_division,
            "figures": figures,
        }
        self.score_names = _score_names(names, averages, figures)

    def __call__(
        self,
        estimator: Estimator,
        X: ImagesLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> dict[str, float]:
        """Return {name: score} of `estimator` on X and y.

        Parameters
        ----------
        estimator : fitted classifier
        X, y : array-like
            What it predicts, and the true labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        dict of str to float
            By the names of `score_names`.
        """
        return _all_scores(
            y, estimator.predict(X), sample_weight=sample_weight, **self._settings
        )

    def set_score_request(
        self, *, sample_weight: bool | str | None = UNCHANGED
    ) -> Self:
        """Say whether sample weights are wanted, with metadata routing on.

        Parameters
        ----------
        sample_weight : bool, str or None
            Whether weights are used (True) or left out (False), under what name they
            come (a string), or that passing them is an error (None, as at first).

        Returns
        -------
        PerClassScorer
            Itself.

        Raises
        ------
        RuntimeError
            If metadata routing is off, where this would have no effect.

        Examples
        --------
        >>> import numpy as np
        >>> import sklearn
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.model_selection import cross_validate
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from emclassify.metrics import PerClassScorer
        >>> X, y = load_iris(return_X_y=True)
        >>> with sklearn.config_context(enable_metadata_routing=True):
        ...     results = cross_validate(
        ...         GaussianNB().set_fit_request(sample_weight=False),
        ...         X,
        ...         y,
        ...         scoring=PerClassScorer([0, 1, 2]).set_score_request(
        ...             sample_weight=True
        ...         ),
        ...         params={"sample_weight": np.where(y == 0, 10.0, 1.0)},
        ...     )
        >>> results["test_accuracy"].mean().round(3)
        np.float64(0.988)
        """
        if not get_config()["enable_metadata_routing"]:
            raise RuntimeError(
                "set_score_request works with metadata routing only: "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        if sample_weight != UNCHANGED:
            request = self.get_metadata_routing()
            request.score.add_request(param="sample_weight", alias=sample_weight)
            self._metadata_request = request
        return self

    def get_metadata_routing(self) -> MetadataRequest:
        """Return what is wanted of metadata routing.

        Returns
        -------
        MetadataRequest
            A copy.
        """
        request = getattr(self, "_metadata_request", None)
        if request is not None:
            return copy.deepcopy(request)
        request = MetadataRequest(owner=self)
        request.score.add_request(param="sample_weight", alias=None)
        return request

    def __repr__(self) -> str:
        names = ", ".join(str(name) for name in self._settings["names"])
        return f"{type(self).__name__}({names})"
