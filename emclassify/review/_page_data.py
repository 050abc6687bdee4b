"""What a page of images knows of them, but for the pictures."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from emclassify._groups import check_groups
from emclassify._incoming import plain_numbers, plain_values
from emclassify.review._doubt import disagreement, given_probability, label_margin
from emclassify.review._pairs import pairs_of
from emclassify.review._sprites import Pictures

__all__ = ["page_data"]

_N_EXAMPLES = 4
MOST_CLASSES = 31


def page_data(
    pictures: Pictures,
    proba: ArrayLike | None,
    target: ArrayLike | None,
    *,
    classes: ArrayLike | None,
    names: ArrayLike | None,
    groups: ArrayLike | None,
    rejected: ArrayLike | None,
    clusters: ArrayLike | None,
    member_proba: ArrayLike | None,
    outlier_score: ArrayLike | None,
    duplicates: pd.DataFrame | None,
    order: ArrayLike | None,
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
        "rejected": _check_rejected(rejected, n),
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
        member_proba = plain_numbers(member_proba, "member_proba")
        shape = n, len(classes)
        if member_proba.shape[1:] != shape or not member_proba.size:
            raise ValueError(
                f"member_proba has shape {member_proba.shape}; it must be (n_members, "
                f"{n}, {len(classes)})."
            )
        orders["disagreement of members"] = _sorted(-disagreement(member_proba))
    if outlier_score is not None:
        score = plain_numbers(outlier_score, "outlier_score", finite=False)
        score = np.array(_per_image("outlier_score", score, n))
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


def _text_labels(target, n):
    """Return labels as text, None where there is none."""
    if target is None:
        return [None] * n
    values = np.asarray(target, dtype=object)
    if values.ndim != 1 or any(np.ndim(value) for value in values):
        raise ValueError(
            f"target has shape {values.shape}; the page takes one label an image, text "
            "or a number."
        )
    if len(values) != n:
        raise ValueError(f"target has {len(values)} entries for {n} images.")
    return [None if pd.isna(v) or v == "" else str(v) for v in values.tolist()]


def _check_proba(proba, n):
    if proba is None:
        return None
    proba = plain_numbers(proba, "proba", finite=False)
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
    if len(classes) > MOST_CLASSES:
        raise ValueError(
            f"The page has keys for {MOST_CLASSES} classes; there are {len(classes)}. "
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
    values = plain_values(values, what)
    if values.shape != (n,):
        raise ValueError(f"{what} has shape {values.shape} for {n} images.")
    infinite = np.isinf(values) if values.dtype.kind == "f" else False
    unknown = np.flatnonzero(pd.isna(values) | infinite)
    if len(unknown):
        raise ValueError(
            f"{what} is {values[unknown[0]]} for image {unknown[0]}; give every image "
            "a value."
        )
    if values.dtype.kind in "bif":
        return values.tolist()
    return [str(v) for v in values.tolist()]


def _check_rejected(rejected, n):
    values = _per_image("rejected", rejected, n)
    strange = [value for value in values or [] if value not in (0, 1)]
    if strange:
        raise ValueError(
            f"rejected must say True or False of each image; got {strange[0]!r}."
        )
    return values


def _check_order(order, n):
    numbers = plain_numbers(order, "order")
    if numbers.ndim != 1 or not len(numbers) or (numbers % 1).any():
        raise ValueError("order must hold the numbers of images, one at least.")
    order = numbers.astype(np.intp)
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
    first, second = pairs_of(pairs, len(names))
    differ = codes[first] != codes[second]
    order, words = [], [""] * len(names)
    for k in np.argsort(~differ, kind="stable"):
        for i, j in ((first[k], second[k]), (second[k], first[k])):
            if words[i] == "":
                order.append(int(i))
                labels = " with another label" if differ[k] else ""
                words[i] = f"nearly the same as {names[j]}{labels}"
    return order, words
