"""A run of training: epochs of a net with the callbacks of this run only."""

from collections.abc import Sequence

from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.helper import predefined_split

from emclassify.training._batches import ImageDataset
from emclassify.training._interruption import raised_by_callback

__all__ = ["run_epochs"]


def run_epochs(
    net: NeuralNetClassifier,
    train: ImageDataset,
    valid: ImageDataset | None,
    n_epochs: int,
    *,
    run_callbacks: Sequence[tuple[str, Callback]],
    callbacks: Sequence[Callback | tuple[str, Callback]],
    n_done: int = 0,
) -> None:
    """Train a net, and leave of this run only what is learnt.

    Parameters
    ----------
    net : skorch.NeuralNetClassifier
        Initialised.
    train, valid : ImageDataset
        What to learn from, and what to validate on, if anything.
    n_epochs : int
        Passes over `train`.
    run_callbacks : list of (str, callback)
        What this run needs; gone from the net afterwards.
    callbacks : list of callback or (str, callback)
        The user's, which come after them, and stay.
    n_done : int, default=0
        Of the epochs, those that a checkpoint brings back.
    """
    net.callbacks = [*run_callbacks, *callbacks]
    net.train_split = None if valid is None else predefined_split(valid)
    net.initialize_callbacks()
    try:
        # Not net.partial_fit, which takes a user's interrupt for the end of training.
        net.notify("on_train_begin", X=train, y=None)
        try:
            net.fit_loop(train, epochs=n_epochs - n_done)
        except KeyboardInterrupt as interrupt:
            if not raised_by_callback(interrupt):
                raise
        finally:
            net.notify("on_train_end", X=train, y=None)
    finally:
        # They hold the validation images and a copy of the weights.
        net.train_split = None
        net.callbacks = list(callbacks)
        over = {name for name, _ in run_callbacks}
        net.callbacks_ = [c for c in net.callbacks_ if c[0] not in over]
