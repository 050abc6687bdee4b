"""The error rate among the most confident predictions, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emclassify._typing import Estimator
from emclassify._words import number
from emclassify.display._class_members import in_legend
from emclassify.display._confusion_matrices import predicting
from emclassify.metrics import coverage_risk_curve
from emclassify.metrics._coverage_risk import area_under_steps
from emclassify.metrics._targets import OneLabel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emclassify.model_selection.benchmark._result import BenchmarkResult

__all__ = ["CoverageRiskDisplay"]


class CoverageRiskDisplay:
    """Coverage-risk curves of one or several classifiers.

    The share of wrong labels among the samples that a classifier is most confident
    of, over how many samples these are; see
    :func:`~emclassify.metrics.coverage_risk_curve`.

    Parameters
    ----------
    curves : dict of str to (coverage, risk)
        By name of the classifier, the two arrays that `coverage_risk_curve` returns.

    Attributes
    ----------
    areas_ : dict of str to float
        Area under each curve; see
        :func:`~emclassify.metrics.area_under_coverage_risk`.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One for each curve.

    Examples
    --------
    >>> from emclassify.display import CoverageRiskDisplay
    >>> display = CoverageRiskDisplay.from_predictions(
    ...     ["a", "a", "b", "b"], ["a", "a", "a", "b"], [0.9, 0.8, 0.7, 0.6], name="SVM"
    ... )
    >>> display.lines_[0].get_label()
    'SVM (area 0.146)'
    """

    def __init__(
        self, curves: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    ) -> None:
        self.curves = curves

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        confidence: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        name: str = "classifier",
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw predictions at hand.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            Labels.
        y_pred : array-like of shape (n,)
            Predicted labels.
        confidence : array-like of shape (n,)
            How sure the classifier is of `y_pred`.
        sample_weight : array-like of shape (n,), default=None
            Weight of each sample.
        name : str, default="classifier"
            For the legend.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **kwargs : dict
            Handed on to matplotlib's `plot`.

        Returns
        -------
        CoverageRiskDisplay
        """
        coverage, risk, _ = coverage_risk_curve(
            y_true, y_pred, confidence, sample_weight=sample_weight
        )
        return cls({name: (coverage, risk)}).plot(ax, **kwargs)

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw a fitted classifier on samples that it has not seen.

        Confidence is the probability of the predicted class, or its decision score. Of
        a `RejectClassifierCV`, the classifier within is drawn, which rejects nothing.

        Parameters
        ----------
        estimator : classifier
            Fitted, with `predict_proba` or `decision_function`.
        X : array-like of n samples
            What `estimator` takes.
        y : array-like of shape (n,)
            Labels.
        sample_weight : array-like of shape (n,), default=None
            Weight of each sample.
        name : str, default=None
            For the legend; the class of the classifier by default.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **kwargs : dict
            Handed on to matplotlib's `plot`.

        Returns
        -------
        CoverageRiskDisplay
        """
        if hasattr(estimator, "accepts"):
            estimator = estimator.estimator_
        kind = type(estimator).__name__
        classes = np.asarray(estimator.classes_)
        scores, _ = OneLabel(classes).class_scores(estimator, X)
        if scores is None:
            raise ValueError(
                f"{kind} has neither predict_proba nor decision_function: nothing says "
                "how sure it is."
            )
        predicted = estimator.predict(X)
        codes = OneLabel(classes).encode(predicted, kind)
        return cls.from_predictions(
            y,
            predicted,
            scores[np.arange(len(codes)), codes],
            sample_weight=sample_weight,
            name=kind if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_result(
        cls, result: BenchmarkResult, *, ax: Axes | None = None, **kwargs: Any
    ) -> CoverageRiskDisplay:
        """Draw all models of a benchmark, on their pooled out-of-fold predictions.

        Parameters
        ----------
        result : BenchmarkResult
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default.
        **kwargs : dict
            Handed on to matplotlib's `plot`.

        Returns
        -------
        CoverageRiskDisplay

        Raises
        ------
        ValueError
            If samples have several labels, or a model says nothing of how sure it is.
        """
        if result.multilabel:
            raise ValueError(
                "How sure a model is of a sample is defined for one label a sample; "
                "this benchmark has several."
            )
        curves = {}
        for name in predicting(result):
            scores, _ = result.class_scores(name)
            if scores is None:
                raise ValueError(
                    f"Model {name!r} has neither probabilities nor decision scores in "
                    "all folds: nothing says how sure it is."
                )
            _, true, predicted = result.codes(name)
            confidence = scores[np.arange(len(predicted)), predicted]
            curves[name] = coverage_risk_curve(true, predicted, confidence)[:2]
        return cls(curves).plot(ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure by default. Curves of another display may be
            there already.
        **kwargs : dict
            Handed on to matplotlib's `plot`.

        Returns
        -------
        CoverageRiskDisplay
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(5.4, 4), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure.figure
        self.areas_, self.lines_ = {}, []
        for name, (coverage, risk) in self.curves.items():
            self.areas_[name] = area = area_under_steps(coverage, risk)
            settings = {
                "label": in_legend(f"{name} (area {number(area)})"),
                "drawstyle": "steps-pre",
            }
            # The first risk holds from no sample on.
            x, y = np.append(0, coverage), np.append(risk[0], risk)
            self.lines_ += ax.plot(x, y, **settings | kwargs)
        ax.set_xlabel("coverage: share of samples accepted")
        ax.set_ylabel("risk: share of wrong labels among them")
        ax.set_xlim(0, 1)
        ax.set_ylim(bottom=0)
        ax.grid(color="0.9")
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
        return self
