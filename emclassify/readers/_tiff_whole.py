"""Whether a TIFF file is all there: what tifffile can follow is no measure."""

import math
import struct
from typing import Any

from tifffile import TiffFile, TiffPage, TiffPageSeries

__all__ = ["refuse_cut_short", "refuse_lost_pages"]


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


def refuse_lost_pages(tiff: TiffFile) -> None:
    """Raise ValueError if ImageJ or tifffile wrote down more images than there are.

    OME-TIFF may have its other images in other files: they are missed when read.
    """
    found = tiff.series
    shaped = [one for one in found if one.kind == "shaped"]
    for one, stated in zip(shaped, tiff.shaped_metadata or (), strict=False):
        _compare("own", _claimed(tuple(stated["shape"]), one.keyframe), _count(one))
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
        _compare("ImageJ", math.prod(counts), there)


def _claimed(shape: tuple[int, ...], page: TiffPage) -> int:
    """Return how many pages make up a shape; 0 if it is not of such pages."""
    n, left = divmod(math.prod(shape), max(1, math.prod(page.shape)))
    like_pages = shape[-len(page.shape) :] == tuple(page.shape)
    return n if like_pages and not left else 0


def _count(series: TiffPageSeries) -> int:
    return series.size // max(1, math.prod(series.keyframe.shape))


def _compare(writer: str, claimed: int, there: int) -> None:
    if claimed > there:
        raise ValueError(
            f"it is cut short: its {writer} metadata speak of {claimed} images, and "
            f"it holds {there}"
        )
