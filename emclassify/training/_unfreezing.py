"""Unfreezing of a backbone in the course of training."""

from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

__all__ = ["Unfreezing"]


class Unfreezing(Callback):
    """Calls `unfreeze` of the network when some epochs are over.

    Parameters
    ----------
    after : int
        Epochs, those of earlier runs included.
    """

    def __init__(self, after: int) -> None:
        self.after = after

    def on_epoch_begin(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Unfreeze, if it is time."""
        # The epoch that begins is in the history already.
        if len(net.history) > self.after:
            net.module_.net.unfreeze()
