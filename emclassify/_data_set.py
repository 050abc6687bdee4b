"""What readers and simulators return: a Bunch that can be looked at."""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from emclassify._thumbnails import thumbnail

__all__ = ["DataSet"]

_A_CLASS = 8  # pictures of a class in a notebook
_CLASSES = 12  # classes that get a row there


class DataSet(Bunch):
    """A `sklearn.utils.Bunch` that says what is in it instead of printing all of it.

    Notebooks show some images of each class and how many there are; ``print`` and the
    prompt one line.

    Examples
    --------
    >>> from emclassify import make_liposomes
    >>> make_liposomes(60, image_size=28, weights=[1, 1, 1], random_state=0)
    <DataSet: 60 images of 28×28, 3 classes (multilamellar 20, uncertain 20,
    unilamellar 20), 10 groups; it has images, masks, target, target_names, groups,
    pixel_size, frame, DESCR>
    """

    def __repr__(self) -> str:
        what = ", ".join([*self._what(), *self._n_groups()])
        return f"<{type(self).__name__}: {what}; it has {', '.join(self)}>"

    def _repr_html_(self) -> str:
        target, counts = self._labels(), self._counts()
        members = {name: np.flatnonzero(target == name) for name, _ in counts}
        if not counts:
            members = {"(no single label)": np.arange(len(self["images"]))}
        rows = []
        for name, indices in list(members.items())[:_CLASSES]:
            pictures = []
            for i in indices[:_A_CLASS]:
                image = np.asarray(self["images"][int(i)])
                if image.ndim in (2, 3) and image.dtype.kind in "biuf":
                    pictures.append(
                        f'<img src="{thumbnail(image)}" width="64" alt="image {i}" '
                        f'title="image {i}: {html.escape(str(name))}">'
                    )
            rows.append(
                f'<tr><th scope="row">{html.escape(str(name))}</th>'
                f"<td>{len(indices):,}</td><td>{' '.join(pictures)}</td></tr>"
            )
        more = len(counts) - _CLASSES
        if more > 0:
            rows.append(f'<tr><td colspan="3">and {more} classes more</td></tr>')
        head = html.escape(", ".join([*self._what(classes=False), *self._n_groups()]))
        table = "".join(rows)
        fields = ", ".join(f"<code>{html.escape(name)}</code>" for name in self)
        return (
            f'<div class="emclassify-data-set"><p>{head}</p><table><thead><tr>'
            '<th scope="col">Class</th><th scope="col">Images</th>'
            '<th scope="col">Some of them</th></tr></thead>'
            f'<tbody>{table}</tbody></table><p style="opacity:.8">It has {fields}.</p>'
            "</div>"
        )

    def _what(self, classes: bool = True) -> list[str]:
        """Return "60 images of 28×28", and the classes with their counts."""
        images = self["images"]
        shape = getattr(images, "shape", (len(images),))
        size = "×".join(map(str, shape[1:])) if len(shape) > 1 else "different sizes"
        counts = self._counts()
        told = [f"{len(images):,} images of {size}"]
        if classes and counts:
            some = ", ".join(f"{name} {count:,}" for name, count in counts[:_CLASSES])
            more = ", …" if len(counts) > _CLASSES else ""
            told.append(f"{len(counts)} classes ({some}{more})")
        return told

    def _labels(self) -> np.ndarray:
        target = self.get("target")
        return np.asarray([] if target is None else target)

    def _counts(self) -> list[tuple[Any, int]]:
        """Return how many images each class has; none where images have several."""
        target = self._labels()
        if target.ndim != 1 or not len(target):
            return []
        names, counts = np.unique(target, return_counts=True)
        return list(zip(names.tolist(), counts.tolist(), strict=True))

    def _n_groups(self) -> Sequence[str]:
        groups = self.get("groups")
        return [] if groups is None else [f"{len(np.unique(groups)):,} groups"]
