"""Reads ion images from imzML."""

import os
from numbers import Integral, Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from tqdm.auto import tqdm

from emclassify._data_set import DataSet
from emclassify._words import name_some
from emclassify.readers._imzml_file import ImzMLFile

_DESCR = """\
Ion images read from {path}

{n_ions} images of {height}×{width} px, the summed intensity within {tolerance:g} ppm of
each m/z. {n_pixels} pixels were measured; {n_missing} were not{filled}.
"""


@validate_params(
    {
        "path": [str, os.PathLike],
        "mz": ["array-like", Interval(Real, 0, None, closed="neither")],
        "tolerance_ppm": [Interval(Real, 0, 1e6, closed="left")],
        "missing": [StrOptions({"raise", "zero"})],
        "z": [None, Integral],
        "verify": ["boolean"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def load_imzml(
    path: str | os.PathLike[str],
    mz: ArrayLike,
    *,
    tolerance_ppm: float = 3.0,
    missing: Literal["raise", "zero"] = "raise",
    z: int | None = None,
    verify: bool = True,
    verbose: int | bool = 0,
) -> Bunch:
    """Read ion images from an imzML file and its ibd.

    The image of an ion holds, at each pixel, the sum of all intensities whose m/z lies
    within `tolerance_ppm` of the ion's, both ends included. Continuous and processed
    files are read, one spectrum at a time: memory holds the images and where the
    spectra lie, never all of the .ibd.

    Parameters
    ----------
    path : str or path-like
        The .imzML file. Its .ibd lies beside it under the same name.
    mz : array-like of shape (n_ions,), or float
        Mass-to-charge ratios, above 0, in any order.
    tolerance_ppm : float, default=3.0
        Half the width of the window around each m/z, in parts per million of it.
    missing : {"raise", "zero"}, default="raise"
        What to do if pixels of the grid have no spectrum, as where the measured region
        is not a rectangle: raise, or let them be 0 in every image. `mask` tells them
        from pixels without signal.
    z : int, default=None
        The section to read from a file that holds several.
    verify : bool, default=True
        Whether to compare the checksums that the imzML states with those of the ibd,
        for which it is read once more.
    verbose : int, default=0
        1 shows progress over spectra.

    Returns
    -------
    Bunch
        images : ndarray of float32 of shape (n_ions, height, width)
            In the order of `mz`; the grid is the smallest that holds all spectra, x
            to the right and y downwards.
        mz : ndarray of shape (n_ions,)
            As given.
        mask : ndarray of bool of shape (height, width)
            Where there is a spectrum. ``images[:, mask].T`` are the spectra,
            (n_pixels, n_ions).
        coordinates : ndarray of int of shape (n_pixels, 2)
            x and y of the spectra, as the file counts them, in its order.
        target, target_names : None
            The file has no labels.
        groups : ndarray of str of shape (n_ions,)
            The name of the file, without suffix: ions of one dataset belong together.
        DESCR : str
            What was read.

    Raises
    ------
    FileNotFoundError
        If the imzML or its ibd does not exist.
    ValueError
        If either file is truncated, they do not belong together (UUID) or the
        checksum differs; if spectra are compressed, have m/z values that do not
        ascend or intensities that are not finite; if a pixel is missing, with
        ``missing="raise"``, or there twice; if there are several sections and no `z`.
        All are named.
    ImportError
        If pyimzml is missing: ``pip install "emclassify[msi]"``.

    See Also
    --------
    emclassify.prediction.predict_table : Classifies them, as a table.

    Examples
    --------
    >>> import tempfile
    >>> from emclassify.readers import load_imzml
    >>> from pyimzml.ImzMLWriter import ImzMLWriter
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ImzMLWriter(f"{folder}/liver.imzML") as file:
    ...         for x in (1, 2, 3):
    ...             file.addSpectrum([100.0, 100.0001, 250.0], [x, 1, 5], (x, 1))
    ...     liver = load_imzml(f"{folder}/liver.imzML", [250.0, 100.0])
    >>> liver.images
    array([[[5., 5., 5.]],
           [[2., 3., 4.]]], dtype=float32)
    >>> liver.groups.tolist()
    ['liver', 'liver']
    """
    mz = _check_mz(mz)
    file = ImzMLFile(path)
    rows = _section(file, z)
    coordinates = file.coordinates[rows, :2]
    mask, column, row_of = _grid(file, rows, coordinates, missing)
    if verify:
        file.check_sums()

    order = np.argsort(mz, kind="stable")
    low = mz[order] * (1 - tolerance_ppm * 1e-6)
    high = mz[order] * (1 + tolerance_ppm * 1e-6)
    images = np.zeros((len(mz), *mask.shape), dtype=np.float32)
    progress = tqdm(
        file.spectra(rows),
        total=len(rows),
        desc=f"Reading {file.path.name}",
        unit="spectrum",
        disable=not verbose,
    )
    known, windows = None, None
    for i, (values, intensities) in enumerate(progress):
        if values is not known:
            known, windows = values, find_windows(values, low, high)
        images[order, row_of[i], column[i]] = window_sums(intensities, *windows)

    n_missing = mask.size - len(rows)
    return DataSet(
        images=images,
        mz=mz,
        mask=mask,
        coordinates=coordinates,
        target=None,
        target_names=None,
        groups=np.full(len(mz), file.path.stem),
        DESCR=_DESCR.format(
            path=file.path,
            n_ions=len(mz),
            height=mask.shape[0],
            width=mask.shape[1],
            tolerance=tolerance_ppm,
            n_pixels=len(rows),
            n_missing=n_missing,
            filled=" and are 0" if n_missing else "",
        ),
    )


def _check_mz(mz):
    """Return `mz` as a float64 array (n_ions,), or raise."""
    mz = column_or_1d(np.atleast_1d(np.asarray(mz)), dtype=np.float64)
    if len(mz) == 0 or not (np.isfinite(mz) & (mz > 0)).all():
        bad = [
            repr(float(value)) for value in mz if not (np.isfinite(value) and value > 0)
        ]
        raise ValueError(
            "mz must hold at least one m/z, each finite and above 0; got "
            f"{name_some(bad, 3) if bad else 'none'}."
        )
    return mz


def _section(file, z):
    """Return the rows of the spectra of section `z`, or of the only one."""
    sections = np.unique(file.coordinates[:, 2])
    if z is None and len(sections) > 1:
        raise ValueError(
            f"{file.path} holds {len(sections)} sections, z = "
            f"{name_some(sections, 3)}. Pass z for one of them."
        )
    z = sections[0] if z is None else z
    rows = np.flatnonzero(file.coordinates[:, 2] == z)
    if not len(rows):
        raise ValueError(
            f"z={z}: {file.path} has no such section; it has z = "
            f"{name_some(sections, 3)}."
        )
    return rows


def _grid(file, rows, coordinates, missing):
    """Return the mask of pixels with spectra, and column and row of each spectrum."""
    origin = coordinates.min(axis=0)
    width, height = (int(size) for size in coordinates.max(axis=0) - origin + 1)
    column, row_of = (coordinates - origin).T
    pixel, first, count = np.unique(
        row_of * width + column, return_index=True, return_counts=True
    )
    twice = np.flatnonzero(count > 1)
    if len(twice):
        raise ValueError(
            f"{len(twice)} pixels are there more than once, first "
            f"{file.name(rows[first[twice[0]]])}. Export the file again."
        )
    if missing == "raise" and len(pixel) < width * height:
        # The first place where the sorted pixels run ahead of counting.
        ahead = np.flatnonzero(pixel != np.arange(len(pixel)))
        y, x = divmod(int(ahead[0]) if len(ahead) else len(pixel), width)
        raise ValueError(
            f"{file.path} has no spectrum for {width * height - len(pixel)} of "
            f"{width * height} pixels ({width} × {height}), first x={x + origin[0]}, "
            f'y={y + origin[1]}. Pass missing="zero" to let them be 0 in all images; '
            "mask will tell which they are."
        )
    mask = np.zeros((height, width), dtype=bool)
    mask[row_of, column] = True
    return mask, column, row_of


def find_windows(
    mz: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (windows, ends) of ascending `mz`, for `window_sums`.

    Parameters
    ----------
    mz : ndarray of shape (n_peaks,)
        Ascending.
    low, high : ndarray of shape (n_windows,)
        Ascending bounds, included.

    Returns
    -------
    windows : ndarray of bool of shape (n_windows,)
        Which windows hold a peak.
    ends : ndarray of int
        First peak of each such window, and the first after it, in turn.
    """
    start = np.searchsorted(mz, low, side="left")
    stop = np.searchsorted(mz, high, side="right")
    windows = start < stop
    return windows, np.column_stack([start, stop])[windows].ravel()


def window_sums(
    intensities: np.ndarray, windows: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Return the sum of the intensities in each window, 0 in empty ones."""
    sums = np.zeros(len(windows))
    if len(ends):
        # One more, so that the end of the last window is a place; it is not summed.
        padded = np.append(intensities, intensities.dtype.type(0))
        sums[windows] = np.add.reduceat(padded, ends, dtype=np.float64)[::2]
    return sums
