"""Electron optics: wavelength, interaction constant, contrast transfer function."""

import numpy as np
from numpy.typing import NDArray
from scipy import constants

_REST_ENERGY = constants.m_e * constants.c**2


def electron_wavelength(voltage: float) -> float:
    """Return the relativistic wavelength in nm of electrons of `voltage` kV."""
    energy = constants.e * voltage * 1e3
    momentum = np.sqrt(2 * constants.m_e * energy * (1 + energy / (2 * _REST_ENERGY)))
    return constants.h / momentum * 1e9


def interaction_constant(voltage: float) -> float:
    """Return the phase in rad that 1 V nm of potential adds, at `voltage` kV."""
    energy = constants.e * voltage * 1e3
    wavelength = electron_wavelength(voltage) * 1e-9
    mass = constants.m_e * (1 + energy / _REST_ENERGY)
    sigma = 2 * np.pi * mass * constants.e * wavelength / constants.h**2
    return sigma * 1e-9


def transfer_function(
    k2: NDArray[np.float32],
    defocus: NDArray[np.float32],
    *,
    voltage: float = 200.0,
    spherical_aberration: float = 2.0,
    amplitude_contrast: float = 0.1,
    focal_spread: float = 8.0,
    convergence: float = 0.1,
) -> NDArray[np.float32]:
    """Return the CTF with its envelopes at squared frequencies `k2`, in nm^-2.

    `defocus` is in µm, positive for underfocus; it broadcasts against `k2`.
    `spherical_aberration` is in mm, `focal_spread` in nm, `convergence` (the
    half-angle at which the source has fallen to 1/e) in mrad. Negative values
    mean that dense matter is dark.
    """
    # Python floats and float32 arrays: the result stays float32 with `k2`.
    wavelength = float(electron_wavelength(voltage))
    cs = float(spherical_aberration) * 1e6
    defocus_nm = defocus * k2.dtype.type(1e3)
    gamma = np.pi * wavelength * k2 * (defocus_nm - 0.5 * cs * wavelength**2 * k2)
    ctf = -np.sin(gamma + float(np.arcsin(amplitude_contrast)))
    envelope = -0.5 * (np.pi * wavelength * focal_spread * k2) ** 2
    slope = defocus_nm - cs * wavelength**2 * k2
    envelope -= (np.pi * convergence * 1e-3 * slope) ** 2 * k2
    ctf *= np.exp(envelope)
    return ctf
