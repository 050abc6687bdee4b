"""save: a fitted estimator in one file, without pickle."""

import json
from collections.abc import Mapping
from os import PathLike
from typing import Any

from safetensors.numpy import save as save_arrays
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from emclassify._typing import Estimator
from emclassify.persistence._encode import Encoder
from emclassify.persistence._model_card import check_card, make_card
from emclassify.persistence._model_file import write_members

__all__ = ["save"]


def save(
    estimator: Estimator,
    path: str | PathLike[str],
    *,
    card: Mapping[str, Any] | None = None,
) -> None:
    """Write a fitted estimator or Pipeline to one file, without pickle.

    The file is a zip archive of JSON and safetensors, see
    :doc:`/user_guide/keeping_models`. `load` gives back an estimator that predicts the
    same to the last bit, and whose training can go on where it stopped.

    Parameters
    ----------
    estimator : estimator
        Any fitted estimator of emclassify, and those of scikit-learn and
        imbalanced-learn, also around or beside ours.
    path : str or path-like
        File to write; one that is there is replaced, as a whole or not at all.
    card : dict, default=None
        What people should know of the model: its data, groups, splits, figures. Text,
        numbers, dates, lists and dicts of them. Read again by `read_model_card`.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no estimator, or holds something that has no safe form in a file: the
        message says where.
    ValueError
        If a network is not the one that its parameters describe, or a number in `card`
        is not finite.
    OSError
        If the file can't be written.

    Warns
    -----
    UserWarning
        If a network classifier has `callbacks`: they act in training only, and are
        left out.

    See Also
    --------
    load : The way back.
    read_model_card : What a file says of itself.

    Notes
    -----
    A network keeps its parameters as they are now and, where they were changed since
    `fit`, those that it was made with: the next training takes changes over, as it
    would without the file.

    Left out are `callbacks`, and the folders of this machine: `memory` of a Pipeline,
    `checkpoint_dir` of a network. Functions and classes of one's own (a network, an
    augmentation, a transformer) are kept by name: who loads the file passes them as
    `trusted`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import emclassify
    >>> data = emclassify.make_liposomes(40, image_size=16, random_state=0)
    >>> svm = emclassify.svm_baseline().fit(data.images, data.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "svm.emc"
    ...     emclassify.save(svm, path, card={"data": "40 simulated liposomes"})
    ...     again = emclassify.load(path)
    >>> bool((again.predict(data.images) == svm.predict(data.images)).all())
    True
    """
    if not isinstance(estimator, BaseEstimator):
        raise TypeError(f"estimator must be an estimator; got {estimator!r}.")
    check_is_fitted(estimator)
    if hasattr(estimator, "best_estimator_"):
        raise TypeError(
            f"{type(estimator).__name__} is a search; save its best_estimator_."
        )
    given = check_card({} if card is None else card)
    encoder = Encoder()
    tree = encoder.encode(estimator, type(estimator).__name__)
    members = {
        "card.json": json.dumps(make_card(estimator, given), indent=1).encode(),
        "estimator.json": json.dumps(tree, separators=(",", ":")).encode(),
        "arrays.safetensors": save_arrays(encoder.arrays),
    }
    write_members(path, members)
