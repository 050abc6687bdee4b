"""What `class_weight` means for each sample's loss."""

from numbers import Real

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

__all__ = ["class_factors"]


def class_factors(
    class_weight: dict | str | None, target: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return the factor on each sample's loss, or on each label's of each sample.

    Parameters
    ----------
    class_weight : dict, "balanced", "complement" or None
        With several labels a sample, "balanced" and "complement" take presence and
        absence of each label for two classes; a dict weighs presence.
    target : ndarray of int of shape (n,) or (n, n_labels)
        Class indices, or an indicator matrix.
    classes : ndarray of shape (n_classes,)
        What the indices, or the columns, stand for.

    Returns
    -------
    ndarray of float of shape (n,) or (n, n_labels)

    Raises
    ------
    ValueError
        If a dict holds something that is no weight: negative, NaN, infinite.
    """
    if isinstance(class_weight, dict):
        _check_factors(class_weight)
        # Of all classes, as these samples need not have them all.
        factor = compute_class_weight(class_weight, classes=classes, y=classes)
        return factor[target] if target.ndim == 1 else np.where(target == 1, factor, 1)
    if target.ndim == 1:
        return _weight_of_classes(class_weight, target, classes)[target]
    if class_weight is None:
        return np.ones(target.shape)
    columns = [
        _weight_of_classes(class_weight, column, np.arange(2))[column]
        for column in target.T
    ]
    return np.stack(columns, axis=1)


def _check_factors(class_weight: dict) -> None:
    for label, factor in class_weight.items():
        if not isinstance(factor, Real) or not 0 <= factor < np.inf:
            name = label.item() if isinstance(label, np.generic) else label
            raise ValueError(
                f"class_weight has {factor!r} for class {name!r}; give finite numbers "
                "of at least 0."
            )


def _weight_of_classes(
    class_weight: str | None, target: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return a factor for each class; 1 for those without samples."""
    present = np.unique(target)
    factor = np.ones(len(classes))
    if class_weight == "complement":
        # All of one class, as a label that no sample has: nothing to weigh it against.
        if len(present) > 1:
            factor[present] = 1 - np.bincount(target)[present] / len(target)
    else:
        factor[present] = compute_class_weight(
            class_weight, classes=classes[present], y=classes[target]
        )
    return factor
