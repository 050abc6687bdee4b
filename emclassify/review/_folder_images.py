"""Images of a folder to review or label: those that can't be read count too."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emclassify._spelling import composed
from emclassify._text_table import read_text_table

__all__ = ["FolderImages", "read_folder"]


@dataclass
class FolderImages:
    """Images of a folder.

    Attributes
    ----------
    files : list of str
        Their names, as a table has them or relative to the folder.
    paths : list of Path
    images : ndarray
        Those that can be read; a 1-D object array if they differ in size.
    readable : ndarray of bool, one for each file
        Which these are.
    labels : ndarray of object, one for each file
        Labels as text, None where there is none.
    groups : ndarray or None
        Group of each file.
    reasons : dict of int to str
        Why files can't be read, by their number.
    pixel_size : list of float or None
        Width of a pixel of each file in nm, None where it is unknown.
    """

    files: list[str]
    paths: list[Path]
    images: np.ndarray
    readable: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None
    reasons: dict[int, str]
    pixel_size: list[float | None]

    def shown(self) -> list:
        """Return what a page is to show: images, and errors of what can't be read."""
        known = iter(self.images)
        return [
            next(known) if self.readable[i] else OSError(self.reasons[i])
            for i in range(len(self.files))
        ]

    def spread(self, proba: np.ndarray) -> np.ndarray:
        """Return rows for all files from those of the readable ones.

        What can't be read is as likely of one class as of any other.
        """
        whole = np.full((len(self.files), proba.shape[1]), 1 / proba.shape[1])
        whole[self.readable] = proba
        return whole


def read_folder(
    folder: str | os.PathLike[str],
    *,
    labels: str | os.PathLike[str] | None = None,
    file_column: str = "file",
    label_column: str = "label",
    group_column: str | None = None,
    unlabelled: bool = False,
    verbose: int = 0,
    **reading: Any,
) -> FolderImages:
    """Read the images of a folder, with labels as far as there are any.

    Parameters
    ----------
    folder : str or path-like
        Without `labels`, images in folders of it have the folder's name for a label,
        and images directly in it have none.
    labels : str or path-like, default=None
        Table of files and labels; an empty cell is no label yet.
    file_column, label_column, group_column : str
        Columns of the table.
    unlabelled : bool, default=False
        Whether names of folders are no labels.
    verbose : int, default=0
        1 shows a progress bar.
    **reading
        How files are read, as for :func:`~emclassify.load_image_folder`: as_gray,
        page, pixel_size, orient, format, dataset, axes.

    Returns
    -------
    FolderImages

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder or table.
    ValueError
        If there are no images that can be read, a table lacks a column, a file or a
        group, or names a file twice, or images lie both in `folder` and in folders of
        it.
    """
    from emclassify.readers import load_image_folder
    from emclassify.readers._image_listing import locate, refuse_empty, refuse_twice

    if reading.get("page") == "all":
        raise ValueError(
            "page='all': corrections name a file, so each must give one image. Give "
            "the number of one page, or store the images as files of their own."
        )

    folder = Path(folder)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder.")
    groups = None
    if labels is not None:
        table, beside = _read_table(labels, folder)
        for column in filter(None, (file_column, label_column, group_column)):
            if column not in table.columns:
                raise ValueError(
                    f"{labels} has no column {column!r}; it has "
                    f"{', '.join(map(repr, table.columns))}."
                )
        for column in filter(None, (file_column, group_column)):
            refuse_empty(str(labels), column, table[column] == "")
        files = table[file_column].tolist()
        given = [composed(text) or None for text in table[label_column]]
        if group_column is not None:
            groups = table[group_column].map(composed).to_numpy()
    else:
        if group_column is not None:
            raise ValueError(
                f"group_column={group_column!r} is a column of a table: give labels."
            )
        files, beside = _images_of(folder, reading.get("format")), folder
        given = [composed(_folder_of(name)) for name in files]
        if unlabelled:
            given = [None] * len(files)
        loose = [name for name in files if "/" not in name]
        if not unlabelled and 0 < len(loose) < len(files):
            raise ValueError(
                f"{folder} holds {len(loose)} image{'s' * (len(loose) > 1)} "
                f"beside folders of images, first {loose[0]}: are the "
                "folders classes? Give a table of labels, or say that the images are "
                "unlabelled."
            )
    paths = locate(files, folder, beside)
    if not files:
        raise ValueError(
            f"{folder} holds no images, neither in it nor in folders below it."
            if labels is None
            else f"{labels} lists no images: it has no rows."
        )
    refuse_twice(folder if labels is None else labels, files, paths)
    # Read as they are named in the table: what it says of them is of no matter yet.
    listing = pd.DataFrame({"file": [str(path.absolute()) for path in paths]})
    with warnings.catch_warnings():
        # The caller counts them, and a page shows them with the reason.
        warnings.filterwarnings("ignore", "[0-9]+ of [0-9]+ files were left out")
        data = load_image_folder(
            folder,
            labels=listing.assign(label="none"),
            on_error="skip",
            verbose=verbose,
            **reading,
        )
    unread = dict(data.errors[["file", "reason"]].to_numpy().tolist())
    return FolderImages(
        files,
        paths,
        data.images,
        np.array([name not in unread for name in listing["file"]]),
        np.array(given, dtype=object),
        groups,
        {i: unread[name] for i, name in enumerate(listing["file"]) if name in unread},
        _widths(data, listing["file"]),
    )


def _images_of(folder, format):
    """Return the images below a folder, all or those of one format.

    Warns of folders that can't be read.
    """
    from emclassify.readers._formats import SUFFIXES, format_named
    from emclassify.readers._image_listing import list_files

    def tell(name, error):
        warnings.warn(f"{folder / name} was left out: {error}.", stacklevel=5)

    suffixes = SUFFIXES if format is None else format_named(format).suffixes
    return list_files(folder, suffixes, leave_out=tell)


def _widths(data, files):
    """Return the width of a pixel of each file, or None where none is known."""
    if data.pixel_size is None:
        return None
    # Pairs are (row, column); a scale bar lies along the columns.
    widths = data.pixel_size.reshape(len(data.images), -1)[:, -1]
    known = dict(zip(data.filenames.tolist(), widths.tolist(), strict=True))
    return [None if np.isnan(known.get(f, np.nan)) else known[f] for f in files]


def _read_table(labels, folder):
    """Return a table as text, and the folder that it lies in."""
    path = Path(labels)
    path = path if path.is_file() else folder / path
    if not path.is_file():
        raise FileNotFoundError(f"labels={str(labels)!r}: no such file, nor {path}.")
    return read_text_table(path), path.parent


def _folder_of(name):
    return name.split("/")[0] if "/" in name else None
