"""On which grey scale images are: 8 bit, 16 bit, or floats, often from 0 to 1.

One picture in another scale is another picture to a model that has learnt from greys.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emclassify._fitted_parts import fitted_parts

__all__ = ["GreyScale", "grey_scale_of", "learnt_grey_scale"]

# Images that are looked at, which may have to be read from files for it, and pixels of
# each.
_LOOKED_AT = 8
_PIXELS = 4096
_GOLDEN = (5**0.5 - 1) / 2
# Integers that Python and numpy make of anything say nothing about a scale.
_WIDEST = 16

# Floats have no range of their own. Of one kind of images, contrasts differ by less
# than this, beyond those that a model has learnt from; of few images, one may be blank.
_FACTOR, _FACTOR_OF_FEW = 10.0, 1000.0
_FEW = 4
# Share of negative values that centred images have at least.
_CENTRED = 0.2
# Fewer pixels say nothing about a spread.
_FEWEST_PIXELS = 64


@dataclass(frozen=True)
class GreyScale:
    """Type of number of images, and which values were seen.

    Parameters
    ----------
    dtype : str
    most : float
        The largest value.
    low, high : float or None
        Between them are all values but half a per cent on each side.
    spreads : tuple of float
        The least, the median and the largest of the images' spreads: mean distances
        from the median. Empty if images are blank, or too small to have one.
    negative : float or None
        Share of negative values.
    n_images : int
        How many were looked at.
    """

    dtype: str
    most: float
    low: float | None = None
    high: float | None = None
    spreads: tuple[float, ...] = ()
    negative: float | None = None
    n_images: int = 0

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

    def seems_other_than(self, learnt: "GreyScale") -> bool:
        """Whether values of types without a range look like another scale's.

        They do if contrasts are far from all those learnt, or if one side is centred
        (as standardised images are) and the other has no negative value at all.
        """
        if self._limit() is not None or learnt._limit() is not None:
            return False
        if not self.spreads or not learnt.spreads:
            return False
        few = self.n_images < _FEW
        factor = _FACTOR_OF_FEW if few else _FACTOR
        least, middle, greatest = learnt.spreads[0], self.spreads[1], learnt.spreads[2]
        if middle < least / factor or middle > greatest * factor:
            return True
        if learnt.negative == 0:
            return self.negative >= _CENTRED
        # One of few crops may be all of a bright particle.
        return not few and learnt.negative >= _CENTRED and self.negative == 0

    def _limit(self) -> float | None:
        dtype = np.dtype(self.dtype)
        narrow = dtype.kind in "ui" and 8 * dtype.itemsize <= _WIDEST
        return float(np.iinfo(dtype).max) if narrow else None

    def __str__(self) -> str:
        """Return 'uint8 with values up to 255', 'float32 with values from 0 to 1'."""
        if self._limit() is not None or self.low is None:
            return f"{self.dtype} with values up to {self.most:g}"
        return f"{self.dtype} with values from {self.low:.3g} to {self.high:.3g}"


def grey_scale_of(images: Any) -> GreyScale:
    """Return the scale of images, by a few from first to last.

    Parameters
    ----------
    images : array, stored images or list of arrays
    """
    n = min(_LOOKED_AT, len(images))
    rows = np.unique(np.linspace(0, len(images) - 1, n).round().astype(int))
    if isinstance(images, list):
        parts = [images[row] for row in rows]
    else:
        parts = list(images[rows])
    dtype = parts[0].dtype
    most = max(float(np.max(part)) for part in parts)
    if dtype.kind in "ui" and 8 * dtype.itemsize <= _WIDEST:
        return GreyScale(dtype.name, most)
    thin = [_thinned(part) for part in parts]
    values = np.concatenate(thin)
    low, high = (float(value) for value in np.quantile(values, (0.005, 0.995)))
    spreads = [
        float(np.mean(np.abs(part - np.median(part))))
        for part in thin
        if len(part) >= _FEWEST_PIXELS
    ]
    spreads = [spread for spread in spreads if spread > 0]
    return GreyScale(
        dtype.name,
        most,
        low,
        high,
        (min(spreads), float(np.median(spreads)), max(spreads)) if spreads else (),
        float(np.mean(values < 0)),
        len(parts),
    )


def _thinned(image: np.ndarray) -> np.ndarray:
    """Return some of the pixels of an image, as float64."""
    flat = np.reshape(image, -1)
    if len(flat) <= _PIXELS:
        return flat.astype(np.float64)
    # By the golden section, so that no channel or column is missed.
    places = (np.arange(_PIXELS) * _GOLDEN % 1 * len(flat)).astype(int)
    return flat[places].astype(np.float64)


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
