"""What a training that ends in an error leaves behind: what was there before."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

from sklearn.base import BaseEstimator
from skorch import NeuralNetClassifier

from emclassify.training import net_state, restore_training

__all__ = ["as_before_if_it_fails"]


@contextmanager
def as_before_if_it_fails(
    estimator: BaseEstimator, *, trains_on: bool
) -> Iterator[None]:
    """Give an estimator back what it was, weights included, if its training fails.

    What a user interrupts stays as far as it came, except where a warm start goes on
    from a checkpoint: that is of a training from what there was before.

    Parameters
    ----------
    estimator : BaseImageClassifier
    trains_on : bool
        Whether the network that there is gets trained, and not a new one.
    """
    before = dict(vars(estimator))
    kept = _copy_of(estimator.net_) if trains_on else None
    try:
        yield
    except BaseException as error:
        goes_on = estimator.warm_start and estimator.checkpoint_dir is not None
        if isinstance(error, Exception) or goes_on:
            # Not so if it was refused; the new net may be another with these weights.
            trained = kept and len(estimator.net_.history) != len(kept["history"])
            vars(estimator).clear()
            vars(estimator).update(before)
            if kept:
                # It may have gone with a change of `device`.
                estimator.net_.module_.to(estimator.device_)
            if trained:
                estimator.net_.module_.load_state_dict(kept["weights"])
                restore_training(estimator.net_, kept)
                estimator.history_ = estimator.net_.history
        raise


def _copy_of(net: NeuralNetClassifier) -> dict:
    """Return the state of a net, by itself."""
    state = net_state(net)
    # Epochs that are over stay as they are, and there may be thousands.
    return {name: v if name == "history" else deepcopy(v) for name, v in state.items()}
