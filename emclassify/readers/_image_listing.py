"""Which images to read: from class folders, or from a table of labels."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from emclassify._words import name_some
from emclassify.readers._image_file import SUFFIXES


def natural_key(name):
    """Sort key that puts image2 before image10."""
    parts = re.split(r"(\d+)", name)
    return [(int(p), p) if p.isdecimal() else (-1, p) for p in parts]


def image_files(folder):
    """Return paths of the images below `folder`, relative to it, in natural order."""
    return sorted(find_files(folder, SUFFIXES), key=natural_key)


def find_files(folder, suffixes):
    """Yield paths of the files below `folder` that are named so, relative to it."""
    seen = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        # A link to a folder above would go round for ever.
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if not name.startswith(".") and name.lower().endswith(suffixes):
                yield (Path(root) / name).relative_to(folder).as_posix()


def list_class_folders(path):
    """Return a frame (file, path, label) of the images in the folders of `path`."""
    files = image_files(path)
    if not files:
        raise ValueError(
            f"{path} holds no images: no files named {', '.join(SUFFIXES)} in it or in "
            "folders below it."
        )
    loose = [name for name in files if "/" not in name]
    if loose:
        raise ValueError(
            f"{path} holds {len(loose)} images outside class folders, which have no "
            f"label: {name_some(loose, 3)}. Move them to {path}/<class>/, or give "
            "labels, a CSV file."
        )
    return pd.DataFrame(
        {
            "file": files,
            "path": [path / name for name in files],
            "label": [name.split("/")[0] for name in files],
        }
    )


def _read_labels(labels, path):
    """Return the label table, what to call it, and the folder it lies in."""
    if isinstance(labels, pd.DataFrame):
        return labels.reset_index(drop=True), "labels", path
    given = Path(labels)
    csv = given if given.is_file() else path / given
    if not csv.is_file():
        raise FileNotFoundError(f"labels={str(labels)!r}: no such file, nor {csv}.")
    try:
        # A class may be called "NA" or "null": only empty cells are missing.
        table = pd.read_csv(csv, keep_default_na=False, na_values=[""])
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{csv} cannot be read as a CSV table: {error}") from error
    return table, str(csv), csv.parent


def list_table(path, labels, file_column, label_column, group_column):
    """Return a frame (file, path, label, group) of a table's images, in its order."""
    table, name, folder = _read_labels(labels, path)
    parameters = {
        "file_column": file_column,
        "label_column": label_column,
        "group_column": group_column,
    }
    for parameter, column in parameters.items():
        if column is None:
            continue
        if column not in table.columns:
            raise ValueError(
                f"{name} has no column {column!r} ({parameter}). Its columns are "
                f"{', '.join(map(repr, table.columns))}."
            )
        missing = np.flatnonzero(table[column].isna())
        if len(missing):
            rows = [str(row) for row in missing + 1]
            raise ValueError(
                f"{name} has no {column!r} in row {name_some(rows, 3)} (row 1 comes "
                "after the header). Fill these cells or remove the rows."
            )
    if table.empty:
        raise ValueError(f"{name} lists no images: it has no rows.")
    files = table[file_column].astype(str).tolist()
    in_path = [path / file for file in files]
    paths = [
        inside if folder == path or inside.is_file() else beside
        for inside, beside in zip(in_path, (folder / f for f in files), strict=True)
    ]
    # A file that neither folder has is reported where `path` says it should be.
    paths = [
        found if found.is_file() else inside
        for found, inside in zip(paths, in_path, strict=True)
    ]
    real = pd.Series([os.path.realpath(found) for found in paths])
    again = np.flatnonzero(real.duplicated())
    if len(again):
        first = np.flatnonzero(real == real[again[0]])[0]
        raise ValueError(
            f"{name} lists {len(again)} files more than once, first "
            f"{files[again[0]]!r} in rows {first + 1} and {again[0] + 1}. Images must "
            "not be in a data set twice: remove one."
        )
    columns = {"file": files, "path": paths, "label": table[label_column].to_numpy()}
    if group_column is not None:
        columns["group"] = table[group_column].to_numpy()
    return pd.DataFrame(columns)
