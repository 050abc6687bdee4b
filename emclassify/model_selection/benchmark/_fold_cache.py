"""Folds that are kept, so that a benchmark that was stopped goes on with the rest."""

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from emclassify._fingerprint import fingerprint
from emclassify._fit_params import cut_to
from emclassify._typing import Estimator, ImagesLike
from emclassify._whole_file import whole_file
from emclassify.model_selection.running._run_fold import FoldOutcome, run_fold

_ARRAYS = ("predicted", "class_scores")
_VALUES = (
    "score_kind",
    "fit_time",
    "predict_time",
    "extra_scores",
    "training",
    "curves",
    "chosen",
)


class FoldCache:
    """A folder with one file a fold and model.

    Parameters
    ----------
    folder : str or path-like
        Made if it isn't there.
    X : array-like
        Images, rows or paths.
    shared : object
        What all folds share beside it: labels, scoring, versions.
    """

    def __init__(self, folder: str | PathLike, X: ImagesLike, shared: Any) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._files = {}  # what is known of files: looked at once a benchmark
        self._data = self._hash(X, "X"), self._hash(shared, "y or scoring")

    def path(
        self,
        estimator: Estimator,
        train: np.ndarray,
        test: np.ndarray,
        fit_params: Mapping[str, Any],
        n_samples: int,
        training: tuple[str, int],
    ) -> Path:
        """Return the file of an estimator on a fold.

        Without a seed, each `training` (name of the model, repeat) is one of its own.
        """
        # Of the test side too: some predict by its groups.
        params = [cut_to(fit_params, side, n_samples) for side in (train, test)]
        told = self._data, self._hash(estimator, repr(estimator)), train, test, params
        if _has_no_seed(estimator):
            told = *told, training
        key = self._hash(told, f"fit_params of {estimator!r}")
        return self.folder / f"fold-{key}.npz"

    def estimate_path(self, *told: Any) -> Path:
        """Return the file of how long models take: measured once, cut alike again."""
        return self.folder / f"time-{self._hash((self._data, told), 'estimators')}.json"

    def _hash(self, thing, what):
        try:
            return fingerprint(thing, files=self._files, lambdas=False)
        except Exception as error:
            raise ValueError(
                f"cache_dir can't tell {what:.80} from others, because it can't be "
                f"pickled: {error}. Take named functions instead of lambdas, arrays "
                "instead of open files, or leave cache_dir out."
            ) from error


def _has_no_seed(estimator):
    """Whether a `random_state` in an estimator is None: another one in each fit."""
    return any(
        name.rpartition("__")[2] == "random_state" and value is None
        for name, value in estimator.get_params(deep=True).items()
    )


def run_kept_fold(
    path: Path | None,
    name: str,
    estimator: Estimator,
    fold: int,
    *args: Any,
    **kwargs: Any,
) -> FoldOutcome:
    """Return what `run_fold` does, from the file if it is there."""
    if path is not None and path.exists():
        return _load(path, name, fold)
    outcome = run_fold(name, estimator, fold, *args, **kwargs)
    if path is not None and outcome.error is None:
        _store(path, outcome)
    return outcome


def _store(path, outcome):
    """Write the file, in one piece or not at all."""
    values = {key: getattr(outcome, key) for key in _VALUES}
    arrays = {key: getattr(outcome, key) for key in _ARRAYS}
    arrays = {key: array for key, array in arrays.items() if array is not None}
    with whole_file(path) as file:
        np.savez(file, values=np.array(json.dumps(values)), **arrays)


def _load(path, name, fold):
    try:
        with np.load(path, allow_pickle=False) as kept:
            arrays = {key: kept[key] for key in _ARRAYS if key in kept}
            values = json.loads(str(kept["values"]))
    except Exception as error:
        raise ValueError(
            f"cache_dir holds {path}, which is damaged or not from here "
            f"({type(error).__name__}). Remove it to run this fold again."
        ) from error
    return FoldOutcome(name, fold, **arrays, **values)
