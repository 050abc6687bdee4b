"""DM3, DM4, SER, EMD of NCEM, HSPY, TVIPS and BLO files, by RosettaSciIO.

RosettaSciIO is under the GPL, version 3. It is imported when such a file is opened,
and never otherwise.
"""

import importlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from emclassify.readers._format import Format
from emclassify.readers._image_series import ImageFile, Series, rows_of
from emclassify.readers._pixel_size import stated_pixel_size

__all__ = ["FORMATS"]

_HDF5 = b"\x89HDF\r\n\x1a\n"

Open = Callable[[Path, BinaryIO | None, str | None, str | None], ImageFile]


def _opener(name: str, module: str, **options: Any) -> Open:
    """Return what opens files of one format by one module of RosettaSciIO."""

    def open_file(
        path: Path, file: BinaryIO | None, dataset: str | None, axes: str | None
    ) -> ImageFile:
        if file is not None:
            file.close()
        try:
            reader = importlib.import_module(f"rsciio.{module}")
        except ImportError as error:
            raise ImportError(
                f"{name.upper()} files need RosettaSciIO (GPL-3): pip install "
                '"emclassify[em]"'
            ) from error
        signals = _read(reader, path, options)
        series = [s for s in map(lambda one: _series(one, name), signals) if s]
        if not series:
            raise ValueError("it holds no image")
        return ImageFile(path, name, series)

    return open_file


def _read(reader: Any, path: Path, options: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the signals of a file, of which most kinds need not be in memory."""
    try:
        return reader.file_reader(str(path), lazy=True, **options)
    except (NotImplementedError, TypeError, ValueError):
        # Colours in DM files, for one, are not read lazily.
        with suppress(Exception):
            return reader.file_reader(str(path), lazy=False, **options)
        raise


def _series(signal: dict[str, Any], name: str) -> Series | None:
    """Return the images of a signal; None if it holds spectra or single numbers."""
    axes = signal["axes"]
    letters = [_letter(axis) for axis in axes]
    if "y" not in letters and _kind(signal) == "image":
        # Old files name no axis, and say that the last two are an image's.
        letters[-2:] = "y", "x"
    free = [i for i, letter in enumerate(letters) if letter == "?"]
    if "y" not in letters and "x" not in letters and len(free) == 2:
        letters[free[0]], letters[free[1]] = "y", "x"
        free = []
    if letters.count("y") != 1 or letters.count("x") != 1:
        return None
    for i in free:
        letters[i] = "n"
    y, x = axes[letters.index("y")], axes[letters.index("x")]
    size = None
    if y.get("units") == x.get("units") and isinstance(x.get("units"), str):
        size = stated_pixel_size(
            abs(y["scale"]), abs(x["scale"]), x["units"], f"{name.upper()} metadata"
        )
    title = signal.get("metadata", {}).get("General", {}).get("title", "")
    data = signal["data"]
    if data.dtype.names:
        if not {"R", "G", "B"} <= set(data.dtype.names):
            return None
        data = np.stack([data[name] for name in "RGB"], axis=-1)
        letters.append("c")
    return Series(rows_of(data, "".join(letters)), title, size)


def _kind(signal: dict[str, Any]) -> str:
    return str(signal.get("metadata", {}).get("Signal", {}).get("record_by", ""))


def _letter(axis: dict[str, Any]) -> str:
    if axis.get("navigate"):
        return "n"
    name = str(axis.get("name", "")).lower()
    names = {"y": "y", "x": "x", "height": "y", "width": "x", "dy": "y", "dx": "x"}
    return names.get(name, "?")


def _root(head: bytes, path: Path, holds: Callable[[Any], bool]) -> bool:
    """Whether a file is HDF5 and its root fulfils a condition."""
    if not head.startswith(_HDF5):
        return False
    try:
        import h5py

        with h5py.File(path, "r") as file:
            return holds(file)
    except (ImportError, OSError):
        return False


def _is_hyperspy(head: bytes, path: Path) -> bool:
    return _root(
        head,
        path,
        lambda f: (
            str(f.attrs.get("file_format", "")).lower() == "hyperspy"
            or "Experiments" in f
        ),
    )


def _is_emd(head: bytes, path: Path) -> bool:
    return _root(
        head,
        path,
        lambda f: "version_major" in f.attrs,
    )


def _is_dm(head: bytes, path: Path) -> bool:
    # Version, length, byte order: big-endian whatever the data are.
    start = int.from_bytes(head[:4], "big")
    order = {3: head[8:12], 4: head[12:16]}.get(start, b"")
    return order in (b"\0\0\0\0", b"\0\0\0\1") and head[208:211] != b"MAP"


FORMATS = (
    Format("dm", (".dm3", ".dm4"), _is_dm, _opener("dm", "digitalmicrograph")),
    Format(
        "ser",
        (".ser",),
        lambda head, path: head.startswith(b"II\x97\x01"),
        _opener("ser", "tia"),
    ),
    Format("hspy", (".hspy",), _is_hyperspy, _opener("hspy", "hspy")),
    Format("emd", (".emd",), _is_emd, _opener("emd", "emd")),
    Format(
        "tvips",
        (".tvips",),
        lambda head, path: (
            head.startswith(b"\0\1\0\0\2\0\0\0") and path.suffix.lower() == ".tvips"
        ),
        _opener("tvips", "tvips"),
    ),
    Format(
        "blo",
        (".blo",),
        lambda head, path: head.startswith(b"IMGBLO"),
        _opener("blo", "blockfile"),
    ),
)
