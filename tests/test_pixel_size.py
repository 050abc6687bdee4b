"""Pixel sizes that files state: in nm, with their source, and what is odd."""

import numpy as np
import pytest
import tifffile

from emclassify import load_image_folder
from emclassify.readers import read_image
from emclassify.readers._pixel_size import stated_pixel_size

IMAGE = np.arange(30, dtype=np.uint16).reshape(6, 5)


@pytest.mark.parametrize(
    ("value", "unit", "nm"),
    [
        (2.5, "nm", 2.5),
        (2.5, "Å", 0.25),
        (2.5, "Angstrom", 0.25),
        (2.5e-9, "m", 2.5),
        (0.0025, "µm", 2.5),
        (0.0025, "μm", 2.5),
        (0.0025, "\\u00B5m", 2.5),
        (0.0025, "micron", 2.5),
        (0.0025, "Micrometers", 2.5),
        (2.5, "nanometres", 2.5),
        (25, "\N{ANGSTROM SIGN}", 2.5),
        (25, "Ångström", 2.5),
        (2500, "picometer", 2.5),
        (2e-6, "millimeter", 2),
        (2e-7, "centimetre", 2),
        (2500, "pm", 2.5),
        (2e-6, "mm", 2),
        (1e-7, "inch", 2.54),
    ],
)
def test_units(value, unit, nm):
    size = stated_pixel_size(value, value, unit, "somewhere")
    assert (size.row, size.column) == pytest.approx((nm, nm))
    assert size.source == "somewhere"
    assert size.doubt == ""


@pytest.mark.parametrize(
    "unit", ["", "pixel", "1/nm", "mrad", "ms", "meters per second"]
)
def test_what_is_no_length_is_no_size(unit):
    assert stated_pixel_size(2, 2, unit, "somewhere") is None


def write(path, image=IMAGE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, image, photometric="minisblack", **options)


IMAGEJ = {
    "imagej": True,
    "resolution": (400, 400),
    "metadata": {"unit": "um", "axes": "YX"},
}
OME = {
    "ome": True,
    "metadata": {
        "axes": "YX",
        "PhysicalSizeX": 2.5,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 2.5,
        "PhysicalSizeYUnit": "nm",
    },
}


@pytest.mark.parametrize(
    ("options", "source"), [(IMAGEJ, "ImageJ"), (OME, "OME metadata")]
)
def test_tiff(tmp_path, options, source):
    write(tmp_path / "a" / "x.tif", **options)
    bunch = load_image_folder(tmp_path)
    np.testing.assert_allclose(bunch.pixel_size, [2.5])
    assert bunch.pixel_size_source.tolist() == [source]
    np.testing.assert_array_equal(bunch.images[0], IMAGE)


def test_fei_and_zeiss_and_jeol_tags(tmp_path):
    fei = "[Scan]\r\nPixelWidth=2.5e-9\r\nPixelHeight=2.5e-9\r\n\r\n"
    write(tmp_path / "a" / "1.tif", extratags=[(34682, "s", 0, fei, True)])
    zeiss = "1\r\n2\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 2.5 nm\r\n"
    write(tmp_path / "a" / "2.tif", extratags=[(34118, "s", 0, zeiss, True)])
    jeol = (
        "<TemReporter><ImageFormingSystem><ModeString>MAG</ModeString>"
        "<SelectorValue>50000</SelectorValue></ImageFormingSystem></TemReporter>"
    )
    write(
        tmp_path / "a" / "3.tif",
        description=jeol,
        metadata=None,
        extratags=[(271, "s", 0, "JEOL Ltd.", True)],
        resolution=(80, 80),
        resolutionunit="CENTIMETER",
    )
    bunch = load_image_folder(tmp_path)
    # 125 µm at 50,000 times are 2.5 nm.
    np.testing.assert_allclose(bunch.pixel_size, [2.5, 2.5, 2.5], rtol=1e-3)
    assert bunch.pixel_size_source.tolist() == [
        "FEI metadata",
        "Zeiss metadata",
        "JEOL metadata",
    ]


def test_dots_an_inch_are_no_pixel_size(tmp_path):
    write(tmp_path / "a" / "x.tif", resolution=(300, 300), resolutionunit="INCH")
    bunch = load_image_folder(tmp_path)
    assert bunch.pixel_size is None
    assert bunch.pixel_size_source.tolist() == [""]


def test_given_by_the_user(tmp_path):
    write(tmp_path / "a" / "x.tif", **OME)
    bunch = load_image_folder(tmp_path, pixel_size=0.4)
    assert bunch.pixel_size.tolist() == [0.4]
    assert bunch.pixel_size_source.tolist() == ["given"]


def test_a_turned_image_has_its_pixels_turned(tmp_path):
    options = {
        **OME,
        "metadata": {**OME["metadata"], "PhysicalSizeY": 5.0},
        "extratags": [(274, "H", 1, 6, True)],
    }
    write(tmp_path / "a" / "x.tif", **options)
    assert read_image(tmp_path / "a" / "x.tif").shape == (5, 6)
    with pytest.warns(UserWarning, match="differs between rows and columns"):
        upright = load_image_folder(tmp_path).pixel_size
    with pytest.warns(UserWarning, match="differs between rows and columns"):
        as_stored = load_image_folder(tmp_path, orient=False).pixel_size
    np.testing.assert_allclose(as_stored, [(5, 2.5)])
    np.testing.assert_allclose(upright, [(2.5, 5)])


def test_some_have_none(tmp_path):
    write(tmp_path / "a" / "x1.tif", **OME)
    write(tmp_path / "a" / "x2.tif")
    with pytest.warns(
        UserWarning, match=r"1 of 2 images have no pixel size \(NaN\): a/x2\.tif"
    ):
        found = load_image_folder(tmp_path).pixel_size
    np.testing.assert_allclose(found, [2.5, np.nan])


@pytest.mark.parametrize(
    "words",
    [
        # A width of 2,500 nm over 40 px; the pixel is that of a picture of 1,024 px.
        "AP_PIXEL_SIZE\r\nPixel Size = 2.44 nm\r\nAP_WIDTH\r\nWidth = {width} nm\r\n",
        "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 62.5 nm\r\n"
        "AP_PIXEL_SIZE\r\nPixel Size = 2.44 nm\r\n",
    ],
)
def test_zeiss_pictures_that_were_stored_smaller(tmp_path, words):
    words = "1\r\n2\r\n" + words.format(width=62.5 * IMAGE.shape[1])
    write(tmp_path / "a" / "x.tif", extratags=[(34118, "s", 0, words, True)])
    np.testing.assert_allclose(load_image_folder(tmp_path).pixel_size, [62.5])
