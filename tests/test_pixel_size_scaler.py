"""PixelSizeScaler."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import tifffile
from hypothesis import assume, given, settings, strategies as st
from imblearn.pipeline import make_pipeline as make_imblearn_pipeline
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from emclassify import open_image_stack
from emclassify.preprocessing import ParticleCropper, PixelSizeScaler, ResizeImages


def disc(size, radius, shape=None):
    """A disc of `radius` (row, column or one number) in px, in the middle."""
    shape = shape or (size, size)
    radius = np.broadcast_to(radius, 2)
    rows, columns = np.indices(shape) - (np.array(shape).reshape(2, 1, 1) - 1) / 2
    inside = np.hypot(rows / radius[0], columns / radius[1]) <= 1
    return np.stack([200 * inside, inside], axis=-1).astype(np.uint8)


def radii(image):
    """Radius in px from the area of what is bright, and of the mask."""
    bright = (image[..., 0] > 100).sum(), (image[..., 1] != 0).sum()
    return np.sqrt(np.array(bright) / np.pi)


@pytest.mark.parametrize("target", [0.8, 1.7, 5.0])
def test_a_disc_keeps_its_radius_in_nm(target):
    # 45 nm each, recorded at four pixel sizes in images of four sizes.
    sizes = np.array([0.9, 1.5, 2.3, 3.0])
    X = [disc(int(120 / size), 45 / size) for size in sizes]
    out = PixelSizeScaler(target).fit_transform(X, pixel_size=sizes)
    for image in out:
        np.testing.assert_allclose(radii(image) * target, 45, rtol=0.02)
        assert set(np.unique(image[..., 1])) == {0, 1}
        assert image.dtype == np.uint8


def test_an_anisotropic_disc_becomes_round():
    X = [disc(None, (20, 40), (60, 120))]
    with pytest.warns(UserWarning, match=r"image 0 differs .*\(2 and 1\)"):
        out = PixelSizeScaler(1.5).fit_transform(X, pixel_size=[(2.0, 1.0)])[0]
    assert out.shape == (80, 80, 2)
    rows, columns = np.nonzero(out[..., 1])
    for axis in (rows, columns):
        assert (np.ptp(axis) + 1) / 2 * 1.5 == pytest.approx(40, rel=0.03)


@settings(max_examples=50, deadline=None)
@given(
    length=st.integers(3, 50),
    size=st.floats(0.1, 10),
    target=st.floats(0.1, 10),
)
def test_the_scale_is_exact(length, size, target):
    # A ramp whose value is the place in nm: its slope is the pixel size.
    assume(length * size / target >= 6)
    ramp = (np.arange(length) + 0.5) * size
    X = [np.tile(ramp, (length, 1))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = PixelSizeScaler(target).fit_transform(X, pixel_size=[size])[0][..., 0]
    n = int(length * size / target + 1e-6)
    assert out.shape == (n, n)
    # Away from the edges, where interpolation has nothing to go on with. Pillow's
    # weights place a pixel to within a tenth; a scale rounded to whole pixels would be
    # half a pixel off there.
    edge = int(np.ceil(max(size / target, 1))) + 1
    inner = out[n // 2, edge:-edge]
    middle = (np.arange(n)[edge:-edge] - (n - 1) / 2) * target + length * size / 2
    np.testing.assert_allclose(inner, middle, atol=0.1 * target + 1e-6 * ramp[-1])


def test_same_pixel_size_changes_nothing():
    X = np.random.default_rng(0).integers(0, 65536, (3, 9, 7), dtype="uint16")
    np.testing.assert_array_equal(
        PixelSizeScaler(0.3, input_pixel_size=0.3).fit_transform(X), X
    )
    out = PixelSizeScaler(0.3).fit_transform(X, pixel_size=[0.3] * 3)
    assert out.dtype == object
    np.testing.assert_array_equal(np.stack(list(out))[..., 0], X)


def test_one_pixel_size_for_all_gives_one_array():
    X = np.zeros((3, 10, 12))
    assert PixelSizeScaler(2, input_pixel_size=4).fit_transform(X).shape == (3, 20, 24)
    with pytest.warns(UserWarning, match="input_pixel_size differs between rows"):
        out = PixelSizeScaler(2, input_pixel_size=(4, 2)).fit_transform(X[..., None])
    assert out.shape == (3, 20, 12, 1)
    scaler = PixelSizeScaler(2, input_pixel_size=4)
    assert scaler.fit_transform(list(X)).dtype == object


@pytest.mark.parametrize(
    ("sizes", "match"),
    [
        ([2, 0, 2], r"pixel_size of image 1 is 0;"),
        ([2, 2, -0.5], r"image 2 is -0.5;"),
        ([np.nan, 2, 0], r"image 0 and 1 other is nan;"),
        ([2, np.inf, 2], r"image 1 is inf;"),
        ([(2, 2), (2, 0), (2, 2)], r"image 1 is 2×0;"),
        ([2, 2], r"for each image.*\(3,\) or \(3, 2\); got the shape \(2,\)"),
        (2.0, r"for each image.*got the shape \(\)"),
        ([(2, 2, 2)] * 3, r"got the shape \(3, 3\)"),
        (["a", "b", "c"], "must hold numbers"),
        ([2, 2, 1e-3], "Image 2 .*would have a side of 0.01 px.*same unit"),
        ([2, 2, 1e9], "Image 2 .*would have a side of 1e.10 px.*same unit"),
    ],
)
def test_impossible_pixel_sizes_named(sizes, match):
    scaler = PixelSizeScaler(1.0).fit(np.zeros((3, 10, 10)))
    with pytest.raises(ValueError, match=match):
        scaler.transform(np.zeros((3, 10, 10)), pixel_size=sizes)


def test_exactly_one_is_suspicious():
    X = np.zeros((4, 10, 10))
    with pytest.warns(UserWarning, match="of image 1 and 1 other is exactly 1, which"):
        PixelSizeScaler(2.0).fit_transform(X, pixel_size=[2, 1, 1.001, 1])
    with pytest.warns(UserWarning, match="^input_pixel_size is exactly 1, which"):
        PixelSizeScaler(2.0, input_pixel_size=1).fit_transform(X)


def test_pixel_sizes_are_never_guessed():
    X = np.zeros((4, 10, 10))
    with pytest.raises(ValueError, match="got neither"):
        PixelSizeScaler(2.0).fit_transform(X)
    with pytest.raises(ValueError, match="got both"):
        PixelSizeScaler(2.0, input_pixel_size=3).fit_transform(X, pixel_size=[3] * 4)
    with pytest.raises(ValueError, match=r"'pixel_size' parameter .*Got None"):
        PixelSizeScaler().fit(X)
    for bad in ((1, 2, 3), ("a", 2), ()):
        with pytest.raises(ValueError, match="input_pixel_size must"):
            PixelSizeScaler(2.0, input_pixel_size=bad).fit_transform(X)


def test_mask_may_be_ordinary():
    X = [disc(30, 10)]
    out = PixelSizeScaler(3.0, mask=None).fit_transform(
        255 * X[0][None], pixel_size=[2]
    )
    assert len(np.unique(out[0][..., 1])) > 2
    with pytest.raises(ValueError, match='mask="last"'):
        PixelSizeScaler(3.0, mask="last").fit(np.zeros((2, 4, 4)))


@pytest.mark.parametrize("make", [make_pipeline, make_imblearn_pipeline])
def test_metadata_routing_carries_the_pixel_sizes(make):
    seen = []

    def flat(X):
        seen.append(X)
        return X.reshape(len(X), -1)

    sizes = np.array([2.0, 4.0, 3.0, 1.5])
    X = [disc(int(120 / size), 40 / size) for size in sizes]
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = PixelSizeScaler(2.0).set_transform_request(pixel_size=True)
        model = make(
            scaler,
            ParticleCropper(margin=0),
            ResizeImages((20, 20)),
            FunctionTransformer(flat),
            KNeighborsClassifier(1),
        )
        model.fit(X, [0, 1, 0, 1], pixel_size=sizes)
        assert model.predict(X[:3], pixel_size=sizes[:3]).tolist() == [0, 1, 0]
    np.testing.assert_array_equal(seen[0][:3], seen[1])


def test_rescaled_before_cross_validation():
    # What tells the classes apart is the radius in nm, which the pixels don't show.
    rng = np.random.default_rng(0)
    radius = np.where(np.arange(30) % 2, 30, 40)
    sizes = rng.uniform(1.5, 3, 30)
    X = [disc(int(100 / s), r / s) for s, r in zip(sizes, radius, strict=True)]
    scaled = PixelSizeScaler(3.0).fit_transform(X, pixel_size=sizes)

    def area(X):
        return np.array([[image[..., 1].sum()] for image in X])

    model = make_pipeline(FunctionTransformer(area), KNeighborsClassifier(1))
    assert cross_val_score(model, scaled, radius, cv=5).mean() == 1


@pytest.fixture
def disc_files(tmp_path):
    """One disc of 45 nm in TIFF files of three pixel sizes."""
    paths = []
    for i, size in enumerate([0.9, 1.5, 3.0]):
        image = disc(int(120 / size), 45 / size)[..., 0]
        metadata = {"axes": "YX"}
        for axis in "XY":
            metadata[f"PhysicalSize{axis}"] = size
            metadata[f"PhysicalSize{axis}Unit"] = "nm"
        paths.append(tmp_path / f"{i}.tif")
        tifffile.imwrite(paths[-1], image, ome=True, metadata=metadata)
    return paths


def test_files_bring_their_pixel_size(disc_files):
    scaler = PixelSizeScaler(1.7).fit(disc_files)
    out = scaler.transform(disc_files)
    for image in out:
        area = (image[..., 0] > 100).sum()
        assert np.sqrt(area / np.pi) * 1.7 == pytest.approx(45, rel=0.02)
    column = scaler.transform(pd.Series(disc_files))
    assert [image.shape for image in column] == [image.shape for image in out]
    # What is given counts more than what the files state.
    given = scaler.transform(disc_files, pixel_size=[1.7, 1.7, 1.7])
    assert [image.shape[0] for image in given] == [133, 80, 40]


def test_files_without_a_pixel_size_are_named(disc_files, tmp_path):
    tifffile.imwrite(tmp_path / "bare.tif", disc(40, 10)[..., 0])
    paths = [*disc_files, tmp_path / "bare.tif"]
    with pytest.raises(ValueError, match=r"bare\.tif states no pixel size"):
        PixelSizeScaler(1.7).fit(paths).transform(paths)


def test_a_stack_brings_its_pixel_size(disc_files):
    with open_image_stack(disc_files[2]) as stack:
        out = PixelSizeScaler(1.5).fit(stack).transform(stack)
    assert out[0].shape == (80, 80, 1)
