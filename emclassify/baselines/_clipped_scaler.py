"""ClippedScaler: z-scores in which one wild value can't outweigh the rest."""

from collections.abc import Callable
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from emclassify._doc_link import DocLinkMixin
from emclassify._fit_state import as_fitted, fit_context

__all__ = ["ClippedScaler"]

# A spread below this share of a feature's largest value is rounding.
ROUNDING = 1e-10


class ClippedScaler(
    DocLinkMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Scale features to mean 0 and standard deviation 1, then clip them.

    Features of images have heavy tails: where one in a thousand values lies 40
    standard deviations out, distances between samples are distances of that value.
    Clipped at 8, it counts as extreme, and no more.

    Parameters
    ----------
    limit : float, default=8.0
        Values beyond this many standard deviations are set to it.
    unit_variance : {"feature", "sample"}, default="feature"
        "feature": each feature has variance 1, before it is clipped. "sample": after
        clipping, all are divided by one number, so that their variances add up to 1,
        however many they are. A `gamma` of an RBF kernel then means the same for
        any number of features: 1 is scikit-learn's "scale".

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of each feature in `fit`.
    scale_ : ndarray of shape (n_features,)
        Standard deviation of each feature in `fit`; 1 where it is constant.
    total_ : float
        What all features are divided by after clipping.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Names of the features, where X had names.

    See Also
    --------
    svm_baseline : Where it stands between the features and the machine.
    sklearn.preprocessing.StandardScaler : Without the limit.

    Examples
    --------
    >>> import numpy as np
    >>> from emclassify.baselines import ClippedScaler
    >>> X = np.array([[0.0], [2.0], [0.0], [2.0]])
    >>> scaler = ClippedScaler().fit(X)
    >>> scaler.transform([[3.0], [1000.0], [-1000.0]]).ravel()
    array([ 2.,  8., -8.])
    """

    _parameter_constraints: dict = {
        "limit": [Interval(Real, 0, None, closed="neither")],
        "unit_variance": [StrOptions({"feature", "sample"})],
    }

    def __init__(
        self,
        limit: float = 8.0,
        *,
        unit_variance: Literal["feature", "sample"] = "feature",
    ) -> None:
        self.limit = limit
        self.unit_variance = unit_variance

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn mean and spread of each feature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.
        y : None
            Ignored; there for pipelines.

        Returns
        -------
        self : ClippedScaler
        """
        X = validate_data(self, X, dtype=np.float64)
        # In units of the largest value, lest squares overflow.
        unit = np.abs(X).max(axis=0)
        unit[unit == 0] = 1.0
        sd = (X / unit).std(axis=0)
        self.mean_ = (X / unit).mean(axis=0) * unit
        self.scale_ = np.where(sd > ROUNDING, sd * unit, 1.0)
        self.total_ = 1.0
        if self.unit_variance == "sample":
            spread = self._clipped(X).std()
            if spread > 0:
                self.total_ = float(spread * np.sqrt(X.shape[1]))
        return self

    @as_fitted
    def transform(self, X: ArrayLike) -> np.ndarray:
        """Scale and clip.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            float64.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        scaled = self._clipped(X)
        scaled /= self.total_
        return scaled

    def _clipped(self, X: np.ndarray) -> np.ndarray:
        scaled = X - self.mean_
        scaled /= self.scale_
        return np.clip(scaled, -self.limit, self.limit, out=scaled)

    # What skl2onnx asks an estimator of another library for.

    def onnx_parser(self) -> Callable:
        """Return what names the outputs, for skl2onnx."""
        return lambda scope, inputs: ["scaled"]

    def onnx_shape_calculator(self) -> Callable:
        """Return what sets the outputs' shapes, for skl2onnx."""

        def calculate(operator: Any) -> None:
            kind = type(operator.inputs[0].type)
            operator.outputs[0].type = kind([None, self.n_features_in_])

        return calculate

    def onnx_converter(self) -> Callable:
        """Return what writes the graph, for skl2onnx."""

        def convert(scope: Any, operator: Any, container: Any) -> None:
            from skl2onnx.algebra.onnx_ops import OnnxClip, OnnxDiv, OnnxSub
            from skl2onnx.common.data_types import guess_numpy_type

            dtype = guess_numpy_type(operator.inputs[0].type)
            opset = {"op_version": container.target_opset}
            mean, scale, low, high, total = (
                np.asarray(value, dtype=dtype)
                for value in (
                    self.mean_,
                    self.scale_,
                    -self.limit,
                    self.limit,
                    self.total_,
                )
            )
            centred = OnnxSub(operator.inputs[0], mean, **opset)
            scaled = OnnxDiv(centred, scale, **opset)
            clipped = OnnxClip(scaled, low, high, **opset)
            names = operator.outputs[:1]
            OnnxDiv(clipped, total, output_names=names, **opset).add_to(
                scope, container
            )

        return convert
