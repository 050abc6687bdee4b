"""How large a pixel is, as files state it: in nm, with the source, and checked."""

import math
import re
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emclassify._words import name_some

__all__ = ["PixelSize", "collect_pixel_sizes", "given_pixel_size", "stated_pixel_size"]

_NM = {
    "m": 1e9,
    "meter": 1e9,
    "cm": 1e7,
    "centimeter": 1e7,
    "mm": 1e6,
    "millimeter": 1e6,
    "um": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "nm": 1.0,
    "nanometer": 1.0,
    "a": 0.1,
    "angstrom": 0.1,
    "angstroms": 0.1,
    "pm": 1e-3,
    "picometer": 1e-3,
    "inch": 2.54e7,
}

# In nm. Files of diffraction patterns state sizes far beyond, in the wrong unit.
_SMALLEST, _LARGEST = 1e-4, 1e8


@dataclass(frozen=True)
class PixelSize:
    """Size of a pixel in nm, and where it was found.

    Parameters
    ----------
    row, column : float
        Spacing of rows and of columns, in nm; NaN if what was stated can't be.
    source : str
        Such as "MRC header", or "given".
    doubt : str
        What is odd about it; empty if nothing is.
    """

    row: float
    column: float
    source: str
    doubt: str = ""

    @property
    def known(self) -> bool:
        """Whether it is a size."""
        return math.isfinite(self.row)

    @property
    def square(self) -> bool:
        """Whether rows and columns are equally far apart."""
        return math.isclose(self.row, self.column, rel_tol=1e-3)

    def turned(self) -> "PixelSize":
        """Return the size of the pixels of the transposed image."""
        return PixelSize(self.column, self.row, self.source, self.doubt)


def stated_pixel_size(
    row: float, column: float, unit: str, source: str
) -> PixelSize | None:
    """Return a size that a file states in some unit; None if the unit is no length."""
    # Unicode has two signs each for micro and for angstrom.
    name = unicodedata.normalize("NFKC", str(unit)).strip().lower()
    for written, plain in (("\\u00b5", "u"), ("μ", "u"), ("å", "a"), ("ö", "o")):
        name = name.replace(written, plain)
    # Of whole words only: "ms" is no length.
    factor = _NM.get(re.sub(r"met(er|re)s?$", "meter", name))
    if factor is None:
        return None
    row, column = float(row), float(column)
    if not (0 < row < math.inf and 0 < column < math.inf):
        doubt = f"is {row:g}×{column:g} {unit}"
        return PixelSize(math.nan, math.nan, source, f"{doubt}, taken as unknown")
    if not all(_SMALLEST <= side * factor <= _LARGEST for side in (row, column)):
        doubt = f"is {row:g}×{column:g} {unit}, which no image has"
        return PixelSize(math.nan, math.nan, source, f"{doubt}, taken as unknown")
    doubt = ""
    if row == column == 1:
        doubt = (
            f"is exactly 1 {unit}, which many programs write where nobody measured it"
        )
    size = PixelSize(row * factor, column * factor, source)
    if not size.square:
        doubt = f"differs between rows and columns ({row:g} and {column:g} {unit})"
    return PixelSize(size.row, size.column, source, doubt)


def given_pixel_size(nm: float) -> PixelSize:
    """Return a size that the user gives, in nm."""
    return PixelSize(float(nm), float(nm), "given")


def collect_pixel_sizes(
    sizes: Sequence[PixelSize | None], names: Sequence[str], *, stacklevel: int = 3
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return sizes in nm and their sources, and warn of odd ones.

    Parameters
    ----------
    sizes : sequence of PixelSize or None
    names : sequence of str
        What to call each image.
    stacklevel : int
        Of warnings.

    Returns
    -------
    nm : ndarray of shape (n,) or (n, 2), or None
        NaN where unknown; pairs (row, column) if some pixels are not square; None if
        no size is known.
    sources : ndarray of str of shape (n,)
        Empty where unknown.

    Warns
    -----
    UserWarning
        Once for each kind of oddity: 0 or negative, exactly 1, not square; and if
        some images have a size and others have none.
    """
    odd: dict[str, list[str]] = {}
    for size, name in zip(sizes, names, strict=True):
        if size is not None and size.doubt:
            odd.setdefault(f"{size.doubt} ({size.source})", []).append(str(name))
    for doubt, where in odd.items():
        warnings.warn(
            f"The pixel size of {name_some(list(dict.fromkeys(where)))} {doubt}.",
            stacklevel=stacklevel,
        )
    known = [size is not None and size.known for size in sizes]
    sources = np.array(
        [size.source if ok else "" for size, ok in zip(sizes, known, strict=True)],
        dtype=str,
    )
    if not any(known):
        return None, sources
    nan = (math.nan, math.nan)
    nm = np.array(
        [
            (size.row, size.column) if ok else nan
            for size, ok in zip(sizes, known, strict=True)
        ]
    )
    if not all(known):
        lacking = [str(n) for n, ok in zip(names, known, strict=True) if not ok]
        warnings.warn(
            f"{len(lacking)} of {len(known)} images have no pixel size (NaN): "
            f"{name_some(lacking)}.",
            stacklevel=stacklevel,
        )
    with np.errstate(invalid="ignore"):
        square = np.isclose(nm[:, 0], nm[:, 1], rtol=1e-3, equal_nan=True).all()
    return (nm[:, 0] if square else nm), sources
