"""Label masks: images in which each integer is an object."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from emclassify._words import name_some
from emclassify.readers._formats import open_image_file
from emclassify.readers._image_listing import LeaveOut
from emclassify.readers._micrographs import Micrographs, read_each
from emclassify.readers._particle_table import ParticleTable
from emclassify.readers._read_errors import UnclearFileError, reason_of

__all__ = ["from_label_masks", "read_label_mask"]


def from_label_masks(
    paths: list[Path], files: Micrographs, leave_out: LeaveOut | None = None
) -> tuple[ParticleTable, dict[int, tuple[Path, int]]]:
    """Make a table of the objects in label masks; their order is that of numbers.

    `leave_out` is told of (path, error) of masks that can't be read, unless all of them
    can't; without it, that is an error.
    """

    def objects(path: Path) -> list[tuple[Path, dict]]:
        labels = read_label_mask(path)
        micrograph, rows = files.of_table(path, len(paths)), []
        for number, place in enumerate(ndimage.find_objects(labels), start=1):
            if place is None:
                continue
            (top, bottom), (left, right) = ((s.start, s.stop) for s in place)
            row = {
                "micrograph": str(micrograph),
                "object": number,
                "left": left,
                "top": top,
                "width": right - left,
                "height": bottom - top,
            }
            rows.append((path, row))
        return rows

    found = [one for rows in read_each(paths, objects, leave_out) for one in rows]
    rows = [row for _, row in found]
    masks = {i: (path, row["object"]) for i, (path, row) in enumerate(found)}
    if not rows:
        raise ValueError(f"No object in {name_some([str(p) for p in paths])}.")
    frame = pd.DataFrame(rows)
    places = pd.DataFrame(
        {
            "micrograph": frame["micrograph"],
            "y": frame["top"] + frame["height"] / 2,
            "x": frame["left"] + frame["width"] / 2,
            "height": frame["height"].astype(float),
            "width": frame["width"].astype(float),
        }
    )
    frame["micrograph"] = [files.name(Path(name)) for name in frame["micrograph"]]
    return ParticleTable(frame, places, None, kind="masks"), masks


def read_label_mask(path: Path) -> np.ndarray:
    try:
        with open_image_file(path) as file:
            labels = np.array(file.read())
    except ImportError as error:
        raise ImportError(f"{path} can't be read: {error}") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"particles={str(path)!r}: no such file.") from error
    except UnclearFileError as error:
        raise ValueError(
            f"{path} can't be read as a label mask: {error.fact}. A label mask is a "
            "file of one image; a TIFF file always says so."
        ) from error
    except Exception as error:
        # Decoders of damaged files raise errors of any kind.
        raise ValueError(
            f"{path} can't be read as a label mask: {reason_of(error, path)}."
        ) from error
    if labels.ndim != 2 or (labels.dtype.kind == "f" and (labels % 1).any()):
        raise ValueError(
            f"{path} is no label mask: it has shape {labels.shape} and type "
            f"{labels.dtype}; expected one integer for each pixel."
        )
    return labels.astype(np.int64)
