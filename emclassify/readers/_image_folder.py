"""Reads a folder of labelled images."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal

import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from tqdm.auto import tqdm

from emclassify._data_set import DataSet
from emclassify._words import name_some
from emclassify.readers._formats import SUFFIXES, format_named
from emclassify.readers._image_file import read_images
from emclassify.readers._image_listing import list_class_folders, list_table
from emclassify.readers._pixel_size import collect_pixel_sizes, given_pixel_size
from emclassify.readers._read_errors import reason_of

_DESCR = """\
Images read from {path}

{n_images} images{shape}, labels from {source}.
Classes: {counts}.
"""


@dataclass(frozen=True)
class _Options:
    """How each file is read."""

    page: int | str | None
    as_gray: bool
    image_shape: tuple[int, int] | None
    orient: bool
    format: str | None
    dataset: str | None
    axes: str | None


def _try_to_read(path: Path, options: _Options) -> tuple[list | None, Any]:
    """Return (images with their pixel sizes, None), or (None, the error)."""
    try:
        return read_images(path, **vars(options)), None
    except MemoryError:
        return None, ValueError("it takes more memory than there is")
    except FileNotFoundError:
        return None, FileNotFoundError("no such file")
    except Exception as error:
        # Decoders of damaged files raise errors of any kind, SyntaxError included.
        return None, error


def _read_all(
    listing: pd.DataFrame,
    options: _Options,
    *,
    on_error: str,
    n_jobs: int | None,
    verbose: int,
) -> tuple[list[list], pd.DataFrame]:
    """Return images of each file (none if unreadable), and a frame of the rest."""
    results = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
        joblib.delayed(_try_to_read)(path, options) for path in listing["path"]
    )
    images, errors = [], []
    progress = tqdm(
        results, total=len(listing), desc="Reading images", disable=not verbose
    )
    names, paths = listing["file"].tolist(), listing["path"].tolist()
    for file, path, (found, error) in zip(names, paths, progress, strict=True):
        if error is not None and on_error == "raise":
            with warnings.catch_warnings():
                # joblib says how many it had begun; nobody is to adjust anything.
                warnings.simplefilter("ignore", UserWarning)
                results.close()
            progress.close()
            raise _refusal(path, error)
        if error is not None:
            errors.append((file, reason_of(error, path)))
        images.append(found or [])
    return images, pd.DataFrame(errors, columns=["file", "reason"])


def _refusal(path: Path, error: Exception) -> Exception:
    """Return the error that names a file that can't be read."""
    reason = reason_of(error, path)
    if isinstance(error, ImportError):
        return ImportError(f"{path} cannot be read: {reason}.")
    kind = FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError
    return kind(
        f"{path} cannot be read as an image: {reason}. With on_error='skip', such "
        "files are left out."
    )


def _refuse_mixtures(images: list[np.ndarray], files: list[str]) -> None:
    """Raise if images differ in number of channels or in type of number."""
    first = images[0]
    for image, file in zip(images, files, strict=True):
        if image.shape[2:] != first.shape[2:]:
            kinds = sorted(
                [(first, files[0]), (image, file)], key=lambda kind: kind[0].ndim
            )
            said = ", ".join(f"{name} {_channels(one)}" for one, name in kinds)
            colours = {one.shape[2] for one, _ in kinds if one.ndim == 3} == {3}
            advice = (
                "Pass as_gray=True to make all of them grey."
                if colours
                else "Images of one kind belong in a data set."
            )
            raise ValueError(
                f"Images of different channels are mixed: {said}. {advice}"
            )
        if image.dtype != first.dtype:
            raise ValueError(
                f"Images of different types are mixed: {files[0]} is {first.dtype}, "
                f"{file} is {image.dtype}. Their grey values are not on one scale; "
                "convert the files to one type."
            )


def _channels(image: np.ndarray) -> str:
    return "is grey" if image.ndim == 2 else f"has {image.shape[2]} channels"


def stack_images(images: Sequence[np.ndarray]) -> np.ndarray:
    """Return one array, or a 1-D object array of images of different sizes."""
    if all(image.shape == images[0].shape for image in images):
        return np.stack(images)
    ragged = np.empty(len(images), dtype=object)
    ragged[:] = images
    return ragged


def _to_plain(column: ArrayLike) -> np.ndarray:
    """Return a column as a numpy array of str, or of the numbers that it holds."""
    values = np.asarray(column)
    return values if values.dtype.kind in "biuf" else np.array([str(v) for v in values])


def _check_size(image_shape: Sequence[int]) -> tuple[int, int]:
    """Return `image_shape` as (height, width), or raise ValueError."""
    size = tuple(image_shape)
    whole = all(isinstance(s, Integral) and s >= 1 for s in size)
    if len(size) != 2 or not whole:
        raise ValueError(
            "image_shape must be (height, width), whole numbers of at least 1; got "
            f"{image_shape!r}."
        )
    return size


@validate_params(
    {
        "path": [str, os.PathLike],
        "labels": [None, str, os.PathLike, pd.DataFrame],
        "file_column": [str],
        "label_column": [str],
        "group_column": [None, str],
        "as_gray": ["boolean"],
        "image_shape": [None, "array-like"],
        "page": [
            None,
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"all"}),
        ],
        "group_pages": ["boolean"],
        "pixel_size": [None, Interval(Real, 0, None, closed="neither")],
        "orient": ["boolean"],
        "format": [None, str],
        "dataset": [None, str],
        "axes": [None, str],
        "on_error": [StrOptions({"raise", "skip"})],
        "return_X_y": ["boolean"],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def load_image_folder(
    path: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | pd.DataFrame | None = None,
    file_column: str = "file",
    label_column: str = "label",
    group_column: str | None = None,
    as_gray: bool = False,
    image_shape: Sequence[int] | None = None,
    page: int | Literal["all"] | None = None,
    group_pages: bool = True,
    pixel_size: float | None = None,
    orient: bool = True,
    format: str | None = None,
    dataset: str | None = None,
    axes: str | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    return_X_y: bool = False,
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Any:
    """Read labelled images from class folders, or as a CSV table lists them.

    Without `labels`, the folder holds one folder a class, ``path/<class>/...``, with
    images at any depth. With it, each row of the table names a file and its label.

    Files of all formats in :doc:`/user_guide/formats` are read, in their own type of
    number. Grey images are (height, width), others (height, width, channels) with all
    channels but alpha: what that made transparent keeps the colour stored under it.
    Palettes and CMYK become grey or RGB, black and white becomes 0 and 255.

    Parameters
    ----------
    path : str or path-like
        Folder of the images.
    labels : str, path-like or DataFrame, default=None
        CSV table with a header, or the table itself. A relative path is looked for
        from the working directory, then from `path`. Files in it are looked for in
        `path`, then in the folder of the CSV file; absolute paths are taken as they
        are. Only empty cells count as missing.
    file_column, label_column : str, default="file" and "label"
        Columns of the table with the paths and the labels.
    group_column : str, default=None
        Column of the table with the groups (micrograph, grid, patient) that must not
        be split between training and test. Default: none, but for `group_pages`.
    as_gray : bool, default=False
        Whether to make colour images grey, by their luminance (0.299 R + 0.587 G +
        0.114 B).
    image_shape : (int, int), default=None
        Height and width that each image must have; one of another size is an error
        of that file. Default: any.
    page : int or "all", default=None
        Which image to take from a file that holds several, from 0; "all" takes all of
        them, under the file's label. Without it, such a file is an error.
    group_pages : bool, default=True
        Whether, without `group_column`, the images of one file are one group: they show
        one specimen or one exposure, mostly. Say False only if a file is no more than a
        container of images that have nothing to do with each other.
    pixel_size : float, default=None
        Size of the pixels of all images, in nm. Default: as each file states it.
    orient : bool, default=True
        Whether to turn images upright, as their EXIF data or TIFF tag say.
    format : str, default=None
        Format to read the files as, such as "mrc"; in class folders, only files named
        so are taken. Default: any, by what is in a file.
    dataset, axes : str, default=None
        As `open_image_stack` has them, for HDF5 and zarr.
    on_error : {"raise", "skip"}, default="raise"
        What to do about a file that is missing, damaged or of the wrong size, and about
        a folder that may not be read: raise, or leave it out, list it in `errors` and
        warn.
    return_X_y : bool, default=False
        Return ``(images, target)`` and not a Bunch.
    n_jobs : int, default=None
        Number of threads that read; None is 1, -1 is all cores.
    verbose : int or bool, default=0
        Whether to show a progress bar.

    Returns
    -------
    sklearn.utils.Bunch, or (images, target)
        images : ndarray of shape (n, height, width) or (n, height, width, 3)
            If the images differ in size: a 1-D object array of them.
        target : ndarray of shape (n,)
            Labels: str; what it holds if a DataFrame was given.
        target_names : list of str
            The classes, sorted.
        groups : ndarray of shape (n,), or None
            The group of each image: of the table, else the file, where some file gave
            several images.
        filenames : ndarray of str of shape (n,)
            Paths as the table has them, or relative to `path`.
        pages : ndarray of int of shape (n,)
            Which image of its file each is.
        pixel_size : ndarray of shape (n,) or (n, 2), or None
            Size of a pixel in nm, NaN where unknown; pairs (row, column) if some are
            not square. None if none is known.
        pixel_size_source : ndarray of str of shape (n,)
            Where it was found, such as "MRC header"; empty where unknown.
        errors : DataFrame
            Columns "file" and "reason" of the files left out.
        DESCR : str
            What was read.

        Images from class folders are in natural order of their paths (image2 before
        image10), those from a table in its order.

    Raises
    ------
    FileNotFoundError
        If `path`, `labels` or, with ``on_error="raise"``, an image does not exist.
    NotADirectoryError
        If `path` is not a folder.
    ValueError
        If there are no images, images lie outside class folders, the table lacks a
        column, a value or has a file twice, images are of different types or
        partly in colour, or, with ``on_error="raise"``, a file cannot be read.

    Warns
    -----
    UserWarning
        With ``on_error="skip"``, if files were left out: how many, which and why. If
        class folders hold files that are no images, how many of which suffix. If a
        folder has no image at all. If a pixel size is odd.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> from emclassify.readers import load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("empty", "full"):
    ...         (Path(folder) / name).mkdir()
    ...         image = Image.fromarray(np.zeros((32, 32), dtype=np.uint8))
    ...         image.save(Path(folder) / name / "image1.png")
    ...     liposomes = load_image_folder(folder)
    >>> liposomes.images.shape, liposomes.images.dtype
    ((2, 32, 32), dtype('uint8'))
    >>> liposomes.target.tolist()
    ['empty', 'full']
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"path={str(path)!r}: no such folder.")
    if not path.is_dir():
        raise NotADirectoryError(f"path={str(path)!r} is a file, not a folder.")
    if image_shape is not None:
        image_shape = _check_size(image_shape)
    closed: list[tuple[str, Exception]] = []
    if labels is None:
        if group_column is not None:
            raise ValueError(
                f"group_column={group_column!r} is a column of the table labels, but "
                "labels is None. Give a CSV file."
            )
        suffixes = SUFFIXES if format is None else format_named(format).suffixes
        skip = None if on_error == "raise" else lambda *one: closed.append(one)
        listing = list_class_folders(path, suffixes, leave_out=skip, stacklevel=3)
        source = "the names of its folders"
    else:
        listing = list_table(path, labels, file_column, label_column, group_column)
        source = "a DataFrame" if isinstance(labels, pd.DataFrame) else str(labels)

    options = _Options(page, as_gray, image_shape, orient, format, dataset, axes)
    found, errors = _read_all(
        listing, options, on_error=on_error, n_jobs=n_jobs, verbose=verbose
    )
    folders = [(name, reason_of(error, path / name)) for name, error in closed]
    errors = pd.concat([errors, pd.DataFrame(folders, columns=errors.columns)])
    errors = errors.reset_index(drop=True)
    if len(errors):
        listed = [f"{file} ({reason})" for file, reason in errors.to_numpy()]
        if len(errors) == len(listing) + len(closed):
            raise ValueError(
                f"None of the {len(listing)} images in {path} can be read: "
                f"{name_some(listed, 3)}."
            )
        warnings.warn(
            f"{len(errors)} of {len(listing) + len(closed)} files were left out: "
            f"{name_some(listed, 3)}. All are listed in `errors`.",
            stacklevel=2,
        )
    counts = np.array([len(images) for images in found])
    listing = listing.loc[np.repeat(np.arange(len(listing)), counts)]
    images = [image for of_file in found for image, _ in of_file]
    sizes = [size for of_file in found for _, size in of_file]
    del found
    _refuse_mixtures(images, listing["file"].tolist())
    pages = np.concatenate([np.arange(n) for n in counts])
    if isinstance(page, Integral):
        pages[:] = page

    if "group" not in listing and group_pages and (counts > 1).any():
        # Of one file there may be a page on each side of a split otherwise.
        listing["group"] = listing["file"]

    stack, target = stack_images(images), _to_plain(listing["label"])
    if return_X_y:
        return stack, target
    if pixel_size is not None:
        sizes = [given_pixel_size(pixel_size)] * len(images)
    nm, nm_sources = collect_pixel_sizes(sizes, listing["file"].tolist(), stacklevel=4)
    names, counts = np.unique(target, return_counts=True)
    described = zip(names.tolist(), counts.tolist(), strict=True)
    size = "×".join(map(str, images[0].shape))
    return DataSet(
        images=stack,
        target=target,
        target_names=[str(name) for name in names],
        groups=_to_plain(listing["group"]) if "group" in listing else None,
        filenames=np.array(listing["file"].tolist()),
        pages=pages,
        pixel_size=nm,
        pixel_size_source=nm_sources,
        errors=errors,
        DESCR=_DESCR.format(
            path=path,
            n_images=len(images),
            shape=" of different sizes" if stack.dtype == object else f" of {size} px",
            source=source,
            counts=", ".join(f"{name} {count}" for name, count in described),
        ),
    )
