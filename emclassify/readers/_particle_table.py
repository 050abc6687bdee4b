"""Tables of particles: RELION's STAR, cryoSPARC's .cs, EMAN's .box, CSV.

Whatever the table, rows become (micrograph, y, x, height, width) in pixels: the centre
of a particle, and the size of its box where the table has one.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emclassify._text_table import parse_text_table, what_is_wrong
from emclassify.readers._image_listing import may_be_there
from emclassify.readers._origin_shifts import OriginShift, star_shifts
from emclassify.readers._pixel_size import PixelSize, stated_pixel_size

__all__ = ["MICROGRAPH", "ParticleTable", "read_particle_table"]

# Column of CSV tables; those without are named as their micrograph.
MICROGRAPH = "micrograph"
_RELION_NAME = "rlnMicrographName"
_RELION_CLASS = "rlnClassNumber"
_SUFFIXES = (".star", ".cs", ".box", ".csv")
# Pixel sizes in RELION's optics, in Å.
_MICROGRAPH_SIZES = ("rlnMicrographPixelSize", "rlnMicrographOriginalPixelSize")
_IMAGE_SIZES = ("rlnImagePixelSize",)
# Corners of boxes in CSV, the last ones excluded.
_CORNERS = ("x_min", "y_min", "x_max", "y_max")
_CORNER_AND_SIZE = ("left", "top", "width", "height")
_EMAN = ("left", "top", "width", "height")


@dataclass
class ParticleTable:
    """Particles of one table.

    Parameters
    ----------
    frame : DataFrame
        The rows as the table has them; text where it is text.
    places : DataFrame
        Columns micrograph (None where the table has none), y, x, height, width.
    label_column : str or None
        Column of class labels that this kind of table has.
    pixel_sizes : list of PixelSize or None
        Of the micrographs, by row.
    blocks : dict
        Other blocks of a STAR file, by name.
    kind : str
        "star", "cs", "box" or "csv".
    shifts : list of OriginShift or None
        Of the particles, by row.
    """

    frame: pd.DataFrame
    places: pd.DataFrame
    label_column: str | None = None
    pixel_sizes: list[PixelSize | None] = field(default_factory=list)
    blocks: dict[str, Any] = field(default_factory=dict)
    kind: str = "csv"
    shifts: list[OriginShift | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.shifts:
            self.shifts = [None] * len(self.frame)
        if not self.pixel_sizes:
            self.pixel_sizes = [None] * len(self.frame)


def read_particle_table(
    source: Path | pd.DataFrame, micrograph_column: str
) -> ParticleTable:
    """Read a table of particles.

    Parameters
    ----------
    source : Path or DataFrame
        A .star, .cs, .box or .csv file, or what a CSV file holds.
    micrograph_column : str
        Column of micrographs in CSV tables.

    Returns
    -------
    ParticleTable

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If starfile is missing.
    ValueError
        If it is no such table, lacks a column or has no row.
    """
    if isinstance(source, pd.DataFrame):
        twice = source.columns[source.columns.duplicated()]
        if len(twice):
            raise ValueError(f"particles has more than one column {twice[0]!r}.")
        table = source.reset_index(drop=True)
        try:
            return _checked(_from_columns(table, micrograph_column))
        except ValueError as error:
            raise ValueError(
                f"particles can't be read as a table: {what_is_wrong(error)}."
            ) from error
    if not may_be_there(source):
        raise FileNotFoundError(f"particles={str(source)!r}: no such file.")
    readers = {".star": _read_star, ".cs": _read_cs, ".box": _read_box}
    suffix = source.suffix.lower()
    try:
        if suffix in readers:
            table = readers[suffix](source)
        elif suffix == ".csv":
            table = _from_columns(parse_text_table(source), micrograph_column)
        else:
            raise ValueError(f"a table ends in {', '.join(_SUFFIXES)}")
        return _checked(table)
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(
            f"{source} can't be read as a table of particles: {what_is_wrong(error)}."
        ) from error


def _checked(table: ParticleTable) -> ParticleTable:
    """Raise unless there are rows, with finite places."""
    if table.places.empty:
        raise ValueError("it has no row")
    for name in ("y", "x", "height", "width"):
        column = table.places[name]
        bad = ~np.isfinite(column.astype(float))
        if name in ("height", "width"):
            # No size at all is one that box_size gives.
            bad &= ~table.places[["height", "width"]].isna().all(axis=1)
            bad |= column.le(0)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise ValueError(
                f"its row {row + 1} has {column[row]} as {name} of the particle"
            )
    return table


def _places(
    micrograph: Any, y: Any, x: Any, height: Any = np.nan, width: Any = np.nan
) -> pd.DataFrame:
    return pd.DataFrame(
        {"micrograph": micrograph, "y": y, "x": x, "height": height, "width": width}
    )


def _from_columns(frame: pd.DataFrame, micrograph_column: str) -> ParticleTable:
    """Take centres (x, y), or boxes by their corners or by corner and size."""
    columns = set(frame.columns)
    micrograph = None
    if micrograph_column in columns:
        micrograph = frame[micrograph_column].astype(str)
    elif micrograph_column not in ("", MICROGRAPH):
        raise ValueError(
            f"it has no column {micrograph_column!r} (micrograph_column); it has "
            f"{', '.join(map(str, frame))}"
        )
    if columns >= set(_CORNERS):
        left, top, right, bottom = (_numbers(frame, name) for name in _CORNERS)
        width, height = right - left, bottom - top
    elif columns >= set(_CORNER_AND_SIZE):
        left, top, width, height = (_numbers(frame, name) for name in _CORNER_AND_SIZE)
    elif columns >= {"x", "y"}:
        places = _places(micrograph, _numbers(frame, "y"), _numbers(frame, "x"))
        return ParticleTable(frame, places, "label" if "label" in columns else None)
    else:
        raise ValueError(
            "it needs the columns x, y (centres in px), or left, top, width, height, "
            f"or x_min, y_min, x_max, y_max; it has {', '.join(map(str, frame))}"
        )
    places = _places(micrograph, top + height / 2, left + width / 2, height, width)
    return ParticleTable(frame, places, "label" if "label" in columns else None)


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(float)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        value = str(frame[name].iloc[bad[0]])
        raise ValueError(
            f"its row {bad[0] + 1} has {value!r} as {name}, which is no number"
        )
    return numbers


def _read_box(path: Path) -> ParticleTable:
    """Read EMAN's rows: left, top, width, height; the micrograph is the file's."""
    frame = pd.read_csv(path, sep=r"\s+", header=None, dtype=str, comment="#")
    if frame.shape[1] < len(_EMAN):
        raise ValueError(f"a row has {frame.shape[1]} columns, not x, y, width, height")
    frame.columns = [*_EMAN, *(f"column{i}" for i in range(5, frame.shape[1] + 1))]
    table = _from_columns(frame, "")
    table.kind = "box"
    return table


def _read_star(path: Path) -> ParticleTable:
    try:
        import starfile
    except ImportError as error:
        raise ImportError(
            f'{path} needs starfile: pip install "emclassify[mrc]"'
        ) from error
    text = [_RELION_NAME, _RELION_CLASS, "rlnImageName", "rlnOpticsGroupName"]
    blocks = starfile.read(path, always_dict=True, parse_as_string=text)
    found = [
        name
        for name, block in blocks.items()
        if isinstance(block, pd.DataFrame)
        and {"rlnCoordinateX", "rlnCoordinateY"} <= set(block)
    ]
    if not found:
        raise ValueError(
            "no block of it has rlnCoordinateX and rlnCoordinateY; it has "
            f"{', '.join(map(repr, blocks)) or 'none'}"
        )
    name = "particles" if "particles" in found else found[0]
    frame = blocks[name].reset_index(drop=True)
    micrograph = frame.get(_RELION_NAME)
    places = _places(
        micrograph, _numbers(frame, "rlnCoordinateY"), _numbers(frame, "rlnCoordinateX")
    )
    label = _RELION_CLASS if _RELION_CLASS in frame else None
    others = {key: block for key, block in blocks.items() if key != name}
    optics = others.get("optics")
    sizes = _relion_sizes(frame, optics, _MICROGRAPH_SIZES)
    images = _relion_sizes(frame, optics, _IMAGE_SIZES)
    return ParticleTable(
        frame,
        places,
        label,
        [
            None if np.isnan(a) else stated_pixel_size(a, a, "Å", "STAR table")
            for a in sizes
        ],
        {**others, name: None},
        kind="star",
        shifts=star_shifts(frame, 0.1 * images),
    )


def _relion_sizes(
    frame: pd.DataFrame, optics: Any, names: tuple[str, ...]
) -> np.ndarray:
    """Return a pixel size of each row in Å, in the optics or old columns."""
    size = pd.Series(np.nan, index=frame.index)
    if isinstance(optics, dict):
        optics = pd.DataFrame([optics])
    if isinstance(optics, pd.DataFrame) and "rlnOpticsGroup" in frame:
        groups = optics.set_index(optics["rlnOpticsGroup"].astype(str))
        for name in names:
            if name in groups:
                stated = frame["rlnOpticsGroup"].astype(str).map(groups[name])
                size = size.fillna(pd.to_numeric(stated, errors="coerce"))
    if {"rlnDetectorPixelSize", "rlnMagnification"} <= set(frame):
        # In µm on the detector.
        detector = pd.to_numeric(frame["rlnDetectorPixelSize"], errors="coerce")
        times = pd.to_numeric(frame["rlnMagnification"], errors="coerce")
        size = size.fillna(1e4 * detector / times)
    return size.to_numpy(float)


def _read_cs(path: Path) -> ParticleTable:
    rows = np.load(path, allow_pickle=False)
    fields = set(rows.dtype.names or ())
    needed = {
        "location/micrograph_path",
        "location/micrograph_shape",
        "location/center_x_frac",
        "location/center_y_frac",
    }
    if not needed <= fields:
        raise ValueError(
            f"it lacks {', '.join(sorted(needed - fields))}: export the particles with "
            "their locations"
        )
    names = [_text(value) for value in rows["location/micrograph_path"]]
    height, width = np.asarray(rows["location/micrograph_shape"], float).T
    places = _places(
        names,
        rows["location/center_y_frac"].astype(float) * height,
        rows["location/center_x_frac"].astype(float) * width,
    )
    frame = pd.DataFrame(
        {
            name: [_text(value) for value in rows[name]]
            if rows.dtype[name].kind in "SU"
            else list(rows[name])
            for name in rows.dtype.names
        }
    )
    label = next((n for n in rows.dtype.names if n.endswith("/class")), None)
    sizes: list[PixelSize | None] = []
    if "location/micrograph_psize_A" in fields:
        sizes = [
            stated_pixel_size(value, value, "Å", "cryoSPARC table")
            for value in rows["location/micrograph_psize_A"]
        ]
    return ParticleTable(frame, places, label, sizes, kind="cs")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
