"""Zarr arrays, and OME-Zarr."""

from pathlib import Path
from typing import Any, BinaryIO

from emclassify.readers._format import Format
from emclassify.readers._hdf5_file import CHANNELS, array_named, image_arrays
from emclassify.readers._image_series import ImageFile, Series, rows_of
from emclassify.readers._pixel_size import PixelSize, stated_pixel_size
from emclassify.readers._read_errors import UnclearFileError

__all__ = ["FORMAT"]

_MARKS = ("zarr.json", ".zarray", ".zgroup")
# Of OME-Zarr before axes had names.
_OLD_AXES = "tczyx"


def _recognises(head: bytes, path: Path) -> bool:
    return path.is_dir() and any((path / mark).is_file() for mark in _MARKS)


def _open(
    path: Path, file: BinaryIO | None, dataset: str | None, axes: str | None
) -> ImageFile:
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            'Zarr files need zarr: pip install "emclassify[zarr]"'
        ) from error
    root = zarr.open(path, mode="r")
    channels, size = (), None
    if isinstance(root, zarr.Group):
        attributes = dict(root.attrs)
        attributes = attributes.get("ome", attributes)
        scales = attributes.get("multiscales")
        if dataset is None and not scales:
            arrays = _arrays(root)
            if not arrays:
                raise ValueError("it is a zarr group without arrays of images")
            raise UnclearFileError(
                "it is a group of arrays, and no OME-Zarr",
                f"say which one with dataset=..., one of {', '.join(arrays)}",
            )
        if dataset is None:
            # The first is at full size.
            dataset = scales[0]["datasets"][0]["path"]
            stated, size = _ome(scales[0])
            axes = axes or stated
            channels = _channel_names(attributes)
        root = array_named(root.get(dataset), dataset, _arrays(root))
    elif dataset not in (None, "", "/"):
        raise ValueError(
            f"dataset={dataset!r} is not in it; it is one array, which needs no name"
        )
    axes = axes or _stated_axes(root)
    return ImageFile(
        path, "zarr", [Series(rows_of(root, axes), "", size, channels=channels)]
    )


def _arrays(root: Any) -> list[str]:
    return [one.removeprefix("/") for one in image_arrays(root)]


def _ome(scales: dict[str, Any]) -> tuple[str, PixelSize | None]:
    """Return the axes and the pixel size of the images at full size."""
    entries = scales.get("axes")
    if entries is None:
        return _OLD_AXES, None
    entries = [{"name": e} if isinstance(e, str) else e for e in entries]
    axes = "".join(e["name"][0].lower() for e in entries)
    own = scales["datasets"][0].get("coordinateTransformations", [])
    size = None
    factors = [1.0] * len(axes)
    stated = False
    for step in [*own, *scales.get("coordinateTransformations", [])]:
        if step.get("type") == "scale":
            factors = [a * b for a, b in zip(factors, step["scale"], strict=True)]
            stated = True
    if stated and "y" in axes and "x" in axes:
        y, x = axes.index("y"), axes.index("x")
        unit = entries[x].get("unit", "")
        if unit == entries[y].get("unit", ""):
            size = stated_pixel_size(factors[y], factors[x], unit, "OME-Zarr metadata")
    return axes, size


def _channel_names(attributes: dict[str, Any]) -> tuple[str, ...]:
    channels = attributes.get("omero", {}).get("channels", [])
    names = tuple(str(channel.get("label", "")) for channel in channels)
    return names if all(names) else ()


def _stated_axes(array: Any) -> str:
    names = getattr(array.metadata, "dimension_names", None)
    names = names or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    if list(names).count("y") == list(names).count("x") == 1:
        known = {"y": "y", "x": "x", "c": "c", "channel": "c"}
        return "".join(known.get(name, "n") for name in names)
    channels = array.ndim == 4 and array.shape[3] <= CHANNELS
    example = "nyxc" if channels else f"{'n' * (array.ndim - 2)}yx"
    raise UnclearFileError(
        f"it has shape {array.shape}, and nothing in it says which axes are rows and "
        "columns",
        f'say so with axes={example!r}, or in another order: "y" rows, "x" '
        'columns, "c" channels, "n" images',
    )


FORMAT = Format("zarr", (".zarr",), _recognises, _open, takes=("dataset", "axes"))
