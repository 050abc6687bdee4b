"""TIFF files of every kind: colours, samples, orientation, pages, codecs, headers."""

import importlib
import struct
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from emclassify.readers import load_image_folder, open_image_stack, read_image

RNG = np.random.default_rng(0)


def noise(shape, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype)


def turned(image, orientation):
    """An image as a viewer shows it, by Pillow's own words for each number."""
    return [
        image,
        image[:, ::-1],
        image[::-1, ::-1],
        image[::-1],
        np.swapaxes(image, 0, 1),
        np.rot90(image, -1),
        np.rot90(np.swapaxes(image, 0, 1), 2),
        np.rot90(image),
    ][orientation - 1]


@pytest.mark.parametrize("channels", [2, 4, 5])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_samples_that_are_not_alpha_are_kept(tmp_path, channels, planar):
    image = noise((6, 5, channels), np.uint16)
    stored = image if planar == "contig" else np.moveaxis(image, -1, 0)
    tifffile.imwrite(
        tmp_path / "x.tif",
        stored,
        photometric="minisblack",
        planarconfig=planar,
        extrasamples=[0] * (channels - 1),
    )
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif"), image)


@pytest.mark.parametrize(
    ("channels", "photometric", "extra", "kept"),
    [
        (2, "minisblack", ["unassalpha"], [0]),
        (4, "rgb", ["assocalpha"], [0, 1, 2]),
        (5, "rgb", ["unspecified", "unassalpha"], [0, 1, 2, 3]),
    ],
)
def test_alpha_is_left_out(tmp_path, channels, photometric, extra, kept):
    image = noise((6, 5, channels))
    tifffile.imwrite(
        tmp_path / "x.tif",
        image,
        photometric=photometric,
        planarconfig="contig",
        extrasamples=extra,
    )
    expected = np.squeeze(image[..., kept])
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif"), expected)


def test_cmyk_becomes_rgb(tmp_path):
    image = noise((6, 5, 4))
    image[0, 0] = (0, 0, 0, 255)
    image[0, 1] = (0, 255, 255, 0)
    Image.fromarray(image, mode="CMYK").save(tmp_path / "x.tif")
    read = read_image(tmp_path / "x.tif")
    assert read[0, :2].tolist() == [[0, 0, 0], [255, 0, 0]]
    with Image.open(tmp_path / "x.tif") as picture:
        expected = np.array(picture.convert("RGB"), int)
    # Both round.
    assert abs(read - expected).max() <= 1


@pytest.mark.parametrize("photometric", ["cielab", "icclab", "logluv", "ycbcr"])
def test_other_colours_are_refused_by_name(tmp_path, photometric):
    tifffile.imwrite(tmp_path / "x.tif", noise((6, 5, 3)), photometric=photometric)
    with pytest.raises(ValueError, match=rf"its colours are {photometric.upper()}"):
        read_image(tmp_path / "x.tif")


def test_ycbcr_in_jpeg_becomes_rgb(tmp_path):
    pytest.importorskip("imagecodecs")
    image = np.full((16, 16, 3), (200, 30, 90), np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", image, photometric="rgb", compression="jpeg")
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        assert file.pages[0].photometric.name == "YCBCR"
    read = read_image(tmp_path / "x.tif").astype(int)
    assert abs(read - (200, 30, 90)).max() <= 3


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_white_is_zero_is_inverted(tmp_path, dtype, white):
    image = noise((6, 5), dtype)
    tifffile.imwrite(tmp_path / "x.tif", image, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif"), white - image)


def write_packed(path, image, bits, photometric, colours=()):
    """Write a TIFF of so many bits a sample; each row fills whole bytes."""
    rows = [
        np.packbits([[(v >> b) & 1 for b in range(bits - 1, -1, -1)] for v in row])
        for row in image.tolist()
    ]
    data = b"".join(row.tobytes() for row in rows)
    entries = [
        (256, 3, image.shape[1]),
        (257, 3, image.shape[0]),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, image.shape[0]),
        (279, 4, len(data)),
    ]
    data += b"\0" * (len(data) % 2)
    entries = [(tag, kind, 1, value) for tag, kind, value in entries]
    if colours:
        entries.append((320, 3, len(colours), 8 + len(data)))
        data += struct.pack(f"<{len(colours)}H", *colours)
    table = struct.pack("<H", len(entries))
    for entry in entries:
        table += struct.pack("<HHII", *entry)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    path.write_bytes(head + data + table + struct.pack("<I", 0))


@pytest.mark.parametrize("bits", [4, 12])
@pytest.mark.parametrize(("photometric", "inverted"), [(1, False), (0, True)])
def test_packed_bits(tmp_path, bits, photometric, inverted, monkeypatch):
    pytest.importorskip("imagecodecs")
    image = RNG.integers(0, 2**bits, (6, 5), np.uint16)
    image[0, :2] = 0, 2**bits - 1
    write_packed(tmp_path / "x.tif", image, bits, photometric)
    expected = 2**bits - 1 - image if inverted else image
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif"), expected)


def test_a_palette_of_two_colours(tmp_path):
    pytest.importorskip("imagecodecs")
    image = RNG.integers(0, 2, (6, 5))
    # All reds first, then greens and blues.
    colours = [c * 257 for c in (200, 10, 30, 40, 50, 60)]
    write_packed(tmp_path / "x.tif", image, 1, 3, colours)
    expected = np.array([[200, 30, 50], [10, 40, 60]], np.uint8)[image]
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif"), expected)
    with open_image_stack(tmp_path / "x.tif") as stack:
        np.testing.assert_array_equal(stack[0], expected)


def without_imagecodecs(monkeypatch):
    fallback = importlib.import_module("tifffile._imagecodecs")
    monkeypatch.setattr(tifffile.tifffile, "imagecodecs", fallback)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_missing_codec_names_the_extra(tmp_path, monkeypatch, on_error):
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "x.tif"
    write_packed(path, RNG.integers(0, 16, (6, 5)), 4, 0)
    tifffile.imwrite(tmp_path / "a" / "y.tif", noise((6, 5)))
    without_imagecodecs(monkeypatch)
    words = r"4 bits a sample.+needs imagecodecs: pip install .emclassify\[codecs\]"
    if on_error == "raise":
        with pytest.raises(ImportError, match=rf"x\.tif.+{words}") as caught:
            load_image_folder(tmp_path)
        assert "epair" not in str(caught.value)
        with pytest.raises(ImportError, match=words):
            read_image(path)
    else:
        with pytest.warns(UserWarning, match=rf"x\.tif.+{words}"):
            bunch = load_image_folder(tmp_path, on_error="skip")
        assert bunch.filenames.tolist() == ["a/y.tif"]


def test_pillow_stands_in_for_a_codec(tmp_path, monkeypatch):
    image = noise((16, 16, 3))
    Image.fromarray(image).save(tmp_path / "x.tif", compression="tiff_lzw")
    without_imagecodecs(monkeypatch)
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif"), image)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path, orientation):
    image = noise((6, 5, 3))
    tag = [(274, "H", 1, orientation, True)]
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, image, photometric="rgb", extratags=tag)
    upright = turned(image, orientation)
    np.testing.assert_array_equal(read_image(path), upright)
    np.testing.assert_array_equal(read_image(path, orient=False), image)
    with open_image_stack(path) as stack:
        assert stack.shape == (1, *upright.shape)
        np.testing.assert_array_equal(stack[0], upright)
        np.testing.assert_array_equal(stack[:, 1:3], upright[None, 1:3])


def test_a_palette_of_greys_is_grey(tmp_path):
    numbers = noise((6, 5))
    ramp = np.arange(256, dtype=np.uint16)[::-1] * 257
    tifffile.imwrite(
        tmp_path / "x.tif", numbers, photometric="palette", colormap=[ramp] * 3
    )
    read = read_image(tmp_path / "x.tif")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, 255 - numbers)


# More than one image.


def write_pages(path, *pages, first=()):
    with tifffile.TiffWriter(path) as file:
        for page, options in zip(pages, [*first, *[{}] * len(pages)], strict=False):
            file.write(page, metadata=None, **options)


def test_two_sizes_are_refused_with_both_shapes(tmp_path):
    large, small = noise((64, 48), np.uint16), noise((32, 24), np.uint16)
    path = tmp_path / "a" / "x.tif"
    path.parent.mkdir()
    write_pages(path, large, small)
    words = r"x\.tif.+1 image of 64×48 uint16 and 1 of 32×24 uint16.+page=0 to 1"
    with pytest.raises(ValueError, match=words):
        load_image_folder(tmp_path)
    for page, image in enumerate((large, small)):
        np.testing.assert_array_equal(read_image(path, page=page), image)
        bunch = load_image_folder(tmp_path, page=page)
        np.testing.assert_array_equal(bunch.images[0], image)
        assert bunch.pages.tolist() == [page]
    with pytest.raises(ValueError, match="page=2 is not in it"):
        read_image(path, page=2)


def test_a_thumbnail_first_is_not_taken_for_the_picture(tmp_path):
    thumbnail, picture = noise((8, 8, 3)), noise((64, 64), np.uint16)
    write_pages(tmp_path / "x.tif", thumbnail, picture)
    with pytest.raises(ValueError, match="8×8×3 uint8 and 1 of 64×64 uint16"):
        read_image(tmp_path / "x.tif")
    # What the file itself calls a smaller copy is left out.
    write_pages(tmp_path / "x.tif", thumbnail, picture, first=[{"subfiletype": 1}])
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif"), picture)


FRAMES = {"metadata": {"axes": "TYX"}}


@pytest.mark.parametrize(
    "options", [{}, {"imagej": True, **FRAMES}, {"ome": True, **FRAMES}]
)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_all_pages(tmp_path, options, compression):
    images = noise((7, 6, 5), np.uint16)
    if options.get("imagej") and compression:
        pytest.skip("ImageJ reads none")
    path = tmp_path / "a" / "x.tif"
    path.parent.mkdir()
    tifffile.imwrite(
        path, images, photometric="minisblack", compression=compression, **options
    )
    bunch = load_image_folder(tmp_path, page="all")
    np.testing.assert_array_equal(bunch.images, images)
    assert bunch.pages.tolist() == list(range(7))
    assert bunch.filenames.tolist() == ["a/x.tif"] * 7
    with open_image_stack(path) as stack:
        assert (stack.shape, stack.dtype) == (images.shape, images.dtype)
        np.testing.assert_array_equal(stack[[5, 2]], images[[5, 2]])
        np.testing.assert_array_equal(stack[1:4, :, 2], images[1:4, :, 2])


@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}])
def test_channels_of_hyperstacks(tmp_path, options):
    images = noise((3, 2, 6, 5), np.uint16)
    tifffile.imwrite(
        tmp_path / "x.tif",
        images,
        photometric="minisblack",
        metadata={"axes": "TCYX"},
        **options,
    )
    with open_image_stack(tmp_path / "x.tif") as stack:
        np.testing.assert_array_equal(stack[:], np.moveaxis(images, 1, -1))


# Cut short.


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zlib"},
        {"compression": "zlib", "metadata": None},
        {"compression": "zlib", "bigtiff": True, "byteorder": ">"},
        {"compression": "zlib", "ome": True, **FRAMES},
        {"imagej": True, **FRAMES},
        {},
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.6, 0.7])
def test_a_stack_cut_short_is_no_shorter_stack(tmp_path, options, share):
    path = tmp_path / "a" / "x.tif"
    path.parent.mkdir()
    images = noise((5, 32, 32))
    tifffile.imwrite(path, images, photometric="minisblack", **options)
    with open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[:], images)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    words = r"x\.tif.+cut short"
    for read in (open_image_stack, read_image):
        with pytest.raises(ValueError, match=words):
            read(path)
    with pytest.raises(ValueError, match=words):
        load_image_folder(tmp_path, page="all")


def test_a_cut_through_pages_written_one_by_one_names_the_page(tmp_path):
    path = tmp_path / "x.tif"
    write_pages(path, *noise((5, 8, 8)), first=[{"contiguous": False}] * 5)
    with tifffile.TiffFile(path) as file:
        third = file.pages[2].offset
    whole = path.read_bytes()
    # Before it, and within its tags.
    for size in (third - 1, third + 30):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=rf"cut short: page [23] .+ of {size}\."):
            open_image_stack(path)


STALE = ["ImageJ=1.54f\nimages=5\nslices=5\n", '{"shape": [5, 8, 8]}']


@pytest.mark.parametrize("description", STALE)
@pytest.mark.parametrize("share", [1.0, 0.95, 0.6, 0.4, 0.25])
def test_a_stack_of_one_page_cut_short(tmp_path, description, share):
    """As ImageJ writes more than 4 GB: one page, and all other images behind it."""
    path = tmp_path / "x.tif"
    images = noise((5, 8, 8), np.uint16)
    tifffile.imwrite(path, images[0], metadata=None, description=description)
    with open(path, "ab") as file:
        file.write(images[1:].astype("<u2").tobytes())
    with open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[:], images)
    whole = path.read_bytes()
    # In the first image or a later one.
    lost = images.nbytes - int(share * images.nbytes)
    path.write_bytes(whole[: len(whole) - lost - (share == 1.0)])
    for read in (open_image_stack, read_image):
        with pytest.raises(ValueError, match=r"x\.tif.+cut short: its .+ 5 images"):
            read(path)
    path.write_bytes(whole[: len(whole) - images[1:].nbytes - 1])
    with pytest.raises(ValueError, match=r"x\.tif.+cut short"):
        read_image(path)


def save_one(path, image, description, writer):
    """Write one image with the description of a stack, as common software does."""
    if writer == "tifffile":
        tifffile.imwrite(path, image, metadata=None, description=description)
    elif writer == "tifffile, zlib":
        options = {"metadata": None, "description": description, "compression": "zlib"}
        tifffile.imwrite(path, image, **options)
    else:
        # By libtiff, whose tags lie behind the pixels.
        compression = {"Pillow": None, "libtiff": "tiff_lzw"}[writer]
        Image.fromarray(image).save(
            path, compression=compression, description=description
        )


@pytest.mark.parametrize("description", STALE)
@pytest.mark.parametrize("writer", ["tifffile", "tifffile, zlib", "Pillow", "libtiff"])
def test_one_image_with_the_description_of_a_stack(tmp_path, description, writer):
    path = tmp_path / "a" / "x.tif"
    path.parent.mkdir()
    image = noise((8, 8))
    save_one(path, image, description, writer)
    words = r"x\.tif: its \w+ metadata speak of 5 images, and it holds 1\. It is taken"
    with pytest.warns(UserWarning, match=words):
        np.testing.assert_array_equal(read_image(path), image)
    with pytest.warns(UserWarning, match=words), open_image_stack(path) as stack:
        np.testing.assert_array_equal(stack[:], image[np.newaxis])
    with pytest.warns(UserWarning, match=words):
        bunch = load_image_folder(tmp_path)
    np.testing.assert_array_equal(bunch.images, image[np.newaxis])


# By content, and headers that can't be.


def test_content_counts_not_the_suffix(tmp_path):
    image = noise((6, 5), np.uint32)
    tifffile.imwrite(tmp_path / "x.tif", image)
    (tmp_path / "x.tif").rename(tmp_path / "x.png")
    np.testing.assert_array_equal(read_image(tmp_path / "x.png"), image)
    Image.fromarray(noise((6, 5))).save(tmp_path / "y.png")
    (tmp_path / "y.png").rename(tmp_path / "y.tif")
    assert read_image(tmp_path / "y.tif").shape == (6, 5)


def write_claim(path, shape):
    """A TIFF of some hundred bytes whose header claims a huge image."""
    tifffile.imwrite(path, noise((1, 1, 1)), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as file:
        tags = file.pages[0].tags
        tags["ImageLength"].overwrite(shape[0], dtype="I")
        tags["ImageWidth"].overwrite(shape[1], dtype="I")
    assert path.stat().st_size < 1000


def test_a_header_that_claims_terabytes(tmp_path):
    (tmp_path / "a").mkdir()
    write_claim(tmp_path / "a" / "x.tif", (2**20, 2**21))
    tifffile.imwrite(tmp_path / "a" / "y.tif", noise((6, 5)))
    words = r"x\.tif.+bytes claim an image of 1048576×2097152.+\(2,048 GiB\)"
    with pytest.raises(ValueError, match=words):
        load_image_folder(tmp_path)
    with pytest.warns(UserWarning, match=words):
        bunch = load_image_folder(tmp_path, on_error="skip")
    assert bunch.filenames.tolist() == ["a/y.tif"]


def test_nan_is_named_by_file_and_place(tmp_path):
    (tmp_path / "a").mkdir()
    image = np.ones((6, 5), np.float32)
    image[2, 4] = image[3, 0] = np.nan
    tifffile.imwrite(tmp_path / "a" / "x.tif", image)
    with pytest.raises(
        ValueError, match=r"x\.tif.+contains NaN: 2 values, .+row 2, column 4"
    ):
        load_image_folder(tmp_path)
    # A look at it is allowed.
    np.testing.assert_array_equal(read_image(tmp_path / "a" / "x.tif"), image)


def test_no_image_at_all_is_cut_to_the_first_by_any_door(tmp_path):
    from emclassify import FeatureExtractor, predict_folder, svm_baseline

    images = noise((4, 16, 16))
    write_pages(tmp_path / "x.tif", *images)
    with pytest.raises(ValueError, match=r"x\.tif.+4 images of 16×16"):
        FeatureExtractor().fit([tmp_path / "x.tif"])
    svm = svm_baseline().fit(images, [0, 0, 1, 1])
    assert predict_folder(svm, tmp_path, tmp_path / "t.csv") == 4
    assert predict_folder(svm, tmp_path, tmp_path / "t.csv", page=2) == 1


def test_smaller_copies_in_a_pyramid_are_no_images(tmp_path):
    image = noise((128, 128))
    with tifffile.TiffWriter(tmp_path / "x.ome.tif", ome=True) as file:
        file.write(image, subifds=2)
        for step in (2, 4):
            file.write(image[::step, ::step], subfiletype=1)
    np.testing.assert_array_equal(read_image(tmp_path / "x.ome.tif"), image)
