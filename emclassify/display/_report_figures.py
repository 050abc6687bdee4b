"""Figures of the report: drawings in the page, in the page's own colours."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LINES", "SOFT", "drawing", "to_svg"]

# Colours that matplotlib writes down, and the variables of the page in their place.
_INK, _LINE, SOFT = "#010203", "#040506", "#070809"
_VARIABLES = {
    _INK: "var(--ink)",
    _LINE: "var(--line)",
    SOFT: "var(--soft)",
    "#e5e5e5": "var(--line)",  # the grid of BenchmarkDisplay
}

# Lines of classes: at least 3 to 1 on white and on the dark page, then other dashes.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b8659a", "#8c6d1f")
_DASHES = ((), (5, 2), (1.5, 1.5))
LINES = [(colour, dashes) for dashes in _DASHES for colour in _COLOURS]


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the colours that `to_svg` gives to the page."""
    import matplotlib as mpl

    ink = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color")
    settings = {
        **dict.fromkeys((*ink, "axes.edgecolor"), _INK),
        "grid.color": _LINE,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "legend.facecolor": "none",
        "svg.fonttype": "none",
        "svg.hashsalt": "emclassify",
        "font.size": 10,
    }
    with mpl.rc_context(settings):
        yield


def to_svg(figure: Figure, name: str, text: str) -> str:
    """Return a figure as an element of the page.

    Parameters
    ----------
    figure : matplotlib Figure
        Made under `drawing`.
    name : str
        Put before all ids, which have to differ from those of other figures.
    text : str
        The figure in words, for those who don't see it.

    Returns
    -------
    str
        ``<svg ...>...</svg>``. Colours of text, axes and grid are the page's.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    label = escape(text, quote=True)
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
