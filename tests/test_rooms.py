"""Imports go one way, as the table of rooms in CONTRIBUTING says; files stay small."""

import ast
import re
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "emclassify"
# Rooms whose files may import torch when they are imported.
TORCH_ROOMS = {"nets", "training", "classifiers", "inspection"}
LONGEST = 600
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}


def rows_of(heading):
    """Return the cells of the first table under a heading of CONTRIBUTING."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = re.split(r"^## ", text.split(f"\n## {heading}\n")[1], flags=re.M)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names_in(cell):
    """Return the names in backticks, without the suffix of a file."""
    return {name.removesuffix(".py") for name in re.findall(r"`([^`]+)`", cell)}


def table_of_rooms():
    """Return {room: (what it imports, what it imports inside functions only)}."""
    table = {}
    for name, _, imports, later in rows_of("Rooms"):
        (room,) = names_in(name)
        assert room not in table, f"{room} stands in two lines"
        table[room] = names_in(imports), names_in(later)
    return table


def module_of(path):
    """Return the dotted name of a file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree, module):
    """Yield (module imported, whether when the file is imported)."""
    later, never = set(), set()
    for node in ast.walk(tree):
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if types:
            never |= {id(inner) for line in node.body for inner in ast.walk(line)}
        if lazy:
            later |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in never:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            # Of `from emclassify.room import _file`, the file.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, id(node) not in later


@cache
def files():
    """Return {module: [(module or package imported, whether at once)]}."""
    paths = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    found = {}
    for module, path in paths.items():
        tree = ast.parse(path.read_text("utf-8"))
        found[module] = [
            (".".join(name.split(".")[:depth]), now)
            for name, now in imports_of(tree, module)
            for depth in [
                max(
                    (
                        d
                        for d in range(1, name.count(".") + 2)
                        if ".".join(name.split(".")[:d]) in paths
                    ),
                    default=1,
                )
            ]
        ]
    return found


@cache
def loaded_at_once():
    """Return the files that a public name loads, through imports outside functions.

    All others are imported by functions alone, and so is what they import.
    """
    waiting = [module for module in files() if module.count(".") == 0]
    for stub in PACKAGE.rglob("__init__.pyi"):
        room = module_of(stub.with_suffix(".py"))
        waiting += [
            f"{room}.{name}"
            for name in re.findall(r"^from \.([\w.]+) import", stub.read_text(), re.M)
        ]
    waiting += [module for module in files() if module.startswith("emclassify.cli")]
    reached = set()
    while waiting:
        module = waiting.pop()
        if module in reached or module not in files():
            continue
        reached.add(module)
        waiting += [name for name, now in files()[module] if now]
    return reached


def room_of(module):
    """Return the room, or the file beside the rooms, that a module is in."""
    parts = module.split(".")
    if parts[0] != "emclassify":
        return "torch" if parts[0] == "torch" else None
    return parts[1] if len(parts) > 1 else None


@cache
def imports_of_rooms():
    """Return {room: (what it imports, what it imports inside functions only)}."""
    at_once, later = defaultdict(set), defaultdict(set)
    for module, imports in files().items():
        room = room_of(module)
        for name, now in imports:
            other = room_of(name)
            if room is None or other is None or other == room:
                continue
            whole = now and module in loaded_at_once()
            (at_once if whole else later)[room].add(other)
    rooms = {room_of(module) for module in files()} - {None}
    return {room: (at_once[room], later[room] - at_once[room]) for room in rooms}


def test_an_import_for_annotations_only_is_none():
    tree = ast.parse(
        "import a\ndef f(): import b\nif TYPE_CHECKING:\n import c\nelse:\n import d"
    )
    assert dict(imports_of(tree, "m")) == {"a": True, "b": False, "d": True}


def test_the_table_has_every_room_and_no_other():
    assert set(table_of_rooms()) == set(imports_of_rooms())


@pytest.mark.parametrize("room", sorted(imports_of_rooms()))
def test_imports_are_those_of_the_table(room):
    # Both ways: what the table doesn't allow, and what nothing uses any more.
    at_once, later = imports_of_rooms()[room]
    assert table_of_rooms()[room] == (at_once, later)


def test_no_circles():
    graph = {room: now | later for room, (now, later) in imports_of_rooms().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"rooms import each other: {' → '.join(error.args[1])}")


def test_nobody_imports_the_command_line():
    importers = {r for r, (a, b) in imports_of_rooms().items() if "cli" in a | b}
    assert importers == set()


def test_torch_is_imported_at_once_in_four_rooms_only():
    importers = {r for r, (now, _) in imports_of_rooms().items() if "torch" in now}
    assert importers == TORCH_ROOMS


def sources():
    """Return all files of Python in the folders of the repository."""
    folders = ("emclassify", "tests", "benchmarks", "studies", "examples", "docs")
    return [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if not {"_build", "auto_examples", "generated"} & set(path.parts)
    ]


def test_no_file_is_too_long():
    lengths = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8").count("\n")
        for path in sources()
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST} == {}


def test_no_file_has_a_vague_name():
    assert [path for path in sources() if path.stem.strip("_") in VAGUE] == []


def test_the_files_of_the_table_of_changes_are_there():
    rows = rows_of("Where a change goes")
    assert len(rows) >= 15
    for change, *cells in rows:
        named = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
        paths = [name for name in named if "/" in name and "<" not in name]
        assert paths, change
        missing = [name for name in paths if not (ROOT / name).exists()]
        assert not missing, change


def test_future_annotations_stand_where_they_serve():
    for file in (ROOT / "emclassify").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "from __future__ import annotations" in text:
            assert "TYPE_CHECKING" in text, file
