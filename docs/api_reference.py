"""The API reference, made from each room's `__all__`.

`ROOMS` is the one place that lists rooms. `write` makes a page for each room and each
public class and function in it.
"""

import importlib
import inspect
import re
import shutil
from pathlib import Path
from textwrap import indent

# Room, title, what to read first. In the order of a user's way through them.
ROOMS = {
    "datasets": ("Data sets", "Simulated images and public sets."),
    "readers": (
        "Readers",
        "Folders, stacks and files: :doc:`/user_guide/data`.",
    ),
    "preprocessing": ("Preprocessing", "Image in, image out."),
    "sampling": ("Sampling", "More images of rare classes, fewer of frequent ones."),
    "features": (
        "Features",
        "From images to numbers: :doc:`/user_guide/features_svm`.",
    ),
    "baselines": ("Baselines", "What a network has to beat."),
    "classifiers": (
        "Network classifiers",
        "Networks as scikit-learn classifiers: :doc:`/user_guide/cnn`.",
    ),
    "metrics": (
        "Metrics",
        "The figures of each class: :doc:`/user_guide/per_class`.",
    ),
    "model_selection": (
        "Model selection",
        "Models against each other: :doc:`/user_guide/benchmark`.",
    ),
    "display": ("Display", "Pictures of results, and the report."),
    "review": (
        "Review",
        "Labels looked at and set right: :doc:`/user_guide/review`.",
    ),
    "inspection": ("Inspection", "What a trained network has learnt."),
    "persistence": (
        "Models in files",
        "Saved without pickle: :doc:`/user_guide/keeping_models`. For other languages "
        "and runtimes: :doc:`/user_guide/onnx`.",
    ),
    "prediction": (
        "Prediction",
        "Tables of predictions, for folders and images that keep coming: "
        ":doc:`/user_guide/command_line`.",
    ),
    "nets": (
        "Networks",
        "PyTorch modules, for those who build networks. Not imported by "
        "``import emclassify``.",
    ),
    "training": (
        "Training",
        "What stands between images and weights, for those who extend training. Not "
        "imported by ``import emclassify``.",
    ),
}


def public_objects(room):
    """Return the public classes and functions of a room, {name: object}.

    Constants in `__all__` are left out.
    """
    module = importlib.import_module(f"emclassify.{room}")
    objects = {name: getattr(module, name) for name in module.__all__}
    return {
        name: thing
        for name, thing in sorted(objects.items(), key=lambda item: item[0].lower())
        if inspect.isclass(thing) or inspect.isfunction(thing)
    }


def public_methods(cls):
    """Return names of public methods and properties that emclassify defines in `cls`.

    What scikit-learn and torch define is documented there.
    """
    names = []
    for name in dir(cls):
        if name.startswith("_"):
            continue
        owner = next(base for base in cls.__mro__ if name in vars(base))
        thing = vars(owner)[name]
        if not owner.__module__.startswith("emclassify"):
            continue
        # Such as set_fit_request, which scikit-learn generates.
        if not isinstance(thing, property | classmethod | staticmethod) and not (
            inspect.isfunction(thing) and thing.__module__.startswith("emclassify")
        ):
            continue
        if inspect.getdoc(getattr(cls, name)):
            names.append(name)
    return names


def write(folder):
    """Write all pages of the reference to `folder`, which is emptied first."""
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    contents = ".. toctree::\n   :hidden:\n\n"
    contents += "".join(f"   generated/emclassify.{room}\n" for room in ROOMS)
    for room, (title, text) in ROOMS.items():
        contents += f"\n{title}\n{'-' * len(title)}\n\n{overview(room, text)}"
        (folder / f"emclassify.{room}.rst").write_text(room_page(room), "utf-8")
        for name, thing in public_objects(room).items():
            page = object_page(room, name, thing)
            (folder / f"emclassify.{room}.{name}.rst").write_text(page, "utf-8")
    (folder / "contents.inc").write_text(contents, "utf-8")


def add_examples(folder, backreferences):
    """Add to each object's page the examples that use it.

    Parameters
    ----------
    folder : path-like
        Where `write` has put the pages.
    backreferences : path-like
        Where the gallery has put a file for each object that examples name, under its
        shortest name.
    """
    for room in ROOMS:
        for name in public_objects(room):
            names = f"emclassify.{name}", f"emclassify.{room}.{name}"
            used = [
                full
                for full in names
                if "thumbcontainer" in _text(Path(backreferences) / f"{full}.examples")
            ]
            if used:
                with (Path(folder) / f"{names[1]}.rst").open(
                    "a", encoding="utf-8"
                ) as f:
                    f.write(
                        f"\n.. rubric:: Examples that use it\n\n"
                        f".. minigallery:: {' '.join(used)}\n"
                    )


def _text(path):
    return path.read_text("utf-8") if path.is_file() else ""


def _first_sentence(thing):
    """Return the head of a docstring, without marks of references that follow it."""
    return re.sub(r" \[\d+\]_", "", inspect.getdoc(thing).partition("\n\n")[0])


def room_page(room):
    """Return the page that lists a room."""
    title, text = ROOMS[room]
    entries = "".join(f"   emclassify.{room}.{name}\n" for name in public_objects(room))
    return (
        f"{title}\n{'=' * len(title)}\n\n{overview(room, text)}\n"
        f".. toctree::\n   :hidden:\n\n{entries}"
    )


def overview(room, text):
    """Return what a room is for and a table of what is in it."""
    table = summaries(f"emclassify.{room}", public_objects(room))
    return (
        f"``emclassify.{room}``. {text}\n\n"
        f".. currentmodule:: emclassify.{room}\n\n{table}"
    )


def summaries(owner, things):
    """Return a table of names, each with the first sentence of its docstring.

    Sphinx's own, autosummary, reads all docstrings anew for each table: a third of the
    time that the pages take to read.

    Parameters
    ----------
    owner : str
        Full name of what they are in.
    things : dict of str to object
    """
    rows = "".join(
        f"   * - :obj:`{name} <{owner}.{name}>`\n     - {_first_sentence(thing)}\n"
        for name, thing in things.items()
    )
    return f".. list-table::\n   :class: sentences\n   :widths: 35 65\n\n{rows}"


def object_page(room, name, thing):
    """Return the page of a class or function."""
    head = f"{name}\n{'=' * len(name)}\n\n.. currentmodule:: emclassify.{room}\n\n"
    if inspect.isfunction(thing):
        return f"{head}.. autofunction:: {name}\n"
    page = f"{head}.. autoclass:: {name}\n"
    methods = public_methods(thing)
    if not methods:
        return page
    table = summaries(
        f"emclassify.{room}.{name}",
        {method: inspect.getattr_static(thing, method) for method in methods},
    )
    page += f"\n   .. rubric:: Methods\n\n{indent(table, '   ')}\n"
    for method in methods:
        kind = (
            "autoproperty"
            if isinstance(inspect.getattr_static(thing, method), property)
            else "automethod"
        )
        page += f"\n   .. {kind}:: {method}\n"
    return page
