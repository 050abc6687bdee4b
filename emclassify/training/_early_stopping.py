"""Early stopping: when training ends, and which weights it keeps."""

from skorch.callbacks import EarlyStopping
from skorch.utils import noop

__all__ = ["make_early_stopping"]


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
