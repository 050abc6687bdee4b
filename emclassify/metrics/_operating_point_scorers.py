"""Figures at a bound as scorers for cross_validate and GridSearchCV."""

from collections.abc import Callable

from sklearn.metrics import make_scorer

from emclassify.metrics._operating_point import (
    precision_at_recall,
    recall_at_fpr,
    recall_at_precision,
)

__all__ = ["operating_point_scorers"]


def operating_point_scorers(
    *,
    min_recall: float | None = None,
    min_precision: float | None = None,
    max_fpr: float | None = None,
    pos_label: float | str | None = None,
) -> dict[str, Callable[..., float]]:
    """Return the dict of scorers for figures at the best threshold that keeps a bound.

    Give it to ``scoring`` of :func:`sklearn.model_selection.cross_validate`,
    :class:`sklearn.model_selection.GridSearchCV` and the like. Each scorer takes the
    scores of the test side, from `predict_proba` or `decision_function`.

    Parameters
    ----------
    min_recall : float, default=None
        Least recall of "precision_at_recall".
    min_precision : float, default=None
        Least precision of "recall_at_precision".
    max_fpr : float, default=None
        Highest false-positive rate of "recall_at_fpr".
    pos_label : int, str or None, default=None
        The positive class; None is 1 for labels in {0, 1} or {-1, 1}.

    Returns
    -------
    dict of str to scorer
        "precision_at_recall", "recall_at_precision", "recall_at_fpr": those whose
        bound is given.

    Raises
    ------
    ValueError
        If no bound is given, or one is not from 0 to 1.

    See Also
    --------
    precision_at_recall, recall_at_precision, recall_at_fpr : The figures.
    emclassify.model_selection.BoundedThresholdClassifierCV : A classifier with such a
        threshold.

    Notes
    -----
    The threshold is the best one for the very samples that are scored, so the figures
    say how well a model ranks, not how a threshold chosen before would do; the fewer
    samples there are, the more they flatter. A test side with one class has no such
    figure: scikit-learn warns, and its score is NaN.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from emclassify.metrics import operating_point_scorers
    >>> X, y = make_classification(300, flip_y=0.1, random_state=0)
    >>> search = GridSearchCV(
    ...     LogisticRegression(),
    ...     {"C": [0.001, 1]},
    ...     scoring=operating_point_scorers(min_recall=0.8, max_fpr=0.05),
    ...     refit="precision_at_recall",
    ... )
    >>> search.fit(X, y).best_score_.round(2)
    np.float64(0.88)
    """
    bounds = {
        "precision_at_recall": (precision_at_recall, "min_recall", min_recall),
        "recall_at_precision": (recall_at_precision, "min_precision", min_precision),
        "recall_at_fpr": (recall_at_fpr, "max_fpr", max_fpr),
    }
    given = {key: rest for key, rest in bounds.items() if rest[2] is not None}
    if not given:
        raise ValueError("Give at least one of min_recall, min_precision and max_fpr.")
    scorers = {}
    for key, (function, name, bound) in given.items():
        function([0, 1], [0, 1], **{name: bound})  # refuses a bad bound now
        scorers[key] = make_scorer(
            function,
            response_method=("predict_proba", "decision_function"),
            pos_label=pos_label,
            **{name: bound},
        )
    return scorers
