"""Images whose features are known by hand, and what must not change them."""

import numpy as np
import pytest
from feature_stacks import RADIUS_OF, SIZE, blobs, disc, outline, with_mask
from scipy.spatial.distance import pdist
from skimage.filters import threshold_otsu
from skimage.measure import (
    euler_number,
    label,
    regionprops,
)

from emclassify.features import (
    Diameter,
    EdgeDensity,
    FeatureExtractor,
    Histogram,
    Length,
    MaximumWidth,
    Moments,
    RadialDensity,
    SignalToNoise,
)


@pytest.mark.parametrize("radius", [4.5, 9.3, 18])
def test_a_disc_is_as_long_and_wide_as_its_diameter(radius):
    X = with_mask(disc(radius), disc(radius))
    for family in (Length(), MaximumWidth(), Diameter()):
        assert family.fit_transform(X)[0, 0] == pytest.approx(2 * radius, abs=1)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (1, 6), (4, 4), (5, 12), (12, 5)])
def test_a_rectangle(a, b):
    mask = np.zeros((20, 24), dtype=bool)
    mask[3 : 3 + a, 7 : 7 + b] = True
    X = with_mask(mask, mask)
    short, long = sorted((a, b))
    length = np.hypot(short - 1, long)
    # Both other corners lie this far from the longest axis, in sum.
    width = ((short - 1) * (2 * long - 1) + long) / length
    assert Length().fit_transform(X)[0, 0] == pytest.approx(length)
    assert MaximumWidth().fit_transform(X)[0, 0] == pytest.approx(width)
    assert Diameter().fit_transform(X)[0, 0] == pytest.approx(
        np.sqrt(4 * a * b / np.pi)
    )


@pytest.mark.parametrize("size", [127, 128, 129, 200])
@pytest.mark.parametrize("turned", [False, True])
def test_length_of_large_images(size, turned):
    mask = np.zeros((1, size, size, 2), dtype=np.uint8)
    mask[0, [0, -1], [0, -1], 1] = 1
    if turned:
        mask = mask[:, ::-1]
    assert Length().fit_transform(mask)[0, 0] == pytest.approx(np.hypot(size - 1, size))


def test_a_whole_image_is_a_rectangle():
    X = np.zeros((3, 5, 12))
    np.testing.assert_allclose(Length().fit_transform(X)[:, 0], np.hypot(4, 12))
    full = FeatureExtractor(["length", "maximum_width", "diameter"])
    ones = np.stack([X, np.ones_like(X)], axis=-1)
    np.testing.assert_allclose(full.fit_transform(X), full.fit_transform(ones))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
def test_histogram_of_a_type_covers_all_it_holds(dtype):
    info = np.iinfo(dtype)
    X = np.linspace(info.min, info.max, 256).astype(dtype).reshape(1, 16, 16)
    got = Histogram(4, value_range="dtype", statistics=False).fit_transform(X)
    np.testing.assert_allclose(got, [[0.25] * 4])


def test_histogram_range_clips():
    X = np.array([[[-9.0, 0.1, 0.9, 50.0]]])
    got = Histogram(2, value_range=(0, 1), statistics=False).fit_transform(X)
    np.testing.assert_allclose(got, [[0.5, 0.5]])
    got = Histogram(2, value_range="dtype", statistics=False).fit_transform(X)
    np.testing.assert_allclose(got, [[0.5, 0.5]])


def test_moment_names_say_row_and_column():
    image = np.zeros((9, 9))
    image[:, 4] = 1  # a column: spread over the rows
    moments = Moments(weights="intensity").fit(image[None])
    named = dict(
        zip(
            moments.get_feature_names_out(),
            moments.transform(image[None])[0],
            strict=True,
        )
    )
    assert named["moment_20"] == pytest.approx(60)  # 2 (1 + 4 + 9 + 16)
    assert named["moment_02"] == pytest.approx(0)
    assert "moment_01" not in named


def test_hu_of_a_disc():
    X = with_mask(disc(15), disc(15))
    hu = Moments(weights="mask", log_hu=False).fit_transform(X)[0, -7:]
    assert hu[0] == pytest.approx(1 / (2 * np.pi), rel=1e-2)
    np.testing.assert_allclose(hu[1:], 0, atol=1e-12)


def test_the_profile_of_a_disc_is_a_step():
    X = with_mask(np.where(disc(10.5), 7.0, 2.0), disc(10.5))
    got = RadialDensity(8, extent=1.6, standardize=False).fit_transform(X)[0]
    np.testing.assert_allclose(got[:5], [7, 7, 7, 7, 7])
    np.testing.assert_allclose(got[5:8], [2, 2, 2], atol=0.05)
    np.testing.assert_allclose(got[8:13], 0, atol=1e-7)


def test_the_profile_of_a_ring_peaks_where_the_ring_is():
    ring = (RADIUS_OF > 9) & (RADIUS_OF < 11)
    X = with_mask(ring, disc(16))
    got = RadialDensity(16, extent=1.0, standardize=False).fit_transform(X)[0, :16]
    assert set(np.flatnonzero(got > 0.5)) == {9, 10}
    edges = EdgeDensity(16, extent=1.0).fit_transform(X)[0, 1:]
    assert edges[:7].max() < 1e-6 < edges[8]
    assert edges[13:].max() < 1e-6 < edges[11]


def test_the_noise_is_found():
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(64.0), np.arange(64.0))
    image = ramp + rng.normal(0, 5, (64, 64))
    ratio = SignalToNoise().fit_transform(image[None])[0, 2]
    assert image.std() / ratio == pytest.approx(5, rel=0.05)


ALL = FeatureExtractor()


def test_an_empty_mask_gives_zeros_but_for_nothing():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(3, 16, 16))
    masks = np.zeros((3, 16, 16))
    masks[1, 4:9, 4:9] = 1
    got = ALL.fit_transform(np.stack([images, masks], axis=-1))
    assert not got[[0, 2]].any()
    assert got[1].any()


def test_a_constant_image():
    for value in (0, 0.1, -7e5):
        extractor = FeatureExtractor(mask="full").fit(np.full((2, 16, 16), value))
        row = extractor.transform(np.full((2, 16, 16), value))[1]
        named = dict(zip(extractor.get_feature_names_out(), row, strict=True))
        assert np.isfinite(row).all()
        assert named["grey_mean"] == pytest.approx(value)
        assert named["grey_quantile50"] == value
        assert named["histogram_08"] + named["histogram_07"] == pytest.approx(1)
        for name, number in named.items():
            if name.startswith(("radial", "edge", "hu", "moment", "grey_s", "grey_k")):
                assert number == 0, name
        assert named["mean_to_sd"] == named["structure_to_noise"] == 0


def test_one_pixel():
    mask = np.zeros((9, 9))
    mask[2, 6] = 1
    rng = np.random.default_rng(0)
    extractor = ALL.fit(with_mask(rng.normal(size=(9, 9)), mask))
    row = extractor.transform(with_mask(rng.normal(size=(9, 9)), mask))[0]
    named = dict(zip(extractor.get_feature_names_out(), row, strict=True))
    assert np.isfinite(row).all()
    assert named["length"] == named["maximum_width"] == 1
    assert named["diameter"] == pytest.approx(2 / np.sqrt(np.pi))
    assert named["grey_sd"] == 0


def test_a_smooth_ramp_has_no_noise():
    ramp = np.add.outer(np.arange(32.0), np.arange(32.0)) / 7
    assert SignalToNoise().fit_transform(ramp[None])[0, 2] == 0


def test_intensities_that_add_up_to_nothing_have_no_moments():
    image = np.random.default_rng(0).normal(size=(16, 16))
    moments = Moments(weights="intensity")
    assert not moments.fit_transform((image - image.mean())[None]).any()
    assert not moments.fit_transform(-np.abs(image)[None]).any()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns(turns):
    image, mask = blobs(6, 32, 32)
    extractor = FeatureExtractor()
    X = np.stack([image, mask], axis=-1)
    got = extractor.fit_transform(np.rot90(X, turns, axes=(1, 2)))
    names = extractor.get_feature_names_out()
    free = np.array([not n.startswith(("moment", "normalized")) for n in names])
    np.testing.assert_allclose(
        got[:, free], extractor.transform(X)[:, free], rtol=1e-5, atol=1e-5
    )


def test_brightness_and_contrast_change_only_what_is_in_grey_values():
    X = np.stack(blobs(6), axis=-1)
    brighter = X.copy()
    brighter[..., 0] = 300 + 2.5 * X[..., 0]
    extractor = FeatureExtractor().fit(X)
    names = extractor.get_feature_names_out()
    free = np.array(
        [n in ("grey_skewness", "grey_kurtosis") or n[:4] != "grey" for n in names]
    )
    free &= names != "mean_to_sd"
    np.testing.assert_allclose(
        extractor.transform(brighter)[:, free],
        extractor.transform(X)[:, free],
        rtol=1e-5,
        atol=1e-5,
    )


def test_otsu_masks_are_those_of_scikit_image():
    image, _ = blobs(8, seed=3)
    length = Length(mask="otsu", particle="bright").fit_transform(image)
    area = Diameter(mask="otsu", particle="dark").fit_transform(image)
    for i, one in enumerate(image):
        bright = one > threshold_otsu(one)
        for mask, got, measure in (
            (bright, length[i, 0], lambda m: pdist(outline(m)).max()),
            (~bright, area[i, 0], lambda m: np.sqrt(4 * m.sum() / np.pi)),
        ):
            parts = label(mask, connectivity=1)
            largest = np.bincount(parts.ravel())[1:].max()
            sizes = [r for r in regionprops(parts) if r.area == largest]
            assert any(
                got == pytest.approx(measure(parts == region.label)) for region in sizes
            )


@pytest.mark.parametrize("sign", [1, -1])
def test_otsu_finds_the_particle_either_way(sign):
    rng = np.random.default_rng(0)
    image = sign * 100.0 * disc(9.5) + rng.normal(0, 3, (SIZE, SIZE))
    diameter = Diameter(mask="otsu").fit_transform(image[None])[0, 0]
    assert diameter == pytest.approx(19, abs=0.5)
    side = {1: "bright", -1: "dark"}[sign]
    same = Diameter(mask="otsu", particle=side).fit_transform(image[None])[0, 0]
    assert same == diameter


def test_otsu_keeps_the_largest_part_of_each_image():
    image = np.zeros((3, 12, 12))
    image[0, 2:4, 2:4] = image[0, 6:10, 6:10] = 1
    image[1, 2:7, 2:7] = image[1, 9, 9] = 1
    assert euler_number(image[0] > 0) == 2
    diameter = Diameter(mask="otsu").fit_transform(image)[:, 0]
    np.testing.assert_allclose(diameter**2 * np.pi / 4, [16, 25, 0], atol=1e-9)
