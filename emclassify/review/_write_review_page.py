"""A page to look at images by doubt, and to set their labels right."""

import base64
import hashlib
import json
from contextlib import nullcontext
from importlib import resources
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, validate_params
from tqdm.auto import tqdm

from emclassify._groups import check_groups
from emclassify._whole_file import whole_file, whole_folder
from emclassify.display._scale_bar import PixelWidths
from emclassify.review._doubt import disagreement, given_probability, label_margin
from emclassify.review._sprites import (
    SHEET_COLUMNS,
    Pictures,
    encode,
    fitted,
    sheets_of,
)

__all__ = ["dataset_of", "is_page", "page_data", "write_review_page"]

# In a single file, larger pictures than the thumbnails of so many images at most.
_MOST_PICTURES_IN_A_FILE = 2000
_LARGE_IN_A_FILE, _LARGE_IN_A_FOLDER = 256, 512
_N_EXAMPLES = 4
_MOST_CLASSES = 31
# The page's script, in this order; all of it shares one scope.
_SCRIPTS = (
    "page.js",
    "filters.js",
    "grid.js",
    "decisions.js",
    "server.js",
    "csv.js",
    "corrections.js",
    "large_view.js",
    "controls.js",
)
# Where the template has the data.
_DATA = '<script type="application/json" id="data">'


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
    if single:
        _check_folder(path.parent)
        large = _LARGE_IN_A_FILE if n <= _MOST_PICTURES_IN_A_FILE else None
    else:
        large = _LARGE_IN_A_FOLDER
        _check_folder(path.parent)
    page = path if single else path / "index.html"
    with nullcontext(path.parent) if single else whole_folder(path) as folder:
        store = _InFile() if single else _InFolder(folder)
        with tqdm(total=n, desc="Pictures", unit="image", disable=not verbose) as bar:
            _draw(data, pictures, store, large, bar.update)
        with whole_file(folder / page.name) as file:
            file.write(_render(data, title, store).encode())
    return page


def page_data(
    pictures: Pictures,
    proba: ArrayLike | None,
    target: ArrayLike | None,
    *,
    classes: ArrayLike | None = None,
    names: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    rejected: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    member_proba: ArrayLike | None = None,
    outlier_score: ArrayLike | None = None,
    duplicates: pd.DataFrame | None = None,
    order: ArrayLike | None = None,
) -> dict[str, Any]:
    """Return what the page knows of images, but for the pictures, as plain values."""
    n = len(pictures)
    target = _text_labels(target, n)
    proba = _check_proba(proba, n)
    classes = _check_classes(classes, target, proba)
    codes = np.array([classes.index(t) if t is not None else -1 for t in target])
    given = names is not None or pictures.name(0) is not None
    names = _check_names(names, pictures)
    data = {
        "classes": classes,
        "names": names,
        "named": given,
        "target": codes.tolist(),
        "proba": np.round(proba, 4).tolist() if proba is not None else [],
        "predicted": [-1] * n if proba is None else proba.argmax(axis=1).tolist(),
        "group": _per_image("groups", check_groups(groups, n), n),
        "rejected": _per_image("rejected", rejected, n),
        "cluster": _per_image("clusters", clusters, n),
        "duplicates": [""] * n,
        "examples": _examples(proba, codes, len(classes)),
    }
    orders = {}
    if order is not None:
        orders["suggested"] = _check_order(order, n)
    if proba is not None:
        by = {
            "probability of the label": given_probability(proba, codes),
            "margin": label_margin(proba, codes),
        }
        if np.all(codes < 0):
            del by["probability of the label"]
        orders |= {name: _sorted(score) for name, score in by.items()}
    if member_proba is not None:
        member_proba = np.asarray(member_proba)
        if member_proba.ndim != 3 or member_proba.shape[1] != n:
            raise ValueError(
                f"member_proba has shape {member_proba.shape}; it must be (n_members, "
                f"{n}, {len(classes)})."
            )
        orders["disagreement of members"] = _sorted(-disagreement(member_proba))
    if outlier_score is not None:
        score = np.asarray(_per_image("outlier_score", outlier_score, n), dtype=float)
        orders["outliers"] = _sorted(-score)
    if duplicates is not None:
        orders["duplicates"], data["duplicates"] = _by_duplicates(
            duplicates, codes, names
        )
    if data["cluster"] is not None:
        members = pd.Series(data["cluster"])
        sizes = members.map(members.value_counts())
        keys = np.lexsort((members.astype(str), -sizes))
        orders = {"cluster": keys.tolist(), **orders}
    orders["as given"] = list(range(n))
    data["orders"] = orders
    return data


def _render(
    data: dict[str, Any],
    title: str,
    store: "_InFile | _InFolder",
) -> str:
    """Return the page as text."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("emclassify.review"), autoescape=True
    )
    template = environment.get_template("review.html.j2")
    files = resources.files("emclassify.review").joinpath("templates")

    def text(*names):
        return _Markup(
            "\n".join(
                files.joinpath(name).read_text(encoding="utf-8") for name in names
            )
        )

    # Nothing in the data can end the element that holds it.
    plain = json.dumps(data, ensure_ascii=False, allow_nan=False)
    plain = (
        plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    )
    return template.render(
        title=title,
        data=_Markup(plain),
        sheets=store.sheets,
        pictures=store.pictures,
        style=text("review.css"),
        script=text(*_SCRIPTS),
    )


def is_page(folder: Path) -> bool:
    """Whether a folder holds a page that was written here."""
    page = folder / "index.html"
    return page.is_file() and _DATA in page.read_text("utf-8", errors="replace")


def dataset_of(page: Path) -> str:
    """Return what tells the images of a page from others."""
    text = page.read_text(encoding="utf-8")
    start = text.index(_DATA) + len(_DATA)
    return json.loads(text[start : text.index("</script>", start)])["dataset"]


def _Markup(text):
    from markupsafe import Markup

    return Markup(text)


class _InFile:
    """Pictures inside the page."""

    def __init__(self):
        self.sheets, self.pictures = [], {}

    def add_sheet(self, number: int, content: bytes) -> None:
        self.sheets.append(base64.b64encode(content).decode())

    def add_picture(self, number: int, content: bytes) -> None:
        self.pictures[number] = base64.b64encode(content).decode()

    def places(self, large: int | None) -> dict[str, Any]:
        return {"sheets": [], "large": "inside" if large else None}


class _InFolder:
    """Pictures in files beside the page."""

    pictures = MappingProxyType({})
    sheets = ()

    def __init__(self, folder):
        self._folder = folder
        (folder / "pictures").mkdir()
        self._n_sheets = 0

    def add_sheet(self, number: int, content: bytes) -> None:
        self._n_sheets = number + 1
        (self._folder / f"sheet-{number:03d}.jpg").write_bytes(content)

    def add_picture(self, number: int, content: bytes) -> None:
        (self._folder / "pictures" / f"{number:06d}.jpg").write_bytes(content)

    def places(self, large: int | None) -> dict[str, Any]:
        sheets = [f"sheet-{number:03d}.jpg" for number in range(self._n_sheets)]
        return {"sheets": sheets, "large": "pictures/{}.jpg" if large else None}


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


def _text_labels(target, n):
    """Return labels as text, None where there is none."""
    if target is None:
        return [None] * n
    values = np.asarray(target, dtype=object)
    if values.ndim != 1:
        raise ValueError(
            f"target has shape {values.shape}; the page takes one label an image."
        )
    if len(values) != n:
        raise ValueError(f"target has {len(values)} entries for {n} images.")
    return [None if pd.isna(v) or v == "" else str(v) for v in values.tolist()]


def _check_proba(proba, n):
    if proba is None:
        return None
    proba = np.asarray(proba, dtype=np.float64)
    if proba.ndim != 2 or len(proba) != n:
        raise ValueError(
            f"proba has shape {proba.shape}; it must have one row for each of {n} "
            "images and one column a class."
        )
    if not np.isfinite(proba).all():
        row = np.flatnonzero(~np.isfinite(proba).all(axis=1))[0]
        raise ValueError(
            f"proba is not finite for image {row}. Leave images without a prediction "
            "out, or fill their rows with 1 / n_classes."
        )
    return proba


def _check_classes(classes, target, proba):
    """Return the names of the classes, or raise where they don't fit."""
    found = sorted({t for t in target if t is not None})
    if classes is None:
        classes = found
        if proba is not None and len(classes) != proba.shape[1]:
            raise ValueError(
                f"proba has {proba.shape[1]} columns and target {len(classes)} "
                "classes. Name the columns by classes."
            )
        if not classes:
            raise ValueError(
                "There are no labels to choose from: give classes, the names to use."
            )
    classes = [str(c) for c in np.asarray(classes, dtype=object).tolist()]
    if len(set(classes)) < len(classes) or "" in classes:
        raise ValueError(f"classes must be different names; got {classes}.")
    if proba is not None and len(classes) != proba.shape[1]:
        raise ValueError(
            f"proba has {proba.shape[1]} columns for {len(classes)} classes."
        )
    if len(classes) > _MOST_CLASSES:
        raise ValueError(
            f"The page has keys for {_MOST_CLASSES} classes; there are {len(classes)}. "
            "Review them in parts."
        )
    strange = [t for t in found if t not in classes]
    if strange:
        raise ValueError(f"target holds {strange[0]!r}, which is not among {classes}.")
    return classes


def _check_names(names, pictures):
    n = len(pictures)
    if names is None:
        paths = [pictures.name(i) for i in range(n)]
        return [i if path is None else path for i, path in enumerate(paths)]
    names = [str(name) for name in np.asarray(names, dtype=object).tolist()]
    if len(names) != n:
        raise ValueError(f"names has {len(names)} entries for {n} images.")
    if len(set(names)) < n:
        twice = pd.Series(names).value_counts().index[0]
        raise ValueError(f"names must differ from each other; {twice!r} comes twice.")
    return names


def _per_image(what, values, n):
    """Return one plain value an image, or None."""
    if values is None:
        return None
    values = np.asarray(values)
    if values.shape != (n,):
        raise ValueError(f"{what} has shape {values.shape} for {n} images.")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row = np.flatnonzero(~np.isfinite(values))[0]
        raise ValueError(f"{what} is {values[row]} for image {row}; give a number.")
    if values.dtype.kind in "bif":
        return values.tolist()
    return [str(v) for v in values.tolist()]


def _check_order(order, n):
    order = np.asarray(order)
    if order.ndim != 1 or order.dtype.kind not in "iu":
        raise ValueError("order must hold the numbers of images.")
    if len(np.unique(order)) < len(order) or order.min() < 0 or order.max() >= n:
        raise ValueError(f"order must hold different numbers from 0 to {n - 1}.")
    return order.tolist()


def _sorted(score):
    return np.argsort(score, kind="stable").tolist()


def _examples(proba, codes, n_classes):
    """Return for each class the images that surely show it."""
    examples = []
    for k in range(n_classes):
        members = np.flatnonzero(codes == k)
        if proba is not None:
            score = proba[:, k]
            if len(members) == 0:
                members = np.flatnonzero((codes < 0) & (proba.argmax(axis=1) == k))
            members = members[np.argsort(-score[members], kind="stable")]
        examples.append(members[: _N_EXAMPLES + 1].tolist())
    return examples


def _by_duplicates(pairs, codes, names):
    """Return members of pairs, those with different labels first, and what to say."""
    missing = {"first", "second"}.difference(pairs.columns)
    if missing:
        raise ValueError(
            f"duplicates lacks the columns {', '.join(sorted(missing))}; see "
            "emclassify.find_duplicates."
        )
    first, second = (pairs[side].to_numpy() for side in ("first", "second"))
    differ = codes[first] != codes[second]
    order, words = [], [""] * len(names)
    for k in np.argsort(~differ, kind="stable"):
        for i, j in ((first[k], second[k]), (second[k], first[k])):
            if words[i] == "":
                order.append(int(i))
                labels = " with another label" if differ[k] else ""
                words[i] = f"nearly the same as {names[j]}{labels}"
    return order, words
