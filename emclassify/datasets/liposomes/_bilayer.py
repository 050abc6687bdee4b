"""Projections along the beam of lipid bilayers and of solid balls.

The scattering potential across a bilayer is a sum of three Gaussians: two head-group
leaflets and the hydrophobic core between. The projection (Abel transform) of a thin
Gaussian shell of radius R and width s, at a distance d from its rim, is

    P(d) = 2 R / sqrt(2 R + d) * sqrt(s) * h(d / s),
    h(u) = integral from 0 to infinity of exp(-(u + t)^2 / 2) / sqrt(t) dt,

to first order in s / R.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import pbdv

# Potential in V above vitreous ice, and width in nm (standard deviation), of a
# head-group leaflet and of the core.
HEAD_POTENTIAL = 1.6
HEAD_WIDTH = 0.45
CORE_POTENTIAL = -0.6
CORE_WIDTH = 0.8

# The core's Gaussian reaches under the leaflets; this is where the total ends.
_EDGE = 2.0 * HEAD_WIDTH

_GRID = np.linspace(-12.0, 8.0, 4001)
_RIM = np.sqrt(np.pi) * np.exp(-(_GRID**2) / 4) * pbdv(-0.5, _GRID)[0]


def rim_profile(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return h(u) of the module's docstring."""
    far = np.minimum(u, _GRID[0])
    inside = np.sqrt(2 * np.pi / -far) * (1 + 0.375 / far**2)
    return np.where(u < _GRID[0], inside, np.interp(u, _GRID, _RIM, right=0.0))


def bilayer_half_width(thickness: float) -> float:
    """Return the distance in nm from a bilayer's middle to its outer face."""
    return thickness / 2 + _EDGE


def bilayer_potential(
    depth: NDArray[np.float64], thickness: float
) -> NDArray[np.float64]:
    """Return the potential in V at `depth` nm from the middle of a bilayer."""
    half = thickness / 2
    heads = np.exp(-0.5 * ((depth - half) / HEAD_WIDTH) ** 2)
    heads += np.exp(-0.5 * ((depth + half) / HEAD_WIDTH) ** 2)
    core = np.exp(-0.5 * (depth / CORE_WIDTH) ** 2)
    return HEAD_POTENTIAL * heads + CORE_POTENTIAL * core


def projected_bilayer(
    distance: NDArray[np.float64],
    radius: NDArray[np.float64],
    thickness: float,
    blur: float = 0.0,
) -> NDArray[np.float64]:
    """Return the projection in V nm of spherical bilayers, `distance` nm off the rim.

    `radius` (of the bilayer's middle) and `blur` (standard deviation in nm of a
    Gaussian point spread) broadcast against `distance`, which is at least -radius.
    """
    radius = np.asarray(radius, dtype=np.float64)
    total = 0.0
    for potential, width, shift in (
        (HEAD_POTENTIAL, HEAD_WIDTH, thickness / 2),
        (HEAD_POTENTIAL, HEAD_WIDTH, -thickness / 2),
        (CORE_POTENTIAL, CORE_WIDTH, 0.0),
    ):
        # A leaflet of a very small vesicle would have no radius left.
        shell = np.maximum(radius + shift, 0.25 * radius)
        wide = np.hypot(width, blur)
        off = distance - (shell - radius)
        sqrt_sum = np.sqrt(np.maximum(2 * shell + off, 0.25 * shell))
        # Blurring keeps the integral: the amplitude falls as the width grows.
        rim = potential * (width / wide) * np.sqrt(wide) * rim_profile(off / wide)
        total = total + 2 * shell / sqrt_sum * rim
    return total


def projected_ball(
    squared_radius: NDArray[np.float32], radius: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the chord length in nm through balls, at elliptical radius² (ball = 1)."""
    chord = 1 - squared_radius
    np.maximum(chord, 0, out=chord)
    np.sqrt(chord, out=chord)
    chord *= 2 * radius
    return chord
