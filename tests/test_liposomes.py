"""Tests of the classes, masks, groups and parameters of make_liposomes."""

import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage

from emclassify.datasets import make_liposomes
from emclassify.datasets._class_balance import share_out
from emclassify.datasets.liposomes import _liposomes
from emclassify.datasets.liposomes._bilayer import bilayer_half_width

# One liposome, seen without noise, neighbours or ice.
ALONE = {
    "neighbours": 0,
    "contamination": 0,
    "ice_noise": 0,
    "ice_gradient": 0,
    "dose": np.inf,
    "dtype": "float32",
}


@pytest.mark.parametrize("task", ["lamellarity", "encapsulation"])
def test_masks_have_the_particles_area(task):
    liposomes = make_liposomes(100, task=task, random_state=0)
    frame = liposomes.frame
    face = bilayer_half_width(3.8)
    true = np.pi * (frame.semi_axis_a + face) * (frame.semi_axis_b + face)
    area = liposomes.masks.sum((1, 2)) * liposomes.pixel_size**2
    np.testing.assert_allclose(area, true, rtol=0.02)
    assert set(np.unique(liposomes.masks)) == {0, 1}
    centres = [ndimage.center_of_mass(mask) for mask in liposomes.masks]
    np.testing.assert_allclose(centres, 31.5, atol=0.1)
    # Each particle fills its image but for the margin: 15 to 40 % of its half-width.
    widths = np.maximum(liposomes.masks.any(1).sum(1), liposomes.masks.any(2).sum(1))
    assert widths.min() >= 64 / 1.4 - 2
    assert widths.max() <= 64 / 1.15 + 2


def test_fixed_pixel_size():
    liposomes = make_liposomes(20, pixel_size=4.0, random_state=0)
    assert (liposomes.pixel_size == 4.0).all()
    with pytest.warns(UserWarning, match=r"of 20 liposomes are larger than"):
        make_liposomes(20, pixel_size=1.0, random_state=0)


@pytest.mark.parametrize("structure", ["concentric", "inner_vesicle"])
def test_multilamellar_has_more_than_one_bilayer(structure):
    liposomes = make_liposomes(
        120, weights={"multilamellar": 1}, image_size=96, random_state=0, **ALONE
    )
    frame = liposomes.frame
    assert frame.n_bilayers.between(2, 5).all()
    # A unilamellar liposome of the same seed has nothing dark in its middle part.
    single = make_liposomes(
        120, weights={"unilamellar": 1}, image_size=96, random_state=0, **ALONE
    )
    assert (single.frame.n_bilayers == 1).all()

    def deepest(bunch, rows):
        images = ndimage.gaussian_filter(bunch.images[rows], (0, 0.7, 0.7))
        masks = bunch.masks[rows].astype(bool)
        inner = np.array([ndimage.binary_erosion(m, iterations=12) for m in masks])
        detail = images - np.median(images, axis=(1, 2), keepdims=True)
        spread = [d[i].std() for d, i in zip(detail, inner, strict=True)]
        return np.median(spread)

    rows = np.flatnonzero(frame.structure == structure)
    assert len(rows) > 20
    assert deepest(liposomes, rows) > 1.5 * deepest(single, np.arange(120))


def test_full_is_darker_than_empty_on_average_but_they_overlap():
    liposomes = make_liposomes(
        300, task="encapsulation", weights=[1, 1, 0], random_state=0, dtype="float32"
    )
    inner = np.array(
        [ndimage.binary_erosion(mask, iterations=8) for mask in liposomes.masks]
    )
    outer = liposomes.masks == 0
    contrast = np.array(
        [
            np.median(image[i]) - np.median(image[o])
            for image, i, o in zip(liposomes.images, inner, outer, strict=True)
        ]
    )
    full, empty = (contrast[liposomes.target == name] for name in ("full", "empty"))
    assert np.median(full) < np.median(empty) - 0.005
    assert full.max() > empty.min()
    assert liposomes.target_names == ["full", "empty"]


def test_default_counts_are_the_ratios_of_the_thesis():
    names, counts = np.unique(
        make_liposomes(1000, image_size=8, random_state=0).target, return_counts=True
    )
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "unilamellar": 873,
        "multilamellar": 121,
        "uncertain": 6,
    }
    shares = np.array([12368, 1717, 84]) / 14169
    assert share_out(14169, shares).tolist() == [12368, 1717, 84]
    shares = np.array([24255, 161, 502]) / 24918
    assert share_out(24918, shares).tolist() == [24255, 161, 502]


@given(
    st.integers(1, 500),
    st.lists(st.floats(0, 1e3), min_size=2, max_size=5).filter(lambda w: sum(w) > 1e-3),
)
def test_counts_by_largest_remainder(n_samples, weights):
    shares = np.array(weights) / np.sum(weights)
    counts = share_out(n_samples, shares)
    assert counts.sum() == n_samples
    assert (counts[shares == 0] == 0).all()
    wanted = (shares > 0).sum()
    assert (counts > 0).sum() >= min(n_samples, wanted)
    if (shares[shares > 0] * n_samples >= 1).all():
        assert (np.abs(counts - shares * n_samples) < 1).all()


def test_weights_by_name_and_in_order_agree():
    by_name = make_liposomes(
        20, weights={"uncertain": 3, "unilamellar": 1}, random_state=0
    )
    in_order = make_liposomes(20, weights=np.array([1, 0, 3]), random_state=0)
    np.testing.assert_array_equal(by_name.images, in_order.images)
    assert by_name.target_names == ["unilamellar", "uncertain"]
    assert (by_name.target == "uncertain").sum() == 15


def test_micrographs_share_what_they_must():
    liposomes = make_liposomes(200, n_groups=13, random_state=0)
    assert set(liposomes.groups) == set(range(13))
    shared = ["defocus", "dose", "ice_thickness", "ice_slope_x", "ice_slope_y"]
    shared += ["ice_curvature", "ice_noise", "grey_mean", "grey_gain"]
    by_group = liposomes.frame.groupby("group")
    assert (by_group[shared].nunique() == 1).all(axis=None)
    assert liposomes.frame.defocus.nunique() == 13
    assert liposomes.frame.defocus.between(1.5, 4.0).all()
    assert liposomes.frame.dose.between(10, 30).all()
    assert by_group["radius"].nunique().min() > 1


def test_default_number_of_groups():
    for n_samples, n_groups in ((3, 3), (50, 10), (400, 20)):
        liposomes = make_liposomes(n_samples, image_size=8, random_state=0)
        assert len(np.unique(liposomes.groups)) == n_groups


def test_bunch():
    liposomes = make_liposomes(12, random_state=0)
    assert liposomes.images.shape == liposomes.masks.shape == (12, 64, 64)
    assert (liposomes.images.dtype, liposomes.masks.dtype) == (np.uint8, np.uint8)
    assert "SIMULATED" in liposomes.DESCR
    assert len(liposomes.frame) == 12
    np.testing.assert_array_equal(liposomes.frame["target"], liposomes.target)
    assert not liposomes.frame.isna().any(axis=None)


# ---- reproducibility


def test_same_seed_same_images_whatever_the_threads():
    first = make_liposomes(70, random_state=3)
    for again in (
        make_liposomes(70, random_state=3),
        make_liposomes(70, random_state=3, n_jobs=2),
    ):
        np.testing.assert_array_equal(first.images, again.images)
        np.testing.assert_array_equal(first.masks, again.masks)
        np.testing.assert_array_equal(first.target, again.target)
        assert first.frame.equals(again.frame)
    other = make_liposomes(70, random_state=4)
    assert (first.images != other.images).mean() > 0.5


def test_block_size_does_not_change_what_is_drawn(monkeypatch):
    options = dict(ALONE, random_state=3, neighbours=1.0, pixel_size=3.0)
    whole = make_liposomes(40, **options)
    monkeypatch.setattr(_liposomes, "_BLOCK_PIXELS", 1)
    single = make_liposomes(40, **options)
    np.testing.assert_allclose(whole.images, single.images, atol=2e-3)


def test_random_state_kinds_and_the_global_state():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_liposomes(3, image_size=8, random_state=None)
    make_liposomes(3, image_size=8, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    one, two = (
        make_liposomes(3, image_size=8, random_state=np.random.RandomState(5))
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.images, two.images)


# ---- parameters


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("image_size", [8, 33, 100])
def test_sizes_and_types(image_size, dtype):
    images = make_liposomes(
        5, image_size=image_size, dtype=dtype, random_state=0
    ).images
    assert images.shape == (5, image_size, image_size)
    assert images.dtype == dtype
    assert np.isfinite(images).all()
    assert images.std() > 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"n_samples": -4}, "n_samples"),
        ({"n_samples": 2.5}, "n_samples"),
        ({"task": "colour"}, "task"),
        ({"image_size": 0}, "image_size"),
        ({"image_size": -64}, "image_size"),
        ({"n_groups": 0}, "n_groups"),
        ({"n_groups": 11}, "n_groups=11 micrographs cannot share n_samples=10"),
        ({"pixel_size": 0}, "pixel_size"),
        ({"pixel_size": -1.0}, "pixel_size"),
        ({"radius": 0}, "radius"),
        ({"radius": -45}, "radius"),
        ({"radius_spread": -1}, "radius_spread"),
        ({"bilayer_thickness": 0}, "bilayer_thickness"),
        ({"max_ellipticity": 1.0}, "max_ellipticity"),
        ({"filling": -0.1}, "filling"),
        ({"filling": np.inf}, "filling"),
        ({"neighbours": -1}, "neighbours"),
        ({"contamination": 1.5}, "contamination"),
        ({"voltage": 0}, "voltage"),
        ({"amplitude_contrast": 1}, "amplitude_contrast"),
        ({"ice_noise": -0.1}, "ice_noise"),
        ({"ice_gradient": -1}, "ice_gradient"),
        ({"dtype": "int8"}, "dtype"),
        ({"random_state": "seed"}, "random_state"),
        ({"margin": -0.1}, "margin must be a number or a pair"),
        ({"defocus": -1}, "defocus must be"),
        ({"defocus": (3, 1)}, "defocus must be"),
        ({"defocus": (1, 2, 3)}, "defocus must be"),
        ({"defocus": np.inf}, "defocus must be"),
        ({"defocus": np.nan}, "defocus must be"),
        ({"defocus": "high"}, "defocus must be"),
        ({"dose": 0}, "dose must be .* more than 0"),
        ({"dose": (1, np.inf)}, "dose must be"),
        ({"weights": {"unilamelar": 1}}, "'unilamelar'.*unilamellar, multilamellar"),
        ({"weights": {"full": 1}}, "'full', which task='lamellarity' does not have"),
        ({"weights": {}}, "not all zero"),
        ({"weights": [0, 0, 0]}, "not all zero"),
        ({"weights": [1, -1, 1]}, "none negative"),
        ({"weights": [1, np.nan, 1]}, "finite"),
        ({"weights": [1, 1]}, "3 numbers"),
        ({"weights": "equal"}, "3 numbers"),
    ],
)
def test_refused_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_liposomes(**{"n_samples": 10, "image_size": 8, **parameters})


@settings(max_examples=25, deadline=None)
@given(
    n_samples=st.integers(1, 6),
    image_size=st.integers(8, 40),
    radius=st.floats(10, 300),
    radius_spread=st.floats(0, 1),
    max_ellipticity=st.floats(0, 0.5),
    bilayer_thickness=st.floats(2, 8),
    filling=st.floats(0, 10),
    defocus=st.floats(0, 10),
    dose=st.floats(0.01, 100),
    voltage=st.floats(20, 1000),
    task=st.sampled_from(["lamellarity", "encapsulation"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_allowed_parameters_give_finite_images(seed, **parameters):
    liposomes = make_liposomes(
        weights=[1, 1, 1], dtype="float32", random_state=seed, **parameters
    )
    assert np.isfinite(liposomes.images).all()
    assert (liposomes.images >= 0).all()
    assert liposomes.masks.any(axis=(1, 2)).all()
    assert re.search(r"\d+ images of", liposomes.DESCR)


def signal_to_noise(dose, ice_noise):
    """Variance of what no noise would show, over that of what noise adds."""
    params = {"image_size": 48, "ice_gradient": 0, "defocus": 2.0, "random_state": 0}
    params |= {"dtype": "float32", "weights": [1, 0, 0], "pixel_size": 3.0}
    params |= {"radius_spread": 0.1}
    clean = make_liposomes(30, dose=np.inf, ice_noise=0, **params).images
    noisy = make_liposomes(30, dose=dose, ice_noise=ice_noise, **params).images
    return clean.var(axis=(1, 2)).mean() / (noisy - clean).var(axis=(1, 2)).mean()


def test_signal_to_noise_grows_with_the_dose_until_the_ice_is_louder():
    shot = [signal_to_noise(dose, 0) for dose in (5, 10, 20)]
    assert shot[1] == pytest.approx(2 * shot[0], rel=0.03)
    assert shot[2] == pytest.approx(4 * shot[0], rel=0.03)
    both = [signal_to_noise(dose, 0.03) for dose in (5, 10, 1000, 2000)]
    assert both[1] < 1.95 * both[0]
    assert both[3] < 1.1 * both[2]
    ice = signal_to_noise(np.inf, 0.03)
    assert 1 / both[0] == pytest.approx(1 / shot[0] + 1 / ice, rel=0.05)


@pytest.mark.parametrize("filling", [0.1, 0.45])
def test_filling_is_the_median_of_full_liposomes(filling):
    truth = make_liposomes(
        400, task="encapsulation", image_size=8, filling=filling, random_state=0
    ).frame
    full = truth.filling[truth.target == "full"]
    assert np.median(full) == pytest.approx(filling, rel=0.05)


@pytest.mark.parametrize("image_size", [27, 28, 32])
def test_nothing_stands_in_the_exact_centre(image_size):
    # At 28 px a pixel lies just on the centre of the liposome.
    images = make_liposomes(
        20,
        image_size=image_size,
        weights=[1, 0, 0],
        dose=np.inf,
        ice_noise=0,
        neighbours=0,
        contamination=0,
        dtype="float32",
        random_state=0,
    ).images
    middle = image_size // 2
    around = images[:, middle - 2 : middle + 3, middle - 2 : middle + 3]
    spread = np.ptp(around, axis=(1, 2)) / np.ptp(images, axis=(1, 2))
    assert np.median(spread) < 0.1
