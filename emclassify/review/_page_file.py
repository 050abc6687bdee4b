"""A page as a file: text, pictures inside it or beside it, and what it was made of."""

import base64
import json
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

__all__ = ["InFile", "InFolder", "dataset_of", "is_page", "render"]

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


def render(
    data: dict[str, Any],
    title: str,
    store: "InFile | InFolder",
) -> str:
    """Return the page as text."""
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("emclassify.review"), autoescape=True
    )
    template = environment.get_template("review.html.j2")
    files = resources.files("emclassify.review").joinpath("templates")

    def text(*names):
        return Markup(
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
        data=Markup(plain),
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


class InFile:
    """Pictures inside the page."""

    def __init__(self) -> None:
        self.sheets, self.pictures = [], {}

    def add_sheet(self, number: int, content: bytes) -> None:
        self.sheets.append(base64.b64encode(content).decode())

    def add_picture(self, number: int, content: bytes) -> None:
        self.pictures[number] = base64.b64encode(content).decode()

    def places(self, large: int | None) -> dict[str, Any]:
        return {"sheets": [], "large": "inside" if large else None}


class InFolder:
    """Pictures in files beside the page."""

    pictures = MappingProxyType({})
    sheets = ()

    def __init__(self, folder: Path) -> None:
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
