"""ParticleCropper."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from skimage.measure import regionprops
from sklearn.pipeline import make_pipeline

from emclassify.preprocessing import ParticleCropper, ResizeImages


def image_with_box(shape, box, dtype="uint8", seed=0):
    """Noise, with a mask that is 1 in the box (top, left, bottom, right)."""
    image = np.random.default_rng(seed).integers(1, 200, shape).astype(dtype)
    top, left, bottom, right = box
    mask = np.zeros(shape, dtype)
    mask[top:bottom, left:right] = 1
    return np.stack([image, mask], axis=-1)


@pytest.mark.parametrize("dtype", ["uint32", "int64", "uint64"])
def test_a_saturated_background_is_filled_with_its_own_grey(dtype):
    highest = np.iinfo(dtype).max
    X = np.full((1, 6, 6, 2), highest, dtype)
    X[..., 1] = 0
    X[0, 2:4, 3, 1] = X[0, 2, 4, 1] = 1
    cropper = ParticleCropper(margin=0, apply_mask=True, fill_value="mean")
    assert (cropper.fit_transform(X)[0][..., 0] == highest).all()


@pytest.mark.parametrize("margin", [0, 1, 7])
def test_box_by_hand(margin):
    X = [image_with_box((40, 60), (10, 20, 18, 45)), image_with_box((30, 30), (9,) * 4)]
    X[1][9, 9, 1] = 255
    out = ParticleCropper(margin).fit_transform(X)
    assert out.dtype == object
    assert out.shape == (2,)
    m = margin
    np.testing.assert_array_equal(out[0], X[0][10 - m : 18 + m, 20 - m : 45 + m])
    np.testing.assert_array_equal(out[1], X[1][9 - m : 10 + m, 9 - m : 10 + m])


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_box_is_that_of_scikit_image(data):
    height, width = (data.draw(st.integers(1, 20)) for _ in range(2))
    seed = data.draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    mask = (rng.random((height, width)) < 0.1).astype(np.uint8)
    mask[rng.integers(height), rng.integers(width)] = 1
    image = rng.integers(0, 255, (height, width), dtype=np.uint8)
    out = ParticleCropper(margin=0).fit_transform([np.dstack([image, mask])])[0]
    top, left, bottom, right = regionprops(mask)[0].bbox
    np.testing.assert_array_equal(out[..., 0], image[top:bottom, left:right])
    # Mirrored, the box is in the middle whatever the image.
    margin = data.draw(st.integers(0, 30))
    cropper = ParticleCropper(margin, border="reflect")
    full = cropper.fit_transform([np.dstack([image, mask])])[0]
    size = bottom - top + 2 * margin, right - left + 2 * margin
    assert full.shape == (*size, 2)
    inner = full[margin : size[0] - margin, margin : size[1] - margin]
    np.testing.assert_array_equal(inner, out)
    assert full[..., 1].sum() == mask.sum()


def test_border_clipped_or_mirrored():
    X = [image_with_box((20, 30), (1, 10, 6, 28))]
    clipped = ParticleCropper(margin=4).fit_transform(X)[0]
    np.testing.assert_array_equal(clipped, X[0][0:10, 6:30])
    mirrored = ParticleCropper(margin=4, border="reflect").fit_transform(X)[0]
    assert mirrored.shape == (13, 26, 2)
    np.testing.assert_array_equal(mirrored[3:, :24], clipped)
    np.testing.assert_array_equal(mirrored[:3, :24, 0], X[0][3:0:-1, 6:30, 0])
    np.testing.assert_array_equal(mirrored[3:, 24:, 0], X[0][0:10, 28:26:-1, 0])
    # The particle itself is mirrored, but is no particle there.
    assert not mirrored[:3, :, 1].any()
    assert not mirrored[:, 24:, 1].any()


@pytest.mark.parametrize(
    ("fill_value", "expected"), [("mean", 21), ("median", 12), (0, 0), (7.0, 7)]
)
def test_masked_by_hand(fill_value, expected):
    image = np.full((5, 5), 100, np.uint8)
    image[1, :] = [0, 10, 12, 14, 67]
    mask = np.zeros_like(image)
    mask[2:4] = 1
    X = np.stack([image, mask], axis=-1)[np.newaxis]
    cropper = ParticleCropper(margin=1, apply_mask=True, fill_value=fill_value)
    X[0, 4, :, 0] = image[1]
    out = cropper.fit_transform(X)[0]
    assert out.shape == (4, 5, 2)
    # Outside are rows 1 and 4, twice 0, 10, 12, 14, 67: mean 20.6, median 12.
    assert set(out[[0, 3], :, 0].ravel()) == {expected}
    assert (out[1:3, :, 0] == 100).all()
    assert out.dtype == np.uint8


def test_three_kinds_of_input_to_one_size():
    X = [
        image_with_box((90, 120), (30, 40, 60, 80)),
        image_with_box((50, 40), (5,) * 4),
    ]
    X[1][10:20, 10:20, 1] = 1
    for kind, size in (
        (ParticleCropper(), [(90, 120, 2), (50, 40, 2)]),
        (ParticleCropper(margin=0), [(30, 40, 2), (10, 10, 2)]),
        (ParticleCropper(margin=0, apply_mask=True), [(30, 40, 2), (10, 10, 2)]),
    ):
        assert [crop.shape for crop in kind.fit_transform(X)] == size
        out = make_pipeline(kind, ResizeImages((28, 28))).fit_transform(X)
        assert out.shape == (2, 28, 28, 2)
        assert set(np.unique(out[..., 1])) <= {0, 1}


def test_mask_may_be_left_out():
    X = [image_with_box((20, 20), (5, 5, 9, 9))]
    out = ParticleCropper(margin=0, keep_mask=False).fit_transform(X)[0]
    np.testing.assert_array_equal(out, X[0][5:9, 5:9, :1])


def test_colour_and_mask():
    X = np.random.default_rng(0).integers(1, 99, (2, 20, 20, 4), dtype=np.uint8)
    assert ParticleCropper(margin=0).fit_transform(X).shape == X.shape
    X[..., 3] = 0
    X[:, 5:9, 6:8, 3] = 1
    cropper = ParticleCropper(margin=1, mask="last", apply_mask=True, fill_value=0)
    out = cropper.fit_transform(X)
    assert [crop.shape for crop in out] == [(6, 4, 4)] * 2
    np.testing.assert_array_equal(out[0][1:5, 1:3], X[0, 5:9, 6:8])
    assert out[0].sum() == X[0, 5:9, 6:8].sum()


def test_form_does_not_depend_on_luck():
    one_size = np.stack([image_with_box((20, 20), (5, 5, 9, 9))] * 3)
    out = ParticleCropper(margin=0).fit_transform(one_size)
    assert out.dtype == object
    assert out.shape == (3,)
    assert ParticleCropper(margin=0).fit_transform(one_size[:1]).shape == (1,)


def test_without_mask_all_is_particle():
    X = np.arange(48.0).reshape(2, 4, 6)
    np.testing.assert_array_equal(ParticleCropper().fit_transform(X), X)
    out = ParticleCropper(margin=2, border="reflect").fit_transform(X)
    np.testing.assert_array_equal(out, np.pad(X, [(0, 0), (2, 2), (2, 2)], "reflect"))
    listed = ParticleCropper().fit_transform([X[0], X[1, :2]])
    assert [image.shape for image in listed] == [(4, 6, 1), (2, 6, 1)]


def test_empty_mask_named_or_kept():
    X = np.stack([image_with_box((20, 20), (5, 5, 9, 9))] * 3)
    X[1, ..., 1] = 0
    with pytest.raises(ValueError, match="mask of image 1 is empty"):
        ParticleCropper().fit(X).transform(X)
    out = ParticleCropper(0, apply_mask=True, on_empty="keep").fit_transform(X)
    assert [crop.shape for crop in out] == [(4, 4, 2), (20, 20, 2), (4, 4, 2)]
    np.testing.assert_array_equal(out[1], X[1])


@pytest.mark.parametrize("fill_value", [-1, 256, 0.5])
def test_fill_value_has_to_fit(fill_value):
    X = [image_with_box((20, 20), (5, 5, 9, 9))]
    cropper = ParticleCropper(apply_mask=True, fill_value=fill_value)
    with pytest.raises(
        ValueError, match=rf"fill_value={fill_value} does not fit.*uint8"
    ):
        cropper.fit_transform(X)
    cropper.fit_transform([X[0].astype(float)])


def test_mask_asked_for_but_not_there():
    with pytest.raises(ValueError, match=r'ParticleCropper\(mask="last"\).*1 channel'):
        ParticleCropper(mask="last").fit(np.zeros((2, 5, 5)))


def test_crops_hold_no_part_of_the_image_they_came_from():
    X = np.stack([image_with_box((20, 20), (5, 5, 9, 9))] * 2)
    before = X.copy()
    for cropper in (ParticleCropper(), ParticleCropper(0), ParticleCropper(0, True)):
        out = cropper.fit_transform(X)
        out[0][:] = 77
        assert out[0].base is None
    np.testing.assert_array_equal(X, before)
