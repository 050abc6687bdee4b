"""Progress of a training run."""

import sys

from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from tqdm.auto import tqdm

__all__ = ["EpochProgress"]


class EpochProgress(Callback):
    """A bar over the epochs with the latest losses, on standard error.

    Parameters
    ----------
    description : str
        What stands before the bar.
    n_epochs : int
        Epochs of this run.
    n_done : int, default=0
        Epochs of it that an earlier call has done.
    """

    def __init__(self, description: str, n_epochs: int, n_done: int = 0) -> None:
        self.description = description
        self.n_epochs = n_epochs
        self.n_done = n_done

    def on_train_begin(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Open the bar."""
        self.bar_ = tqdm(
            total=self.n_epochs,
            initial=self.n_done,
            desc=self.description,
            unit="epoch",
            file=sys.stderr,
        )

    def on_epoch_end(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Move the bar by one."""
        if getattr(net, "captured", ""):
            self.bar_.set_description(f"{self.description}, {net.captured}", False)
        last = net.history[-1]
        losses = {
            name: f"{last[name]:.4f}"
            for name in ("train_loss", "valid_loss")
            if name in last
        }
        self.bar_.set_postfix(losses, refresh=False)
        self.bar_.update()

    def on_train_end(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Close the bar, and drop it: it can't be pickled."""
        self.bar_.close()
        del self.bar_
