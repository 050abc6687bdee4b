"""Tests of the file formats that load_image_folder reads."""

import struct
import sys
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from emclassify.readers import load_image_folder


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".tif", ".tiff"):
        tifffile.imwrite(path, array, **options)
    else:
        Image.fromarray(array).save(path, **options)


def pattern(shape=(6, 5), dtype=np.uint8, start=0):
    return (np.arange(np.prod(shape)) * 7 + start).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    ("name", "array", "options"),
    [
        ("x.png", pattern(), {}),
        ("x.png", pattern(dtype=np.uint16) * 300, {}),
        ("x.png", pattern((6, 5, 3)), {}),
        ("x.tif", pattern(), {}),
        ("x.tif", pattern(dtype=np.uint16) * 300, {}),
        ("x.tif", (pattern(dtype=np.uint16) * 300).astype(">u2"), {"byteorder": ">"}),
        ("x.tiff", pattern((6, 5, 3), np.uint16) * 300, {"photometric": "rgb"}),
        ("x.tif", pattern(dtype=np.float32) / 7, {}),
        ("x.tif", pattern(dtype=np.int16) - 90, {}),
    ],
)
def test_lossless_formats_keep_values_and_type(tmp_path, name, array, options):
    save(tmp_path / "a" / name, array, **options)
    image = load_image_folder(tmp_path).images[0]
    assert image.dtype == array.dtype.newbyteorder("=")
    assert image.dtype.isnative
    np.testing.assert_array_equal(image, array)


def test_jpeg(tmp_path):
    save(tmp_path / "a" / "x.jpg", np.full((16, 16), 77, np.uint8), quality=95)
    image = load_image_folder(tmp_path).images[0]
    assert image.shape == (16, 16)
    assert abs(image.astype(int) - 77).max() <= 1


def test_planes_of_a_tiff_go_last(tmp_path):
    planes = pattern((3, 6, 5))
    save(tmp_path / "a" / "x.tif", planes, photometric="rgb", planarconfig="separate")
    image = load_image_folder(tmp_path).images[0]
    np.testing.assert_array_equal(image, np.moveaxis(planes, 0, -1))


def test_white_is_zero_tiff_is_inverted(tmp_path):
    save(tmp_path / "a" / "x.tif", pattern(), photometric="miniswhite")
    np.testing.assert_array_equal(
        load_image_folder(tmp_path).images[0], 255 - pattern()
    )


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_dropped(tmp_path, channels):
    array = pattern((6, 5, channels))
    save(tmp_path / "a" / "x.png", array)
    image = load_image_folder(tmp_path).images[0]
    np.testing.assert_array_equal(image, array[..., 0 if channels == 2 else slice(3)])


def test_palette_and_bilevel(tmp_path):
    rgb = np.zeros((4, 4, 3), np.uint8)
    rgb[:2] = (10, 200, 30)
    Image.fromarray(rgb).quantize(4).save(tmp_path / "p.png")
    (tmp_path / "a").mkdir()
    (tmp_path / "p.png").rename(tmp_path / "a" / "p.png")
    np.testing.assert_array_equal(load_image_folder(tmp_path).images[0], rgb)
    (tmp_path / "a" / "p.png").unlink()
    save(tmp_path / "a" / "bits.png", np.eye(4, dtype=bool))
    np.testing.assert_array_equal(
        load_image_folder(tmp_path).images[0], np.eye(4, dtype=np.uint8) * 255
    )


def test_as_gray(tmp_path):
    save(tmp_path / "a" / "1.png", np.full((3, 3, 3), (200, 100, 50), np.uint8))
    save(tmp_path / "a" / "2.png", np.full((3, 3), 9, np.uint8))
    with pytest.raises(ValueError, match=r"2\.png is grey, a/1\.png has 3 channels"):
        load_image_folder(tmp_path)
    images = load_image_folder(tmp_path, as_gray=True).images
    # 0.299·200 + 0.587·100 + 0.114·50 = 124.2
    assert images[0, 0, 0] == 124
    assert images[1, 0, 0] == 9
    assert images.dtype == np.uint8


def test_stack_of_pages_is_refused(tmp_path):
    save(tmp_path / "a" / "x.tif", pattern((4, 6, 5)), photometric="minisblack")
    with pytest.raises(ValueError, match=r"4 images of 6×5 uint8.* page=0 to 3"):
        load_image_folder(tmp_path)


def test_sixteen_bit_colour_png_is_not_cut_to_eight(tmp_path, monkeypatch):
    pytest.importorskip("imagecodecs")

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    pixels = pattern((2, 2, 3), np.uint16).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path = tmp_path / "a" / "x.png"
    path.parent.mkdir()
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    np.testing.assert_array_equal(load_image_folder(tmp_path).images[0], pixels)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(ImportError, match=r"16 bits a channel .*emclassify\[codecs\]"):
        load_image_folder(tmp_path)
