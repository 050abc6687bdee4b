"""Early stopping: when training ends, and which weights it keeps."""

from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping
from skorch.utils import noop

from emclassify.training._convergence import TrainingRecord

__all__ = ["ConfusionOfBest", "has_stopped", "make_early_stopping"]


def make_early_stopping(n_iter_no_change: int) -> EarlyStopping:
    """Return the callback that stops when the validation loss no longer improves.

    Parameters
    ----------
    n_iter_no_change : int
        Epochs of patience. Afterwards the weights are those of the best epoch.

    Returns
    -------
    skorch.callbacks.EarlyStopping
    """
    return EarlyStopping(
        monitor="valid_loss", patience=n_iter_no_change, load_best=True, sink=noop
    )


def has_stopped(stopping: EarlyStopping | None) -> bool:
    """Whether it was early stopping, and no other callback, that ended training."""
    return stopping is not None and stopping.misses_ == stopping.patience


class ConfusionOfBest(Callback):
    """Has a record keep the confusion of the epoch whose weights are kept.

    To come after early stopping. The epoch at which that ends training is never told:
    it isn't the best.

    Parameters
    ----------
    record : TrainingRecord
    stopping : skorch.callbacks.EarlyStopping
    """

    def __init__(self, record: TrainingRecord, stopping: EarlyStopping) -> None:
        self.record = record
        self.stopping = stopping

    def on_epoch_end(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Keep the epoch's confusion, if it is the best or there is no best yet."""
        if self.stopping.best_epoch_ in (0, net.history[-1, "epoch"]):
            self.record.keep()
