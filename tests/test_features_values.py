"""Each family's numbers against references for one image at a time.

The references are written for one image with scikit-image, scipy and plain numpy,
and share no code with the library.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from feature_stacks import blobs, outline
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from scipy import ndimage, stats
from scipy.spatial.distance import pdist
from skimage.filters import sobel
from skimage.measure import (
    moments_central,
    moments_hu,
    moments_normalized,
    regionprops,
)
from skimage.morphology import convex_hull_image

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


@pytest.fixture(scope="module")
def stack():
    return blobs()


def width_across(mask):
    """Extent across the longest of all pairs of outline points, one by one."""
    points = outline(mask & ~ndimage.binary_erosion(mask))
    apart = points[:, None] - points
    squared = (apart**2).sum(axis=2)
    widest = 0.0
    for i, k in np.argwhere(squared == squared.max()):
        normal = np.array([-apart[i, k][1], apart[i, k][0]]) / np.sqrt(squared.max())
        widest = max(widest, np.ptp(points @ normal))
    return widest


def ring_reference(values, mask, n_rings, extent):
    """Ring means and spreads of one image, ring by ring."""
    centre = ndimage.center_of_mass(mask)
    distance = np.hypot(*(np.indices(mask.shape) - np.reshape(centre, (2, 1, 1))))
    outer = extent * np.sqrt(mask.sum() / np.pi)
    edges = np.linspace(0, outer, n_rings + 1)
    mean, sd = np.full(n_rings, np.nan), np.full(n_rings, np.nan)
    for i in range(n_rings):
        ring = (distance >= edges[i]) & (distance < edges[i + 1])
        if ring.any():
            mean[i], sd[i] = values[ring].mean(), values[ring].std()
    some = np.flatnonzero(~np.isnan(mean))
    place = np.arange(n_rings)
    return np.interp(place, some, mean[some]), np.interp(place, some, sd[some])


def test_length_is_that_of_all_pairs_of_outline_points(stack):
    got = Length().fit_transform(np.stack(stack, axis=-1))
    expected = [pdist(outline(mask)).max() for mask in stack[1]]
    np.testing.assert_allclose(got[:, 0], expected, rtol=1e-12)


def test_length_agrees_with_scikit_image_on_its_hulls(stack):
    # scikit-image measures the convex hull as it draws it, pixel by pixel.
    hulls = np.array([convex_hull_image(mask) for mask in stack[1]])
    got = Length().fit_transform(np.stack([hulls, hulls], axis=-1))
    expected = [
        regionprops(mask.astype(int))[0].feret_diameter_max for mask in stack[1]
    ]
    np.testing.assert_allclose(got[:, 0], expected)


def test_maximum_width_is_that_of_all_pairs_of_outline_points(stack):
    got = MaximumWidth().fit_transform(np.stack(stack, axis=-1))
    expected = [width_across(mask) for mask in stack[1]]
    np.testing.assert_allclose(got[:, 0], expected)


def test_diameter_agrees_with_scikit_image(stack):
    got = Diameter().fit_transform(np.stack(stack, axis=-1))
    expected = [
        regionprops(m.astype(int))[0].equivalent_diameter_area for m in stack[1]
    ]
    np.testing.assert_allclose(got[:, 0], expected)


def test_histogram_agrees_with_numpy(stack):
    images, masks = stack
    got = Histogram(8, statistics=False).fit_transform(np.stack(stack, axis=-1))
    for row, image, mask in zip(got, images, masks, strict=True):
        z = stats.zscore(image[mask])
        edges = np.r_[-np.inf, np.linspace(-3, 3, 9)[1:-1], np.inf]
        np.testing.assert_allclose(row, np.histogram(z, edges)[0] / mask.sum())
    np.testing.assert_allclose(got.sum(axis=1), 1)


def test_histogram_statistics_agree_with_scipy(stack):
    images, masks = stack
    got = Histogram(2).fit_transform(np.stack(stack, axis=-1))[:, 2:]
    for row, image, mask in zip(got, images, masks, strict=True):
        v = image[mask]
        expected = [v.mean(), v.std(), stats.skew(v), stats.kurtosis(v)]
        expected += list(np.quantile(v, [0.05, 0.25, 0.5, 0.75, 0.95]))
        np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("weights", ["contrast", "intensity", "mask"])
def test_moments_agree_with_scikit_image(stack, weights):
    names_of_order = [(p, t - p) for t in range(2, 4) for p in range(t + 1)]
    moments = Moments(weights=weights, log_hu=False)
    got = moments.fit_transform(np.stack(stack, axis=-1))
    for row, image, mask in zip(got, *stack, strict=True):
        weight = {
            "contrast": (image - image.min()) / (image - image.min())[mask].mean(),
            "intensity": image,
            "mask": np.ones(image.shape),
        }[weights] * mask
        mu = moments_central(weight)
        nu = moments_normalized(mu)
        expected = [
            mu[0, 0],
            *(mu[pq] for pq in names_of_order),
            *(nu[pq] for pq in names_of_order),
            *moments_hu(nu),
        ]
        np.testing.assert_allclose(row, expected, rtol=1e-7, atol=1e-14)


def test_the_logarithm_of_hu_keeps_the_sign(stack):
    X = np.stack(stack, axis=-1)
    raw = Moments(log_hu=False).fit_transform(X)[:, -7:]
    logged = Moments(log_hu=True).fit_transform(X)[:, -7:]
    np.testing.assert_array_equal(np.sign(logged), np.sign(raw))
    np.testing.assert_allclose(10 ** np.abs(logged), 1 + np.abs(raw) / 1e-12)


@pytest.mark.parametrize("n_rings", [3, 16, 60])
def test_radial_density_agrees_with_a_ring_by_ring_reference(stack, n_rings):
    profile = RadialDensity(n_rings, extent=1.1)
    got = profile.fit_transform(np.stack(stack, axis=-1))
    for row, image, mask in zip(got, *stack, strict=True):
        mean, sd = ring_reference(stats.zscore(image, axis=None), mask, n_rings, 1.1)
        np.testing.assert_allclose(row, [*mean, *sd], atol=1e-7)


def test_edge_density_agrees_with_sobel(stack):
    got = EdgeDensity(7).fit_transform(np.stack(stack, axis=-1))
    for row, image, mask in zip(got, *stack, strict=True):
        gradient = sobel(image) / image.std()
        expected = ring_reference(gradient, mask, 7, 1.25)[0]
        np.testing.assert_allclose(row, [gradient[mask].mean(), *expected], rtol=1e-5)


@pytest.mark.parametrize("family", [RadialDensity(9), EdgeDensity(9)])
def test_whole_images_and_masks_of_ones_agree(family):
    image, _ = blobs(5)
    ones = np.stack([image, np.ones_like(image)], axis=-1)
    np.testing.assert_allclose(
        family.fit_transform(image), family.fit_transform(ones), rtol=1e-6
    )


def test_signal_to_noise_by_hand(stack):
    got = SignalToNoise().fit_transform(np.stack(stack, axis=-1))
    for row, image, mask in zip(got, *stack, strict=True):
        inside, outside = image[mask], image[~mask]
        kernel = np.outer([1, -2, 1], [1, -2, 1])
        laplacians = ndimage.convolve(image, kernel)[1:-1, 1:-1]
        sigma = np.sqrt(np.pi / 2) * np.abs(laplacians).mean() / 6
        expected = [
            (inside.mean() - outside.mean()) / outside.std(),
            inside.mean() / inside.std(),
            inside.std() / sigma,
        ]
        np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_the_benchmarks_one_image_reference_agrees(monkeypatch):
    path = Path(__file__).parents[1] / "benchmarks" / "bench_features.py"
    monkeypatch.syspath_prepend(path.parent)
    spec = importlib.util.spec_from_file_location("bench_features", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    X = bench.make_stack(20)
    got = FeatureExtractor().fit_transform(X)
    expected = [bench.features_of(pair[..., 0], pair[..., 1] > 0) for pair in X]
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


PARAMETERS = [
    {},
    {"moments_weights": "intensity", "standardize": False, "value_range": (20, 200)},
    {"moments_weights": "mask", "n_rings": 5, "n_bins": 3, "moments_order": 5},
]


def byte_stack(n=30, shape=(21, 24), seed=0):
    """8-bit images with masks, among them empty, full, tiny and constant ones."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 256, (n, *shape, 2), dtype=np.uint8)
    X[..., 1] = ndimage.gaussian_filter(X[..., 1], (0, 2, 2)) > 124
    X[0, ..., 1] = X[3, ..., 1] = X[-1, ..., 1] = 0
    X[1, ..., 1] = 1
    X[3, -1, -1, 1] = 7
    X[4, ..., 0] = 0
    X[5, ..., 0] = 255
    X[6, ..., 0][X[6, ..., 1] > 0] = 99
    X[7, ..., 0][X[7, ..., 1] == 0] = 99
    return X


@pytest.mark.parametrize("parameters", PARAMETERS, ids=str)
@pytest.mark.parametrize("mask", ["last", "full", "otsu"])
@pytest.mark.parametrize("lowest", [0, -128])
def test_bytes_give_what_floats_give(parameters, mask, lowest):
    X = byte_stack()
    X = X if mask == "last" else X[..., :1]
    if lowest:
        # From 0..255 to -128..127; the mask just has to stay where it isn't 0.
        X = np.concatenate([X[..., :1] ^ 128, X[..., 1:]], axis=-1).view(np.int8)
    extractor = FeatureExtractor(mask=mask, **parameters)
    got, expected = (extractor.fit_transform(X.astype(t)) for t in (X.dtype, float))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 256), (300, 1), (257, 3), (16, 16), (40, 133)])
def test_bytes_of_any_shape_give_what_floats_give(shape):
    X = byte_stack(12, shape)
    got, expected = (FeatureExtractor().fit_transform(Z) for Z in (X, X.astype(float)))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@given(arrays(np.uint8, (2, 16, 16, 2)))
@settings(max_examples=50, deadline=None)
def test_bytes_of_any_value_give_what_floats_give(X):
    for mask in ("last", "full"):
        extractor = FeatureExtractor(mask=mask)
        got, expected = (extractor.fit_transform(Z) for Z in (X, X.astype(float)))
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_a_large_constant_image_of_bytes_has_no_spread():
    X = np.full((1, 1200, 1100), 251, dtype=np.uint8)
    names = FeatureExtractor().fit(X).get_feature_names_out()
    features = dict(zip(names, FeatureExtractor().fit_transform(X)[0], strict=True))
    assert features["grey_mean"] == features["grey_quantile50"] == 251
    for name, value in features.items():
        if name.startswith(("grey_sd", "grey_sk", "grey_k", "radial", "edge", "mean")):
            assert value == 0, name


@pytest.mark.parametrize("strided", [np.asfortranarray, lambda X: X[:, ::-1][:, ::-1]])
def test_images_may_lie_anyhow_in_memory(strided):
    X = byte_stack()
    expected = FeatureExtractor().fit_transform(X)
    np.testing.assert_array_equal(
        FeatureExtractor().fit_transform(strided(X)), expected
    )
    wide = np.zeros((*X.shape[:3], 5), dtype=np.uint8)
    wide[..., 1], wide[..., 4] = X[..., 0], X[..., 1]
    got = FeatureExtractor().fit_transform(wide[..., 1::3])
    np.testing.assert_array_equal(got, expected)
