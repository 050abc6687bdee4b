"""Small pictures of images, as reports and pages hold them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from emclassify._thumbnails import thumbnail, to_8_bit
from emclassify.display._thumbnails import image_at


def decode(uri):
    assert uri.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))


def test_thumbnail_of_16_bits_is_scaled_and_outliers_clipped():
    image = np.tile(np.linspace(30000, 31000, 40), (40, 1)).astype(np.uint16)
    image[0, 0] = 65535
    shown = decode(thumbnail(image))
    assert shown.dtype == np.uint8
    assert shown.min() == 0
    assert np.median(shown) == pytest.approx(127, abs=5)


def test_thumbnail_of_floats_with_nan_and_of_constants():
    image = np.array([[0.0, np.nan], [1.0, np.inf]])
    assert decode(thumbnail(image)).shape == (2, 2)
    assert (to_8_bit(np.full((4, 4), 7.0)) == 128).all()
    assert (to_8_bit(np.full((4, 4), np.nan)) == 0).all()
    one_bright = np.zeros((40, 40), dtype=np.uint8)
    one_bright[3, 3] = 9
    assert to_8_bit(one_bright)[3, 3] == 255


@pytest.mark.parametrize(
    ("channels", "shape"),
    [(1, (6, 5)), (2, (6, 5)), (3, (6, 5, 3)), (4, (6, 5, 3)), (7, (6, 5))],
)
def test_thumbnail_channels(channels, shape):
    image = np.random.RandomState(0).randint(255, size=(6, 5, channels), dtype=np.uint8)
    shown = decode(thumbnail(image))
    assert shown.shape == shape
    if channels in (3, 4):
        np.testing.assert_array_equal(shown, image[..., :3])


def test_large_images_shrink():
    assert decode(thumbnail(np.random.RandomState(0).rand(300, 600))).shape == (64, 128)


def test_image_at():
    assert image_at(np.zeros((2, 5)), 0) is None
    assert image_at([np.zeros((2, 5))], 0).shape == (2, 5)
