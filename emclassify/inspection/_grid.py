"""Many small pictures in one Axes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from emclassify._thumbnails import to_8_bit, visible_channels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

# Between the tiles and around them; told apart from white, the zero of diverging maps.
GAP_COLOUR = "0.45"
_SMALLEST_TILE = 16


def n_columns(n_tiles: int) -> int:
    """Return a number of columns: a power of two, nearly as many rows or fewer."""
    if n_tiles <= 4:
        return n_tiles
    return 2 ** int(np.ceil(np.log2(np.sqrt(n_tiles))))


def figure_size(
    n_tiles: int, tile_shape: Sequence[int], *, width: float = 6.0
) -> tuple[float, float]:
    """Return (width, height) in inches of a figure for a grid of tiles."""
    columns = n_columns(n_tiles)
    rows = -(-n_tiles // columns)
    width = min(width, 1.6 * columns + 1)
    height = (width - 1) * rows * tile_shape[0] / (columns * tile_shape[1]) + 0.6
    return width, float(np.clip(height, 1.4, 10))


def draw_grid(
    ax: "Axes", tiles: np.ndarray, index: Sequence[int], **imshow: object
) -> "AxesImage":
    """Draw tiles (n, h, w) or (n, h, w, 3) row by row; return the AxesImage.

    `index` holds the number of each tile; those of a row stand at its left.
    """
    # Small tiles are enlarged, or the gap between them would be as wide as they.
    times = -(-_SMALLEST_TILE // max(tiles.shape[1:3]))
    tiles = tiles.repeat(times, axis=1).repeat(times, axis=2)
    n, height, width = tiles.shape[:3]
    columns = n_columns(n)
    rows = -(-n // columns)
    gap = max(1, round(0.1 * max(height, width)))
    step_y, step_x = height + gap, width + gap
    shape = (rows * step_y + gap, columns * step_x + gap)
    sheet = np.zeros((*shape, *tiles.shape[3:]), dtype=tiles.dtype)
    sheet = np.ma.array(sheet, mask=True)
    for k, tile in enumerate(tiles):
        top = gap + k // columns * step_y
        left = gap + k % columns * step_x
        sheet[top : top + height, left : left + width] = tile
    if sheet.ndim == 3:
        seen = ~np.ma.getmaskarray(sheet)[..., :1]
        sheet = np.concatenate([sheet.filled(0), 255 * seen.astype(np.uint8)], axis=2)
    ax.set_facecolor(GAP_COLOUR)
    picture = ax.imshow(sheet, interpolation="nearest", **imshow)
    ax.set_xticks([])
    ax.set_yticks(
        [gap + (height - 1) / 2 + row * step_y for row in range(rows)],
        [_row_label(index[row * columns : (row + 1) * columns]) for row in range(rows)],
        size="x-small",
    )
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return picture


def _row_label(index: Sequence[int]) -> str:
    """'8–15', or '3, 17, 21' for tiles that don't follow each other."""
    if len(index) > 2 and (np.diff(index) == 1).all():
        return f"{index[0]}–{index[-1]}"
    return ", ".join(map(str, index))


def symmetric_limits(values: np.ndarray) -> tuple[float, float]:
    """Return (-m, m) with m the largest absolute value, or 1 if all are 0."""
    largest = float(np.abs(values).max())
    return (-largest, largest) if largest > 0 else (-1.0, 1.0)


def picture_of(image: np.ndarray) -> np.ndarray:
    """Return what can be shown of an image (h, w, c): uint8 (h, w) or (h, w, 3)."""
    if image.shape[2] == 1:
        image = image[..., 0]
    return to_8_bit(visible_channels(image))


def draw_image(ax: "Axes", image: np.ndarray) -> None:
    """Draw an image (h, w, c) without ticks."""
    ax.imshow(picture_of(image), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])


def check_axes(axes: "Axes | Sequence[Axes]", n: int, what: str) -> np.ndarray:
    """Return the caller's axes as an array, as many as are needed."""
    axes = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if len(axes) != n:
        raise ValueError(f"axes holds {len(axes)} axes; {what} need {n}.")
    return axes
