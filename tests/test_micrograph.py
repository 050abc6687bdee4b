"""Tests of how make_liposomes forms and records images, against known physics."""

import numpy as np
import pytest
from scipy import integrate, ndimage

from emclassify.datasets import make_liposomes
from emclassify.datasets.liposomes._bilayer import bilayer_half_width, bilayer_potential
from emclassify.datasets.liposomes._ctf import electron_wavelength

# One liposome, seen without noise, neighbours or ice.
ALONE = {
    "neighbours": 0,
    "contamination": 0,
    "ice_noise": 0,
    "ice_gradient": 0,
    "dose": np.inf,
    "dtype": "float32",
}


def test_image_against_a_plain_calculation():
    """One spherical liposome by quadrature: a wider field, eight times as fine."""
    liposome = make_liposomes(
        1,
        weights={"unilamellar": 1},
        max_ellipticity=0,
        defocus=2.0,
        random_state=4,
        **ALONE,
    )
    frame = liposome.frame.iloc[0]
    size, pixel, radius = 1024, frame.pixel_size / 8, frame.radius
    axis = (np.arange(size) - size // 2) * pixel
    rho = np.hypot(*np.meshgrid(axis, axis))
    nodes = np.linspace(0, rho.max(), 3000)
    depth = np.linspace(0, radius + 8, 4000)
    potential = bilayer_potential(np.hypot(nodes[:, None], depth) - radius, 3.8)
    shell = np.interp(rho, nodes, 2 * integrate.trapezoid(potential, depth, axis=1))
    edge = radius - bilayer_half_width(3.8)
    ball = 2 * np.sqrt(np.maximum(edge**2 - rho**2, 0)) * frame.filling

    k = np.fft.fftfreq(size, pixel)
    k2 = k[:, None] ** 2 + k**2
    wavelength = 2.50793e-3
    gamma = np.pi * wavelength * k2 * (2000 - 0.5 * 2e6 * wavelength**2 * k2)
    ctf = -(np.sqrt(1 - 0.1**2) * np.sin(gamma) + 0.1 * np.cos(gamma))
    blur = np.exp(-2 * np.pi**2 * (0.5 * frame.pixel_size) ** 2 * k2)
    centres = size // 2 + 8 * np.arange(64) - 252

    def image_of(projection, transfer):
        wave = np.fft.fft2(0.0072884 * projection)
        image = 2 * np.fft.ifft2(wave * transfer).real
        return image[np.ix_(centres, centres)]

    simulated = liposome.images[0] - 1
    shell, ball = image_of(shell, ctf * blur), image_of(ball, ctf)
    strength = np.sum((simulated - ball) * shell) / np.sum(shell**2)
    assert 0.6 < strength < 1.6
    residual = simulated - ball - strength * shell
    assert residual.std() < 0.05 * simulated.std()


def test_particles_are_dark_under_focus():
    liposomes = make_liposomes(40, random_state=0, **ALONE)
    edges = liposomes.masks - np.array(
        [ndimage.binary_erosion(mask, iterations=4) for mask in liposomes.masks]
    )
    inside = np.mean(liposomes.images, where=edges == 1)
    outside = np.mean(liposomes.images, where=liposomes.masks == 0)
    assert inside < outside - 0.02


def test_thon_rings_follow_defocus():
    """The power of the ice is low where the CTF is zero, and there only."""
    for defocus in (1.0, 1.6):
        liposomes = make_liposomes(
            40,
            image_size=128,
            pixel_size=0.4,
            radius=12,
            radius_spread=0,
            ice_noise=0.3,
            defocus=defocus,
            neighbours=0,
            contamination=0,
            ice_gradient=0,
            spherical_aberration=0,
            amplitude_contrast=0,
            dose=np.inf,
            dtype="float32",
            random_state=0,
        )
        window = np.hanning(128)[:, None] * np.hanning(128)
        images = liposomes.images - liposomes.images.mean((1, 2), keepdims=True)
        power = np.abs(np.fft.fft2(images * window)) ** 2
        k = np.fft.fftfreq(128, 0.4)
        radial = np.hypot(k[:, None], k)
        bins = np.arange(0.25, 1.2, 0.01)
        which = np.digitize(radial.ravel(), bins)
        curve = np.bincount(which, power.mean(0).ravel(), len(bins) + 1)
        curve = (curve / np.maximum(np.bincount(which, minlength=len(bins) + 1), 1))[1:]
        for order in (1, 2):
            zero = np.sqrt(order / (electron_wavelength(200) * defocus * 1e3))
            near = np.flatnonzero(np.abs(bins - zero) < 0.1)
            lowest = bins[near[curve[near].argmin()]] + 0.005
            assert lowest == pytest.approx(zero, abs=0.03)


@pytest.mark.parametrize("dose", [2.0, 20.0])
def test_counts_follow_dose(dose):
    options = dict(ALONE, dose=dose, radius_spread=0, max_ellipticity=0)
    liposomes = make_liposomes(60, pixel_size=2.5, radius=20, random_state=0, **options)
    far = liposomes.images[
        ndimage.distance_transform_edt(
            np.pad(liposomes.masks, ((1, 1), (0, 0), (0, 0))) == 0,
            sampling=(1e3, 1, 1),
        )[1:-1]
        > 14
    ]
    electrons = dose * 25.0**2
    counts = far * electrons
    np.testing.assert_allclose(counts, np.rint(counts), atol=0.02 * electrons**0.5)
    assert counts.mean() == pytest.approx(electrons, rel=0.01)
    assert counts.var() == pytest.approx(electrons, rel=0.05)


def test_grey_scale_is_shared_by_a_micrograph():
    options = {"n_groups": 3, "random_state": 7}
    grey = make_liposomes(30, **options)
    wide = make_liposomes(30, dtype="uint16", **options)
    bare = make_liposomes(30, dtype="float32", **options)
    assert (grey.images.dtype, wide.images.dtype) == (np.uint8, np.uint16)
    np.testing.assert_allclose(wide.images / 257, grey.images, atol=0.51)
    for group in range(3):
        own = grey.groups == group
        inner = own[:, None, None] & (grey.images > 0) & (grey.images < 255)
        fit = np.polyfit(bare.images[inner], grey.images[inner].astype(float), 1)
        gain, mean = grey.frame.loc[own, ["grey_gain", "grey_mean"]].iloc[0]
        np.testing.assert_allclose(fit, [gain, mean - gain], rtol=0.01)
