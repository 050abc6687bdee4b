"""PNG, JPEG and their like: colours, orientation, palettes, several pictures."""

import numpy as np
import pytest
from PIL import Image
from test_tiff_file import turned

from emclassify.readers import read_image

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 255, shape, np.uint8)


def save(path, image, orientation=1, **options):
    picture = Image.fromarray(image)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif, **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_exif_orientation(tmp_path, suffix, orientation):
    path = tmp_path / f"x.{suffix}"
    save(path, noise(6, 5, 3), orientation)
    with Image.open(path) as picture:
        stored = np.array(picture)
    np.testing.assert_array_equal(read_image(path), turned(stored, orientation))
    np.testing.assert_array_equal(read_image(path, orient=False), stored)


def test_cmyk_jpeg_becomes_rgb(tmp_path):
    path = tmp_path / "x.jpg"
    Image.new("CMYK", (16, 16), (0, 200, 100, 20)).save(path, quality=95)
    with Image.open(path) as picture:
        expected = np.array(picture.convert("RGB"))
    np.testing.assert_array_equal(read_image(path), expected)


def test_a_palette_of_greys_is_grey(tmp_path):
    numbers = noise(6, 5)
    picture = Image.fromarray(numbers, mode="P")
    picture.putpalette([level for i in range(256) for level in [255 - i] * 3])
    picture.save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_image(tmp_path / "x.png"), 255 - numbers)


def test_transparency_of_a_palette_changes_no_colour(tmp_path):
    numbers = np.array([[0, 1], [1, 0]], np.uint8)
    picture = Image.fromarray(numbers, mode="P")
    picture.putpalette([10, 20, 30, 200, 100, 0])
    picture.save(tmp_path / "x.png", transparency=b"\x00\x80")
    expected = np.array([(10, 20, 30), (200, 100, 0)], np.uint8)[numbers]
    np.testing.assert_array_equal(read_image(tmp_path / "x.png"), expected)


def test_several_pictures_are_never_cut_to_the_first(tmp_path):
    frames = [noise(6, 5) for _ in range(3)]
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(tmp_path / "x.png", save_all=True, append_images=rest)
    with pytest.raises(ValueError, match=r"3 images of 6×5 uint8.+page=0 to 2"):
        read_image(tmp_path / "x.png")
    for page, frame in enumerate(frames):
        np.testing.assert_array_equal(read_image(tmp_path / "x.png", page=page), frame)


def test_too_large_a_picture_is_refused(tmp_path, monkeypatch):
    Image.fromarray(noise(60, 50)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match="Pillow refuses so large a picture"):
        read_image(tmp_path / "x.png")
