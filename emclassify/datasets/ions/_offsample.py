"""Fetches the public gold standard of on- and off-sample ion images."""

import json
import os
import shutil
from numbers import Integral
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

import joblib
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import get_data_home
from sklearn.utils._param_validation import validate_params
from tqdm.auto import tqdm

from emclassify._data_set import DataSet
from emclassify.datasets._download import download, file_sha256
from emclassify.readers._archive import extract_images
from emclassify.readers._image_folder import stack_images
from emclassify.readers._image_listing import list_files

URL = "https://github.com/metaspace2020/offsample/releases/download/0.2/GS.tar.gz"
CLASSES = ["off", "on"]

_DESCR = """\
Gold standard of on- and off-sample ion images, METASPACE, release 0.2

{n_images} ion images of {n_groups} public datasets of imaging mass spectrometry, in
8-bit grey: {counts}. Labels are those of K. Ovchinnikova, V. Kovalev,
L. Stuart and T. Alexandrov, "OffsampleAI: artificial intelligence approach to recognize
off-sample mass spectrometry images", BMC Bioinformatics 21, 129 (2020).
From {url}
"""


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_offsample(
    *,
    data_home: str | PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    n_jobs: int | None = None,
    verbose: int = 1,
) -> Any:
    """Fetch on- and off-sample ion images of METASPACE, downloading them once.

    The gold standard of [1]_: 23,238 ion images of 87 public datasets, 13,329 on-sample
    and 9,909 off-sample. Images of one dataset look alike, so datasets are the groups.

    ============= ======================
    Classes       off, on
    Images        23,238, of many sizes
    Groups        87 datasets
    ============= ======================

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder for data sets; they go into its folder ``offsample``. By default that of
        :func:`sklearn.datasets.get_data_home`.
    download_if_missing : bool, default=True
        Whether to download what isn't there. A download that was cut off goes on where
        it stopped.
    return_X_y : bool, default=False
        Whether to return (images, target) only.
    n_jobs : int, default=None
        Number of threads that read; None is 1, -1 is all cores.
    verbose : int, default=1
        1 shows progress of download, unpacking and reading.

    Returns
    -------
    Bunch
        images : object array of n arrays, or ndarray if all have one size
            uint8, (height, width). Colours become grey, an alpha channel is dropped, of
            16 bits the upper 8 are kept.
        target : ndarray of str of shape (n,)
            "on" or "off".
        target_names : list of str
            ``["off", "on"]``.
        groups : ndarray of str of shape (n,)
            The dataset of each image.
        ions : ndarray of str of shape (n,)
            Sum formula and adduct, such as "C14H20N6O5S+H".
        filenames : ndarray of str of shape (n,)
            Paths of the files.
        DESCR : str
            What was fetched.

        With ``return_X_y=True``, the tuple (images, target) instead.

    Raises
    ------
    OSError
        If the set isn't there and `download_if_missing` is False, or the server can't
        be reached, or the line is cut: what came is kept for the next call.
    ValueError
        If the archive differs from the one of the first use, is damaged, or holds
        anything but files of modest size and folders; if images have been lost since.

    Notes
    -----
    The project publishes no checksum. The SHA-256 of the first archive that unpacks
    without error is written to ``record.json``; one downloaded later must have it too.
    The archive itself is deleted once it is unpacked.

    On a machine without network, put GS.tar.gz into ``offsample`` by hand.

    References
    ----------
    .. [1] K. Ovchinnikova, V. Kovalev, L. Stuart and T. Alexandrov, "OffsampleAI:
       artificial intelligence approach to recognize off-sample mass spectrometry
       images", BMC Bioinformatics 21, 129 (2020).

    Examples
    --------
    >>> from emclassify.datasets import fetch_offsample
    >>> offsample = fetch_offsample()  # doctest: +SKIP
    >>> len(offsample.images), offsample.target_names  # doctest: +SKIP
    (23238, ['off', 'on'])
    """
    home = Path(get_data_home(None if data_home is None else os.fspath(data_home)))
    folder = home / "offsample"
    images, record = folder / "images", folder / "record.json"
    if not (images.is_dir() and record.is_file()):
        _get(folder, images, record, download_if_missing, verbose)
    table = _list(images)
    expected = json.loads(record.read_text(encoding="utf-8"))["n_images"]
    if len(table) != expected:
        raise ValueError(
            f"{images} holds {len(table)} images, but {expected} were unpacked. Delete "
            "it, and call again to download them."
        )
    progress = tqdm(
        joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
            joblib.delayed(_read_8_bit)(images / file) for file in table["file"]
        ),
        total=len(table),
        desc="Reading images",
        unit="file",
        disable=not verbose,
    )
    stack = stack_images(list(progress))
    target = table["class"].to_numpy(dtype=str)
    if return_X_y:
        return stack, target
    groups = table["dataset"].to_numpy(dtype=str)
    return DataSet(
        images=stack,
        target=target,
        target_names=CLASSES,
        groups=groups,
        ions=table["ion"].to_numpy(dtype=str),
        filenames=np.array([str(images / file) for file in table["file"]]),
        DESCR=_DESCR.format(
            n_images=len(table),
            n_groups=len(np.unique(groups)),
            counts=", ".join(f"{name} {np.sum(target == name)}" for name in CLASSES),
            url=URL,
        ),
    )


def _get(folder, images, record, download_if_missing, verbose):
    """Download the archive unless it is there, check it, unpack it, record it."""
    archive = folder / "GS.tar.gz"
    if not archive.is_file():
        if not download_if_missing:
            raise OSError(
                f"The off-sample images are not in {folder}, and "
                "download_if_missing=False."
            )
        folder.mkdir(parents=True, exist_ok=True)
        download(URL, archive, verbose=verbose)
    sha256 = file_sha256(archive)
    if record.is_file():
        known = json.loads(record.read_text(encoding="utf-8"))["sha256"]
        if sha256 != known:
            raise ValueError(
                f"{archive} is another file than at first use: its SHA-256 is "
                f"{sha256}, not {known}. It was damaged on the way (delete it to "
                f"download it again), or has changed at {URL} (delete {record} to "
                "accept it)."
            )
    shutil.rmtree(images, ignore_errors=True)  # of a call that was stopped
    extract_images(archive, images, verbose=verbose)
    found = {"url": URL, "sha256": sha256, "n_images": len(_list(images))}
    record.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    archive.unlink()


def _list(images):
    """Return a frame (file, dataset, class, ion) of .../<dataset>/<class>/<ion>.png."""
    rows = []
    for file in list_files(images):
        *_, dataset, label, _ = ("", "", *PurePosixPath(file).parts)
        if dataset and label in CLASSES:
            rows.append((file, dataset, label, PurePosixPath(file).stem))
    if not rows:
        raise ValueError(
            f"{images} holds no images in folders <dataset>/on and <dataset>/off. "
            f"Delete {images.parent}, and call again to download them."
        )
    return pd.DataFrame(rows, columns=["file", "dataset", "class", "ion"])


def _read_8_bit(path):
    """Return an image as uint8 (height, width), or raise by name."""
    try:
        with Image.open(path) as image:
            if image.mode.startswith("I"):
                return (np.asarray(image) >> 8).astype(np.uint8)
            return np.asarray(image.convert("L"))
    except Exception as error:
        # Decoders of damaged files raise errors of any kind.
        raise ValueError(
            f"{path} cannot be read as an image: {error}. Delete its folder images, "
            "and call again to download it."
        ) from error
