"""Images whose pixels are not of the size that a model has learnt from."""

import warnings
from collections.abc import Sequence

import numpy as np

from emclassify.readers._pixel_size import PixelSize, given_pixel_size

__all__ = ["LearntPixelSize", "check_range"]

# Calibrations of one microscope differ by less.
_TOLERANCE = 0.02


def check_range(learnt: float | Sequence[float] | None) -> tuple[float, float] | None:
    """Return (least, most) in nm, or raise ValueError."""
    if learnt is None:
        return None
    sizes = np.atleast_1d(np.asarray(learnt, float))
    good = sizes.shape in ((1,), (2,)) and np.isfinite(sizes).all() and sizes[0] > 0
    if not good or sizes[-1] < sizes[0]:
        raise ValueError(
            "model_pixel_size must be above 0, in nm, or (least, most); got "
            f"{learnt!r}."
        )
    return float(sizes[0]), float(sizes[-1])


class LearntPixelSize:
    """Compares images with what a model has learnt from; warns, or rescales.

    Parameters
    ----------
    learnt : (float, float) or None
        Least and most, in nm; None compares nothing.
    given : float or None
        Size of the pixels of all images, in nm. Default: as each file states it.
    rescale : bool
        Whether to bring images to the size that was learnt.
    """

    def __init__(
        self, learnt: tuple[float, float] | None, given: float | None, rescale: bool
    ) -> None:
        self.learnt = learnt
        self.given = None if given is None else given_pixel_size(given)
        self.rescale = rescale
        self._told: set[str] = set()
        if rescale and learnt is None:
            raise ValueError(
                "rescale=True needs to know what the model has learnt from: give "
                "model_pixel_size, in nm."
            )
        if rescale and not learnt[1] <= learnt[0] * (1 + _TOLERANCE):
            raise ValueError(
                f"The model has learnt from pixels of {learnt[0]:g} to {learnt[1]:g} "
                "nm: there is no one size that images could be rescaled to."
            )

    def apply(self, image: np.ndarray, size: PixelSize | None, file: str) -> np.ndarray:
        """Return the image, rescaled if need be; warn once for each file."""
        if self.learnt is None:
            return image
        size = self.given or size
        if size is None or not size.known:
            if self.rescale:
                raise ValueError("its pixel size is not known, so it can't be rescaled")
            self._tell("", f"{file} and maybe others state no pixel size")
            return image
        least, most = self.learnt
        if all(
            least * (1 - _TOLERANCE) <= side <= most * (1 + _TOLERANCE)
            for side in (size.row, size.column)
        ):
            return image
        if not self.rescale:
            found = f"{size.row:.4g}"
            if not size.square:
                found += f"×{size.column:.4g}"
            self._tell(file, f"{file} has pixels of {found} nm")
            return image
        # Not above: it is slow to import, and few need it.
        from emclassify.preprocessing import PixelSizeScaler

        scaler = PixelSizeScaler((least + most) / 2).fit([image])
        (scaled,) = scaler.transform([image], pixel_size=[(size.row, size.column)])
        return scaled[..., 0] if image.ndim == 2 else scaled

    def _tell(self, key: str, what: str) -> None:
        if key in self._told:
            return
        self._told.add(key)
        least, most = self.learnt
        learnt = f"{least:.4g}" if least == most else f"{least:.4g} to {most:.4g}"
        warnings.warn(
            f"{what}; the model has learnt from {learnt} nm. Pass rescale=True to "
            "bring images to that, or pixel_size=... if files state it wrongly.",
            stacklevel=2,
        )
