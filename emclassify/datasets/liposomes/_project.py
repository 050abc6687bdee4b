"""Draws shells and balls on pixel grids, projected along the beam."""

import numpy as np
from numpy.typing import NDArray

from emclassify.datasets.liposomes._bilayer import projected_ball, projected_bilayer

# Point spread of the detector, standard deviation in px. It also keeps what the
# pixels cannot resolve out of the image.
DETECTOR_BLUR = 0.5

_TABLE_SIZE = 512


def _ellipses(table, axes):
    """Return pixel coordinates from the centres of ellipses, and their matrices.

    With x, y and xx, xy, yy an ellipse is xx x² + 2 xy x y + yy y² = 1.
    """
    x = axes[:, np.newaxis, :] - table["x"][:, np.newaxis, np.newaxis]
    y = axes[:, :, np.newaxis] - table["y"][:, np.newaxis, np.newaxis]
    cos, sin = np.cos(table["angle"]), np.sin(table["angle"])
    a2, b2 = table["a"] ** -2.0, table["b"] ** -2.0
    xx = cos**2 * a2 + sin**2 * b2
    xy = cos * sin * (a2 - b2)
    yy = sin**2 * a2 + cos**2 * b2
    return x, y, *(term[:, np.newaxis, np.newaxis] for term in (xx, xy, yy))


def _rim_distance(x, y, xx, xy, yy):
    """Return the distance from ellipses, to first order, negative inside."""
    along_x = xx * x + xy * y
    along_y = xy * x + yy * y
    q2 = x * along_x
    q2 += y * along_y
    # (q - 1) / |grad q|, where q² is the quadratic form and q |grad q| the slope.
    along_x *= along_x
    along_y *= along_y
    along_x += along_y
    slope = np.sqrt(along_x, out=along_x)
    centre = slope == 0
    slope[centre] = 1
    q2 -= np.sqrt(q2)
    q2 /= slope
    # No gradient to divide by, but far inside: the lookup takes it for the centre.
    q2[centre] = -np.inf
    return q2


def _window(x, y, opening, opening_angle):
    """Return 1 but for a soft gap of half-angle `opening` around `opening_angle`."""
    turn = opening_angle[:, np.newaxis, np.newaxis]
    theta = np.angle(np.exp(1j * (np.arctan2(y, x) - turn)))
    return 1 - np.exp(-((theta / opening[:, np.newaxis, np.newaxis]) ** 6))


def _draw_shells(shells, axes, blur, thickness):
    """Return the projected potential in V nm, one field a shell."""
    x, y, *matrix = _ellipses(shells, axes)
    distance = _rim_distance(x, y, *matrix)
    radius = np.sqrt(shells["a"] * shells["b"]).astype(np.float64)
    # A shell's projection depends on the distance only: tabulate it, then look it up.
    reach = thickness / 2 + 6 * np.hypot(1.0, blur)
    step = (radius + reach) / (_TABLE_SIZE - 2)
    nodes = np.arange(_TABLE_SIZE) * step[:, np.newaxis] - radius[:, np.newaxis]
    table = projected_bilayer(
        nodes, radius[:, np.newaxis], thickness, blur[:, np.newaxis]
    )
    table *= shells["strength"][:, np.newaxis]
    table[:, -2:] = 0.0
    table = table.astype(np.float32)

    distance += radius.astype(np.float32)[:, np.newaxis, np.newaxis]
    distance /= step.astype(np.float32)[:, np.newaxis, np.newaxis]
    np.clip(distance, 0, _TABLE_SIZE - 2, out=distance)
    index = distance.astype(np.intp)
    distance -= index
    index += np.arange(len(radius))[:, np.newaxis, np.newaxis] * _TABLE_SIZE
    projected = np.take(np.diff(table, axis=1, append=0), index)
    projected *= distance
    projected += np.take(table, index)
    open_ = np.flatnonzero(shells["opening"] > 0)
    if len(open_):
        projected[open_] *= _window(
            np.broadcast_to(x[open_], projected[open_].shape),
            np.broadcast_to(y[open_], projected[open_].shape),
            shells["opening"][open_],
            shells["opening_angle"][open_],
        )
    return projected


def _in_view(table, half_diagonal, reach):
    """Return the rows of the objects of which anything lies in the field."""
    image = table["image"]
    far = np.hypot(table["x"], table["y"]) - np.maximum(table["a"], table["b"])
    seen = far < half_diagonal[image] + reach[image]
    return {name: column[seen] for name, column in table.items()}


def _add_by_image(total, projected, image):
    """Add fields, sorted by image, to the fields of their images."""
    rank = np.arange(len(image)) - np.searchsorted(image, image)
    for turn in range(rank.max(initial=-1) + 1):
        # Within a turn no image comes twice, so += misses nothing.
        now = rank == turn
        total[image[now]] += projected[now]


def project_scene(
    shells: dict[str, NDArray[np.float32] | NDArray[np.intp]],
    balls: dict[str, NDArray[np.float32] | NDArray[np.intp]],
    pixel_size: NDArray[np.float64],
    size: int,
    thickness: float,
) -> NDArray[np.float32]:
    """Return potentials projected along the beam, in V nm, as (n, size, size).

    Column `image` of the tables counts from 0 within this stack.
    """
    axis = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
    axes = axis * pixel_size.astype(np.float32)[:, np.newaxis]
    half_diagonal = np.float32(size / np.sqrt(2)) * pixel_size
    reach = thickness + 3 * pixel_size
    shells = _in_view(shells, half_diagonal, reach)
    balls = _in_view(balls, half_diagonal, reach)
    total = np.zeros((len(pixel_size), size, size), dtype=np.float32)
    if len(shells["image"]):
        image = shells["image"]
        blur = DETECTOR_BLUR * pixel_size[image]
        _add_by_image(total, _draw_shells(shells, axes[image], blur, thickness), image)
    if len(balls["image"]):
        image = balls["image"]
        x, y, xx, xy, yy = _ellipses(balls, axes[image])
        q2 = (2 * xy * x) * y
        q2 += xx * x**2
        q2 += yy * y**2
        depth = np.sqrt(balls["a"] * balls["b"])[:, np.newaxis, np.newaxis]
        chord = projected_ball(q2, depth)
        chord *= balls["potential"][:, np.newaxis, np.newaxis]
        _add_by_image(total, chord, image)
    return total
