"""Far-field amplitudes of projected densities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Classical electron radius in nm, and electrons in a nm³ of protein.
ELECTRON_RADIUS = 2.8179403e-6
ELECTRON_DENSITY = 430.0
# Points of the grid across a particle.
GRID = 96


def grid_axis() -> NDArray[np.float32]:
    """Return the coordinates (GRID,) of a grid that holds a body of radius 1."""
    step = 2.0 / (GRID - 4)
    return ((np.arange(GRID) - (GRID - 1) / 2) * step).astype(np.float32)


def amplitude(
    thickness: NDArray[Any],
    radius: float,
    qx: NDArray[np.float64],
    qy: NDArray[np.float64],
    shift: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.complex64]:
    """Return the scattering amplitude (len(qy), len(qx)) of one body, in electrons.

    The discrete Fourier transform of the thickness, at any spatial frequencies: two
    products of matrices.

    Parameters
    ----------
    thickness : ndarray of shape (GRID, GRID)
        Of the body at radius 1, on `grid_axis`.
    radius : float
        nm.
    qx, qy : ndarray
        Spatial frequencies in 1/nm.
    shift : (float, float)
        Where the body lies (x, y), in nm.
    """
    axis = grid_axis() * np.float32(radius)
    along_x = _waves(qx, axis + np.float32(shift[0]))
    along_y = _waves(qy, axis + np.float32(shift[1]))
    pixel = axis[1] - axis[0]
    field = (along_y @ thickness.astype(np.complex64)) @ along_x.T
    return field * np.float32(ELECTRON_DENSITY * radius * pixel**2)


def _waves(q, r):
    """Return exp(-2πi q r) for all pairs, (len(q), len(r))."""
    phase = np.outer(q, r).astype(np.float32)
    phase *= np.float32(-2 * np.pi)
    waves = np.empty(phase.shape, np.complex64)
    np.cos(phase, out=waves.real)
    np.sin(phase, out=waves.imag)
    return waves
