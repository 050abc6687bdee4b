"""Tests of the electron optics behind make_liposomes."""

import numpy as np
import pytest

from emclassify.datasets.liposomes._ctf import (
    electron_wavelength,
    interaction_constant,
    transfer_function,
)

NO_ENVELOPE = {"focal_spread": 0.0, "convergence": 0.0}


@pytest.mark.parametrize(
    ("voltage", "picometres"), [(100, 3.701), (200, 2.508), (300, 1.969)]
)
def test_electron_wavelength(voltage, picometres):
    assert electron_wavelength(voltage) * 1e3 == pytest.approx(picometres, abs=5e-4)


@pytest.mark.parametrize(
    ("voltage", "rad_per_volt_nm"), [(100, 0.00924), (200, 0.00729), (300, 0.00653)]
)
def test_interaction_constant(voltage, rad_per_volt_nm):
    assert interaction_constant(voltage) == pytest.approx(rad_per_volt_nm, abs=1e-5)


@pytest.mark.parametrize("defocus", [0.7, 1.5, 4.0])
def test_ctf_zeros_without_aberration(defocus):
    order = np.arange(1, 8)
    k2 = order / (electron_wavelength(200) * defocus * 1e3)
    options = {"spherical_aberration": 0, "amplitude_contrast": 0, **NO_ENVELOPE}
    np.testing.assert_allclose(transfer_function(k2, defocus, **options), 0, atol=1e-9)
    halfway = (order - 0.5) / (electron_wavelength(200) * defocus * 1e3)
    np.testing.assert_allclose(
        transfer_function(halfway, defocus, **options), -((-1.0) ** (order - 1))
    )


def test_ctf_at_scherzer_focus_and_with_amplitude_contrast():
    wavelength, cs = electron_wavelength(300), 2.7
    # At sqrt(1.5 Cs wavelength) of underfocus the phase peaks at 3/4 π, and at
    # k = (6 / (Cs wavelength^3))^(1/4) it is back at 0.
    defocus = np.sqrt(1.5 * cs * 1e6 * wavelength) * 1e-3
    k2 = np.array([np.sqrt(6 / (cs * 1e6 * wavelength**3))])
    options = {"voltage": 300, "spherical_aberration": cs, **NO_ENVELOPE}
    for q in (0.0, 0.1, 0.3):
        ctf = transfer_function(k2, defocus, amplitude_contrast=q, **options)
        assert ctf[0] == pytest.approx(-q, abs=1e-9)
    zero = transfer_function(np.zeros(1), defocus, amplitude_contrast=0.07, **options)
    assert zero[0] == pytest.approx(-0.07)


def test_envelope_damps_fine_detail_only():
    k2 = np.linspace(0, 4, 400)
    bare = transfer_function(k2, 2.0, **NO_ENVELOPE)
    real = transfer_function(k2, 2.0)
    ratio = real[np.abs(bare) > 0.1] / bare[np.abs(bare) > 0.1]
    assert (np.diff(ratio) < 1e-12).all()
    assert ratio[0] > 0.99
    assert 0 < ratio[-1] < 0.9
