"""The table of the sources' systems: whole, and each row leads to where it is."""

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "sources.rst"


def rows():
    """Return the cells of each row but the headers."""
    text = PAGE.read_text("utf-8")
    found = []
    for row in re.split(r"^   \* - ", text, flags=re.MULTILINE)[1:]:
        table = row.partition("\n\n")[0]
        cells = [
            " ".join(cell.split()) for cell in re.split(r"^     - ", table, flags=re.M)
        ]
        if cells[0] != "What":
            found.append(cells)
    return found


def test_every_system_has_its_row():
    # Issue 18 counts 72.
    assert len(rows()) >= 72
    assert f": {len(rows())} rows." in " ".join(PAGE.read_text("utf-8").split())


@pytest.mark.parametrize("cells", rows(), ids=lambda cells: cells[0])
def test_a_row_leads_to_where_it_is(cells):
    assert len(cells) == 4
    assert all(cells)
    pages = re.findall(r":doc:`(\w+)`", cells[1])
    objects = re.findall(r"`~?emclassify\.([\w.]+)`", cells[1])
    assert pages or objects
    for page in pages:
        assert list(PAGE.parent.glob(f"{page}.*"))
    for name in objects:
        room, *rest = name.split(".")
        thing = importlib.import_module(f"emclassify.{room}")
        for part in rest:
            thing = getattr(thing, part)
