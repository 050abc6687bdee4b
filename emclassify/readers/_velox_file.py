"""EMD files of Velox (Thermo Fisher): HDF5, in which the frames come last.

Layout as RosettaSciIO's documentation and reader describe it; read with h5py alone.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from emclassify.readers._format import Format
from emclassify.readers._hdf5_file import ReadableDataset, open_hdf5
from emclassify.readers._image_series import ImageFile, Series, rows_of
from emclassify.readers._pixel_size import PixelSize, stated_pixel_size

__all__ = ["FORMAT"]

_START = b"\x89HDF\r\n\x1a\n"
_IMAGES = "Data/Image"


def _recognises(head: bytes, path: Path) -> bool:
    if not head.startswith(_START):
        return False
    try:
        with open_hdf5(path) as root:
            return root.get(_IMAGES) is not None
    except (ImportError, ValueError):
        return False


def _open(
    path: Path, file: BinaryIO | None, dataset: str | None, axes: str | None
) -> ImageFile:
    if file is not None:
        file.close()
    root = open_hdf5(path)
    try:
        groups = root[_IMAGES]
        series = []
        for name in groups:
            data = groups[name].get("Data") if hasattr(groups[name], "get") else None
            # Transforms are complex.
            if data is not None and data.ndim == 3 and data.dtype.kind in "buif":
                rows = rows_of(ReadableDataset(data, path), axes or "yxn")
                series.append(Series(rows, name, _pixel_size(groups[name])))
        if not series:
            raise ValueError("it holds spectra or transforms, and no image")
    except BaseException:
        root.close()
        raise
    return ImageFile(path, "velox", series, root.close)


def _pixel_size(group: Any) -> PixelSize | None:
    """Return what the metadata say, JSON in one column for each frame."""
    with suppress(KeyError, TypeError, ValueError, IndexError):
        column = np.asarray(group["Metadata"][:, 0], np.uint8)
        metadata = json.loads(column.tobytes().split(b"\0")[0])
        result = metadata["BinaryResult"]
        size, unit = result["PixelSize"], result.get("PixelUnitX", "m")
        x, y = float(size["width"]), float(size["height"])
        return stated_pixel_size(y, x, unit, "EMD metadata (Velox)")
    return None


FORMAT = Format("velox", (".emd",), _recognises, _open, takes=("axes",))
