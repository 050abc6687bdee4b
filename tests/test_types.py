"""What editors and type checkers see of the package."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

import emclassify

PACKAGE = Path(emclassify.__file__).parent
# Annotated by those who are at work in them; then this set goes.
WAITING = {"readers"}
ROOMS = sorted(
    p.name
    for p in PACKAGE.iterdir()
    if (p / "__init__.py").exists() or p.suffix == ".py"
)
STUBS = sorted(PACKAGE.rglob("__init__.pyi"))

RIGHT = """
from pathlib import Path
import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from emclassify import (
    FeatureExtractor, LipNetClassifier, ResizeImages, benchmark_classifiers, load,
    make_liposomes, per_class_scores, save, svm_baseline,
)
data = make_liposomes(600, image_size=28, weights=[0.6, 0.3, 0.1], random_state=0)
result = benchmark_classifiers(
    {
        "LipNet-4": LipNetClassifier(class_weight="balanced", random_state=0),
        "SVM": svm_baseline(),
    },
    data.images,
    data.target,
    groups=data.groups,
    cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
    random_state=0,
    verbose=1,
)
print(result.verdict())
print(result.summary())
result.to_html("benchmark.html")
paths = list(Path("images").glob("*.png"))
ResizeImages((32, 32)).fit(paths).transform(paths)
FeatureExtractor(mask="otsu").fit([np.zeros((8, 8)), np.zeros((9, 9))]).transform(paths)
FeatureExtractor().fit(pd.Series(["a.png"]))
save(make_pipeline(FeatureExtractor(), SVC()), Path("model.emc"))
load("model.emc").predict(data.images)
per_class_scores([0, 1], [1, 1]).to_csv("scores.csv")
"""
# A line of wrong code, and the word that the complaint names.
WRONG = {
    "emclassify.LipNetClassifier(dephth=4)": "dephth",
    'emclassify.FeatureExtractor(mask="best")': "best",
    'emclassify.ResizeImages(output_shape="large")': "large",
    'emclassify.save("model.emc", emclassify.svm_baseline())': "model.emc",
    "emclassify.LipNetClasifier()": "LipNetClasifier",
}


def _public(node, private=False, where=""):
    """Yield (name, function) of what a module's users may call."""
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            if not child.name.startswith("_"):
                yield from _public(child, where=f"{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            called = child.name in ("__init__", "__call__") and where
            if called or not child.name.startswith("_"):
                yield where + child.name, child


def _bare(function):
    """Names of the arguments without annotation, and "return" for the result."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    bare = [a.arg for a in named if a.annotation is None]
    bare = [name for name in bare if name not in ("self", "cls")]
    return bare + ["return"] * (function.returns is None)


def test_bare_arguments_are_found():
    tree = ast.parse(
        "class A:\n def f(self, a: int, *b, c=1, **d): ...\n def _g(x): ..."
    )
    ((name, function),) = _public(tree)
    assert (name, _bare(function)) == ("A.f", ["c", "b", "d", "return"])


@pytest.mark.parametrize("room", [r for r in ROOMS if r not in WAITING])
def test_public_functions_are_annotated(room):
    bare = {
        f"{file.relative_to(PACKAGE)}:{function.lineno} {name}": _bare(function)
        for file in PACKAGE.rglob("*.py")
        if file.relative_to(PACKAGE).parts[0] == room
        for name, function in _public(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert {name: found for name, found in bare.items() if found} == {}


@pytest.mark.parametrize("stub", STUBS, ids=lambda p: p.parent.name)
def test_a_stub_names_what_there_is(stub):
    name = ".".join(stub.parent.relative_to(PACKAGE.parent).parts)
    __import__(name)
    room = sys.modules[name]
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    (listed,) = (
        ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign)
    )
    bound = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(room.__all__) == sorted(listed)
    assert set(listed) == bound
    for public in listed:
        assert getattr(room, public) is not None


def _check(checker, tmp_path, text):
    """Return {line number: complaints} of a type checker on a file of users' code."""
    file = tmp_path / "users_code.py"
    file.write_text(text, encoding="utf-8")
    config = {"typeCheckingMode": "basic", "extraPaths": [str(PACKAGE.parent)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    if checker == "basedpyright":
        command = ["basedpyright", "-p", tmp_path, "--pythonpath", sys.executable]
        command += ["--outputjson", file]
    else:
        command = ["pyrefly", "check", "--python-interpreter-path", sys.executable]
        command += ["--search-path", PACKAGE.parent, "--output-format", "json", file]
    command[0] = Path(sys.executable).parent / command[0]
    ran = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=tmp_path
    )
    found = {}
    report = json.loads(ran.stdout)
    if checker == "basedpyright":
        for one in report["generalDiagnostics"]:
            line = one["range"]["start"]["line"] + 1
            found.setdefault(line, []).append(one["message"])
    else:
        for one in report["errors"]:
            found.setdefault(one["line"], []).append(one["description"])
    return found


CHECKERS = ["pyrefly", pytest.param("basedpyright", marks=pytest.mark.slow)]


@pytest.mark.parametrize("checker", CHECKERS)
def test_right_code_passes(checker, tmp_path):
    assert _check(checker, tmp_path, RIGHT) == {}


@pytest.mark.parametrize("checker", CHECKERS)
def test_wrong_code_is_caught_with_its_line(checker, tmp_path):
    text = "import emclassify\n" + "\n".join(WRONG)
    found = _check(checker, tmp_path, text)
    assert sorted(found) == list(range(2, len(WRONG) + 2))
    for line, word in enumerate(WRONG.values(), start=2):
        assert word in " ".join(found[line])


def _editor(text):
    project = jedi.Project(PACKAGE.parent, smart_sys_path=True)
    return jedi.Script(text, project=project, environment=jedi.InterpreterEnvironment())


def test_an_editor_completes_names():
    completed = _editor("import emclassify\nemclassify.Lip").complete()
    assert [c.name for c in completed] == ["LipNetClassifier"]
