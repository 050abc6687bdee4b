"""A page to look at images by doubt, and to set their labels right."""

import hashlib
import json
from contextlib import nullcontext
from numbers import Integral, Real
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, validate_params
from tqdm.auto import tqdm

from emclassify._whole_file import whole_file, whole_folder
from emclassify.display._scale_bar import PixelWidths
from emclassify.review._page_data import page_data
from emclassify.review._page_file import InFile, InFolder, render
from emclassify.review._sprites import (
    SHEET_COLUMNS,
    Pictures,
    encode,
    fitted,
    sheets_of,
)

__all__ = ["write_review_page"]

# In a single file, larger pictures than the thumbnails of so many images at most.
_MOST_PICTURES_IN_A_FILE = 2000
_LARGE_IN_A_FILE, _LARGE_IN_A_FOLDER = 256, 512


@validate_params(
    {
        "images": "no_validation",
        "proba": ["array-like", None],
        "target": ["array-like", None],
        "path": [str, PathLike],
        "classes": ["array-like", None],
        "names": ["array-like", None],
        "groups": ["array-like", None],
        "rejected": ["array-like", None],
        "clusters": ["array-like", None],
        "member_proba": ["array-like", None],
        "outlier_score": ["array-like", None],
        "duplicates": [pd.DataFrame, None],
        "order": ["array-like", None],
        "pixel_size": [Interval(Real, 0, None, closed="neither"), "array-like", None],
        "title": [str],
        "tile": [Interval(Integral, 16, 256, closed="both")],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def write_review_page(
    images: ArrayLike,
    proba: ArrayLike | None = None,
    target: ArrayLike | None = None,
    *,
    path: str | PathLike[str],
    classes: ArrayLike | None = None,
    names: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    rejected: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    member_proba: ArrayLike | None = None,
    outlier_score: ArrayLike | None = None,
    duplicates: pd.DataFrame | None = None,
    order: ArrayLike | None = None,
    pixel_size: float | ArrayLike | None = None,
    title: str = "Review of labels",
    tile: int = 64,
    verbose: int = 0,
) -> Path:
    """Write a page on which a person looks at images and sets their labels right.

    It opens from disk in any browser, needs no server and asks nothing of the net.
    Images come by doubt; a key sets a label, confirms, excludes or undoes. The browser
    keeps the work between visits, and the page saves it as ``corrections.csv`` for
    :func:`apply_corrections`.

    Parameters
    ----------
    images : sequence of n images
        Arrays (height, width) or (height, width, channels) of any sizes, or paths. One
        that can't be read is shown as such, and counted.
    proba : array-like of shape (n, n_classes), default=None
        Probabilities, out of fold where the model was trained on these images.
    target : array-like of shape (n,), default=None
        Label of each image; None, NaN or "" where there is none yet. Without it, no
        image has one.
    path : str or path-like
        What to write: a file that holds everything if it ends in ``.html``, else a
        folder with ``index.html``, whose pictures are read when they are seen. It
        appears when it is complete.
    classes : array-like of shape (n_classes,), default=None
        Names of the columns of `proba`, and the labels to choose from, 31 at most. The
        sorted labels of `target` by default.
    names : array-like of shape (n,), default=None
        Name of each image, such as its file: what ``corrections.csv`` calls it. Paths
        are their own names; else it is the number of the image.
    groups : array-like of shape (n,), default=None
        Group of each image, to filter by.
    rejected : array-like of bool of shape (n,), default=None
        Which images a model declined to judge, to filter by.
    clusters : array-like of shape (n,), default=None
        Cluster of each image: the page shows them together, and a key with Shift sets
        the label of all of one.
    member_proba : array-like of shape (n_members, n, n_classes), default=None
        Probabilities of the members of an ensemble, to order by their disagreement.
    outlier_score : array-like of shape (n,), default=None
        How unusual an image is, to order by.
    duplicates : DataFrame, default=None
        Pairs as :func:`~emclassify.find_duplicates` returns them; pairs with different
        labels come first in an order of their own.
    order : array-like of int of shape (n_shown,), default=None
        Images in the order to look at them, such as that of :func:`doubtful_labels`.
    pixel_size : float, or array-like of shape (n,) or (n, 2), default=None
        In nm, for a scale bar in the large view: of all images or of each, NaN or None
        where it is unknown; pairs are (row, column). Default: as the files state it,
        where images are paths.
    title : str
        Heading of the page.
    tile : int, default=64
        Pixels a side of a thumbnail, rounded up to a multiple of 8.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    pathlib.Path
        The file to open.

    Raises
    ------
    ValueError
        If there are no images, or numbers of entries, classes or labels don't fit.

    See Also
    --------
    apply_corrections : From ``corrections.csv`` to a table of labels.
    doubtful_labels : Which labels to look at first.
    suggest_to_label : Which images to label first.

    Notes
    -----
    A file holds pictures larger than the thumbnails (up to 256 px) for 2,000 images at
    most; a folder has them (up to 512 px) for all.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from emclassify.review import write_review_page
    >>> X = np.random.default_rng(0).normal(size=(6, 16, 16))
    >>> proba = np.tile([[0.9, 0.1], [0.2, 0.8]], (3, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_review_page(
    ...         X, proba, ["a", "b", "a", "a", "a", "b"], path=f"{folder}/review.html"
    ...     )
    ...     page.name
    'review.html'
    """
    n = len(images)
    if n == 0:
        raise ValueError("images holds no images.")
    path = Path(path)
    single = path.suffix.lower() in (".html", ".htm")
    pictures = Pictures(images)
    data = page_data(
        pictures,
        proba,
        target,
        classes=classes,
        names=names,
        groups=groups,
        rejected=rejected,
        clusters=clusters,
        member_proba=member_proba,
        outlier_score=outlier_score,
        duplicates=duplicates,
        order=order,
    )
    widths = PixelWidths(pixel_size, images, n)
    nm = [widths[i] for i in range(n)]
    known = any(width is not None for width in nm)
    data |= {"tile": -(-tile // 8) * 8, "pixel_size": nm if known else None}
    _check_folder(path.parent)
    if single:
        large = _LARGE_IN_A_FILE if n <= _MOST_PICTURES_IN_A_FILE else None
    else:
        large = _LARGE_IN_A_FOLDER
    page = path if single else path / "index.html"
    with nullcontext(path.parent) if single else whole_folder(path) as folder:
        store = InFile() if single else InFolder(folder)
        with tqdm(total=n, desc="Pictures", unit="image", disable=not verbose) as bar:
            _draw(data, pictures, store, large, bar.update)
        with whole_file(folder / page.name) as file:
            file.write(render(data, title, store).encode())
    return page


def _draw(data, pictures, store, large, update):
    """Store thumbnails and larger pictures; add to `data` where they are."""
    n = len(pictures)
    first = next(iter(data["orders"].values()))
    rest = np.setdiff1d(np.arange(n), first).tolist()
    order = [*first, *rest]
    sizes, digests = [[0, 0]] * n, [b""] * n
    sheets = sheets_of(pictures, data["tile"], order, update=update)
    for number, sheet in enumerate(sheets):
        store.add_sheet(number, encode(sheet.picture))
        for (i, picture), digest in zip(sheet.members, sheet.digests, strict=True):
            digests[i] = digest
            if picture is None:
                continue
            sizes[i] = list(picture.size[::-1])
            if large:
                is_larger = max(picture.size) > large
                shown = fitted(picture, large) if is_larger else picture
                store.add_picture(i, encode(shown))
    place = np.empty(n, dtype=int)
    place[order] = np.arange(n)
    data |= {
        "sizes": sizes,
        "place": place.tolist(),
        "unread": [pictures.unread.get(i, "") for i in range(n)],
        "n_unread": len(pictures.unread),
        "sheet_columns": SHEET_COLUMNS,
        "dataset": _fingerprint(data["names"], digests),
        **store.places(large),
    }


def _fingerprint(names, digests):
    """Return what tells this set of images from others, whatever their labels."""
    digest = hashlib.sha256(json.dumps(names).encode())
    for one in digests:
        digest.update(one)
    return digest.hexdigest()[:16]


def _check_folder(folder):
    if not folder.resolve().is_dir():
        raise FileNotFoundError(f"path: there is no folder {folder.resolve()}.")
