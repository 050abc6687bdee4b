"""The formats that are read: each has a file, and a line here.

A format is found by what a file holds, not by its name.
"""

from pathlib import Path

from emclassify.readers import (
    _hdf5_file,
    _mrc_file,
    _pillow_file,
    _rosettasciio_file,
    _tiff_file,
    _velox_file,
    _zarr_file,
)
from emclassify.readers._format import Format
from emclassify.readers._image_series import ImageFile

__all__ = [
    "FORMATS",
    "SINGLE_SUFFIXES",
    "SUFFIXES",
    "format_named",
    "open_image_file",
]

# In the order in which they are tried.
FORMATS = (
    _pillow_file.FORMAT,
    _tiff_file.FORMAT,
    _mrc_file.FORMAT,
    _velox_file.FORMAT,
    *_rosettasciio_file.FORMATS,
    _hdf5_file.FORMAT,
    _zarr_file.FORMAT,
)
SUFFIXES = tuple({s: None for fmt in FORMATS for s in fmt.suffixes})
# Of files that hold one image and are done when it is.
SINGLE_SUFFIXES = tuple(s for fmt in FORMATS if not fmt.stacks for s in fmt.suffixes)

# Enough to tell all formats by.
_HEAD = 512


def format_named(name: str) -> Format:
    """Return the format of a name, or raise ValueError."""
    for fmt in FORMATS:
        if fmt.name == name:
            return fmt
    names = ", ".join(fmt.name for fmt in FORMATS)
    raise ValueError(f"format={name!r}: no such format. There are {names}.")


def open_image_file(
    path: Path,
    *,
    format: str | None = None,
    dataset: str | None = None,
    axes: str | None = None,
) -> ImageFile:
    """Open a file of images, by what is in it.

    Parameters
    ----------
    path : Path
    format : str, default=None
        Name of the format to read it as. Default: found by the file's first bytes.
    dataset : str, default=None
        Name of the array in HDF5 and zarr files.
    axes : str, default=None
        What the axes of that array are.

    Returns
    -------
    ImageFile
        To be closed, or used in a ``with`` block.

    Raises
    ------
    OSError
        If there is no such file.
    ImportError
        If its format needs a package that is missing. The message names the extra.
    ValueError
        If the file is empty, of no format that is read, or damaged, and if its format
        takes no dataset or axes. Readers may raise other errors for damaged files.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 (quicker, and kept open)
    except (IsADirectoryError, PermissionError):
        # Windows says the latter of folders.
        if not path.is_dir():
            raise
        found = _find(b"", path, format, dataset)
        _check_taken(found, dataset, axes)
        return found.open(path, None, dataset, axes)
    try:
        head = file.read(_HEAD)
        if not head:
            raise ValueError("the file is empty (0 bytes)")
        found = _find(head, path, format, dataset)
        _check_taken(found, dataset, axes)
        file.seek(0)
        return found.open(path, file, dataset, axes)
    except BaseException:
        file.close()
        raise


def _find(head: bytes, path: Path, name: str | None, dataset: str | None) -> Format:
    if name is not None:
        return format_named(name)
    if dataset is not None and _hdf5_file.FORMAT.recognises(head, path):
        # Of the formats that are HDF5, one array is asked for.
        return _hdf5_file.FORMAT
    for fmt in FORMATS:
        if fmt.recognises(head, path):
            return fmt
    names = ", ".join(fmt.name for fmt in FORMATS)
    what = "a folder" if path.is_dir() else f"a file that begins with {head[:8]!r}"
    raise ValueError(f"{what} is of no format that is read ({names})")


def _check_taken(found: Format, dataset: str | None, axes: str | None) -> None:
    """Raise ValueError unless a format takes what is given."""
    for name, value in (("dataset", dataset), ("axes", axes)):
        if value is not None and name not in found.takes:
            takers = ", ".join(fmt.name for fmt in FORMATS if name in fmt.takes)
            raise ValueError(
                f"{name}={value!r} is for files of {takers}; this one is {found.name}"
            )
