"""On which grey scale images are: 8 bit, 16 bit, or floats, often from 0 to 1.

One picture in another scale is another picture to a model that has learnt from greys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emclassify._fitted_parts import fitted_parts

__all__ = ["GreyScale", "grey_scale_of", "learnt_grey_scale"]

# Images that are looked at, which may have to be read from files for it.
_LOOKED_AT = 8
# Integers that Python and numpy make of anything say nothing about a scale.
_WIDEST = 16


@dataclass(frozen=True)
class GreyScale:
    """Type of number of images, and the largest value that was seen.

    Parameters
    ----------
    dtype : str
    most : float
    """

    dtype: str
    most: float

    def clashes_with(self, other: "GreyScale") -> bool:
        """Whether one picture would have other greys on the two scales.

        Only what is beyond doubt counts: more than an integer type can hold, or no
        more than 1 where integers go beyond it.
        """
        if self.dtype == other.dtype:
            return False
        for one, two in ((self, other), (other, self)):
            limit = one._limit()
            if limit is None:
                continue
            if two.most > limit:
                return True
            if np.dtype(two.dtype).kind == "f" and 0 < two.most <= 1 < one.most:
                return True
        return False

    def _limit(self) -> float | None:
        dtype = np.dtype(self.dtype)
        narrow = dtype.kind in "ui" and 8 * dtype.itemsize <= _WIDEST
        return float(np.iinfo(dtype).max) if narrow else None

    def __str__(self) -> str:
        """Return 'uint8 with values up to 255'."""
        return f"{self.dtype} with values up to {self.most:g}"


def grey_scale_of(images: Any) -> GreyScale:
    """Return the scale of images, by the first few.

    Parameters
    ----------
    images : array, stored images or list of arrays
    """
    first = images[: min(_LOOKED_AT, len(images))]
    parts: Sequence[Any] = first if isinstance(first, list) else [first]
    most = max(float(np.max(part)) for part in parts)
    return GreyScale(np.dtype(parts[0].dtype).name, most)


def learnt_grey_scale(estimator: Any) -> GreyScale | None:
    """Return the scale of the images that a fitted estimator has learnt from, or None.

    Pipelines, searches and other estimators that hold one are looked into.
    """
    learnt = fitted_parts(
        estimator,
        lambda part: isinstance(getattr(part, "_grey_scale", None), tuple),
        given=True,
    )
    first = next(learnt, None)
    return None if first is None else GreyScale(*first._grey_scale)
