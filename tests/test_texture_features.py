"""Families of texture and structure against references for one image at a time.

The references are mahotas, scikit-image, SciPy, numpy, or worked out by hand; they
share no code with the library.
"""

import mahotas
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.feature import local_binary_pattern
from skimage.measure import euler_number, perimeter_crofton, regionprops

from emclassify.features import (
    BasicImageFeatures,
    CompletedLBP,
    FourierRings,
    JetRings,
    JetStatistics,
    ThresholdShape,
    ZernikeMoments,
)
from emclassify.features._depth import squared_depth
from emclassify.features._jets import Jet, smooth
from emclassify.features._masks import largest_components
from emclassify.features._objects import Objects, PartsOfMasks
from emclassify.features._zernike_moments import zernike_magnitudes

FAMILIES = (
    BasicImageFeatures,
    CompletedLBP,
    FourierRings,
    JetRings,
    JetStatistics,
    ThresholdShape,
    ZernikeMoments,
)
every_family = pytest.mark.parametrize("make", FAMILIES, ids=lambda m: m.__name__)


def texture(n=6, shape=(33, 33), seed=0):
    """Smooth noise, float64 (n, h, w): no two pixels are equal."""
    noise = np.random.default_rng(seed).normal(size=(n, *shape))
    return ndimage.gaussian_filter(noise, (0, 1.2, 1.2)) * 20 + 100


def standard(image):
    """An image of mean 0 and standard deviation 1."""
    return (image - image.mean()) / image.std()


def named(transformer, X):
    """Features as a data frame."""
    return transformer.set_output(transform="pandas").fit_transform(X)


# What all have in common


@every_family
@pytest.mark.parametrize("masked", [False, True])
def test_quarter_turns_and_flips_change_nothing(make, masked):
    X = texture(shape=(33, 33) if masked else (32, 32))
    if masked:
        X = np.stack([X, texture(seed=1, shape=(33, 33)) > 97], axis=-1)
    expected = make().fit_transform(X)
    for Z in (np.rot90(X, axes=(1, 2)), X[:, ::-1], X[:, :, ::-1]):
        np.testing.assert_allclose(make().fit_transform(Z), expected, atol=1e-4)


@pytest.mark.parametrize("masked", [False, True])
def test_turns_and_flips_of_noise_change_no_parts(masked):
    # Noise has many parts of one size, equally near the centre.
    X = np.random.default_rng(0).normal(size=(200, 24, 24))
    if masked:
        X = np.stack([X, np.ones(X.shape)], axis=-1)
        X[:, :3, :, 1] = X[:, -3:, :, 1] = X[:, :, :3, 1] = X[:, :, -3:, 1] = 0
    expected = ThresholdShape().fit_transform(X)
    for Z in (np.rot90(X, axes=(1, 2)), X[:, ::-1], X[:, :, ::-1]):
        got = ThresholdShape().fit_transform(Z)
        np.testing.assert_allclose(got, expected, atol=1e-4)


@every_family
def test_brightness_and_contrast_change_nothing(make):
    X = texture()
    expected = make().fit_transform(X)
    np.testing.assert_allclose(make().fit_transform(7 * X - 300), expected, atol=1e-4)


@every_family
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, bool])
def test_all_dtypes_give_what_float64_gives(make, dtype):
    X = texture().astype(np.uint8)
    X = X > 100 if dtype is bool else X.astype(dtype)
    expected = make().fit_transform(X.astype(np.float64))
    np.testing.assert_allclose(make().fit_transform(X), expected, atol=1e-4)


@every_family
@pytest.mark.parametrize("value", [0, 7, -3.5, 1e29])
def test_constant_images_have_finite_features_that_are_all_the_same(make, value):
    got = make().fit_transform(np.full((3, 20, 20), value))
    assert np.isfinite(got).all()
    np.testing.assert_array_equal(got, make().fit_transform(np.zeros((3, 20, 20))))


@every_family
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (5, 70), (70, 5)])
def test_any_size(make, shape):
    X = np.random.default_rng(0).normal(size=(4, *shape))
    for mask in ("full", "otsu"):
        assert np.isfinite(make(mask=mask).fit_transform(X)).all()


@every_family
def test_empty_and_full_masks(make):
    X = texture(3)
    empty = make().fit_transform(np.stack([X, np.zeros_like(X)], axis=-1))
    assert np.isfinite(empty).all()
    full = make().fit_transform(np.stack([X, np.ones_like(X)], axis=-1))
    assert np.isfinite(full).all()
    if make in (JetRings, ZernikeMoments, ThresholdShape, CompletedLBP):
        assert not empty.any()


@every_family
@pytest.mark.parametrize(
    "bad",
    [
        {"sigmas": []},
        {"sigmas": [0.1]},
        {"sigmas": [1, 1]},
        {"sigmas": ["a"]},
        {"radii": [0]},
        {"radii": [1.5]},
        {"radii": []},
        {"n_rings": 0},
        {"degree": -1},
        {"degree": 21},
        {"flatness": -1},
    ],
    ids=str,
)
def test_bad_parameters_are_named(make, bad):
    (name,) = bad
    if name in make().get_params():
        with pytest.raises(ValueError, match=name):
            make(**bad).fit(texture(2))


# Gaussian derivatives


@pytest.mark.parametrize("shape", [(33, 20), (7, 40), (3, 530)])
@pytest.mark.parametrize("sigma", [0.7, 2.8])
def test_derivatives_agree_with_scipy(shape, sigma):
    images = np.stack([standard(image) for image in texture(2, shape)])
    images = images.astype(np.float32)
    radius = int(np.ceil(3 * sigma))
    jet = Jet(images, sigma)

    def reference(down, right):
        part = ndimage.gaussian_filter(
            images.astype(float),
            sigma,
            order=(0, down, right),
            axes=(0, 1, 2),
            mode="mirror",
            radius=(0, radius, radius),
        )
        return part.reshape(2, -1) * sigma ** (down + right)

    y, x = reference(1, 0), reference(0, 1)
    yy, xx, xy = reference(2, 0), reference(0, 2), reference(1, 1)
    hessian = np.stack([np.stack([yy, xy], -1), np.stack([xy, xx], -1)], -1)
    smaller, larger = np.moveaxis(np.linalg.eigvalsh(hessian), -1, 0)
    for got, expected in (
        (jet.smooth, reference(0, 0)),
        (jet.gradient, np.hypot(y, x)),
        (jet.laplacian, xx + yy),
        (jet.gap, larger - smaller),
        (jet.larger, larger),
        (jet.smaller, smaller),
    ):
        np.testing.assert_allclose(got, expected, atol=2e-5)


def test_statistics_agree_with_numpy():
    X = texture(3)
    mask = texture(3, seed=1) > 99
    masked = np.stack([X, mask], axis=-1)
    frames = named(JetStatistics([1.4]), X), named(JetStatistics([1.4]), masked)
    for i in range(3):
        jet = Jet(standard(X[i])[None].astype(np.float32), 1.4)
        for frame, inside in zip(frames, (slice(None), mask[i].ravel()), strict=True):
            v = jet.laplacian[0][inside].astype(float)
            z = standard(v)
            expected = {
                "mean": v.mean(),
                "sd": v.std(),
                "skewness": (z**3).mean(),
                "log_kurtosis": np.log(1 + (z**4).mean()),
                "q02": np.percentile(v, 2, method="lower"),
                "median": np.percentile(v, 50, method="lower"),
                "q98": np.percentile(v, 98, method="lower"),
            }
            for name, value in expected.items():
                got = frame[f"jet_1.4_laplacian_{name}"][i]
                np.testing.assert_allclose(got, value, rtol=1e-4, atol=1e-5)


def test_gradients_of_stripes_keep_to_one_axis_and_those_of_a_disc_do_not():
    rows, columns = np.indices((41, 41))
    stripes, disc = np.sin(columns / 2), np.hypot(rows - 20, columns - 20) < 10
    got = named(JetStatistics([1.4]), np.stack([stripes, disc.astype(float)]))
    np.testing.assert_allclose(got["jet_1.4_one_axis"], [1, 0], atol=1e-5)


def test_rings_of_derivatives_are_means_over_rings():
    X = texture(1, (41, 41))
    disc = np.hypot(*(np.indices((41, 41)) - 20)) < 10.3
    frame = named(JetRings(2, sigmas=[1.0]), np.stack([X[0], disc], -1)[None])
    gradient = Jet(standard(X[0])[None].astype(np.float32), 1.0).gradient[0]
    radius = np.sqrt(disc.sum() / np.pi)
    distance = np.hypot(*(np.indices((41, 41)) - 20)).ravel()
    inner, outer = distance < radius / 2, distance < radius
    for i, ring in enumerate((inner, outer & ~inner)):
        mean, sd = gradient[ring].mean(), gradient[ring].std()
        got = frame[[f"jet_rings_1_gradient_{s}_{i}" for s in ("mean", "sd")]]
        np.testing.assert_allclose(got.to_numpy()[0], [mean, sd], rtol=1e-5)


# Patterns and kinds


@pytest.mark.parametrize("radius", [1, 2])
def test_patterns_of_signs_agree_with_scikit_image(radius):
    X = (texture(4) * 1000).astype(np.int32)
    frame = named(CompletedLBP([radius]), X) ** 2
    for i, image in enumerate(X):
        patterns = local_binary_pattern(image, 8, radius, method="uniform")
        inner = patterns[radius:-radius, radius:-radius]
        expected = np.bincount(inner.astype(int).ravel(), minlength=10) / inner.size
        for k in range(10):
            sign = f"sign{k}" if k < 9 else "other"
            both = frame[[f"clbp_{radius}_{sign}_{c}" for c in ("dark", "bright")]]
            np.testing.assert_allclose(both.iloc[i].sum(), expected[k], atol=1e-12)
            rows = frame.filter(regex=f"^clbp_{radius}_{sign}_(size|other)")
            np.testing.assert_allclose(rows.iloc[i].sum(), expected[k], atol=1e-12)


def test_patterns_of_magnitudes_pixel_by_pixel():
    image = texture(1, (15, 15))[0]
    mask = np.hypot(*(np.indices((15, 15)) - 7)) < 6
    patterns = {}
    place = [(y, x) for y in range(1, 14) for x in range(1, 14) if mask[y, x]]
    off = {}
    for y, x in place:
        angle = np.arange(8) * np.pi / 4
        points = [y - np.sin(angle), x + np.cos(angle)]
        off[y, x] = ndimage.map_coordinates(image, points, order=1) - image[y, x]
    mean = np.mean([np.abs(d) for d in off.values()])
    for at in place:
        names = []
        for bits in (off[at] >= 0, np.abs(off[at]) >= mean):
            uniform = (bits != np.roll(bits, 1)).sum() <= 2
            names.append(bits.sum() if uniform else 9)
        patterns[tuple(names)] = patterns.get(tuple(names), 0) + 1
    frame = named(CompletedLBP([1]), np.stack([image, mask], -1)[None]) ** 2
    for sign in range(10):
        for size in range(10):
            name = f"clbp_1_{f'sign{sign}' if sign < 9 else 'other'}_"
            name += f"size{size}" if size < 9 else "other"
            expected = patterns.get((sign, size), 0) / len(place)
            np.testing.assert_allclose(frame[name][0], expected, atol=1e-12)


def test_flat_ground_is_one_pattern_whatever_the_rounding():
    X = np.full((1, 20, 20), 13)
    X[0, 0, 0] = 255
    frame = named(CompletedLBP([1]), X.astype(np.uint8)) ** 2
    # All but the pixel beside the bright one have eight neighbours as bright.
    np.testing.assert_allclose(frame.filter(like="sign8_size").sum(axis=1), 1)


def test_patterns_in_images_without_room_for_the_circle_are_none():
    frame = named(CompletedLBP([1, 3]), texture(2, (6, 20)))
    assert not frame.filter(like="clbp_3_").to_numpy().any()
    assert frame.filter(like="clbp_1_").to_numpy().any()


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("bright_spot", lambda y, x: np.exp(-(x**2 + y**2) / 32)),
        ("dark_spot", lambda y, x: -np.exp(-(x**2 + y**2) / 32)),
        ("bright_line", lambda y, x: np.exp(-(x**2) / 32)),
        ("dark_line", lambda y, x: -np.exp(-(x**2) / 32)),
        ("saddle", lambda y, x: x**2 - y**2),
        ("slope", lambda y, x: x),
    ],
)
def test_the_middle_of_a_thing_is_of_its_kind(kind, make):
    y, x = np.indices((41, 41)) - 20.0
    mask = (x == 0) & (y == 0)
    frame = named(
        BasicImageFeatures([4], flatness=0), np.stack([make(y, x), mask], -1)[None]
    )
    assert frame[f"bif_4_inside_{kind}"][0] == 1
    assert np.isclose((frame**2).sum(axis=1)[0], 2)


def test_kinds_pixel_by_pixel():
    X = texture(1)
    sigmas = 1.0, 2.0
    frame = named(BasicImageFeatures(sigmas), X) ** 2
    names = ["flat", "slope", "dark_spot", "bright_spot", "dark_line", "bright_line"]
    names.append("saddle")
    kinds = []
    for sigma in sigmas:
        jet = Jet(standard(X[0])[None].astype(np.float32), sigma)
        flat = 0.03 * (jet.smooth - jet.smooth.min()) + 1e-4
        lap, gap = jet.laplacian, jet.gap
        lines = [(gap + lap) / np.sqrt(2), (gap - lap) / np.sqrt(2)]
        kinds.append(
            np.argmax([flat, jet.gradient, lap, -lap, *lines, gap], axis=0).ravel()
        )
    inside = (np.hypot(*(np.indices((33, 33)) - 16)) < 33 / 4).ravel()
    for sigma, of_scale in zip(("1", "2"), kinds, strict=True):
        for where, pixels in (("inside", inside), ("outside", ~inside)):
            for k, name in enumerate(names):
                expected = (of_scale[pixels] == k).mean()
                got = frame[f"bif_{sigma}_{where}_{name}"][0]
                np.testing.assert_allclose(got, expected, atol=1e-12)
    for a, own in enumerate(names):
        for b, next_ in enumerate(names):
            expected = ((kinds[0] == a) & (kinds[1] == b)).mean()
            got = frame[f"bif_1_{own}_2_{next_}"][0]
            np.testing.assert_allclose(got, expected, atol=1e-12)


# Moments and spectra


@pytest.mark.parametrize("shape", [(33, 33), (32, 40)])
def test_zernike_moments_agree_with_mahotas(shape):
    X = texture(2, shape)
    centre = np.array([[(side - 1) / 2 for side in shape]])
    for radius in (min(shape) / 2, min(shape) / 4):
        got = zernike_magnitudes(X, centre, np.array([radius]), 8)
        for row, image in zip(got, X, strict=True):
            expected = mahotas.features.zernike_moments(image, radius, 8, cm=centre[0])
            # mahotas divides by the sum within the disc.
            distance = np.hypot(*(np.indices(shape) - centre.reshape(2, 1, 1)))
            total = image[distance <= radius].sum() / radius**2
            np.testing.assert_allclose(row / total, expected, rtol=1e-9, atol=1e-12)


def test_zernike_moments_are_those_of_the_standardized_image():
    X = texture(1)
    got = ZernikeMoments(4).fit_transform(X)[0]
    for part, radius in (slice(9), 33 / 2), (slice(9, 18), 33 / 4):
        expected = zernike_magnitudes(
            standard(X[0])[None], np.full((1, 2), 16.0), np.array([radius]), 4
        )
        np.testing.assert_allclose(got[part], expected[0], atol=1e-6)


def test_zernike_moments_follow_the_mask():
    X, disc = np.zeros((2, 60, 60)), np.zeros((2, 60, 60))
    spot = texture(1, (21, 21))[0]
    round_ = np.hypot(*(np.indices((21, 21)) - 10)) < 10
    for i, (y, x) in enumerate([(3, 5), (30, 25)]):
        X[i, y : y + 21, x : x + 21] = spot
        disc[i, y : y + 21, x : x + 21] = round_
    got = ZernikeMoments(6).fit_transform(np.stack([X, disc], -1))
    np.testing.assert_allclose(got[0], got[1], atol=1e-6)


def test_the_spectrum_of_a_wave_is_in_its_ring():
    columns = np.arange(64)
    wave = np.tile(np.sin(2 * np.pi * columns / 8), (64, 1))
    grid = wave + wave.T
    frame = named(FourierRings(4), np.stack([wave, grid]))
    power = frame.filter(like="log_power")
    edges = np.geomspace(0.8 / 64, 0.5, 5)
    ring = int(np.searchsorted(edges, 1 / 8)) - 1
    assert (power.to_numpy().argmax(axis=1) == ring).all()
    np.testing.assert_allclose(frame[f"fourier_one_axis_{ring}"], [1, 0], atol=0.05)
    np.testing.assert_allclose(frame[f"fourier_two_axes_{ring}"], [1, 1], atol=0.1)


@pytest.mark.parametrize("shape", [(32, 32), (33, 20)])
def test_the_power_of_a_ring_is_that_of_numpy(shape):
    image = standard(texture(1, shape)[0])
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in shape))
    power = np.abs(np.fft.fft2(image * window)) ** 2 / image.size
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij"))
    edges = np.geomspace(0.8 / min(shape), 0.5, 5)
    frame = named(FourierRings(4), image[None])
    for i in range(4):
        ring = (frequency >= edges[i]) & (frequency < edges[i + 1])
        expected = np.log(power[ring].mean() + 1e-6)
        np.testing.assert_allclose(frame[f"fourier_log_power_{i}"][0], expected, 1e-4)


# Objects


@pytest.fixture(scope="module")
def objects():
    """One part of each of 20 noisy masks, and an empty mask."""
    masks = texture(21, (33, 40)) > 101
    masks[-1] = False
    parts = PartsOfMasks(masks)
    centres = np.tile([16.0, 19.5], (21, 1))
    return masks, Objects(parts.nearest(centres, masks)), parts


def test_depth_is_the_euclidean_distance_of_scipy(objects):
    for masks in (objects[0], objects[0].transpose(0, 2, 1), np.ones((2, 9, 30), bool)):
        expected = [
            ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
            for mask in masks
        ]
        got = np.sqrt(squared_depth(masks))
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_objects_agree_with_scikit_image(objects):
    _, found, _ = objects
    for i, mask in enumerate(found.mask[:-1]):
        region = regionprops(mask.astype(np.uint8))[0]
        assert found.area[i] == region.area
        assert found.euler_number[i] == euler_number(mask, connectivity=1)
        np.testing.assert_allclose(
            found.perimeter[i], perimeter_crofton(np.pad(mask, 1), directions=4)
        )
        np.testing.assert_allclose(found.area[i] / found.box_area[i], region.extent)
        # A pixel is a point there, here a square: 1/12 more to either variance.
        for axis, length in (
            (found.axes[0], region.axis_major_length),
            (found.axes[1], region.axis_minor_length),
        ):
            np.testing.assert_allclose(axis[i] ** 2, length**2 + 16 / 12, atol=1e-9)
        np.testing.assert_allclose(found.hu[i, :3], region.moments_hu[:3], atol=1e-12)


def test_the_polygon_of_tangents_holds_the_hull_closely(objects):
    _, found, _ = objects
    for i, mask in enumerate(found.mask[:-1]):
        pixels = np.argwhere(mask)
        corners = [pixels + [y, x] for y in (-0.5, 0.5) for x in (-0.5, 0.5)]
        hull = ConvexHull(np.vstack(corners)).volume
        assert hull <= found.hull_area[i] * (1 + 1e-9) <= 1.06 * hull * (1 + 1e-9)
    rectangle = np.zeros((1, 12, 15), dtype=bool)
    rectangle[0, 2:9, 3:8] = True
    np.testing.assert_allclose(Objects(rectangle).hull_area, 35)


def test_parts_are_counted_and_the_nearest_taken(objects):
    masks, found, parts = objects
    for i, mask in enumerate(masks):
        labels, count = ndimage.label(mask)
        sizes = sorted(np.bincount(labels.ravel())[1:], reverse=True) + [0, 0]
        assert parts.count[i] == count
        assert parts.total[i] == mask.sum()
        assert parts.count_above(8)[i] == (np.array(sizes) > 8).sum()
        assert [part[i] for part in parts.two_largest] == sizes[:2]
        if count:
            distance = np.hypot(*(np.indices(mask.shape) - [[[16]], [[19.5]]]))
            nearest = np.where(mask, distance, np.inf).min()
            assert np.where(found.mask[i], distance, np.inf).min() == nearest
            assert ndimage.label(found.mask[i])[1] == 1
    assert not found.mask[-1].any()


def test_of_parts_as_near_the_largest_is_taken():
    masks = np.zeros((1, 1, 9), dtype=bool)
    masks[0, 0, [1, 2, 6, 7, 8]] = True
    chosen = PartsOfMasks(masks).nearest(np.array([[0.0, 4.0]]), masks)
    assert chosen[0, 0].nonzero()[0].tolist() == [6, 7, 8]


@pytest.mark.parametrize("brighter", [0, 2])
def test_of_parts_as_near_and_large_the_nearer_one_is_taken_then_the_brighter(brighter):
    masks = np.zeros((1, 3, 9), dtype=bool)
    # Both have a pixel 2 from the centre; the second pixels are 3 and sqrt(5) away.
    masks[0, 1, [1, 2]] = masks[0, [0, 1], [6, 6]] = True
    centre = np.array([[1.0, 4.0]])
    chosen = PartsOfMasks(masks).nearest(centre, np.zeros(masks.shape))
    assert chosen[0, :, 6].tolist() == [True, True, False]
    masks = np.zeros((1, 3, 1), dtype=bool)
    masks[0, [0, 2]] = True
    grey = np.zeros(masks.shape)
    grey[0, brighter] = 1
    for image, place in (grey, brighter), (grey[:, ::-1], 2 - brighter):
        chosen = PartsOfMasks(masks).nearest(np.array([[1.0, 0.0]]), image)
        assert chosen[0, :, 0].nonzero()[0].tolist() == [place]


def test_of_equally_large_parts_the_mask_is_the_first():
    # As models were trained that are kept in files.
    parts = np.array([[[1, 0, 1], [1, 0, 1], [0, 0, 0]]], dtype=bool)
    assert largest_components(parts)[0].nonzero()[1].tolist() == [0, 0]


def test_two_discs_and_a_ring():
    y, x = np.indices((64, 64))
    ring = np.hypot(y - 32, x - 32)
    image = ((ring < 12) & (ring > 5)).astype(float)
    image[np.hypot(y - 10, x - 10) < 5] = 1
    row = named(ThresholdShape(), image[None]).iloc[0]
    assert row["shape_otsu_log_count"] == pytest.approx(np.log(3))
    assert row["shape_otsu_euler_number"] == 0
    assert row["shape_otsu_share"] == pytest.approx((image > 0).mean(), rel=0.1)
    assert row["shape_otsu_eccentricity"] < 0.01
    assert row["shape_otsu_off_centre"] == pytest.approx(
        0.5 / 64 * np.sqrt(2), rel=0.05
    )
    assert row["shape_otsu_lopsided"] < 0.001
    inside = (ring < 12) & (ring > 5)
    contrast = standard(image)[inside].mean()
    assert row["shape_otsu_contrast"] == pytest.approx(contrast, rel=0.1)
    assert row["shape_otsu_depth_max"] == pytest.approx(4 / 64, rel=0.3)


def test_thresholds_are_halfway_between_otsu_and_the_extremes():
    from skimage.filters import threshold_otsu

    X = texture(3)
    row = named(ThresholdShape(), X)
    for i, image in enumerate(X):
        relief = smooth(standard(image)[None].astype(np.float32), 0.7)[0]
        otsu = threshold_otsu(relief)
        low = (np.percentile(relief, 2, method="lower") + otsu) / 2
        high = (np.percentile(relief, 99.5, method="lower") + otsu) / 2
        for name, threshold in (("low", low), ("otsu", otsu), ("high", high)):
            share = row[f"shape_{name}_share"][i]
            assert share == pytest.approx((relief > threshold).mean(), abs=0.01)


@pytest.mark.parametrize(("sigma", "left"), [(1.0, -0.01), (4.0, -0.04), (8.0, -0.045)])
def test_how_much_of_an_even_image_is_left_in_the_laplacian(sigma, left):
    # The Gaussian is cut off at three sigma; JetStatistics says what that leaves.
    laplacian = Jet(np.ones((1, 80, 80), np.float32), sigma).laplacian
    np.testing.assert_allclose(laplacian, left, atol=0.004)
