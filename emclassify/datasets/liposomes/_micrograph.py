"""Micrographs: what the images of one group share, and how an image is recorded."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from emclassify.datasets.liposomes._ctf import (
    electron_wavelength,
    interaction_constant,
    transfer_function,
)
from emclassify.datasets.liposomes._project import DETECTOR_BLUR

_MEAN_FREE_PATH = 300.0
_HALF_MICROGRAPH = 600.0
_THICKEST = np.float32(0.2)


def draw_micrographs(
    rng: np.random.Generator,
    n_groups: int,
    *,
    defocus: tuple[float, float],
    dose: tuple[float, float],
    ice_gradient: float,
) -> dict[str, NDArray[np.float64]]:
    """Draw what each micrograph has of its own; returns a dict of columns."""
    slope = rng.normal(0.0, 0.15 * ice_gradient, (2, n_groups))
    return {
        "defocus": rng.uniform(*defocus, n_groups),
        "dose": np.full(n_groups, np.inf)
        if np.isinf(dose[0])
        else rng.uniform(*dose, n_groups),
        "ice_thickness": np.exp(rng.normal(np.log(120.0), 0.25, n_groups)),
        "ice_slope_x": slope[0],
        "ice_slope_y": slope[1],
        "ice_curvature": np.abs(rng.normal(0.0, 0.2 * ice_gradient, n_groups)),
        "grey_mean": rng.uniform(120.0, 165.0, n_groups),
        "grey_gain": rng.uniform(320.0, 480.0, n_groups),
    }


def field_size(
    image_size: int,
    pixel_size: NDArray[np.float64],
    defocus: NDArray[np.float64],
    voltage: float,
) -> int:
    """Return the side in px of the square that is computed, of which a part is kept.

    Defocus spreads the finest detail of an image by defocus × wavelength × highest
    frequency. That much is added on each side, so that nothing comes round the edge.
    """
    wavelength = electron_wavelength(voltage)
    spread = defocus * 1e3 * wavelength / (2 * pixel_size**2)
    pad = int(np.clip(np.ceil(spread.max(initial=0.0)), 8, image_size))
    return fft.next_fast_len(image_size + 2 * pad, real=True)


def image_contrast(
    rng: np.random.Generator,
    potential: NDArray[np.float32],
    pixel_size: NDArray[np.float64],
    defocus: NDArray[np.float64],
    ice_sd: NDArray[np.float64],
    optics: dict[str, float],
) -> NDArray[np.float32]:
    """Return relative intensity minus 1 that a projected potential gives.

    `ice_sd` is the standard deviation in rad of the phase that amorphous ice adds in
    each pixel. The noise passes through the lens as the particles do.
    """
    size = potential.shape[-1]
    phase = potential
    phase *= np.float32(interaction_constant(optics["voltage"]))
    noise = rng.standard_normal(phase.shape, dtype=np.float32)
    noise *= ice_sd.astype(np.float32)[:, np.newaxis, np.newaxis]
    k2 = fft.fftfreq(size)[:, np.newaxis] ** 2 + fft.rfftfreq(size) ** 2
    k2 = k2.astype(np.float32)
    # The shells are drawn blurred already; the rest has yet to meet the detector.
    blur = np.exp(-2 * np.pi**2 * DETECTOR_BLUR**2 * k2)
    wave = fft.rfft2(noise)
    wave *= blur
    wave += fft.rfft2(phase)
    scale = pixel_size.astype(np.float32)[:, np.newaxis, np.newaxis] ** -2
    wave *= transfer_function(
        k2 * scale, defocus.astype(np.float32)[:, np.newaxis, np.newaxis], **optics
    )
    contrast = fft.irfft2(wave, s=(size, size))
    contrast *= 2
    return contrast


def background(
    columns: Mapping[str, NDArray[Any]], axes: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the intensity behind the particles, relative to the micrograph's centre.

    The ice of a micrograph has a slope and a curvature; `columns` has the place of
    each image in it ("micrograph_x", "micrograph_y": -1 to 1).
    """

    def column(name):
        return columns[name].astype(np.float32)[:, np.newaxis, np.newaxis]

    x = column("micrograph_x") + axes[:, np.newaxis, :] / _HALF_MICROGRAPH
    y = column("micrograph_y") + axes[:, :, np.newaxis] / _HALF_MICROGRAPH
    thicker = column("ice_slope_x") * x + column("ice_slope_y") * y
    thicker = thicker + column("ice_curvature") * (x**2 + y**2)
    thicker *= column("ice_thickness") / np.float32(_MEAN_FREE_PATH)
    # Nobody picks particles where the ice is so thick that it lets nothing through.
    return np.exp(-_THICKEST * np.tanh(thicker / _THICKEST))


def record(
    rng: np.random.Generator,
    intensity: NDArray[np.float32],
    dose: NDArray[np.float64],
    pixel_size: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return the relative intensity that electrons drawn by Poisson's law show.

    Above 1,000 electrons a pixel the law is the normal one but for a skewness of 0.032
    or less, and is drawn from it: that is five times as fast.
    """
    np.maximum(intensity, 0.02, out=intensity)
    if np.isinf(dose).all():
        return intensity
    # dose is per Å², pixel sizes are in nm.
    electrons = (dose * 100.0 * pixel_size**2)[:, np.newaxis, np.newaxis]
    electrons = electrons.astype(np.float32)
    expected = intensity * electrons
    if expected.min() < 1000:
        counts = rng.poisson(expected).astype(np.float32)
    else:
        counts = rng.standard_normal(expected.shape, dtype=np.float32)
        counts *= np.sqrt(expected)
        counts += expected
        np.rint(counts, out=counts)
    counts /= electrons
    return counts
