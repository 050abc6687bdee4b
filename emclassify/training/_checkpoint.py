"""EpochCheckpoint: training that was killed goes on where it was."""

from collections.abc import Sequence
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.history import History

from emclassify._fingerprint import fingerprint
from emclassify._version import __version__
from emclassify._whole_file import whole_file
from emclassify.training import ImageModule
from emclassify.training._batches import ImageDataset

__all__ = ["EpochCheckpoint", "training_key"]

# What early stopping remembers from epoch to epoch.
_STOPPING = ("misses_", "dynamic_threshold_", "best_epoch_", "best_model_weights_")


class EpochCheckpoint(Callback):
    """Write the whole state of training after each epoch, and take it up again.

    To be the last callback of a run: what the others remember goes into the state.

    Parameters
    ----------
    folder : str or path-like
        Made if it isn't there.
    key : str
        What tells this training from all others; part of the file's name.
    """

    def __init__(self, folder: str | PathLike, key: str) -> None:
        self.folder = Path(folder)
        self.key = key

    @property
    def path(self) -> Path:
        """Where the state is."""
        return self.folder / f"training-{self.key}.pt"

    def restore_history(self, net: NeuralNetClassifier) -> int:
        """Read the state, if there is one, and give `net` its history.

        Before callbacks start: they look for the best losses in it.

        Returns
        -------
        int
            Number of epochs already done.

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(f".{self.path.name}.*.part"):
            left.unlink(missing_ok=True)
        self.state_ = None
        if not self.path.exists():
            return 0
        try:
            self.state_ = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise ValueError(
                f"checkpoint_dir holds {self.path}, which is damaged or not from here "
                f"({type(error).__name__}). Remove it to train from the start."
            ) from error
        net.history_ = History(self.state_["history"])
        return self.state_["epochs"]

    def on_train_begin(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Take up the state that was read."""
        self.epochs_ = 0
        if self.state_ is None:
            return
        state, self.state_ = self.state_, None
        self.epochs_ = state["epochs"]
        net.module_.load_state_dict(state["module"])
        net.optimizer_.load_state_dict(state["optimizer"])
        for name, callback in net.callbacks_:
            if name == "lr_schedule":
                callback.lr_scheduler_.load_state_dict(state["schedule"])
            elif name == "early_stopping":
                vars(callback).update(state["stopping"])
            elif name == "record":
                callback.confusion_ = state["confusion"].numpy()
            if name in state["best_scores"]:
                callback.best_score_ = state["best_scores"][name]
        torch.set_rng_state(state["random"])
        device = torch.device(net.device)
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["random_cuda"], device)

    def on_epoch_end(self, net: NeuralNetClassifier, **kwargs: object) -> None:
        """Write the state, in one piece or not at all."""
        self.epochs_ += 1
        state = {
            "epochs": self.epochs_,
            "history": net.history.to_list(),
            "module": net.module_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "random": torch.get_rng_state(),
            # By these, skorch marks the best epochs in the history.
            "best_scores": {
                name: callback.best_score_
                for name, callback in net.callbacks_
                if hasattr(callback, "best_score_")
            },
        }
        for name, callback in net.callbacks_:
            if name == "lr_schedule":
                state["schedule"] = callback.lr_scheduler_.state_dict()
            elif name == "early_stopping":
                state["stopping"] = {key: getattr(callback, key) for key in _STOPPING}
            elif name == "record":
                state["confusion"] = torch.tensor(callback.confusion_)
        device = torch.device(net.device)
        if device.type == "cuda":
            state["random_cuda"] = torch.cuda.get_rng_state(device)
        with whole_file(self.path) as file:
            torch.save(_plain(state), file)

    def remove(self) -> None:
        """Remove the file: training has come to its end."""
        self.path.unlink(missing_ok=True)


def _plain(value: object) -> object:
    """Return a state without NumPy's numbers, which a safe reader refuses."""
    if isinstance(value, dict):
        return type(value)((key, _plain(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value


def training_key(
    estimator: BaseEstimator,
    module: ImageModule,
    datasets: Sequence[ImageDataset | None],
    digests: np.ndarray,
) -> str:
    """Return what tells one training from another: data, parameters, network.

    Functions of one's own count by their code, files by size and time.

    Parameters
    ----------
    estimator : BaseImageClassifier
    module : ImageModule
        Before training. Its weights count if they are repeatable, from a
        `random_state` or an earlier `fit`.
    datasets : list of ImageDataset or None
        Training and validation set.
    digests : ndarray of bytes
        What the images are, one entry each.

    Returns
    -------
    str
        Sixteen letters and digits.
    """
    key = blake2b(digest_size=8)
    params = {
        name: value
        for name, value in estimator.get_params().items()
        if name not in ("checkpoint_dir", "random_state", "verbose")
    }
    files: dict[str, Any] = {}
    told = {name: _tell(value, files) for name, value in params.items()}
    code = _tell(type(estimator), files)
    for part in (__version__, torch.__version__, type(estimator).__name__, code, told):
        key.update(repr(part).encode())
    key.update(repr(module).encode())
    # The state of one type of device says nothing to another.
    key.update(torch.device(estimator.device_).type.encode())
    if estimator.random_state is not None or len(estimator.net_.history):
        for name, tensor in sorted(module.state_dict().items()):
            key.update(name.encode())
            key.update(tensor.cpu().numpy().tobytes())
    key.update(digests.tobytes())
    for dataset in datasets:
        if dataset is None:
            continue
        for tensor in (dataset.rows, dataset.target, dataset.weight, dataset.features):
            if tensor is not None:
                key.update(tensor.numpy().tobytes())
    return key.hexdigest()


def _tell(value: object, files: dict[str, Any]) -> str:
    """Return what tells a parameter from others, the same in another process.

    Files and the code of functions count, as in the folds of a benchmark.
    """
    try:
        return fingerprint(value, files=files)
    except Exception:  # can't be pickled
        return f"{type(value).__module__}.{type(value).__qualname__}"
