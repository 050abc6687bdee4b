"""Probabilities from decision values, where few labels leave no folds to spare."""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator

__all__ = ["decision_values", "fit_temperature", "softened"]

_BOUNDS = -5.0, 5.0


def decision_values(model: BaseEstimator, X: Any) -> np.ndarray:
    """Return one decision value for each image and class."""
    values = np.asarray(model.decision_function(X), dtype=np.float64)
    return np.column_stack([-values, values]) if values.ndim == 1 else values


def softened(values: np.ndarray, temperature: float) -> np.ndarray:
    """Return decision values as probabilities; NaN, of a class not learnt, as 0."""
    return softmax(np.where(np.isnan(values), -np.inf, values) / temperature, axis=1)


def fit_temperature(values: np.ndarray, target: np.ndarray) -> float:
    """Return the temperature at which decision values tell the labels best.

    One number, so that a few labels are enough to find it; the order of the classes of
    an image stays (C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of
    modern neural networks", ICML 2017).

    Parameters
    ----------
    values : ndarray of shape (n, n_classes)
        Decision values of models that have not seen the labels.
    target : ndarray of int of shape (n,)

    Returns
    -------
    float
    """
    values = np.where(np.isnan(values), -np.inf, values)
    own = values[np.arange(len(values)), target]
    seen = np.isfinite(own)
    values, own = values[seen], own[seen]

    def loss(log_temperature):
        scaled = np.exp(-log_temperature)
        return np.mean(logsumexp(values * scaled, axis=1) - own * scaled)

    return float(np.exp(minimize_scalar(loss, bounds=_BOUNDS, method="bounded").x))
