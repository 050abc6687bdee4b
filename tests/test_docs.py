"""The documentation is complete, and its code runs."""

import doctest
import importlib
import inspect
import json
import pkgutil
import re
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest

import emclassify

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "docs"))

import gallery  # noqa: E402
import links  # noqa: E402
from api_reference import (  # noqa: E402
    ROOMS,
    add_examples,
    object_page,
    public_methods,
    public_objects,
)

# For those who extend emclassify: a description is enough.
INNER_ROOMS = {"nets", "training"}
# Returned by functions, never made by hand.
RESULTS = {
    "CorrectedLabels",
    "BenchmarkResult",
    "CorrectedTTestResult",
    "DomainComparison",
    "SplitAudit",
    "TransferMatrixResult",
}
PAGES = [
    page
    for page in sorted((ROOT / "docs").glob("*.rst"))
    + sorted((ROOT / "docs" / "user_guide").glob("*.rst"))
    if ">>> " in page.read_text("utf-8")
]
OBJECTS = [
    pytest.param(room, name, thing, id=f"{room}.{name}")
    for room in ROOMS
    for name, thing in public_objects(room).items()
]


def sections(docstring):
    """Split a numpydoc docstring into {title: text}."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", docstring, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_reference_has_every_room():
    rooms = {
        module.name
        for module in pkgutil.iter_modules(emclassify.__path__)
        if module.ispkg and not module.name.startswith("_")
    }
    # The command line has a page of the guide, and one function.
    assert rooms == {*ROOMS, "cli"}


@pytest.mark.parametrize("room", ROOMS)
def test_reference_has_every_public_name(room):
    module = importlib.import_module(f"emclassify.{room}")
    constants = {name for name in module.__all__ if name.isupper()}
    assert set(public_objects(room)) == set(module.__all__) - constants


def test_top_level_names_are_in_the_reference():
    in_rooms = {name for room in ROOMS for name in public_objects(room)}
    names = set(emclassify.__all__) - set(ROOMS) - {"__version__"}
    assert names <= in_rooms


@pytest.mark.parametrize(("room", "name", "thing"), OBJECTS)
def test_docstring_is_complete(room, name, thing):
    docstring = inspect.getdoc(thing)
    assert docstring
    if room in INNER_ROOMS or name in RESULTS:
        return
    documented = sections(docstring)
    assert ">>> " in documented["Examples"]
    told = documented["Parameters"]
    for parameter in inspect.signature(thing).parameters:
        assert re.search(rf"^[\w*, ]*\b{parameter}\b", told, re.MULTILINE), parameter


@pytest.mark.parametrize(("room", "name", "thing"), OBJECTS)
def test_reference_page_shows_the_methods(room, name, thing):
    page = object_page(room, name, thing)
    assert f".. currentmodule:: emclassify.{room}" in page
    if inspect.isclass(thing):
        for method in public_methods(thing):
            assert re.search(rf"auto(method|property):: {method}\n", page)


def test_reference_shows_methods_of_parents_but_not_of_other_libraries():
    from emclassify import LipNetClassifier

    methods = public_methods(LipNetClassifier)
    assert {"fit", "predict", "predict_proba", "partial_fit"} <= set(methods)
    assert not {"get_params", "set_fit_request", "score"} & set(methods)


def test_pages_of_objects_list_the_examples_that_use_them(tmp_path):
    pages, used = tmp_path / "generated", tmp_path / "backreferences"
    pages.mkdir()
    used.mkdir()
    card = '<div class="sphx-glr-thumbcontainer">'
    # Under the shortest name, as the gallery writes them; those without are empty.
    (used / "emclassify.make_liposomes.examples").write_text(card)
    (used / "emclassify.display.EmbeddingDisplay.examples").write_text(card)
    (used / "emclassify.load.examples").write_text("")
    add_examples(pages, used)
    assert {path.stem for path in pages.iterdir()} == {
        "emclassify.datasets.make_liposomes",
        "emclassify.display.EmbeddingDisplay",
    }
    text = (pages / "emclassify.datasets.make_liposomes.rst").read_text("utf-8")
    assert ".. minigallery:: emclassify.make_liposomes\n" in text


def test_links_that_no_server_answered_are_not_called_dead(tmp_path, capsys):
    def line(status, uri, info=""):
        link = {"filename": "data.rst", "lineno": 7, "status": status, "code": 0}
        return json.dumps(link | {"uri": uri, "info": info})

    found = tmp_path / "output.json"
    resolving = "HTTPSConnectionPool(...): Max retries exceeded (NameResolutionError)"
    lines = [
        line("working", "https://a.org/1"),
        line("unchecked", "local"),
        line("broken", "https://b.org/2", resolving),
        line("timeout", "https://b.org/3"),
    ]
    found.write_text("\n".join(lines))
    assert links.main(found) == 0
    printed = capsys.readouterr().out
    assert "1 links work" in printed
    assert "b.org: https://b.org/2, https://b.org/3" in printed
    found.write_text("\n".join(lines[2:]))
    assert links.main(found) == 2
    found.write_text("\n".join([*lines, line("broken", "https://c.org", "404 Client")]))
    assert links.main(found) == 1
    assert "data.rst:7: https://c.org: 404 Client" in capsys.readouterr().out


def test_every_example_is_in_a_section_of_the_gallery():
    examples = ROOT / "examples"
    assert not list(examples.glob("plot_*.py"))
    order = re.findall(
        r'examples/\{part\}" for part in \((.*)\)', (ROOT / "docs/conf.py").read_text()
    )
    sections = re.findall(r'"(\w+)"', order[0])
    assert set(sections) == {path.parent.name for path in examples.glob("*/plot_*.py")}
    for section in sections:
        assert (examples / section / "GALLERY_HEADER.rst").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_of_the_user_guide_runs(page):
    failed, _ = doctest.testfile(
        str(page),
        module_relative=False,
        encoding="utf-8",
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert failed == 0


def test_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    # As it stands but for size: fewer and smaller images, one epoch.
    from emclassify import LipNetClassifier, make_liposomes

    def few_liposomes(n_samples, *, image_size, **settings):
        return make_liposomes(n_samples // 6, image_size=12, **settings)

    quick = partial(LipNetClassifier, max_epochs=1)
    monkeypatch.setitem(vars(emclassify), "make_liposomes", few_liposomes)
    monkeypatch.setitem(vars(emclassify), "LipNetClassifier", quick)
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "macro F1" in printed
    assert "multilamellar" in printed
    assert (tmp_path / "benchmark.html").stat().st_size > 10_000


def test_readme_names_make_targets_that_exist():
    targets = set(
        re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text("utf-8")
        named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE))
        assert named, page
        assert named <= targets, page


def test_changelog_fragments_are_named_as_towncrier_wants():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    towncrier = config["tool"]["towncrier"]
    kinds = "|".join(kind["directory"] for kind in towncrier["type"])
    fragments = [
        path
        for path in (ROOT / towncrier["directory"]).iterdir()
        if not path.name.startswith(".")
    ]
    for path in fragments:
        assert re.fullmatch(rf"\d+\.({kinds})(\.\d+)?\.md", path.name), path.name
        assert path.read_text("utf-8").strip(), path.name
    changelog = (ROOT / towncrier["filename"]).read_text("utf-8")
    _, found, released = changelog.partition(towncrier["start_string"])
    assert found, "CHANGELOG.md has lost the line after which towncrier writes"
    assert fragments or "## " in released


def test_sites_that_do_not_answer_are_left_out(tmp_path, capsys):
    import inventories

    there = tmp_path / "there"
    there.mkdir()
    (there / "objects.inv").write_bytes(b"# Sphinx inventory version 2\n")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "objects.inv").write_bytes(b"<html>not found</html>")
    sites = {name: f"{(tmp_path / name).as_uri()}/" for name in ("there", "page", "no")}
    kept = tmp_path / "kept"
    found = inventories.reachable(kept, sites)
    assert found == {"there": (sites["there"], str(kept / "there.inv"))}
    assert "No links to page, no:" in capsys.readouterr().out


def test_every_page_of_the_guide_is_in_its_contents():
    folder = ROOT / "docs" / "user_guide"
    listed = re.findall(r"^   (\w+)$", (folder / "index.rst").read_text("utf-8"), re.M)
    assert sorted(listed) == sorted(
        {path.stem for path in folder.iterdir() if path.suffix in (".rst", ".md")}
        - {"index"}
    )


def test_warnings_of_examples_show_nothing_of_the_machine():
    text = gallery.without_path(
        "too short", UserWarning, str(ROOT / "x.py"), 3, "fit()"
    )
    assert text == "UserWarning: too short\n"
