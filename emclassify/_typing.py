"""Types that the doors of several rooms share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "CrossValidation",
    "Estimator",
    "ImagesLike",
    "RandomStateLike",
    "ScoringLike",
    "Splitter",
]

# Arrays (NumPy, zarr, HDF5, tensors), lists of images of different sizes, paths.
ImagesLike: TypeAlias = ArrayLike | Sequence[str | PathLike[str]]
RandomStateLike: TypeAlias = int | np.random.RandomState | None


class Estimator(Protocol):
    """Whatever scikit-learn takes for an estimator."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Learn from data."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the constructor."""


class Splitter(Protocol):
    """Whatever scikit-learn takes for a splitter of cross-validation."""

    def split(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Yield (train, test) indices."""

    def get_n_splits(self, *args: Any, **kwargs: Any) -> int:
        """Return the number of splits."""


# A number of folds, a splitter, or pairs of (train, test) indices.
CrossValidation: TypeAlias = (
    int | Splitter | Iterable[tuple[ArrayLike, ArrayLike]] | None
)
# One metric, several, or by name; what cross_validate takes.
ScoringLike: TypeAlias = (
    str
    | Callable[..., Any]
    | Iterable[str]
    | Mapping[str, str | Callable[..., Any]]
    | None
)
