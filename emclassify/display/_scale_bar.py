"""A bar of a round length on a picture whose pixel size is known."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_scale_bar", "round_length"]

# Of the width of a picture, at most.
_SHARE = 0.4
_MICROMETRE = 1000.0


def round_length(width: float) -> float:
    """Return the longest of 1, 2 and 5 times a power of ten that fits well.

    Parameters
    ----------
    width : float
        Of the picture, in nm.

    Returns
    -------
    float
        At most two fifths of it.
    """
    longest = _SHARE * width
    power = 10.0 ** np.floor(np.log10(longest))
    return float(max(step * power for step in (1, 2, 5) if step * power <= longest))


def draw_scale_bar(
    ax: "Axes", shape: tuple[int, ...], pixel_size: float, *, size: float = 5.5
) -> None:
    """Draw a bar with its length into the lower left corner of a picture.

    Parameters
    ----------
    ax : matplotlib Axes
        Shows the picture with `imshow`.
    shape : tuple of int
        (height, width, ...) of the picture, in px.
    pixel_size : float
        Of columns, in nm.
    size : float, default=5.5
        Of the text, in points.
    """
    from matplotlib.patheffects import withStroke

    height, width = shape[:2]
    length = round_length(width * pixel_size)
    text = f"{length / _MICROMETRE:g} µm" if length >= _MICROMETRE else f"{length:g} nm"
    left, bottom = 0.05 * width - 0.5, 0.93 * height - 0.5
    edge = [withStroke(linewidth=3, foreground="black")]
    ax.plot(
        [left, left + length / pixel_size],
        [bottom, bottom],
        color="white",
        linewidth=1.5,
        solid_capstyle="butt",
        path_effects=edge,
        scalex=False,
        scaley=False,
    )
    ax.text(
        left,
        bottom - 0.03 * height,
        text,
        color="white",
        size=size,
        va="bottom",
        path_effects=[withStroke(linewidth=1, foreground="black")],
    )
