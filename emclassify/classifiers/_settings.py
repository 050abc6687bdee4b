"""Which parameters a network that trains on takes over, and which it can't."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["changed_settings", "refuse_fixed", "settings_of"]

# Read anew by each run of training.
_OF_THE_RUN = {
    "max_epochs",
    "lr_schedule",
    "class_weight",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
    "warm_start",
    "unfreeze_after",
    "n_threads",
    "callbacks",
    "checkpoint_dir",
    "verbose",
}
# Parts of the skorch net, or of what happens to a batch.
_OF_THE_NET = {
    "batch_size",
    "lr",
    "optimizer",
    "weight_decay",
    "loss",
    "label_smoothing",
    "augmentation",
    "test_time_augmentation",
    "precision",
    "compile",
    "device",
    "backbone_lr_factor",
    "random_state",
}


def settings_of(estimator: BaseEstimator) -> dict[str, object]:
    """Return the parameters that a fitted network rests on, by name."""
    return {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in _OF_THE_RUN
    }


def changed_settings(
    estimator: BaseEstimator, settings: Mapping[str, object]
) -> set[str]:
    """Return the names of parameters that differ from what `settings_of` returned."""
    return {
        name
        for name, value in settings_of(estimator).items()
        if not _same(value, settings[name])
    }


def refuse_fixed(estimator: BaseEstimator, changed: set[str]) -> None:
    """Raise ValueError if a trained network can't have one of the changes."""
    fixed = sorted(changed - _OF_THE_NET)
    if fixed:
        raise ValueError(
            f"{', '.join(fixed)} can't change in a network that trains on (warm_start "
            f"or partial_fit): {'they make' if len(fixed) > 1 else 'it makes'} its "
            "architecture, or the scales of its input. Set back what was changed, or "
            f"fit a new {type(estimator).__name__}."
        )


def _same(a: object, b: object) -> bool:
    if a is b:
        return True
    if isinstance(a, np.random.RandomState) or isinstance(b, np.random.RandomState):
        return False
    try:
        a, b = np.asarray(a), np.asarray(b)
        # What can't be compared is False by itself, not an array, before NumPy 2.3.
        return a.shape == b.shape and bool(np.all(a == b))
    except (TypeError, ValueError):
        return False
