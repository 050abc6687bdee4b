"""Fetches a public stack of sections of a nerve cord, and cuts labelled patches."""

import os
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import get_data_home
from sklearn.utils._param_validation import Interval, validate_params
from tqdm.auto import tqdm

from emclassify._data_set import DataSet
from emclassify.datasets._download import download, file_sha256
from emclassify.datasets.neurons._nerve_cord_files import FILES

__all__ = ["fetch_nerve_cord"]

URL = (
    "https://raw.githubusercontent.com/unidesigner/groundtruth-drosophila-vnc/"
    "4a5f051466d24d8dc1e855ab55658bb1b1dcd6bf"
)
# What a pixel of a label image means; membranes come by direction.
_CLASS_OF = {
    **dict.fromkeys((0, 32, 64, 96, 128), "membrane"),
    159: "glia_extracellular",
    191: "mitochondria",
    223: "synapse",
    255: "cytoplasm",
}
_NAMES = sorted(set(_CLASS_OF.values()))
_BLOCK = 256  # px; 16 blocks of a section are the groups
_PIXEL_SIZE = 4.6  # nm

_DESCR = """\
Patches of serial sections of a nerve cord (Drosophila, ssTEM), stack 1

{n} patches of {size}×{size} px at 4.6 nm, 8-bit grey, one every {step} px: {counts}.
The class is that of the centre pixel, as experts have labelled it. Groups are 16 blocks
of the field of view, each through all 20 sections; a patch lies in one block.
S. Gerhard, J. Funke, J. Martel, A. Cardona and R. Fetter, "Segmented anisotropic ssTEM
dataset of neural tissue", figshare (2013), doi:10.6084/m9.figshare.856713.
Licence: CC BY-NC-SA 3.0 (not for commercial use; cite it).
From {url}
"""


@validate_params(
    {
        "patch_size": [Interval(Integral, 1, _BLOCK, closed="both")],
        "step": [Interval(Integral, 1, _BLOCK, closed="both")],
        "data_home": [str, os.PathLike, None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_nerve_cord(
    *,
    patch_size: int = 64,
    step: int = 64,
    data_home: str | PathLike[str] | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    verbose: int = 1,
) -> Any:
    """Fetch patches of a nerve cord with their classes, downloading the stack once.

    Twenty serial sections of the ventral nerve cord of a fruit fly's larva in a
    transmission electron microscope, 1024×1024 px each, in which experts have given
    every pixel a class [1]_. Patches are cut on a grid, and the class of a patch is
    that of its centre pixel, at row and column ``patch_size // 2``.

    ============= ===============================================================
    Classes       cytoplasm, glia_extracellular, membrane, mitochondria, synapse
    Images        5,120 of 64×64 px, by default
    Groups        16 blocks of the field of view
    Pixel size    4.6 nm
    Licence       CC BY-NC-SA 3.0: not for commercial use, to be cited
    ============= ===============================================================

    Parameters
    ----------
    patch_size : int, default=64
        Height and width of a patch in pixels, at most 256.
    step : int, default=64
        Pixels from one patch to the next, from the corner of each block on. Patches
        overlap if it is less than `patch_size`.
    data_home : str or path-like, default=None
        Folder for data sets; the stack, 22 MB, goes into its folder ``nerve_cord``. By
        default that of :func:`sklearn.datasets.get_data_home`.
    download_if_missing : bool, default=True
        Whether to download what isn't there.
    return_X_y : bool, default=False
        Whether to return (images, target) only.
    verbose : int, default=1
        1 shows progress of the download.

    Returns
    -------
    Bunch
        images : uint8 ndarray of shape (n, patch_size, patch_size)
            By section, then from top to bottom and left to right.
        target : ndarray of str of shape (n,)
            The class of the centre pixel.
        target_names : list of str
            The five classes.
        groups : ndarray of str of shape (n,)
            "block00" to "block15": squares of 256 px of the field of view, each
            through all sections. No two share a pixel, and neighbouring sections, which
            look alike, are in one group.
        pixel_size : float
            4.6, in nm.
        frame : DataFrame of n rows
            target, group, section, and row and column of the centre pixel.
        DESCR : str
            What was fetched, by whom, and under which licence.

        With ``return_X_y=True``, the tuple (images, target) instead.

    Raises
    ------
    OSError
        If the stack isn't there and `download_if_missing` is False, or the server can't
        be reached, or the line is cut: what came is kept for the next call.
    ValueError
        If a file is another one than the authors published: its SHA-256 is known.

    Notes
    -----
    The files come one by one from the authors' repository, at one commit. On a machine
    without network, put its folder ``stack1`` into ``nerve_cord`` by hand.

    References
    ----------
    .. [1] S. Gerhard, J. Funke, J. Martel, A. Cardona and R. Fetter, "Segmented
       anisotropic ssTEM dataset of neural tissue", figshare (2013),
       https://doi.org/10.6084/m9.figshare.856713

    Examples
    --------
    >>> from emclassify.datasets import fetch_nerve_cord
    >>> cord = fetch_nerve_cord()  # doctest: +SKIP
    >>> cord.images.shape, len(set(cord.groups))  # doctest: +SKIP
    ((5120, 64, 64), 16)
    """
    home = Path(get_data_home(None if data_home is None else os.fspath(data_home)))
    folder = home / "nerve_cord"
    _get(folder, download_if_missing, verbose)
    images, frames = [], []
    raw, labels = (
        [folder / name for name in FILES if f"/{part}/" in name]
        for part in ("raw", "labels")
    )
    for section, paths in enumerate(zip(raw, labels, strict=True)):
        image, classes = map(_read, paths)
        where = grid(image.shape, patch_size, step)
        patches, frame = cut_patches(image, classes, patch_size, *where)
        images.append(patches)
        frames.append(frame.assign(section=section))
    stack = np.concatenate(images)
    frame = pd.concat(frames, ignore_index=True)
    target = frame["target"].to_numpy(dtype=str)
    if return_X_y:
        return stack, target
    return DataSet(
        images=stack,
        target=target,
        target_names=_NAMES,
        groups=frame["group"].to_numpy(dtype=str),
        pixel_size=_PIXEL_SIZE,
        frame=frame[["target", "group", "section", "row", "column"]],
        DESCR=_DESCR.format(
            n=len(stack),
            size=patch_size,
            step=step,
            counts=", ".join(f"{name} {np.sum(target == name)}" for name in _NAMES),
            url=URL,
        ),
    )


def cut_patches(
    image: np.ndarray,
    classes: np.ndarray,
    patch_size: int,
    tops: np.ndarray,
    lefts: np.ndarray,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Cut patches of a section, and tell the class and block of each.

    Parameters
    ----------
    image, classes : uint8 ndarray of shape (height, width)
        A section, and the class of each of its pixels as the authors number them.
        Height and width are multiples of 256.
    patch_size : int
    tops, lefts : int ndarray of shape (n,)
        First row and column of each patch.

    Returns
    -------
    patches : ndarray of shape (n, patch_size, patch_size)
    frame : DataFrame
        target, group, row, column: of the centre pixel of each.

    Raises
    ------
    ValueError
        If a centre pixel has a value that means no class.
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, (patch_size, patch_size))
    row, column = tops + patch_size // 2, lefts + patch_size // 2
    values = classes[row, column]
    unknown = np.setdiff1d(values, list(_CLASS_OF))
    if len(unknown):
        raise ValueError(f"Label images hold {unknown[0]}, which means no class.")
    block = classes.shape[1] // _BLOCK * (row // _BLOCK) + column // _BLOCK
    frame = pd.DataFrame(
        {
            "target": [_CLASS_OF[value] for value in values.tolist()],
            "group": [f"block{number:02d}" for number in block],
            "row": row,
            "column": column,
        }
    )
    return windows[tops, lefts], frame


def grid(
    shape: tuple[int, int], patch_size: int, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return first rows and columns of patches that each lie in one block."""
    inside = np.arange(0, _BLOCK - patch_size + 1, step)
    axes = [(_BLOCK * np.arange(n // _BLOCK)[:, None] + inside).ravel() for n in shape]
    tops, lefts = np.meshgrid(*axes, indexing="ij")
    return tops.ravel(), lefts.ravel()


def _read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def _get(folder, download_if_missing, verbose):
    """Download the files that aren't there, and check all."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing and not download_if_missing:
        raise OSError(
            f"{len(missing)} of {len(FILES)} files of the nerve cord are not in "
            f"{folder}, and download_if_missing=False."
        )
    quiet = not (verbose and missing)
    for name in tqdm(missing, "Downloading", unit="file", disable=quiet):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        download(f"{URL}/{name}", folder / name)
    for name, sha256 in FILES.items():
        found = file_sha256(folder / name)
        if found != sha256:
            raise ValueError(
                f"{folder / name} is another file than the authors published: its "
                f"SHA-256 is {found}, not {sha256}. Delete it, and call again to "
                "download it."
            )
