"""load: a fitted estimator from a file that save has written."""

import inspect
import json
from collections.abc import Iterable
from os import PathLike
from typing import Any

from safetensors.numpy import load as load_arrays
from sklearn.base import BaseEstimator

from emclassify.persistence._decode import Decoder
from emclassify.persistence._known_types import full_name
from emclassify.persistence._model_card import other_versions, parse_card
from emclassify.persistence._model_file import read_members, refusing

__all__ = ["load"]


def load(path: str | PathLike[str], *, trusted: Iterable[Any] = ()) -> Any:
    """Load the estimator in a file that `save` has written.

    Nothing that the file brings along is run, and nothing is imported but
    emclassify, scikit-learn, imbalanced-learn and PyTorch: the file holds numbers, and
    names of classes, of which only known ones are taken.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : iterable of classes and functions, default=()
        What the model uses beside the libraries: a network, an augmentation, a
        transformer of your own. The file says by name which one goes where, and they
        are called as they were when the model was trained.

    Returns
    -------
    estimator
        Fitted. Networks come to the device that their parameter `device` asks for, or
        where that isn't there, to what "auto" means.

    Raises
    ------
    OSError
        If the file can't be opened.
    ValueError
        If the file is no model, damaged, of a newer format, or holds what no model
        has: the message names the file and says what, and which libraries wrote it in
        other versions than the ones here.
    TypeError
        If `trusted` holds something else than classes and functions.

    Warns
    -----
    sklearn.exceptions.InconsistentVersionWarning
        If a part of scikit-learn was written by another version of it.

    See Also
    --------
    save : Writes the file.
    read_model_card : What a file says of itself, without loading it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import emclassify
    >>> resize = emclassify.ResizeImages((8, 8)).fit(np.zeros((2, 16, 16)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "resize.emc"
    ...     emclassify.save(resize, path)
    ...     emclassify.load(path)
    ResizeImages(output_shape=(8, 8))
    """
    trusted = list(trusted)
    for thing in trusted:
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            raise TypeError(f"trusted must hold classes and functions; got {thing!r}.")
    members = read_members(path)
    with refusing(path):
        card = parse_card(members)
    with refusing(path, other_versions(card)):
        arrays = load_arrays(members["arrays.safetensors"])
        decoder = Decoder(arrays, {full_name(thing): thing for thing in trusted})
        estimator = decoder.decode(json.loads(members["estimator.json"]))
        if not isinstance(estimator, BaseEstimator):
            raise ValueError("it holds no estimator")
    return estimator
