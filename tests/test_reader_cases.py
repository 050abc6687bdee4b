"""The developers' small files of each fault, with the values of independent readers."""

import numpy as np
import pytest
import tifffile

from emclassify.readers import read_image

pytestmark = pytest.mark.real_data


@pytest.mark.parametrize(
    ("name", "pixel", "value"),
    [
        ("cmyk_8bit.tif", (75, 75), [140, 196, 166]),
        ("orientation_6.jpg", (0, 0), [25, 21, 72]),
    ],
)
def test_colours(shared_cases, name, pixel, value):
    assert read_image(shared_cases / name)[pixel].tolist() == value


@pytest.mark.parametrize(
    ("name", "shape", "least", "most"),
    [
        ("made_four_channels.tif", (16, 16, 4), 0, 3),
        ("made_two_channels.tif", (16, 16, 2), 0, 1),
        ("lzw.tif", (128, 128, 3), 0, 255),
        ("packed_12bit.tif", (100, 100), 0, 30),
        ("white_is_zero_4bit.tif", (128, 128), 0, 15),
        ("uint32_tiff_named.png", (1, 256), 3_837_672, 4_287_516_159),
    ],
)
def test_shapes_and_ranges(shared_cases, name, shape, least, most):
    pytest.importorskip("imagecodecs")
    image = read_image(shared_cases / name)
    assert (image.shape, image.min(), image.max()) == (shape, least, most)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("made_thumbnail_first.tif", "8×8×3 uint8 and 1 of 64×64 uint16"),
        ("made_two_sizes.tif", "64×64 uint16 and 1 of 32×32 uint16"),
        ("claims_3_TiB.tif", "262 bytes claim an image of 900×65535×65535"),
    ],
)
def test_refused_by_name(shared_cases, name, words):
    with pytest.raises(ValueError, match=words):
        read_image(shared_cases / name)


def test_nan_among_paths_is_named(shared_cases, tmp_path):
    from emclassify import FeatureExtractor

    image = read_image(shared_cases / "made_nan.tif")
    assert np.isnan(image).any()
    tifffile.imwrite(tmp_path / "good.tif", np.nan_to_num(image))
    paths = [tmp_path / "good.tif"] * 30
    paths[17] = shared_cases / "made_nan.tif"
    with pytest.raises(ValueError, match=r"X\[17\] .+made_nan\.tif\) contains NaN"):
        FeatureExtractor().fit_transform(paths)
