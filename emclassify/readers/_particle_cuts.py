"""Cuts particles out of a micrograph."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emclassify.readers._formats import open_image_file
from emclassify.readers._image_file import finish_image
from emclassify.readers._label_masks import read_label_mask
from emclassify.readers._particle_table import ParticleTable
from emclassify.readers._pixel_size import PixelSize

__all__ = ["Cut", "UnknownCentreError", "cut_all"]


class UnknownCentreError(ValueError):
    """A shift can't be applied: the table or the call is at fault, not the file."""


@dataclass(frozen=True)
class Cut:
    """How particles are cut."""

    box_size: tuple[int, int] | None
    margin: int
    edge: str
    as_gray: bool
    orient: bool
    page: int | None
    format: str | None
    dataset: str | None = None
    axes: str | None = None
    pixel_size: PixelSize | None = None
    recentre: bool = False


def cut_all(
    file: Path,
    rows: list[int],
    table: ParticleTable,
    masks: dict[int, tuple[Path, int]] | None,
    cut: Cut,
    invert_y: bool,
) -> Iterator[tuple[int, tuple[int, ...], Any, np.ndarray | None]]:
    """Yield (row, box, (image, pixel size) or None, mask) of a micrograph's rows."""
    with open_image_file(
        file, format=cut.format, dataset=cut.dataset, axes=cut.axes
    ) as opened:
        micrograph = opened.read(cut.page, orient=cut.orient)
        series, _ = opened.locate(cut.page)
        stated = series.oriented_pixel_size(cut.orient)
        labels, read = None, None
        for row in rows:
            size = cut.pixel_size or _size(stated, table.pixel_sizes[row])
            shift = (0.0, 0.0)
            if cut.recentre:
                try:
                    shift = table.shifts[row].in_pixels(size)
                except ValueError as error:
                    raise UnknownCentreError(
                        f"The centre of particle {row + 1} in {file} is not known: "
                        f"{error}."
                    ) from error
            place = table.places.iloc[row]
            box = _box(place, micrograph.shape, cut, invert_y, shift)
            patch = _patch(micrograph, box, cut.edge, "symmetric")
            mask = None
            if masks is not None:
                path, number = masks[row]
                if path != read:
                    labels, read = read_label_mask(path), path
                if labels.shape != micrograph.shape[:2]:
                    raise ValueError(
                        f"its label mask {path} has shape {labels.shape}, not "
                        f"{micrograph.shape[:2]}"
                    )
                found = _patch(labels, box, cut.edge, "constant")
                mask = None if found is None else found == number
            if patch is None:
                yield row, box, None, None
                continue
            image = finish_image(patch, as_gray=cut.as_gray, image_shape=None)
            if image.dtype.kind == "f" and not np.isfinite(image).all():
                raise ValueError(f"particle {row + 1} contains NaN or infinity")
            yield row, box, (image, size), mask


def _size(stated: PixelSize | None, of_table: PixelSize | None) -> PixelSize | None:
    """Return the pixel size of a micrograph's header, or the table's if in doubt."""
    sure = stated is not None and stated.known and not stated.doubt
    return stated if sure else of_table or stated


def _box(
    place: pd.Series,
    shape: tuple[int, ...],
    cut: Cut,
    invert_y: bool,
    shift: tuple[float, float] = (0.0, 0.0),
) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) in whole px."""
    size = cut.box_size or (round(place["height"]), round(place["width"]))
    height, width = (side + 2 * cut.margin for side in size)
    y, x = place["y"] - shift[0], place["x"] - shift[1]
    if invert_y:
        y = shape[0] - y
    top = int(np.floor(y - height / 2 + 0.5))
    left = int(np.floor(x - width / 2 + 0.5))
    return top, left, height, width


def _patch(
    image: np.ndarray, box: tuple[int, int, int, int], edge: str, mode: Any
) -> np.ndarray | None:
    """Return a copy of what is in a box; None if it is over the edge, or outside."""
    top, left, height, width = box
    bottom, right = top + height, left + width
    outside = (
        (max(0, -top), max(0, bottom - image.shape[0])),
        (max(0, -left), max(0, right - image.shape[1])),
    )
    inner = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if not any(map(any, outside)):
        return np.array(inner)
    if edge != "pad" or 0 in inner.shape:
        return None
    more = [(0, 0)] * (image.ndim - 2)
    return np.pad(inner, [*outside, *more], mode=mode)
