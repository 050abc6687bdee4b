"""Whether a TIFF file is all there: what tifffile can follow is no measure."""

import math
import struct
import warnings
from pathlib import Path
from typing import Any

from tifffile import TiffFile, TiffPage, TiffPageSeries

__all__ = ["refuse_cut_short", "whole_series"]

# So many bytes at the end of a file may be there to fill it up.
_PADDING = 16


def refuse_cut_short(tiff: TiffFile) -> None:
    """Raise ValueError if the chain of pages leads out of the file.

    tifffile ends the chain there, and the stack would be a shorter one.
    """
    file, form = tiff.filehandle, tiff.tiff
    # In the header, behind byte order and version; of BigTIFF also the size.
    place = 8 if form.is_bigtiff else 4
    seen: set[int] = set()
    while True:
        offset = _number(file, place, form.offsetformat, form.offsetsize)
        if offset == 0 or offset in seen:
            return
        n_tags = None
        if offset is not None:
            n_tags = _number(file, offset, form.tagnoformat, form.tagnosize)
        if n_tags is None:
            where = place if offset is None else offset
            raise ValueError(
                f"it is cut short: page {len(seen)} lies at byte {where} of {file.size}"
            )
        seen.add(offset)
        place = offset + form.tagnosize + n_tags * form.tagsize


def _number(file: Any, place: int, form: str, size: int) -> int | None:
    """Return the number that lies there, or None if the file ends before it."""
    if place + size > file.size:
        return None
    file.seek(place)
    return int(struct.unpack(form, file.read(size))[0])


def whole_series(tiff: TiffFile, path: Path) -> list[TiffPageSeries]:
    """Return the series of a file that has as many images as it says.

    Software that saves one image of a stack may leave the description of the stack: of
    a file of one page, the bytes decide. ImageJ and tifffile write large stacks as one
    page, with the other images behind it. Where something lies there, and not all of
    it, the stack was cut short. Where nothing does, the page is the only image.

    OME-TIFF may have its other images in other files: they are missed when read.

    Raises
    ------
    ValueError
        If ImageJ or tifffile wrote down more images than there are.

    Warns
    -----
    UserWarning
        If they did so in a file that has one image, and nothing behind it.
    """
    lost = _lost(tiff)
    if lost is None:
        return tiff.series
    if len(tiff.pages) == 1:
        page = tiff.pages.first
        behind = tiff.filehandle.size - _end(tiff, page)
        if 0 <= behind <= _PADDING:
            warnings.warn(
                f"{path}: its {lost} It is taken for one image of a stack that was "
                "saved with the stack's description: there is nothing behind it.",
                stacklevel=2,
            )
            return [TiffPageSeries([page], page.shape, page.dtype, page.axes)]
    raise ValueError(f"it is cut short: its {lost.rstrip('.')}")


def _lost(tiff: TiffFile) -> str | None:
    """Return what ImageJ or tifffile wrote down, and what there is, if it is less."""
    found = tiff.series
    shaped = [one for one in found if one.kind == "shaped"]
    for one, stated in zip(shaped, tiff.shaped_metadata or (), strict=False):
        claimed = _claimed(tuple(stated["shape"]), one.keyframe)
        there = _there(tiff, one)
        if claimed > there:
            return _told("own", claimed, there)
    if tiff.is_imagej and all(one.kind in ("generic", "imagej") for one in found):
        stated = tiff.imagej_metadata or {}
        counts = [stated.get(name, 1) for name in ("frames", "slices", "channels")]
        samples = found[0].keyframe.samplesperpixel
        if samples > 1 and counts[2] == samples:
            # Samples of one page that are declared as channels.
            counts.pop()
        # Behind a page without compression, images may lie that have no page.
        final = found[0].keyframe.is_final
        there = sum(map(_count, found)) if final else len(tiff.pages)
        if math.prod(counts) > there:
            return _told("ImageJ", math.prod(counts), there)
    return None


def _told(writer: str, claimed: int, there: int) -> str:
    images = f"{claimed} image{'s' * (claimed != 1)}"
    return f"{writer} metadata speak of {images}, and it holds {there}."


def _there(tiff: TiffFile, series: TiffPageSeries) -> int:
    """Return how many images of a series are in the file.

    tifffile takes them to lie behind a page without asking how long the file is.
    """
    n, page = _count(series), series.keyframe
    if len(series.pages) > 1 or not page.is_contiguous:
        return n
    there = (tiff.filehandle.size - page.dataoffsets[0]) // max(1, page.nbytes)
    return min(n, max(0, there))


def _end(tiff: TiffFile, page: TiffPage) -> int:
    """Return the byte behind all that a page speaks of: its tags and its pixels."""
    form = tiff.tiff
    ends = [page.offset + form.tagnosize + len(page.tags) * form.tagsize]
    ends[0] += form.offsetsize
    ends += [tag.valueoffset + tag.valuebytecount for tag in page.tags]
    ends += map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))
    return max(ends)


def _claimed(shape: tuple[int, ...], page: TiffPage) -> int:
    """Return how many pages make up a shape; 0 if it is not of such pages."""
    n, left = divmod(math.prod(shape), max(1, math.prod(page.shape)))
    like_pages = shape[-len(page.shape) :] == tuple(page.shape)
    return n if like_pages and not left else 0


def _count(series: TiffPageSeries) -> int:
    return series.size // max(1, math.prod(series.keyframe.shape))
