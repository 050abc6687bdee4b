"""PNG, JPEG and their like: colours, orientation, palettes, several pictures."""

import sys

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


# What Pillow would rescale.


@pytest.mark.parametrize(
    ("kind", "white", "shape"),
    [
        ("P5", 100, (6, 5)),
        ("P5", 255, (6, 5)),
        ("P5", 4095, (6, 5)),
        ("P5", 65535, (6, 5)),
        ("P6", 100, (6, 5, 3)),
        ("P6", 65535, (6, 5, 3)),
        ("P2", 255, (6, 5)),
        ("P2", 65535, (6, 5)),
        ("P3", 255, (6, 5, 3)),
    ],
)
def test_portable_maps_keep_their_numbers(tmp_path, kind, white, shape):
    dtype = np.uint8 if white < 256 else np.uint16
    image = RNG.integers(0, white + 1, shape).astype(dtype)
    data = f"{kind} 5 6 {white}\n".encode()
    if kind in ("P2", "P3"):
        data += " ".join(map(str, image.ravel().tolist())).encode()
    else:
        data += image.astype(image.dtype.newbyteorder(">")).tobytes()
    (tmp_path / "x.png").write_bytes(data)
    read = read_image(tmp_path / "x.png")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)


def test_portable_maps_that_are_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(b"P2 2 1 4095\n7 4095\n")
    with pytest.raises(ValueError, match=r"its white is 4095 in text \(P2, P3\)"):
        read_image(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes(b"P5 2 2 4095\n" + bytes(6))
    with pytest.raises(ValueError, match="it has 3 of 4 values"):
        read_image(tmp_path / "x.png")


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("shape", [(16, 12), (16, 12, 3)])
def test_jpeg_2000_keeps_its_numbers(tmp_path, monkeypatch, bits, shape):
    codecs = pytest.importorskip("imagecodecs")
    dtype = np.uint8 if bits == 8 else np.uint16
    image = RNG.integers(0, 2**bits, shape).astype(dtype)
    data = codecs.jpeg2k_encode(
        image, level=0, bitspersample=bits, codecformat="jp2", reversible=True
    )
    (tmp_path / "x.png").write_bytes(data)
    read = read_image(tmp_path / "x.png")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    if bits > 8:
        words = rf"JPEG 2000 of {bits} bits .+ install .emclassify\[codecs\]"
        with pytest.raises(ImportError, match=words):
            read_image(tmp_path / "x.png")
