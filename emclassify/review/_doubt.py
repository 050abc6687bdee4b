"""How doubtful a label is, by what models say of the image."""

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["disagreement", "given_probability", "label_margin"]


def given_probability(proba: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the probability of each image's own label; NaN where it has none."""
    rows = np.arange(len(proba))
    return np.where(target >= 0, proba[rows, np.maximum(target, 0)], np.nan)


def label_margin(proba: ArrayLike, target: np.ndarray) -> np.ndarray:
    """Return the probability of the label less that of the likeliest other class.

    Without a label, that of the likeliest class less the second: small where a model
    can't decide.
    """
    proba = np.asarray(proba, dtype=np.float64)
    own = np.where(target >= 0, target, proba.argmax(axis=1))
    rows = np.arange(len(proba))
    others = proba.copy()
    others[rows, own] = -np.inf
    second = others.max(axis=1) if proba.shape[1] > 1 else np.zeros(len(proba))
    return proba[rows, own] - second


def disagreement(member_proba: ArrayLike) -> np.ndarray:
    """Return how much members of an ensemble disagree, in nats.

    The entropy of their mean probability less the mean of their entropies: the mutual
    information of the class and the member, 0 where all say the same.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n, n_classes)

    Returns
    -------
    ndarray of shape (n,)
    """
    p = np.asarray(member_proba, dtype=np.float64)
    return np.maximum(0, _entropy(p.mean(axis=0)) - _entropy(p).mean(axis=0))


def _entropy(p):
    return -np.sum(p * np.log(np.maximum(p, np.finfo(np.float64).tiny)), axis=-1)
