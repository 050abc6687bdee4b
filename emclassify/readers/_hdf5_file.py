"""HDF5 files: CXI, NeXus, and any data set whose axes are known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from emclassify.readers._format import Format
from emclassify.readers._image_series import ImageFile, Series, rows_of
from emclassify.readers._pixel_size import PixelSize, stated_pixel_size
from emclassify.readers._read_errors import UnclearFileError

__all__ = [
    "CHANNELS",
    "CXI_DATASET",
    "FORMAT",
    "ReadableDataset",
    "array_named",
    "image_arrays",
    "open_hdf5",
]

# Where the Coherent X-ray Imaging Data Bank has the patterns of a file.
CXI_DATASET = "/entry_1/data_1/data"
_START = b"\x89HDF\r\n\x1a\n"
_SUFFIXES = (".h5", ".hdf5", ".cxi", ".nxs", ".nx")
_DEEPEST = 16
# A last axis as short as this may be of channels.
CHANNELS = 5


def _recognises(head: bytes, path: Path) -> bool:
    if head.startswith(_START):
        return True
    # A block of the user's may come first.
    return path.suffix.lower() in _SUFFIXES and path.is_file()


def open_hdf5(path: Path) -> Any:
    """Return the open file, or raise what says why not."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            'Reading HDF5 files needs h5py: pip install "emclassify[hdf5]".'
        ) from error
    if not h5py.is_hdf5(path):
        raise ValueError(f"it is not an HDF5 file ({path.stat().st_size} bytes)")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise ValueError(
            f"HDF5 says {str(error)!r}: it is cut short, damaged or still being written"
        ) from error


def _open(
    path: Path, file: BinaryIO | None, dataset: str | None, axes: str | None
) -> ImageFile:
    if file is not None:
        file.close()
    root = open_hdf5(path)
    try:
        name = dataset or _default_name(root)
        if name is None:
            _refuse_to_guess(root)
        found = array_named(root.get(name), name, image_arrays(root), _link(root, name))
        axes = axes or _stated_axes(found)
        rows = rows_of(ReadableDataset(found, path), axes)
        series = Series(rows, found.name, _pixel_size(found))
    except BaseException:
        root.close()
        raise
    return ImageFile(path, "hdf5", [series], root.close)


class ReadableDataset:
    """A data set that says what is wrong when it can't be read."""

    def __init__(self, dataset: Any, path: Path) -> None:
        self.shape, self.dtype = dataset.shape, dataset.dtype
        self._dataset, self._path = dataset, path

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        if not self._dataset:
            raise ValueError(f"{self._path} has been closed: open it again.")
        try:
            return self._dataset[key]
        except OSError as error:
            raise ValueError(
                f"{self._path}: images of {self._dataset.name} can't be read: {error}. "
                "The file is damaged, or compressed by a filter that HDF5 lacks here "
                "(pip install hdf5plugin, and import it first)."
            ) from error


def _default_name(root: Any) -> str | None:
    """Return the data set that the file itself, or its having only one, points to."""
    if root.get(CXI_DATASET) is not None:
        return CXI_DATASET
    # NeXus: each group may name the next.
    group, seen = root, 0
    while seen < _DEEPEST and (step := _text(group.attrs.get("default"))):
        found = group.get(step)
        if found is None:
            break
        group, seen = found, seen + 1
    signal = _text(group.attrs.get("signal"))
    if signal and signal in group:
        return f"{group.name}/{signal}"
    names = [name for name, array in _arrays(root) if array.ndim >= 2]
    return names[0] if len(names) == 1 else None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else ""


def _arrays(group: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield data sets of numbers, through links too."""
    for name in group:
        thing = group.get(name)
        if thing is None or depth > _DEEPEST:
            continue
        if hasattr(thing, "dtype"):
            if thing.dtype.kind in "buif":
                yield f"{prefix}/{name}", thing
        else:
            yield from _arrays(thing, f"{prefix}/{name}", depth + 1)


def _refuse_to_guess(root: Any) -> NoReturn:
    """Raise what lists the data sets of a file that points to none of them."""
    stacks = image_arrays(root)
    if not stacks:
        raise ValueError("it holds no data set of images")
    raise UnclearFileError(
        f"it holds {len(stacks)} data sets, and nothing in it says which is meant",
        f"say so with dataset=..., one of {', '.join(stacks)}",
    )


def image_arrays(root: Any) -> list[str]:
    """Return names and shapes of the arrays below a group that may be images."""
    return [f"{name} {a.shape}" for name, a in _arrays(root) if a.ndim >= 2]


def array_named(found: Any, name: str, stacks: list[str], missing: str = "") -> Any:
    """Return a data set of HDF5 or zarr, or raise what lists those there are.

    Parameters
    ----------
    found : data set, group or None
        What has the name.
    name : str
    stacks : list of str
        Those there are.
    missing : str
        What to say if it is None.
    """
    if found is None:
        what = missing or " is not in it"
    elif not hasattr(found, "dtype"):
        what = " is a group, not a data set"
    elif found.dtype.kind not in "buif":
        what = f" holds {found.dtype}, not real numbers"
    elif found.ndim < 2:
        what = f" has shape {found.shape}, which is no image"
    else:
        return found
    there = f"it holds {', '.join(stacks) or 'no data set of images'}"
    raise ValueError(f"dataset={name!r}{what}; {there}")


def _link(root: Any, name: str) -> str:
    """Say of a name with nothing behind it that it is a link, if it is."""
    # Not `name in root`, which says of a link to nothing that it is there.
    link = root.get(name, getlink=True)
    if not link:
        return ""
    where = getattr(link, "filename", "")
    return f" is a link to nothing{f' in {where}' if where else ''}"


def _stated_axes(array: Any) -> str:
    """Return what the file's own format says of the axes, or raise ValueError."""
    ndim, attributes = array.ndim, array.attrs
    counted = "n" * (ndim - 2)
    labels = [dim.label for dim in array.dims]
    parents = array.name.split("/")
    if array.name.startswith("/entry_") and parents[-1] == "data" and ndim == 3:
        return "nyx"  # CXI
    if _text(attributes.get("CLASS")) == "IMAGE":
        if ndim == 2:
            return "yx"
        plane = _text(attributes.get("INTERLACE_MODE")) == "INTERLACE_PLANE"
        return "cyx" if plane else "yxc"
    if _text(attributes.get("interpretation")) == "image":
        return f"{counted}yx"
    if _text(array.parent.attrs.get("NX_class")) == "NXdetector" and ndim == 3:
        return "nyx"
    named = [_text(label) for label in array.parent.attrs.get("axes", [])]
    for names in (labels, named):
        if len(names) == ndim and names.count("y") == names.count("x") == 1:
            known = {"y": "y", "x": "x", "c": "c", "channel": "c"}
            return "".join(known.get(name, "n") for name in names)
    channels = ndim == 4 and array.shape[3] <= CHANNELS
    example = "nyxc" if channels else f"{counted}yx"
    raise UnclearFileError(
        f"its data set {array.name} has shape {array.shape}, and nothing in it says "
        "which axes are rows and columns",
        f'say so with axes={example!r}, or in another order: "y" rows, "x" '
        'columns, "c" channels, "n" images',
    )


def _pixel_size(array: Any) -> PixelSize | None:
    """Return what Fiji and ilastik keep as element_size_um, (z, y, x)."""
    size = array.attrs.get("element_size_um")
    if size is None or np.size(size) < 2:
        return None
    y, x = (float(value) for value in np.ravel(size)[-2:])
    return stated_pixel_size(y, x, "µm", "element_size_um")


FORMAT = Format("hdf5", _SUFFIXES, _recognises, _open, takes=("dataset", "axes"))
