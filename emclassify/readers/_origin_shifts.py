"""Origin shifts of RELION: how far particles lie beside the centres of their boxes.

RELION lays a particle on its reference by shifting its image by the origin (X, Y), so
the particle's own centre is at the coordinate minus the origin. Its own extraction
recentres in this way.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emclassify.readers._pixel_size import PixelSize

__all__ = ["OriginShift", "star_shifts"]

# Rows and columns, of RELION since 3.1 and before.
_ANGSTROM = ("rlnOriginYAngst", "rlnOriginXAngst")
_PIXELS = ("rlnOriginY", "rlnOriginX")
_NM_PER_ANGSTROM = 0.1


@dataclass(frozen=True)
class OriginShift:
    """The origin of one particle, as its table has it.

    Parameters
    ----------
    y, x : float
        NaN where the table has no number.
    columns : (str, str)
        Where they stand.
    image_pixel : float
        Pixel size of the particle's image in nm, NaN where unknown. It may have been
        made smaller than the micrograph.
    """

    y: float
    x: float
    columns: tuple[str, str]
    image_pixel: float

    def in_pixels(self, size: PixelSize | None) -> tuple[float, float]:
        """Return the shift (y, x) in px of the micrograph.

        Parameters
        ----------
        size : PixelSize or None
            Of the micrograph.

        Raises
        ------
        ValueError
            If the table has no number, or the shift is in Å and no pixel size is known.
        """
        where = " and ".join(self.columns)
        if not np.isfinite([self.y, self.x]).all():
            raise ValueError(f"the table has no number there in {where}")
        known = size is not None and size.known
        if self.columns == _ANGSTROM:
            if not known:
                raise ValueError(
                    f"{where} are in Å, and the pixel size of the micrograph is not "
                    "known: give pixel_size, in nm"
                )
            factor = _NM_PER_ANGSTROM
        elif known and np.isfinite(self.image_pixel):
            factor = self.image_pixel
        else:
            return self.y, self.x
        return self.y * factor / size.row, self.x * factor / size.column

    def matters(self, size: PixelSize | None) -> bool:
        """Whether the particle is a pixel or more beside the centre of its box."""
        try:
            return max(map(abs, self.in_pixels(size))) >= 1
        except ValueError:
            return self.y != 0 or self.x != 0


def star_shifts(
    frame: pd.DataFrame, image_pixels: np.ndarray
) -> list[OriginShift | None]:
    """Return the shift of each row of a table of RELION.

    Parameters
    ----------
    frame : DataFrame of n rows
    image_pixels : ndarray of shape (n,)
        Of the particles' images, in nm; NaN where unknown.
    """
    for columns in (_ANGSTROM, _PIXELS):
        if set(columns) <= set(frame):
            y, x = (
                pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
                for name in columns
            )
            rows = zip(y.tolist(), x.tolist(), image_pixels.tolist(), strict=True)
            return [OriginShift(dy, dx, columns, pixel) for dy, dx, pixel in rows]
    return [None] * len(frame)
