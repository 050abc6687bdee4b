"""MRC, MRCS and MAP files of electron microscopy, by mrcfile."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from emclassify.readers._array_in_file import ArrayInFile
from emclassify.readers._format import Format
from emclassify.readers._image_series import ImageFile, Series, rows_of
from emclassify.readers._pixel_size import PixelSize, stated_pixel_size

__all__ = ["FORMAT"]

_SUFFIXES = (".mrc", ".mrcs", ".map", ".st", ".ali", ".rec")
# Where MRC2014 has its name; older files have nothing there.
_NAME = slice(208, 212)
# IMOD's stamp and flags: without the first flag, its bytes are unsigned.
_IMOD, _IMOD_STAMP, _IMOD_SIGNED = slice(152, 160), 1146047817, 1
_MODES = {0, 1, 2, 6, 12}


def _recognises(head: bytes, path: Path) -> bool:
    if head[_NAME][:3] == b"MAP":
        return True
    # An old file has no name: its mode must be one, and its axes of some length.
    if path.suffix.lower() not in _SUFFIXES or len(head) < 256:
        return False
    for order in "<>":
        nx, ny, nz, mode = np.frombuffer(head[:16], f"{order}i4")
        if mode in (*_MODES, 3, 4, 101) and min(nx, ny, nz) > 0:
            return True
    return False


def _open(
    path: Path, file: BinaryIO | None, dataset: str | None, axes: str | None
) -> ImageFile:
    try:
        import mrcfile
    except ImportError as error:
        raise ImportError(
            'MRC files need mrcfile: pip install "emclassify[mrc]"'
        ) from error
    head = file.read(256)
    file.close()
    opened = mrcfile.mmap(path, "r", permissive=head[_NAME][:3] != b"MAP")
    try:
        data = opened.data
        if data is None:
            raise ValueError("its header does not fit its length: it is damaged")
        if data.dtype.kind == "c":
            raise ValueError("it holds complex numbers: a transform, not an image")
        data = data.view(np.ndarray) if data.ndim < 3 else data
        header = opened.header
        stamp, flags = np.frombuffer(head[_IMOD], header.mode.dtype)
        if data.dtype == np.int8 and stamp == _IMOD_STAMP and not flags & _IMOD_SIGNED:
            data = data.view(np.uint8)
        if data.ndim > 2:
            # What a map has read counts as memory.
            place = opened.data.offset
            data = ArrayInFile(path, place, data.shape, data.dtype)
        axes = {2: "yx", 3: "nyx", 4: "nzyx"}[data.ndim]
        size = _pixel_size(opened, header)
    except BaseException:
        opened.close()
        raise
    return ImageFile(path, "mrc", [Series(rows_of(data, axes), "", size)], opened.close)


def _pixel_size(opened: Any, header: Any) -> PixelSize | None:
    """Return that of the header; if it has none, that of FEI's extended header."""
    if header.mx > 0 and header.my > 0 and header.cella.x > 0 and header.cella.y > 0:
        y, x = float(header.cella.y) / header.my, float(header.cella.x) / header.mx
        return stated_pixel_size(
            float(np.float32(y)), float(np.float32(x)), "Å", "MRC header"
        )
    if bytes(header.exttyp).rstrip(b"\0 ") in (b"FEI1", b"FEI2"):
        extended = opened.indexed_extended_header
        y, x = (float(extended[f"Pixel size {axis}"][0]) for axis in "YX")
        return stated_pixel_size(y, x, "m", "MRC extended header (FEI)")
    return stated_pixel_size(
        float(header.cella.y), float(header.cella.x), "Å", "MRC header"
    )


FORMAT = Format("mrc", _SUFFIXES, _recognises, _open)
