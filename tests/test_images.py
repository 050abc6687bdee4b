"""The door for images."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from emclassify._images import check_image_shape, check_images


@pytest.mark.parametrize(
    ("shape", "image_shape", "expected"),
    [
        ((5, 7, 6), None, (5, 7, 6, 1)),
        ((5, 7, 6, 2), None, (5, 7, 6, 2)),
        ((5, 42), (7, 6), (5, 7, 6, 1)),
        ((5, 42), (7, 3, 2), (5, 7, 3, 2)),
        ((5, 42), None, (5, 1, 42, 1)),
    ],
)
def test_forms(shape, image_shape, expected):
    X = np.arange(np.prod(shape)).reshape(shape)
    images = check_images(X, image_shape=image_shape)
    assert images.shape == expected
    np.testing.assert_array_equal(images.ravel(), X.ravel())


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_dtype_kept_without_a_copy(dtype):
    X = np.ones((3, 4, 4), dtype)
    images = check_images(X)
    assert images.dtype == X.dtype
    assert np.shares_memory(images, X)


def test_bool_and_half_are_widened():
    assert check_images(np.ones((2, 3, 3), bool)).dtype == np.uint8
    assert check_images(np.ones((2, 3, 3), np.float16)).dtype == np.float32


def test_list_of_equal_images_is_stacked():
    assert check_images([np.zeros((3, 4))] * 5).shape == (5, 3, 4, 1)


@pytest.mark.parametrize("container", [list, lambda x: np.array(x, dtype=object)])
def test_different_sizes_name_the_image(container):
    X = container([np.zeros((3, 4)), np.zeros((3, 4)), np.zeros((5, 4))])
    with pytest.raises(ValueError, match=r"\(3, 4\), image 2 has shape \(5, 4\)"):
        check_images(X)


def test_non_finite_names_image_and_others():
    X = np.zeros((6, 3, 3))
    X[[2, 4, 5], 0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN: image 2 and 2 others of 6"):
        check_images(X)


def test_finite_values_whose_sum_overflows_pass():
    check_images(np.full((2, 3, 3), 1e308))


def test_row_length_against_image_shape():
    with pytest.raises(ValueError, match=r"\(8, 8\) needs 64 values.*\(3, 60\)"):
        check_images(np.zeros((3, 60)), image_shape=(8, 8))


@pytest.mark.parametrize(
    "bad", [(0, 4), (4,), (4, 4, 1, 1), (2.5, 4), "ab", 7, (-1, 3)]
)
def test_bad_image_shape(bad):
    with pytest.raises(ValueError, match="image_shape must be"):
        check_image_shape(bad)


def test_sparse_refused():
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        check_images(sparse.csr_array(np.eye(3)))


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(
        dtype=st.sampled_from(["u1", ">i2", "f4", "f8", "?", "O", "U3", "c8"]),
        shape=hnp.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=4),
    )
)
def test_any_array_gives_a_stack_or_a_clear_error(X):
    try:
        images = check_images(X)
    except (ValueError, TypeError) as error:
        assert len(str(error)) > 10  # noqa: PT017 (either outcome is right)
    else:
        assert images.ndim == 4
        assert len(images) == len(X)
        assert images.dtype.kind in "iuf"
