"""ResizeImages."""

import numpy as np
import pytest
from skimage.transform import resize

from emclassify.preprocessing import ResizeImages


def test_agrees_with_scikit_image_on_a_smooth_image():
    rows, columns = np.mgrid[:60, :48]
    X = (np.sin(rows / 9) + np.cos(columns / 7))[np.newaxis]
    got = ResizeImages((30, 24)).fit_transform(X)[0]
    expected = resize(X[0], (30, 24), order=1, anti_aliasing=False)
    np.testing.assert_allclose(got[2:-2, 2:-2], expected[2:-2, 2:-2], atol=0.02)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_constant_stays_constant(dtype):
    X = np.full((2, 9, 13, 3), 200, dtype)
    out = ResizeImages((5, 6)).fit_transform(X)
    assert out.shape == (2, 5, 6, 3)
    assert out.dtype == X.dtype
    assert (out == 200).all()


@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", "uint32", "int32", "uint64", "int64"]
)
def test_the_ends_of_a_type_stay_there(dtype):
    limits = np.iinfo(dtype)
    for value in (limits.min, limits.max):
        X = np.full((1, 8, 8), value, dtype)
        out = ResizeImages((4, 4)).fit_transform(X)
        np.testing.assert_array_equal(out, X[:, :4, :4])


def test_same_size_is_untouched():
    X = np.random.default_rng(0).integers(0, 65536, (3, 8, 8), dtype="uint16")
    np.testing.assert_array_equal(ResizeImages((8, 8)).fit_transform(X), X)


def test_mask_stays_a_mask():
    X = np.zeros((1, 40, 40, 2), np.uint8)
    X[0, 10:30, 10:30] = 255
    image, mask = np.moveaxis(ResizeImages((13, 13)).fit_transform(X)[0], -1, 0)
    assert set(np.unique(mask)) == {0, 255}
    assert len(np.unique(image)) > 2
    blurred = ResizeImages((13, 13), mask=None).fit_transform(X)[0, ..., 1]
    assert len(np.unique(blurred)) > 2


def test_half_a_pixel_of_mask_counts_whatever_the_rounding():
    # By fractions, pixel (7, 5) is in the mask to exactly one half.
    mask = [[1, 1, 0, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 1, 1, 0]]
    mask += [[1, 0, 0, 1, 1, 0, 0, 1, 1]]
    X = np.stack([np.zeros((3, 9)), mask], -1)[np.newaxis]
    assert ResizeImages((13, 8)).fit_transform(X)[0, 7, 5, 1] == 1


def test_different_sizes_come_out_as_one_stack():
    X = [np.full((40, 40), 3, np.uint8), np.full((90, 120), 5, np.uint8)]
    model = ResizeImages((28, 20)).fit(X)
    out = model.transform(X)
    assert out.shape == (2, 28, 20)
    assert out[0].max() == 3
    assert out[1].min() == 5
    assert model.transform([np.zeros((7, 5, 1), np.uint8)]).shape == (1, 28, 20, 1)


def test_different_channels_named():
    with pytest.raises(ValueError, match=r"X\[1\] has 3 channels, X\[0\] has 1"):
        ResizeImages().fit([np.zeros((4, 4)), np.zeros((5, 5, 3))])


def test_bad_image_in_a_list_is_named():
    X = [np.zeros((4, 4)), np.full((5, 5), np.nan)]
    with pytest.raises(ValueError, match=r"X\[1\] contains NaN"):
        ResizeImages().fit(X)


@pytest.mark.parametrize("bad", [(0, 4), (4, -1), (4,), (4, 4, 1), (2.5, 3)])
def test_bad_output_shape(bad):
    with pytest.raises(ValueError, match="output_shape must be"):
        ResizeImages(bad).fit(np.zeros((2, 4, 4)))


def test_values_beyond_float32_stay_finite():
    X = np.random.default_rng(0).uniform(1, 2, size=(2, 8, 8))
    huge = ResizeImages((4, 4)).fit_transform(1e300 * X)
    np.testing.assert_allclose(
        huge, 1e300 * ResizeImages((4, 4)).fit_transform(X), 1e-6
    )
