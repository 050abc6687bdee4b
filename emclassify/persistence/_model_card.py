"""What a file says of its model, for people and for other programs."""

import json
import math
import platform
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib.metadata import version
from os import PathLike, fspath
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from emclassify._typing import Estimator
from emclassify._version import __version__
from emclassify.persistence._known_types import full_name
from emclassify.persistence._model_file import (
    FORMAT,
    FORMAT_VERSION,
    read_members,
    refusing,
)

__all__ = ["check_card", "make_card", "other_versions", "read_model_card"]

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "skorch")


def read_model_card(path: str | PathLike[str]) -> dict[str, Any]:
    """Read what a file says of its model, without loading the model.

    Parameters
    ----------
    path : str or path-like
        File that `save` has written.

    Returns
    -------
    dict
        "format", "format_version", "created" (UTC), "versions" of the libraries,
        "estimator" with its "parameters", "classes" (those of each label, where some
        of scikit-learn's have several), "image_shape" (height, width, channels),
        "training" (one record a network: epochs, losses, seconds, device) and "card",
        what was given to `save`.

    Raises
    ------
    OSError
        If the file can't be opened.
    ValueError
        If it is no model, or damaged.

    See Also
    --------
    load : Loads the model.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import emclassify
    >>> resize = emclassify.ResizeImages((8, 8)).fit(np.zeros((2, 16, 16)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "resize.emc"
    ...     emclassify.save(resize, path, card={"data": "two empty images"})
    ...     card = emclassify.read_model_card(path)
    >>> card["estimator"], card["image_shape"], card["card"]
    ('ResizeImages', [16, 16, 1], {'data': 'two empty images'})
    """
    members = read_members(path, ["card.json"])
    with refusing(path):
        return parse_card(members)


def parse_card(members: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the card, or raise ValueError if the file is not of this kind."""
    if "card.json" not in members:
        raise ValueError("it has no card.json")
    card = json.loads(members["card.json"])
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ValueError(f"its card.json does not say {FORMAT!r}")
    written = card.get("format_version")
    if type(written) is not int or not 1 <= written <= FORMAT_VERSION:
        raise ValueError(
            f"its format has the version {written!r}; emclassify {__version__} reads "
            f"up to {FORMAT_VERSION}. A newer emclassify may read it"
        )
    return card


def other_versions(card: Mapping[str, Any]) -> str:
    """Return in words which libraries wrote a file in other versions than run here."""
    versions = card.get("versions")
    if not isinstance(versions, dict):
        return ""
    here = {"emclassify": __version__, **{name: version(name) for name in _LIBRARIES}}
    others = [
        f"{name} {versions[name]} (here {mine})"
        for name, mine in here.items()
        if isinstance(versions.get(name), str)
        # CPU and CUDA builds of one release differ after the plus sign.
        and versions[name].partition("+")[0] != mine.partition("+")[0]
    ]
    return f"It was written with {', '.join(others)}" if others else ""


def make_card(estimator: Estimator, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a fitted estimator, and what the user says of it."""
    parts = list(_walk(estimator, type(estimator).__name__))
    shapes = [part.image_shape_ for _, part in parts if hasattr(part, "image_shape_")]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "emclassify": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
        "estimator": type(estimator).__name__,
        "parameters": {
            name: _as_text(value)
            for name, value in estimator.get_params(deep=True).items()
        },
        "classes": _classes(estimator),
        "image_shape": shapes[0] if shapes else None,
        "training": [
            {"network": name, "device": part.device_, **_summary(part.history_)}
            for name, part in parts
            if {"net_", "history_"} <= set(vars(part))
        ],
        "card": given,
    }


def _classes(estimator):
    """Return the classes, or, of a classifier of several labels, those of each."""
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list | tuple):
        return [np.asarray(of_label).tolist() for of_label in classes]
    return _as_json(classes)


def _walk(value, name):
    """Yield (name, estimator) of an estimator and of all fitted parts of it."""
    if isinstance(value, BaseEstimator):
        yield name, value
        for attribute, part in vars(value).items():
            yield from _walk(part, f"{name}.{attribute}")
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from _walk(part, f"{name}[{i}]")


def _summary(history):
    """Return what a training came to: of each loss the last value."""
    last = history[-1] if len(history) else {}
    losses = {name: float(v) for name, v in last.items() if name.endswith("_loss")}
    seconds = sum(epoch.get("dur", 0.0) for epoch in history)
    return {"epochs": len(history), "seconds": round(seconds, 3), **losses}


def check_card(card: Any) -> dict[str, Any]:
    """Return a user's card as JSON has it.

    Raises
    ------
    ValueError
        If a number is not finite.
    TypeError
        If it is no dict, or JSON has no form for something in it.
    """
    if not isinstance(card, dict):
        raise TypeError(f"card must be a dict; got {card!r}.")
    try:
        return json.loads(json.dumps(card, default=_as_json, allow_nan=False))
    except (ValueError, TypeError) as error:
        raise type(error)(f"card can't be written as JSON: {error}.") from error


def _as_text(value):
    """Return a parameter as it is, or in words that are the same in every run."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    return full_name(value) if hasattr(value, "__qualname__") else repr(value)


def _as_json(value):
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PathLike):
        return fspath(value)
    if value is None:
        return value
    raise TypeError(
        f"it holds {value!r}; give text, numbers, dates, lists and dicts of them"
    )
