"""FiniteLoss: training that has gone astray ends with an error."""

import math

from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

__all__ = ["FiniteLoss"]


class FiniteLoss(Callback):
    """Raise ValueError after an epoch whose training loss is not a finite number."""

    def on_epoch_end(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Look at the loss of the epoch."""
        last = net.history[-1]
        if math.isfinite(last["train_loss"]):
            return
        raise ValueError(
            f"The training loss is {last['train_loss']} after epoch {last['epoch']}: "
            "the weights are no longer finite. Lower lr (it is "
            f"{net.optimizer__lr:g}), or give "
            'precision="float32"; images with a few huge values want rescaling.'
        )
