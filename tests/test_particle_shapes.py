"""The shapes are what they say, whatever their orientation."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from emclassify.datasets.diffraction._far_field import grid_axis
from emclassify.datasets.diffraction._particle_shapes import (
    SHAPES,
    SHELL_INNER_RADIUS,
    TORUS_RADII,
    polyhedron_faces,
    polyhedron_vertices,
)

GOLDEN = (1 + 5**0.5) / 2
# Volume of solids by the textbook, edge 1, and the radius around them.
VOLUME = {
    "cube": (1.0, 3**0.5 / 2),
    "icosahedron": (5 * (3 + 5**0.5) / 12, (GOLDEN * 5**0.5) ** 0.5 / 2),
    "soccer_ball": ((125 + 43 * 5**0.5) / 4, (58 + 18 * 5**0.5) ** 0.5 / 4),
}


def volume(name):
    if name == "sphere":
        return 4 / 3 * np.pi
    if name == "shell":
        return 4 / 3 * np.pi * (1 - SHELL_INNER_RADIUS**3)
    if name == "torus":
        ring, tube = TORUS_RADII
        return 2 * np.pi**2 * ring * tube**2
    at_edge_1, radius = VOLUME[name]
    return at_edge_1 / radius**3


@pytest.mark.parametrize(
    ("name", "n_vertices", "n_faces"),
    [("cube", 8, 6), ("icosahedron", 12, 20), ("soccer_ball", 60, 32)],
)
def test_corners_and_faces(name, n_vertices, n_faces):
    corners, faces = polyhedron_vertices(name), polyhedron_faces(name)
    assert corners.shape == (n_vertices, 3)
    assert faces.shape == (n_faces, 4)
    assert ConvexHull(corners).volume == pytest.approx(volume(name))
    # Each corner lies on three or more faces, and beyond none.
    beyond = corners @ faces[:, :3].T - faces[:, 3]
    assert beyond.max() < 1e-9
    assert ((np.abs(beyond) < 1e-9).sum(axis=1) >= 3).all()


@pytest.mark.parametrize("name", sorted(SHAPES))
@pytest.mark.parametrize("seed", range(4))
def test_volume_in_any_orientation(name, seed):
    axis = grid_axis()
    rotation = Rotation.random(random_state=seed).as_matrix()
    thickness = SHAPES[name](rotation, axis)
    assert thickness.min() >= 0
    # Nothing is cut off by the grid's border.
    assert thickness[[0, -1]].max() == thickness[:, [0, -1]].max() == 0
    total = thickness.sum() * (axis[1] - axis[0]) ** 2
    assert total == pytest.approx(volume(name), rel=0.005)


def test_cube_seen_straight_on():
    axis = grid_axis()
    thickness = SHAPES["cube"](np.eye(3), axis)
    inside = np.abs(axis) < 1 / 3**0.5
    expected = np.where(inside & inside[:, np.newaxis], 2 / 3**0.5, 0)
    np.testing.assert_allclose(thickness, expected, atol=1e-5)


def test_torus_seen_from_its_axis_has_a_hole():
    axis = grid_axis()
    thickness = SHAPES["torus"](np.eye(3), axis)
    away = np.hypot(axis, axis[:, np.newaxis])
    ring, tube = TORUS_RADII
    expected = 2 * np.sqrt(np.maximum(tube**2 - (away - ring) ** 2, 0))
    assert thickness[away < ring - tube - 0.02].max() == 0
    inside = np.abs(away - ring) < tube - 0.04
    np.testing.assert_allclose(thickness[inside], expected[inside], atol=0.03)
