"""Solid shapes of circumradius 1, and how thick they are along the beam.

A shape is a function of a rotation and a square grid: it returns the length of the
beam's way through the turned shape at each point of the grid.
"""

from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

# Of the tube's middle line and the tube, so that the torus reaches 1.
TORUS_RADII = (0.7, 0.3)
# Of the hollow in a shell, which stands for an empty capsid.
SHELL_INNER_RADIUS = 0.75
# Slices along the beam for shapes whose thickness has no formula.
_SLICES = 48


def _turned(numbers, signs):
    """Return all even permutations of `numbers`, with all signs where `signs`."""
    choices = [(-1, 1) if sign else (1,) for sign in signs]
    points = {
        tuple(np.roll(np.multiply(numbers, sign), shift).tolist())
        for sign in product(*choices)
        for shift in range(3)
    }
    return np.array(sorted(points))


def polyhedron_vertices(name: str) -> NDArray[np.float64]:
    """Return the corners (n, 3) of a polyhedron of circumradius 1."""
    golden = (1 + 5**0.5) / 2
    if name == "cube":
        corners = np.array(list(product((-1, 1), repeat=3)), dtype=float)
    elif name == "icosahedron":
        corners = _turned((0, 1, golden), (0, 1, 1))
    else:
        # The truncated icosahedron, a soccer ball.
        corners = np.concatenate(
            [
                _turned((0, 1, 3 * golden), (0, 1, 1)),
                _turned((1, 2 + golden, 2 * golden), (1, 1, 1)),
                _turned((golden, 2, 2 * golden + 1), (1, 1, 1)),
            ]
        )
    return corners / np.linalg.norm(corners, axis=1, keepdims=True)


def polyhedron_faces(name: str) -> NDArray[np.float64]:
    """Return the faces (n, 4): outward unit normal, distance from the centre."""
    planes = ConvexHull(polyhedron_vertices(name)).equations
    # The hull is made of triangles: those of one face have one plane.
    _, first = np.unique(planes.round(9), axis=0, return_index=True)
    normals, distances = planes[first, :3], -planes[first, 3:]
    return np.hstack([normals, distances])


def polyhedron_thickness(
    faces: NDArray[np.float64], rotation: NDArray[np.float64], axis: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the thickness (k, k) of a convex polyhedron at the points of a grid.

    Each face bounds the beam's way from above or from below.
    """
    normals = (faces[:, :3] @ rotation.T).astype(np.float32)
    # A face along the beam bounds nothing; tilted by nothing visible, it bounds all.
    along = np.abs(normals[:, 2]) < 1e-6
    normals[along, 2] = 1e-6
    nx, ny, nz = (column[:, np.newaxis, np.newaxis] for column in normals.T)
    distance = faces[:, 3].astype(np.float32)[:, np.newaxis, np.newaxis]
    height = (distance - ny * axis[:, np.newaxis]) / nz - (nx / nz) * axis
    above = normals[:, 2] > 0
    thickness = height[above].min(axis=0) - height[~above].max(axis=0)
    return np.maximum(thickness, 0, out=thickness)


def sphere_thickness(
    rotation: NDArray[np.float64] | None, axis: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the thickness (k, k) of the unit sphere."""
    inside = 1 - axis**2 - axis[:, np.newaxis] ** 2
    return 2 * np.sqrt(np.maximum(inside, 0))


def shell_thickness(
    rotation: NDArray[np.float64], axis: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the thickness (k, k) of a hollow sphere's wall."""
    hollow = SHELL_INNER_RADIUS
    inside = hollow * sphere_thickness(rotation, axis / hollow)
    return sphere_thickness(rotation, axis) - inside


def torus_thickness(
    rotation: NDArray[np.float64], axis: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the thickness (k, k) of a torus, slice by slice.

    At its surface a slice counts by the share of it that lies inside.
    """
    ring, tube = TORUS_RADII
    z, step = np.linspace(-1, 1, _SLICES, retstep=True, dtype=np.float32)
    r = rotation.astype(np.float32)
    x, y = axis, axis[:, np.newaxis]
    # The grid in the torus's own axes; its third is the axis of symmetry.
    across = [
        (r[0, k] * x + r[1, k] * y)[np.newaxis] + r[2, k] * z[:, np.newaxis, np.newaxis]
        for k in range(3)
    ]
    distance = np.hypot(np.hypot(across[0], across[1]) - ring, across[2]) - tube
    share = np.clip(0.5 - distance / np.float32(step), 0, 1)
    return share.sum(axis=0) * np.float32(step)


SHAPES = {
    name: partial(polyhedron_thickness, polyhedron_faces(name))
    for name in ("cube", "icosahedron", "soccer_ball")
} | {
    "shell": shell_thickness,
    "sphere": sphere_thickness,
    "torus": torus_thickness,
}
