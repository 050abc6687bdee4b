"""load_particles: from micrographs and a table of particles to images of them."""

import os
import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from tqdm.auto import tqdm

from emclassify._data_set import DataSet
from emclassify._words import name_some
from emclassify.readers._image_folder import stack_images
from emclassify.readers._image_listing import LeaveOut
from emclassify.readers._label_masks import from_label_masks
from emclassify.readers._micrographs import Micrographs, list_tables, read_each
from emclassify.readers._origin_shifts import OriginShift
from emclassify.readers._particle_cuts import Cut, UnknownCentreError, cut_all
from emclassify.readers._particle_table import (
    MICROGRAPH,
    ParticleTable,
    read_particle_table,
)
from emclassify.readers._pixel_size import (
    PixelSize,
    collect_pixel_sizes,
    given_pixel_size,
)
from emclassify.readers._read_errors import reason_of

__all__ = ["load_particles"]

_DESCR = """\
Particles cut from {n_micrographs} micrographs

{n} images{size}, by {source}.
{dropped}"""


@validate_params(
    {
        "micrographs": [str, os.PathLike, list, tuple, np.ndarray],
        "particles": [str, os.PathLike, pd.DataFrame, list, tuple],
        "box_size": [
            None,
            Interval(Integral, 1, None, closed="left"),
            "array-like",
        ],
        "margin": [Interval(Integral, 0, None, closed="left")],
        "edge": [StrOptions({"raise", "pad", "drop"})],
        "label_column": [str, None],
        "micrograph_column": [str],
        "mask_channel": ["boolean"],
        "recentre": ["boolean", None],
        "invert_y": ["boolean"],
        "pixel_size": [None, Interval(Real, 0, None, closed="neither")],
        "as_gray": ["boolean"],
        "page": [None, Interval(Integral, 0, None, closed="left")],
        "orient": ["boolean"],
        "format": [None, str],
        "dataset": [None, str],
        "axes": [None, str],
        "on_error": [StrOptions({"raise", "skip"})],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def load_particles(
    micrographs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    particles: str | os.PathLike[str] | pd.DataFrame | Sequence[str | os.PathLike[str]],
    *,
    box_size: int | Sequence[int] | None = None,
    margin: int = 0,
    edge: Literal["raise", "pad", "drop"] = "raise",
    label_column: str | None = "auto",
    micrograph_column: str = "micrograph",
    mask_channel: bool = False,
    recentre: bool | None = None,
    invert_y: bool = False,
    pixel_size: float | None = None,
    as_gray: bool = False,
    page: int | None = None,
    orient: bool = True,
    format: str | None = None,
    dataset: str | None = None,
    axes: str | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    verbose: int | bool = 0,
) -> Bunch:
    """Cut particles out of micrographs, as a table or label masks say where they are.

    Micrographs are opened one at a time, and memory-mapped where their format allows
    it: memory holds the particles, not the micrographs.

    Parameters
    ----------
    micrographs : str, path-like, or sequence of these
        Folder of the micrographs, searched at any depth; a file; or files. Formats are
        those of :doc:`/user_guide/formats`.
    particles : str, path-like, DataFrame, or sequence of str or path-like
        Where the particles are:

        - RELION's .star with rlnCoordinateX, rlnCoordinateY (centres, in px) and
          rlnMicrographName;
        - cryoSPARC's .cs with location/center_x_frac and the like;
        - EMAN2's .box (corner and size), named as its micrograph;
        - .csv or DataFrame with a column of micrographs and the columns x, y (centres),
          or left, top, width, height, or x_min, y_min, x_max, y_max (the last ones
          excluded);
        - label masks: images, named as their micrographs, in which 0 is background and
          each other integer an object;
        - a folder or a list of several tables or label masks.

        Micrographs are found by their path below the folder, by their name, or by their
        name without its suffix or the number that cryoSPARC puts before it.
    box_size : int or (int, int), default=None
        Height and width in px of the square or rectangle that is cut out, round the
        centre. Default: the size that the table has, or the mask's bounding box.
    margin : int, default=0
        Pixels more on each side.
    edge : {"raise", "pad", "drop"}, default="raise"
        What to do about particles over the edge of their micrograph: raise, reflect the
        micrograph there, or leave them out.
    label_column : str, default="auto"
        Column with the classes. "auto" takes rlnClassNumber of STAR, the class of .cs,
        label of CSV, and no labels where there are none of these. None: no labels.
    micrograph_column : str, default="micrograph"
        Column of micrographs in CSV tables. Those without a column "micrograph" are
        named as their micrograph; another name must be there.
    mask_channel : bool, default=False
        Whether images get the particle's mask as their last channel, as
        `ParticleCropper` takes it. Only for label masks.
    recentre : bool, default=None
        Whether boxes are put round the centres that RELION has found: the coordinate
        minus the origin shift, rlnOriginXAngst and rlnOriginYAngst in Å, or rlnOriginX
        and rlnOriginY in px of the particles' images (see Notes). Default: no, with a
        warning if shifts of a pixel or more are in the table.
    invert_y : bool, default=False
        Whether y is counted from the last row of the micrograph.
    pixel_size : float, default=None
        In nm. Default: as the micrographs state it, else as the table does.
    as_gray, page, orient, format, dataset, axes : bool, int, bool, str, str, str
        How micrographs are read: as `read_image` has them.
    on_error : {"raise", "skip"}, default="raise"
        What to do about micrographs that are missing or can't be read, folders of them
        that may not be read, and tables or label masks among others that can't be read:
        raise, or leave out their particles, list them in `errors` and warn.
    verbose : int or bool, default=0
        Whether to show a progress bar.

    Returns
    -------
    sklearn.utils.Bunch
        images : ndarray of shape (n, height, width) or (n, height, width, channels)
            In the order of the table. If they differ in size: a 1-D object array.
        masks : ndarray of bool of the same form, or None
            The particle's own pixels, from label masks.
        target : ndarray of str of shape (n,), or None
            The classes.
        target_names : list of str
            The classes, sorted.
        groups : ndarray of str of shape (n,)
            The micrograph of each particle, which no split may part.
        boxes : ndarray of int of shape (n, 4)
            Top, left, height and width of what was cut out, in px.
        frame : DataFrame
            The rows of the table, all columns, for what was cut out.
        blocks : dict
            Other blocks of a STAR file, which `write_star` writes back.
        pixel_size : ndarray of shape (n,) or (n, 2), or None
            In nm, as `load_image_folder` has it.
        pixel_size_source : ndarray of str of shape (n,)
            Where each pixel size comes from.
        errors : DataFrame
            Columns "file" and "reason" of micrographs, folders and tables left out.
        DESCR : str
            What this is.

    Raises
    ------
    FileNotFoundError
        If there is no such table, folder or micrograph.
    ImportError
        If a package for a format is missing. The message names the extra.
    ValueError
        If a table or a micrograph can't be read, a name fits several micrographs, a
        particle or one of several tables has no label where others have one, no size
        is known, particles lie over the edge and ``edge="raise"``, or
        ``recentre=True`` and a shift is missing or can't be turned into px.

    Warns
    -----
    UserWarning
        If particles or micrographs are left out, if pixel sizes are odd, and if the
        table has origin shifts and nothing says whether to apply them.

    See Also
    --------
    write_star : The same table back, with predictions.
    emclassify.preprocessing.ParticleCropper : Crop, or mask, by the mask channel.

    Notes
    -----
    Even boxes have their centre half a pixel before the middle, as in RELION: a box of
    200 px round 500 has the pixels 400 to 599.

    RELION shifts a particle's image by the origin to lay it on the reference. The
    particle is therefore at the coordinate minus the origin, as its extraction has it
    when it recentres [1]_. Å become px by `pixel_size`, else by that of the micrograph,
    else by that of the table. px of old tables become px of the micrograph where both
    pixel sizes are known, else they are taken as such. `frame` keeps coordinates and
    origins as they were, so that RELION reads the same places from what `write_star`
    writes.

    References
    ----------
    .. [1] RELION, do_recenter in preprocessing.cpp and "Conventions" of its manual.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> import tifffile
    >>> from emclassify.readers import load_particles
    >>> table = pd.DataFrame(
    ...     {"micrograph": "grid1.tif", "x": [40, 90], "y": [50, 60], "label": [*"ab"]}
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tifffile.imwrite(Path(folder) / "grid1.tif", np.zeros((128, 128), np.uint8))
    ...     data = load_particles(folder, table, box_size=32)
    >>> data.images.shape, data.target.tolist(), data.groups.tolist()
    ((2, 32, 32), ['a', 'b'], ['grid1.tif', 'grid1.tif'])
    """
    errors: list[tuple[str, str]] = []

    def leave_out(name: str, error: Exception) -> None:
        errors.append((name, reason_of(error, Path(name))))

    skip = leave_out if on_error == "skip" else None
    files = Micrographs(micrographs, format, skip)
    table, masks = _read_tables(particles, files, micrograph_column, label_column, skip)
    n_others = len(errors)
    given = None if pixel_size is None else given_pixel_size(pixel_size)
    cut = Cut(
        _checked_box(box_size),
        margin,
        edge,
        as_gray,
        orient,
        page,
        format,
        dataset,
        axes,
        given,
        bool(recentre),
    )
    if recentre and None in table.shifts:
        raise ValueError(
            "recentre=True needs the origin shifts of RELION: rlnOriginXAngst and "
            "rlnOriginYAngst, or rlnOriginX and rlnOriginY. The table has "
            f"{', '.join(map(str, table.frame.columns))}."
        )
    if mask_channel and masks is None:
        raise ValueError(
            "mask_channel=True needs label masks, and particles is a table."
        )
    if cut.box_size is None and table.places["height"].isna().any():
        raise ValueError(
            "The table has no sizes of particles: give one in px, as in box_size=200."
        )
    labels = _labels(table, label_column)
    place = files.locate_all(table.places["micrograph"], on_error)
    errors += place.missing.items()
    n = len(table.places)
    images: list[Any] = [None] * n
    own: list[Any] = [None] * n
    sizes: list[PixelSize | None] = [None] * n
    boxes = np.zeros((n, 4), int)
    over: list[int] = []
    progress = tqdm(place.rows.items(), desc="Micrographs", disable=not verbose)
    for file, rows in progress:
        try:
            for row, box, image, mask in cut_all(
                file, rows, table, masks, cut, invert_y
            ):
                boxes[row] = box
                if image is None:
                    over.append(row)
                else:
                    images[row], own[row] = image[0], mask
                    sizes[row] = image[1]
        except (MemoryError, UnknownCentreError):
            raise
        except Exception as error:
            reason = reason_of(error, file)
            if on_error == "raise":
                kind = ImportError if isinstance(error, ImportError) else ValueError
                raise kind(
                    f"{file} can't be read as a micrograph: {reason}. With "
                    "on_error='skip', its particles are left out."
                ) from error
            errors.append((files.name(file), reason))
            gone = set(rows)
            for row in gone:
                images[row] = None
            # Nobody is to mend the edges of what is left out.
            over = [row for row in over if row not in gone]
    _tell_of_edges(over, table, edge)
    kept = [row for row in range(n) if images[row] is not None]
    if errors:
        listed = [f"{name} ({reason})" for name, reason in errors]
        what = "file" if n_others else "micrograph"
        warnings.warn(
            f"The particles of {len(errors)} {what}"
            f"{'s' * (len(errors) > 1)} were left out: "
            f"{name_some(listed, 3)}. All are listed in `errors`.",
            stacklevel=3,
        )
    if not kept:
        raise ValueError("No particle is left.")
    names = [files.name(place.of_row[row]) for row in kept]
    if recentre is None:
        _tell_of_shifts([(table.shifts[row], sizes[row]) for row in kept])
    nm, sources = collect_pixel_sizes([sizes[r] for r in kept], names, stacklevel=4)
    pictures = [images[row] for row in kept]
    if mask_channel:
        pictures = [
            np.dstack([image, own[row].astype(image.dtype)])
            for image, row in zip(pictures, kept, strict=True)
        ]
    stack = stack_images(pictures)
    size = (
        "" if stack.dtype == object else f" of {'×'.join(map(str, stack.shape[1:]))} px"
    )
    target = None if labels is None else labels[kept]
    return DataSet(
        images=stack,
        masks=None if masks is None else stack_images([own[row] for row in kept]),
        target=target,
        target_names=[] if target is None else np.unique(target).tolist(),
        groups=np.array(names),
        boxes=boxes[kept],
        frame=table.frame.iloc[kept].reset_index(drop=True),
        blocks=table.blocks,
        pixel_size=nm,
        pixel_size_source=sources,
        errors=pd.DataFrame(errors, columns=["file", "reason"]),
        DESCR=_DESCR.format(
            n_micrographs=len(set(names)),
            n=len(kept),
            size=size or " of different sizes",
            source="label masks" if masks is not None else f"a table ({table.kind})",
            dropped=f"{n - len(kept)} were left out.\n" if n > len(kept) else "",
        ),
    )


def _checked_box(box_size: Any) -> tuple[int, int] | None:
    if box_size is None:
        return None
    if isinstance(box_size, Integral):
        return int(box_size), int(box_size)
    size = tuple(box_size)
    if len(size) != 2 or not all(isinstance(s, Integral) and s >= 1 for s in size):
        raise ValueError(
            "box_size must be a whole number of at least 1, or (height, width); got "
            f"{box_size!r}."
        )
    return int(size[0]), int(size[1])


def _read_tables(
    particles: Any,
    files: Micrographs,
    micrograph_column: str,
    label_column: str | None,
    leave_out: LeaveOut | None,
) -> tuple[ParticleTable, dict[int, tuple[Path, int]] | None]:
    """Return one table, and for label masks where each row's mask is."""
    if isinstance(particles, pd.DataFrame):
        table = read_particle_table(particles, micrograph_column)
        _refuse_no_label([table], ["The table"], label_column)
        return table, None
    tables, masks = list_tables(particles, leave_out)
    if masks:
        _refuse_column(micrograph_column, "label masks")
        return from_label_masks(masks, files, leave_out)

    def read_one(path: Path) -> tuple[str, ParticleTable]:
        table = read_particle_table(path, micrograph_column)
        if table.places["micrograph"].isna().all():
            table.places["micrograph"] = str(files.of_table(path, len(tables)))
        return str(path), table

    names, read = zip(*read_each(tables, read_one, leave_out), strict=True)
    if all(table.kind != "csv" for table in read):
        _refuse_column(micrograph_column, f"a table of the kind {read[0].kind}")
    _refuse_no_label(read, names, label_column)
    if len(read) == 1:
        return read[0], None
    frames = [table.frame for table in read]
    return (
        ParticleTable(
            pd.concat(frames, ignore_index=True),
            pd.concat([table.places for table in read], ignore_index=True),
            read[0].label_column,
            [size for table in read for size in table.pixel_sizes],
            {},
            read[0].kind,
            [shift for table in read for shift in table.shifts],
        ),
        None,
    )


def _refuse_column(micrograph_column: str, what: str) -> None:
    """Raise ValueError if a column is named that only CSV tables have."""
    if micrograph_column != MICROGRAPH:
        raise ValueError(
            f"micrograph_column={micrograph_column!r} is a column of CSV tables, and "
            f"particles is {what}. Leave it out."
        )


def _refuse_no_label(
    tables: Sequence[ParticleTable], names: Sequence[str], column: str | None
) -> None:
    """Raise ValueError if only some tables, or only some rows, have a label."""
    if column is None:
        return
    columns = [
        table.label_column
        if column == "auto"
        else (column if column in table.frame else None)
        for table in tables
    ]
    for name, found in zip(names, columns, strict=True):
        if found != columns[0]:
            has = [
                "no column of labels" if one is None else f"the column {one!r}"
                for one in (columns[0], found)
            ]
            raise ValueError(
                f"Tables differ in their labels: {names[0]} has {has[0]}, {name} has "
                f"{has[1]}. Give all of them one column of labels, or pass "
                "label_column=None."
            )
    if columns[0] is None:
        return
    for name, table in zip(names, tables, strict=True):
        labels = table.frame[columns[0]]
        missing = np.flatnonzero(labels.isna() | labels.eq(""))
        if len(missing):
            rows = [str(row) for row in missing + 1]
            raise ValueError(
                f"{name} has no {columns[0]!r} in row {name_some(rows, 3)} (row 1 is "
                "the first particle). Fill these cells, remove the rows or pass "
                "label_column=None."
            )


def _labels(table: ParticleTable, column: str | None) -> np.ndarray | None:
    if column == "auto":
        column = table.label_column
    if column is None:
        return None
    if column not in table.frame:
        raise ValueError(
            f"The table has no column {column!r} (label_column). It has "
            f"{', '.join(map(str, table.frame.columns))}."
        )
    return np.array([str(value) for value in table.frame[column]])


def _tell_of_shifts(
    shifts: list[tuple[OriginShift | None, PixelSize | None]],
) -> None:
    moved = sum(shift is not None and shift.matters(size) for shift, size in shifts)
    if moved:
        warnings.warn(
            f"{moved} of {len(shifts)} particles lie a pixel or more beside their "
            "coordinates, by the origin shifts in the table. Pass recentre=True to "
            "cut them out round their centres, recentre=False to leave it so.",
            stacklevel=4,
        )


def _tell_of_edges(over: list[int], table: ParticleTable, edge: str) -> None:
    if not over:
        return
    row = min(over)
    place = table.places.iloc[row]
    what = (
        f"{len(over)} of {len(table.places)} particles lie over the edge of their "
        f"micrograph, first row {row + 1} at x={place['x']:g}, y={place['y']:g} of "
        f"{Path(str(place['micrograph'])).name}"
    )
    if edge == "raise":
        raise ValueError(
            f"{what}. Pass edge='drop' to leave them out, or edge='pad' to reflect "
            "micrographs there. If it is most of them: is the box size "
            "right, and are these the micrographs that the coordinates were made on?"
        )
    warnings.warn(f"{what}, and were left out.", stacklevel=4)
