"""TIFF files: pages, ImageJ's hyperstacks, OME-TIFF, those of microscopes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from tifffile import PHOTOMETRIC, TiffFile, TiffPage, TiffPageSeries

from emclassify.readers._array_in_file import ArrayInFile
from emclassify.readers._format import Format
from emclassify.readers._image_series import (
    ImageFile,
    Rows,
    Series,
    refuse_implausible,
    rows_of,
)
from emclassify.readers._pillow_file import without_palette
from emclassify.readers._tiff_metadata import channel_names, tiff_pixel_size
from emclassify.readers._tiff_whole import refuse_cut_short, whole_series

__all__ = ["FORMAT"]

_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION = 274
_REDUCED = 1
_ALPHA = (1, 2)
# JPEG in its old form and its new one: decoders give RGB for YCbCr.
_JPEG = (6, 7)

# A single image of more bytes stays in its file, if it can.
_MAPPED = 2**24

Convert = Callable[[np.ndarray], np.ndarray]


def _recognises(head: bytes, path: Path) -> bool:
    return head.startswith(_STARTS)


def _open(
    path: Path, file: BinaryIO | None, dataset: str | None, axes: str | None
) -> ImageFile:
    tiff = TiffFile(file)
    refuse_cut_short(tiff)
    everything = [
        s for found in whole_series(tiff, path) for s in (found, *_other_sizes(found))
    ]
    # What the file itself calls a smaller copy is none of its images.
    whole = [s for s in everything if not _is_reduced(s)]
    series = [
        _series(tiff, one, number, path, axes)
        for number, one in enumerate(whole or everything)
    ]

    def close() -> None:
        tiff.close()
        file.close()

    return ImageFile(path, "tiff", series, close)


def _other_sizes(series: TiffPageSeries) -> list[TiffPageSeries]:
    """Return pages that tifffile takes for smaller copies by their size alone."""
    return [
        level
        for level in series.levels[1:]
        if len(level.keyframe.treeindex) == 1 and not _is_reduced(level)
    ]


def _is_reduced(series: TiffPageSeries) -> bool:
    return bool(int(series.keyframe.subfiletype) & _REDUCED)


def _series(
    tiff: TiffFile, series: TiffPageSeries, number: int, path: Path, axes: str | None
) -> Series:
    page = series.keyframe
    refuse_implausible(series.shape, series.dtype, path)
    convert = _conversion(page)
    array = _lazy_array(tiff, series, path)
    rows = rows_of(array, axes or series.axes)
    has_samples = "S" in series.axes
    keep = _samples_to_keep(page) if has_samples else None

    def finish(image: np.ndarray) -> np.ndarray:
        image = convert(image)
        if keep is not None and image.ndim == 3 and image.shape[2] > len(keep):
            image = image[..., keep]
        return image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image

    if rows.dtype == bool:
        # Numbers of a palette of two are not yet black and white.
        factor = 1 if page.photometric == PHOTOMETRIC.PALETTE else 255
        rows = Rows(rows.shape, np.uint8, _scaled(rows, factor))
    if convert is not _as_it_is or keep is not None:
        rows = _converted(rows, finish)
    tag = page.tags.get(_ORIENTATION) if hasattr(page, "tags") else None
    orientation = int(tag.value) if tag is not None else 1
    return Series(
        rows,
        series.name,
        tiff_pixel_size(tiff, page, number),
        orientation if orientation in range(1, 9) else 1,
        channel_names(tiff, number),
    )


def _scaled(rows: Any, factor: int) -> Callable[[int], np.ndarray]:
    return lambda row: np.asarray(rows[row]).astype(np.uint8) * np.uint8(factor)


def _converted(rows: Any, finish: Convert) -> Any:
    """Return rows that are finished when they are read."""
    if isinstance(rows, np.ndarray) and len(rows) == 1:
        return finish(np.asarray(rows[0]))[np.newaxis]
    like = finish(np.asarray(rows[0]))
    return Rows(
        (len(rows), *like.shape), like.dtype, lambda row: finish(np.asarray(rows[row]))
    )


# The pixels as they are stored.


def _lazy_array(tiff: TiffFile, series: TiffPageSeries, path: Path) -> Any:
    page = series.keyframe
    small = series.size * series.dtype.itemsize <= _MAPPED
    if len(series.pages) == 1 and small and not _many(series):
        return _decoded(lambda: series.asarray(), page, path)
    offset = series.dataoffset
    if page.is_memmappable and offset is not None:
        dtype = np.dtype(tiff.byteorder + series.dtype.char)
        if _many(series) or len(series.pages) > 1:
            return ArrayInFile(path, offset, series.shape, dtype)
        return np.memmap(path, dtype, "r", offset, series.shape)
    if len(series.pages) == 1:
        return _decoded(lambda: series.asarray(), page, path)
    return _PageArray(series, path)


def _many(series: TiffPageSeries) -> bool:
    """Whether a single page has images of its own, as ImageJ writes large stacks."""
    return bool(set(series.axes) - set("YXSC"))


class _PageArray:
    """The pages of a series as one array, of which a page is read when asked for."""

    def __init__(self, series: TiffPageSeries, path: Path) -> None:
        self.shape, self.dtype = tuple(series.shape), series.dtype
        self._series, self._path = series, path
        inner = series.keyframe.shape
        if tuple(series.shape[-len(inner) :]) != tuple(inner):
            raise ValueError(
                f"its pages of {inner} don't make up its images of {series.shape}"
            )
        self._numbers = np.arange(len(series.pages)).reshape(
            series.shape[: -len(inner)]
        )

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        outer = self._numbers.ndim
        numbers = self._numbers[key[:outer]]
        pages = [self._read(int(number)) for number in np.ravel(numbers)]
        images = np.stack(pages).reshape(*np.shape(numbers), *pages[0].shape)
        return images[(slice(None),) * np.ndim(numbers) + tuple(key[outer:])]

    def _read(self, number: int) -> np.ndarray:
        page = self._series.pages[number]
        if page is None:
            raise ValueError(f"page {number} of its images is missing")
        return _decoded(page.asarray, self._series.keyframe, self._path)


def _decoded(read: Callable[[], np.ndarray], page: TiffPage, path: Path) -> np.ndarray:
    try:
        return read()
    except (ValueError, NotImplementedError) as error:
        if "imagecodecs" not in str(error):
            raise
        image = _with_pillow(page, path)
        if image is not None:
            return image
        raise ImportError(
            f"it is stored with {_storage(page)}, which needs imagecodecs: pip install "
            '"emclassify[codecs]"'
        ) from error


def _storage(page: TiffPage) -> str:
    name = getattr(page.compression, "name", str(page.compression))
    return f"{page.bitspersample} bits a sample" if name == "NONE" else name


def _with_pillow(page: TiffPage, path: Path) -> np.ndarray | None:
    """Decode the only page of a plain picture without imagecodecs, if Pillow can."""
    plain = {
        ("L", PHOTOMETRIC.MINISBLACK, 8),
        ("RGB", PHOTOMETRIC.RGB, 8),
        ("I;16", PHOTOMETRIC.MINISBLACK, 16),
        ("I;16", PHOTOMETRIC.MINISBLACK, 12),
    }
    try:
        with Image.open(path) as picture:
            kind = (picture.mode, page.photometric, page.bitspersample)
            if kind not in plain or getattr(picture, "n_frames", 1) > 1:
                return None
            image = np.array(picture)
    except OSError:
        return None
    return image if image.shape == page.shape else None


# From what is stored to greys or RGB.


def _as_it_is(image: np.ndarray) -> np.ndarray:
    return image


def _conversion(page: TiffPage) -> Convert:
    """Return what makes grey or RGB of a page's samples; refuse what can't be."""
    photometric = page.photometric
    if photometric in (
        PHOTOMETRIC.MINISBLACK,
        PHOTOMETRIC.RGB,
        PHOTOMETRIC.MASK,
    ):
        return _as_it_is
    if photometric == PHOTOMETRIC.MINISWHITE:
        return _inversion(page)
    if photometric == PHOTOMETRIC.PALETTE and page.colormap is not None:
        colours = _eight_bits(np.moveaxis(page.colormap, 0, -1))
        return lambda numbers: without_palette(numbers, colours)
    if photometric == PHOTOMETRIC.SEPARATED:
        inks = page.samplesperpixel - len(page.extrasamples)
        tag = page.tags.get("InkSet")
        if inks == 4 and (tag is None or tag.value == 1) and page.dtype.kind == "u":
            return _cmyk_to_rgb
    if photometric == PHOTOMETRIC.YCBCR and page.compression in _JPEG:
        return _as_it_is
    name = getattr(photometric, "name", photometric)
    raise ValueError(f"its colours are {name}; save it as grey or RGB")


def _inversion(page: TiffPage) -> Convert:
    if page.dtype.kind == "b":
        return lambda image: np.uint8(255) - image
    if page.dtype.kind != "u":
        raise ValueError(f"it stores white as 0 in {page.dtype}; save it as grey")
    white = page.dtype.type(2**page.bitspersample - 1)
    return lambda image: white - image


def _eight_bits(colours: np.ndarray) -> np.ndarray:
    """Return a palette of 16 bits as one of 8, unless it uses all 16."""
    if colours.max() < 256:
        return colours.astype(np.uint8)
    high, low = colours >> 8, colours & 255
    if ((low == high) | (low == 0)).all():
        return high.astype(np.uint8)
    return colours


def _cmyk_to_rgb(image: np.ndarray) -> np.ndarray:
    white = int(np.iinfo(image.dtype).max)
    left = white - image[..., :4].astype(np.int64)
    rgb = (left[..., :3] * left[..., 3:] + white // 2) // white
    return rgb.astype(image.dtype)


def _samples_to_keep(page: TiffPage) -> list[int] | None:
    """Return the samples that aren't alpha, or None if none is."""
    n, extra = page.samplesperpixel, tuple(page.extrasamples)
    alpha = [n - len(extra) + i for i, kind in enumerate(extra) if kind in _ALPHA]
    return [i for i in range(n) if i not in alpha] if alpha else None


FORMAT = Format("tiff", (".tif", ".tiff"), _recognises, _open, takes=("axes",))
