"""What microscopes and ImageJ write into TIFF files beside the pixels."""

import contextlib
import re
from typing import Any
from xml.etree import ElementTree

from tifffile import TiffFile, TiffPage

from emclassify.readers._pixel_size import PixelSize, stated_pixel_size

__all__ = ["channel_names", "tiff_pixel_size"]

_MAKE, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 271, 282, 283, 296
_INCH = 2
# Of DigitalMicrograph: unit and scale, along x and y.
_DM_UNITS, _DM_SCALES = (65003, 65004), (65009, 65010)
_DESCRIPTION = 270


def tiff_pixel_size(tiff: TiffFile, page: TiffPage, series: int) -> PixelSize | None:
    """Return the pixel size that a file states, or None.

    The resolution that every TIFF file may have, in dots an inch, is of prints: it
    counts only where ImageJ or JEOL say what it means.
    """
    readers = (
        (tiff.is_ome, lambda: _ome(tiff, series)),
        (tiff.is_imagej, lambda: _imagej(tiff, page)),
        (tiff.is_fei, lambda: _fei(tiff.fei_metadata)),
        (tiff.is_sem, lambda: _zeiss(tiff.sem_metadata, page)),
        (tiff.is_sis, lambda: _metres(tiff.sis_metadata, "Olympus SIS")),
        (tiff.is_tvips, lambda: _tvips(tiff.tvips_metadata)),
        (_value(page, _MAKE) == "JEOL Ltd.", lambda: _jeol(page)),
        (_value(page, _DM_SCALES[0]) is not None, lambda: _digital_micrograph(page)),
    )
    for applies, read in readers:
        if applies:
            # Metadata of another version than ours: the pixel size is not known.
            with contextlib.suppress(KeyError, TypeError, ValueError, IndexError):
                return read()
    return None


def channel_names(tiff: TiffFile, series: int) -> tuple[str, ...]:
    """Return the names of channels in OME-TIFF and ImageJ's files."""
    if tiff.is_ome:
        with contextlib.suppress(ValueError, IndexError, ElementTree.ParseError):
            names = [
                c.get("Name") for c in _ome_pixels(tiff, series).iter(_any("Channel"))
            ]
            return tuple(names) if all(names) else ()
    if tiff.is_imagej:
        labels = (tiff.imagej_metadata or {}).get("Labels")
        n = (tiff.imagej_metadata or {}).get("channels", 1)
        if labels and n > 1 and len(labels) == n:
            return tuple(str(label) for label in labels)
    return ()


def _value(page: TiffPage, tag: int) -> Any:
    found = page.tags.get(tag) if hasattr(page, "tags") else None
    return None if found is None else found.value


def _any(name: str) -> str:
    return f"{{*}}{name}"


def _ome_pixels(tiff: TiffFile, series: int) -> ElementTree.Element:
    pixels = ElementTree.fromstring(tiff.ome_metadata or "").findall(
        f"{_any('Image')}/{_any('Pixels')}"
    )
    return pixels[series]


def _ome(tiff: TiffFile, series: int) -> PixelSize | None:
    pixels = _ome_pixels(tiff, series)
    if pixels.get("PhysicalSizeX") is None:
        return None
    x = float(pixels.get("PhysicalSizeX"))
    y = float(pixels.get("PhysicalSizeY", x))
    unit_x = pixels.get("PhysicalSizeXUnit", "µm")
    unit_y = pixels.get("PhysicalSizeYUnit", "µm")
    if unit_x != unit_y:
        along_x = stated_pixel_size(x, x, unit_x, "OME metadata")
        along_y = stated_pixel_size(y, y, unit_y, "OME metadata")
        if along_x is None or along_y is None:
            return None
        return stated_pixel_size(along_y.row, along_x.row, "nm", "OME metadata")
    return stated_pixel_size(y, x, unit_x, "OME metadata")


def _imagej(tiff: TiffFile, page: TiffPage) -> PixelSize | None:
    metadata = tiff.imagej_metadata or {}
    unit, x = metadata.get("unit"), _spacing(page, _X_RESOLUTION)
    if unit is None or x is None:
        return None
    y = _spacing(page, _Y_RESOLUTION) or x
    return stated_pixel_size(
        y, x, metadata.get("yunit", unit) if y != x else unit, "ImageJ"
    )


def _spacing(page: TiffPage, tag: int) -> float | None:
    """Return 1 / resolution."""
    value = _value(page, tag)
    if value is None or not value[0]:
        return None
    return value[1] / value[0]


def _fei(metadata: dict[str, Any]) -> PixelSize | None:
    for beam in ("Scan", "EScan", "IScan"):
        if "PixelWidth" in metadata.get(beam, {}):
            scan = metadata[beam]
            x, y = float(scan["PixelWidth"]), float(scan["PixelHeight"])
            return stated_pixel_size(y, x, "m", "FEI metadata")
    beam, image = metadata["IRBeam"], metadata["Image"]
    x = float(beam["HFW"]) / float(image["ResolutionX"])
    y = float(beam["VFW"]) / float(image["ResolutionY"])
    return stated_pixel_size(y, x, "m", "FEI metadata")


def _zeiss(metadata: dict[str, Any], page: TiffPage) -> PixelSize | None:
    # Not ap_pixel_size, which is that of a picture 1,024 px wide, whatever is stored.
    for name, pixels in (("ap_image_pixel_size", 1), ("ap_width", page.imagewidth)):
        if name in metadata:
            _, value, unit = metadata[name]
            size = float(value) / pixels
            return stated_pixel_size(size, size, unit, "Zeiss metadata")
    # Metres a pixel of such a picture.
    size = float(metadata[""][3]) * 1024 / page.imagewidth
    return stated_pixel_size(size, size, "m", "Zeiss metadata")


def _metres(metadata: dict[str, Any], source: str) -> PixelSize | None:
    x, y = float(metadata["pixelsizex"]), float(metadata["pixelsizey"])
    return stated_pixel_size(y, x, "m", f"{source} metadata")


def _tvips(metadata: dict[str, Any]) -> PixelSize | None:
    x, y = float(metadata["PixelSizeX"]), float(metadata["PixelSizeY"])
    return stated_pixel_size(y, x, "nm", "TVIPS metadata")


def _jeol(page: TiffPage) -> PixelSize | None:
    """Of SightX: the resolution is of the detector, and the magnification known."""
    text = re.sub(r"[\x00\x01]", "", page.description)
    imaging = ElementTree.fromstring(text).find(f".//{_any('ImageFormingSystem')}")
    if imaging is None or imaging.findtext(_any("ModeString")) != "MAG":
        return None
    magnification = float(imaging.findtext(_any("SelectorValue")))
    unit = "inch" if _value(page, _RESOLUTION_UNIT) == _INCH else "cm"
    x, y = _spacing(page, _X_RESOLUTION), _spacing(page, _Y_RESOLUTION)
    return stated_pixel_size(
        y / magnification, x / magnification, unit, "JEOL metadata"
    )


def _digital_micrograph(page: TiffPage) -> PixelSize | None:
    unit = str(_value(page, _DM_UNITS[0]))
    x, y = (float(_value(page, tag)) for tag in _DM_SCALES)
    return stated_pixel_size(y, x, unit, "DigitalMicrograph tags")
