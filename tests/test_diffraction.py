"""Diffraction patterns against what is known of them."""

import joblib
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from emclassify import make_diffraction_patterns
from emclassify.datasets.diffraction._detector import live_pixels, smooth_field
from emclassify.datasets.diffraction._diffraction import KINDS
from emclassify.datasets.diffraction._far_field import ELECTRON_DENSITY
from emclassify.datasets.diffraction._particle_shapes import SHAPES

CLEAN = {"noise": False, "dtype": "float32", "background": 0.0}
SINGLE = {"weights": {"single": 1.0}, **CLEAN}
ELECTRON_RADIUS = 2.8179403262e-15  # m, CODATA 2018


def radii(image_size):
    """Distance of each pixel from the pattern's centre, in pixels."""
    offset = np.arange(image_size) - (image_size - 1) / 2
    return np.hypot(offset, offset[:, np.newaxis])


def test_sphere_against_its_form_factor():
    size, fluence, wavelength, q_max = 70.0, 1e12, 0.7, 0.125
    pattern = make_diffraction_patterns(
        1,
        shape="sphere",
        size=size,
        fluence=fluence,
        wavelength=wavelength,
        q_max=q_max,
        random_state=0,
        **SINGLE,
    ).images[0]
    # Lord Rayleigh's sphere, in SI units.
    q = radii(256) * (2 * q_max / 256)
    x = np.pi * q * size
    electrons = ELECTRON_DENSITY * np.pi / 6 * size**3
    form = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    solid_angle = (wavelength * 2 * q_max / 256) ** 2
    expected = (
        fluence * 1e12 * ELECTRON_RADIUS**2 * solid_angle * (electrons * form) ** 2
    )
    inner = q < q_max
    assert pattern[inner].sum() == pytest.approx(expected[inner].sum(), rel=0.001)
    for low, high in ((0, 0.03), (0.03, 0.06), (0.06, 0.09), (0.09, 0.125)):
        ring = (q >= low) & (q < high)
        assert pattern[ring].sum() == pytest.approx(expected[ring].sum(), rel=0.02)
    np.testing.assert_allclose(pattern, expected, atol=1e-3 * expected.max())


@pytest.mark.parametrize("size", [40.0, 60.0, 90.0])
def test_dark_rings_of_a_sphere_follow_its_size(size):
    pattern = make_diffraction_patterns(
        1, shape="sphere", size=size, random_state=0, **SINGLE
    ).images[0]
    profile = pattern[128, 128:]
    dark = np.flatnonzero(
        (profile[1:-1] < profile[:-2]) & (profile[1:-1] < profile[2:])
    )
    # Zeros of tan x = x, x = π q D.
    q = (dark[:3] + 1.5) * 2 * 0.125 / 256
    np.testing.assert_allclose(np.pi * q * size, [4.4934, 7.7253, 10.9041], rtol=0.05)


@pytest.mark.parametrize("shape", ["icosahedron", "soccer_ball", "torus", "cube"])
@pytest.mark.parametrize("kind", ["single", "multiple", "debris"])
def test_patterns_are_symmetric_about_their_centre(shape, kind):
    # The density is real, and the Ewald sphere flat.
    images = make_diffraction_patterns(
        3, shape=shape, weights={kind: 1}, random_state=3, **CLEAN
    ).images
    limit = 1e-3 * images.max(axis=(1, 2))[:, np.newaxis, np.newaxis]
    assert (np.abs(images - images[:, ::-1, ::-1]) < limit).all()


def test_two_particles_interfere():
    # The autocorrelation, which is the pattern's Fourier transform, has a peak where
    # the second particle lies from the first; one particle's has none so far out.
    params = {"size": 60.0, "shape": "sphere", "random_state": 0, **CLEAN}
    diameter = 60.0 * 0.25  # in the transform's pixels of 1 / (2 q_max) = 4 nm
    far = radii(256) > 1.4 * diameter

    def outside(weights):
        images = make_diffraction_patterns(6, weights=weights, **params).images
        auto = np.abs(np.fft.fftshift(np.fft.fft2(images), axes=(1, 2)))
        return (auto * far).max(axis=(1, 2)) / auto.max(axis=(1, 2))

    assert outside([1, 0, 0, 0]).max() < 0.01
    assert outside([0, 1, 0, 0]).min() > 0.1


def test_photons_are_counted_by_poissons_law():
    patterns = make_diffraction_patterns(
        400,
        image_size=16,
        q_max=0.02,
        weights=[0, 0, 0, 1],
        background=5.0,
        random_state=0,
    )
    scaled = patterns.images / patterns.frame["background"].to_numpy()[:, None, None]
    level = patterns.frame["background"].to_numpy()[:, None, None]
    edge = scaled[:, 0, 0], level[:, 0, 0]
    # Half of the level, and next to nothing of the half that falls off.
    expected = 0.5 * (1 + np.exp(-4 * np.hypot(15 / 16, 15 / 16)))
    assert edge[0].mean() == pytest.approx(expected, rel=0.1)
    deviation = (edge[0] - expected) * np.sqrt(edge[1] / expected)
    assert deviation.var() == pytest.approx(1, rel=0.2)


def test_intensity_grows_with_the_fluence():
    dim, bright = (
        make_diffraction_patterns(3, fluence=f, random_state=0, **SINGLE).images
        for f in (1e11, 5e11)
    )
    np.testing.assert_allclose(bright, 5 * dim, rtol=1e-4)


def test_blind_pixels():
    patterns = make_diffraction_patterns(
        5, image_size=64, beam_stop=5, gap=4, background=50.0, random_state=0
    )
    assert (patterns.images[:, ~patterns.mask] == 0).all()
    assert (patterns.images[:, patterns.mask] > 0).mean() > 0.99
    live = live_pixels(64, beam_stop=5, gap=4)
    assert not live[30:34].any()
    assert live[29, 0]
    assert live[34, 0]
    assert not live[29, 31]
    # A strip of one row can't lie in the middle of an even number of them.
    for size in (8, 9):
        blind = [
            (~live_pixels(size, beam_stop=0, gap=gap)).all(axis=1).sum()
            for gap in (0, 1, 2, 3, 4, 20)
        ]
        assert blind == [0, 1, 2, 3, 4, size]
    # Without a beam stop the middle of an odd number of pixels counts too.
    assert live_pixels(9, beam_stop=0, gap=0).all()
    assert live_pixels(9, beam_stop=0.5, gap=0).sum() == 80
    odd = make_diffraction_patterns(
        12, image_size=33, q_max=0.02, beam_stop=0, background=50.0, random_state=0
    )
    assert odd.mask.all()
    assert (odd.images[:, 16, 16] > 0).all()


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
def test_expected_photons_are_rounded_and_saturate(dtype):
    params = {"image_size": 32, "q_max": 0.02, "noise": False, "random_state": 0}
    params["fluence"] = 1e13 if dtype == "uint16" else 1e18
    expected = make_diffraction_patterns(20, dtype="float32", **params).images
    images = make_diffraction_patterns(20, dtype=dtype, **params).images
    most = np.iinfo(dtype).max
    assert images.dtype == dtype
    assert (expected > most).sum() > 10
    assert (images[expected > most] == most).all()
    rest = expected < most - 1
    np.testing.assert_array_equal(images[rest], np.rint(expected[rest]))
    assert (expected[rest] % 1 > 0.5).any() or dtype == "uint32"


def test_centres():
    still = make_diffraction_patterns(30, image_size=64, random_state=0, **SINGLE)
    assert (still.frame[["centre_x", "centre_y"]] == 0).all(axis=None)
    moved = make_diffraction_patterns(
        30, image_size=64, jitter=3.0, random_state=0, **SINGLE
    )
    offset = np.arange(64) - 31.5
    for image, row in zip(moved.images, moved.frame.itertuples(), strict=True):
        around = image * (image > 0.2 * image.max())
        assert (around.sum(0) @ offset) / around.sum() == pytest.approx(
            row.centre_x, abs=0.5
        )
        assert (around.sum(1) @ offset) / around.sum() == pytest.approx(
            row.centre_y, abs=0.5
        )


def test_smooth_field():
    rng = np.random.default_rng(0)
    fields = np.stack([smooth_field(rng, 64, 0.5) for _ in range(200)])
    assert (fields > 0).all()
    assert np.log(fields).mean() == pytest.approx(0, abs=0.05)
    # At the corners, which are knots.
    assert np.log(fields[:, 0, 0]).std() == pytest.approx(0.5, rel=0.2)
    # A mean of knots spreads less: 1 - 2/8 of the variance along each axis.
    assert np.log(fields).std() == pytest.approx(0.75 * 0.5, rel=0.05)
    assert np.abs(np.diff(np.log(fields), axis=2)).max() < 0.25


def test_bunch_and_counts():
    patterns = make_diffraction_patterns(
        60, image_size=16, q_max=0.02, shape=["cube", "torus"], random_state=0
    )
    assert patterns.frame["kind"].value_counts()[list(KINDS)].to_list() == [
        30,
        18,
        6,
        6,
    ]
    assert set(patterns.frame["shape"]) == {"cube", "torus"}
    np.testing.assert_array_equal(
        patterns.target == "good", patterns.frame["kind"] == "single"
    )
    assert patterns.target_names == ["bad", "good"]
    assert len(set(patterns.groups)) == 10
    assert "SIMULATED" in patterns.DESCR
    assert patterns.frame["size"].between(60, 80).all()
    assert patterns.frame["fluence"].between(1e11, 1e12).all()


def test_same_seed_same_patterns_whatever_the_threads():
    params = {"image_size": 24, "q_max": 0.02, "random_state": 5}
    params |= {"fluctuation": 0.3, "jitter": 1.0}
    one = make_diffraction_patterns(40, **params)
    two = make_diffraction_patterns(40, n_jobs=2, **params)
    np.testing.assert_array_equal(one.images, two.images)
    # A backend of processes would fill copies.
    with joblib.parallel_config(backend="loky", n_jobs=2):
        three = make_diffraction_patterns(40, **params)
    np.testing.assert_array_equal(one.images, three.images)
    other = make_diffraction_patterns(40, **{**params, "random_state": 6})
    assert not np.array_equal(one.images, other.images)


def test_saturation_cuts_off():
    images = make_diffraction_patterns(
        2, image_size=64, weights=[1, 0, 0, 0], fluence=1e15, random_state=0
    ).images
    assert images.max() == 65535


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"shape": "pyramid"}, "shape must be one or more of cube"),
        ({"shape": ["cube", "pyramid"]}, "shape must be one or more of cube"),
        ({"shape": []}, "shape must be one or more"),
        ({"weights": {"double": 1}}, "'double', which a pattern does not have"),
        ({"weights": [1, 1]}, "4 numbers"),
        ({"size": 0}, "size must be .* more than 0"),
        ({"fluence": (1e12, 1e11)}, "fluence must be"),
        ({"q_max": 0}, "q_max"),
        ({"wavelength": -1}, "wavelength"),
        ({"background": -1}, "background"),
        ({"jitter": -1}, "jitter"),
        ({"n_groups": 11}, "n_groups=11 runs cannot share n_samples=10"),
        ({"dtype": "uint8"}, "dtype"),
    ],
)
def test_refused_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_diffraction_patterns(**{"n_samples": 10, "image_size": 64, **parameters})


def test_too_coarse_a_detector_is_warned_about():
    with pytest.warns(UserWarning, match="less than two pixels wide on 8 px"):
        make_diffraction_patterns(2, image_size=8)


@pytest.mark.filterwarnings("ignore:Fringes of a particle")
@settings(max_examples=20, deadline=None)
@given(
    n_samples=st.integers(1, 5),
    shape=st.sampled_from(sorted(SHAPES)),
    image_size=st.integers(8, 40),
    size=st.floats(1, 500),
    q_max=st.floats(1e-3, 1),
    fluence=st.floats(1e6, 1e14),
    fluctuation=st.floats(0, 3),
    jitter=st.floats(0, 20),
    beam_stop=st.floats(0, 30),
    gap=st.floats(0, 30),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_allowed_parameters_give_finite_patterns(seed, **parameters):
    patterns = make_diffraction_patterns(random_state=seed, **CLEAN, **parameters)
    assert np.isfinite(patterns.images).all()
    assert (patterns.images >= 0).all()
