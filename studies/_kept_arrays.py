"""Simulated arrays in a file that is named after all that they depend on."""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emclassify._fingerprint import fingerprint

__all__ = ["code_of", "kept_arrays", "name_of"]


def code_of(simulator: Callable) -> str:
    """Return a digest of a simulator's files: of its wing, and those that wings share.

    By content: the version stays the same while a simulator is changed.
    """
    wing = Path(inspect.getfile(inspect.unwrap(simulator))).parent
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted([*wing.glob("*.py"), *wing.parent.glob("*.py")]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def name_of(start: str, simulator: Callable, params: Mapping[str, Any]) -> str:
    """Return the name of a file: its start, and a digest of parameters and code."""
    return f"{start}-{fingerprint((dict(params), code_of(simulator)))[:16]}.npz"


def kept_arrays(
    path: Path, make: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return arrays from a file; made and written if it isn't there.

    Object arrays are images of different sizes, kept as one row of pixels.
    """
    if path.exists():
        with np.load(path) as kept:
            arrays = dict(kept)
    else:
        arrays = {}
        for name, array in make().items():
            if array.dtype == object:
                arrays[f"{name} shapes"] = np.array([np.shape(one) for one in array])
                array = np.concatenate([np.ravel(one) for one in array])
            arrays[name] = array
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, **arrays)
        unfinished.replace(path)
    for name in [name for name in arrays if f"{name} shapes" in arrays]:
        shapes = arrays.pop(f"{name} shapes")
        pieces = np.split(arrays[name], np.cumsum(shapes.prod(axis=1))[:-1])
        images = np.empty(len(shapes), dtype=object)
        for i, (piece, shape) in enumerate(zip(pieces, shapes, strict=True)):
            images[i] = piece.reshape(shape)
        arrays[name] = images
    return arrays
