"""Tests of projected bilayers against quadrature and geometry."""

import numpy as np
import pytest
from scipy import integrate, ndimage

from emclassify.datasets.liposomes._bilayer import (
    bilayer_potential,
    projected_ball,
    projected_bilayer,
    rim_profile,
)
from emclassify.datasets.liposomes._project import project_scene


def shell_table(**columns):
    defaults = {"x": 0, "y": 0, "a": 40, "b": 40, "angle": 0}
    defaults |= {"strength": 1, "opening": 0, "opening_angle": 0}
    table = {k: np.array([v], dtype=np.float32) for k, v in defaults.items()}
    table |= {k: np.array([v], dtype=np.float32) for k, v in columns.items()}
    return {"image": np.array([0]), **table}


NO_BALLS = {k: np.empty(0, dtype=int) for k in ("image", "x", "y", "a", "b")}


def test_rim_profile_against_quadrature():
    for u in (-30.0, -12.5, -11.5, -4.0, -1.0, 0.0, 0.7, 3.0):
        # t = s² takes the singularity away; the peak is named for the integrator.
        exact = integrate.quad(
            lambda s, u=u: 2 * np.exp(-0.5 * (u + s * s) ** 2),
            0,
            10,
            points=[np.sqrt(max(-u, 0.1))],
        )[0]
        assert rim_profile(np.array(u)) == pytest.approx(exact, rel=2e-4, abs=1e-6)


@pytest.mark.parametrize("radius", [20.0, 45.0, 120.0])
def test_projected_bilayer_against_abel_transform(radius):
    thickness = 3.8
    for distance in (-0.8 * radius, -8.0, -2.5, -1.9, 0.0, 1.5, 2.4):
        rho = radius + distance
        top = np.sqrt(max((radius + 6) ** 2 - rho**2, 0))
        depth = np.linspace(0, top, 400_001)
        potential = bilayer_potential(np.hypot(rho, depth) - radius, thickness)
        exact = 2 * integrate.trapezoid(potential, depth)
        projected = projected_bilayer(np.array(distance), radius, thickness)
        # The error is of first order in width / radius; the peaks are 16 to 41 V nm.
        assert projected == pytest.approx(exact, abs=0.2)


@pytest.mark.parametrize("thickness", [3.4, 3.8, 4.5])
def test_head_groups_are_the_requested_thickness_apart(thickness):
    pixel = 0.1
    field = project_scene(
        shell_table(a=60, b=60), NO_BALLS, np.array([pixel]), 1400, thickness
    )
    row = field[0, 700]
    x = (np.arange(1400) - 699.5) * pixel
    rim = x > 50
    peaks = [
        i
        for i in range(1, 1399)
        if rim[i] and row[i] > 1 and row[i - 1] < row[i] >= row[i + 1]
    ]
    assert len(peaks) == 2
    # Projection draws each peak inwards by about half a leaflet, both alike.
    assert np.diff(x[peaks])[0] == pytest.approx(thickness, abs=0.35)
    assert x[peaks].mean() == pytest.approx(60, abs=0.5)


def test_bilayer_keeps_its_thickness_on_an_ellipse():
    field = project_scene(shell_table(a=60, b=45), NO_BALLS, np.array([0.2]), 700, 3.8)[
        0
    ]
    along, across = field[350, 350:], field[350:, 350]
    width_x = (along > along.max() / 2).sum()
    width_y = (across > across.max() / 2).sum()
    assert abs(width_x - width_y) <= 3
    assert along.argmax() * 0.2 == pytest.approx(60 - 1.9, abs=0.6)
    assert across.argmax() * 0.2 == pytest.approx(45 - 1.9, abs=0.6)


def test_rotated_and_shifted_ellipse():
    table = shell_table(a=30, b=20, angle=np.pi / 6, x=8, y=-5)
    field = project_scene(table, NO_BALLS, np.array([0.5]), 256, 3.8)[0]
    inside = ndimage.binary_fill_holes(field > 4)
    rows, columns = np.nonzero(inside)
    assert (columns.mean() - 127.5) * 0.5 == pytest.approx(8, abs=0.3)
    assert (rows.mean() - 127.5) * 0.5 == pytest.approx(-5, abs=0.3)
    values, vectors = np.linalg.eigh(np.cov(columns, rows))
    angle = np.arctan2(vectors[1, 1], vectors[0, 1]) % np.pi
    assert angle == pytest.approx(np.pi / 6, abs=0.03)
    assert values[1] > values[0]


def test_chord_through_a_ball():
    q2 = np.array([0.0, 0.36, 1.0, 2.0])
    np.testing.assert_allclose(projected_ball(q2, 5.0), [10, 8, 0, 0])
