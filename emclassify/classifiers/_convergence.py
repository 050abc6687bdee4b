"""What a fitted network says of its training: whether it was enough, and the curve."""

import numpy as np
from sklearn.base import BaseEstimator

from emclassify._quiet_convergence import say_not_converged
from emclassify.classifiers._length import wanted_epochs
from emclassify.training import (
    TrainingRecord,
    TrainingRun,
    has_stopped,
    never_said,
    why_not_converged,
)

__all__ = ["LearningCurveMixin", "judge_training"]

_SENTENCES = {
    "one class": (
        "it says the same of all training images. Lower or raise lr (it is {lr:g}), "
        "raise max_epochs, or look at the labels"
    ),
    "hardly learnt": (
        "its training accuracy is {accuracy:.2f}, little better than guessing. Raise "
        "max_epochs, lower or raise lr (it is {lr:g}), or look at the labels"
    ),
    "never said": (
        "it never says {missed}, in the end not even of training images. Raise "
        "max_epochs, or give rare classes more weight (class_weight, oversampling)"
    ),
    "short": (
        "its training accuracy is {accuracy:.2f} after {n_epochs} epoch{s} of "
        "{n_train} images, and such a set wants about {wanted}. Raise max_epochs"
    ),
    "falling": (
        "its training loss was still falling, at a training accuracy of "
        "{accuracy:.2f}. Raise max_epochs or lr (it is {lr:g})"
    ),
}


class LearningCurveMixin:
    """Gives a fitted network its learning curve."""

    @property
    def learning_curve_(self) -> dict[str, np.ndarray]:
        """What each epoch recorded: train_loss, train_accuracy, valid_loss.

        NaN where an epoch has none; in the order of training.
        """
        if "history_" not in vars(self):
            raise AttributeError(
                f"{type(self).__name__} has no learning_curve_ before fit."
            )
        epochs = self.history_.to_list()
        return {
            name: np.array([epoch.get(name, np.nan) for epoch in epochs], dtype=float)
            for name in ("train_loss", "train_accuracy", "valid_loss")
            if any(name in epoch for epoch in epochs)
        }


def judge_training(
    estimator: BaseEstimator,
    run: TrainingRun,
    record: TrainingRecord,
    n_train: int,
) -> bool:
    """Return whether a network was trained enough, with a warning if it wasn't.

    Parameters
    ----------
    estimator : BaseImageClassifier
        That was trained.
    run : TrainingRun
        Its last one.
    record : TrainingRecord
        Of that.
    n_train : int
        Images of an epoch.

    Warns
    -----
    ConvergenceWarning
        With what to do; not within `quiet_convergence`.
    """
    curve = estimator.learning_curve_
    n_epochs = len(curve["train_loss"])
    n_outputs = len(estimator.classes_) + estimator.multilabel_
    wanted = wanted_epochs(estimator, n_train, n_outputs, estimator.batch_size_)
    why = why_not_converged(
        curve["train_loss"],
        record.confusion_,
        images_seen=n_epochs * n_train,
        budget=wanted * n_train,
        stopped=has_stopped(dict(run.run_callbacks).get("early_stopping")),
    )
    if why is None:
        return True
    confusion = record.confusion_
    sentence = _SENTENCES[why].format(
        accuracy=np.trace(confusion, axis1=-2, axis2=-1).sum() / confusion.sum(),
        lr=estimator.lr,
        n_epochs=n_epochs,
        s="s" * (n_epochs != 1),
        n_train=n_train,
        wanted=wanted,
        missed=_missed(estimator.classes_, confusion),
    )
    say_not_converged(estimator, sentence, stacklevel=4)
    return False


def _missed(classes: np.ndarray, confusion: np.ndarray) -> str:
    """Return "a (2 images), b (5 images)", of classes that are never predicted."""
    return ", ".join(
        f"{classes[i]} ({confusion[i].sum()} images)"
        for i in np.flatnonzero(never_said(confusion))
    )
