"""Which images are of which class, and what legends call it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def in_legend(text: str) -> str:
    """Return a text that legends show: matplotlib leaves out what begins with "_"."""
    return f" {text}" if text.startswith("_") else text


def class_members(labels: NDArray[Any]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the name of each class and which images are its own, NaN and None last."""
    missing = pd.isna(labels)
    names, codes = np.unique(labels[~missing], return_inverse=True)
    for code, name in enumerate(names):
        own = np.zeros(len(labels), dtype=bool)
        own[~missing] = codes == code
        yield str(name), own
    if missing.any():
        yield str(labels[missing][0]), missing
