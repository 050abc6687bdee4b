"""What editors and type checkers see of the package."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from setuptools import Distribution

import emclassify

PACKAGE = Path(emclassify.__file__).parent
ROOMS = sorted(
    p.name
    for p in PACKAGE.iterdir()
    if (p / "__init__.py").exists() or p.suffix == ".py"
)
STUBS = sorted(PACKAGE.rglob("__init__.pyi"))

README = (PACKAGE.parent / "README.md").read_text("utf-8")
RIGHT = {
    "readme": re.search(r"```python\n(.*?)```", README, re.DOTALL)[1],
    "inputs": """
from pathlib import Path
import numpy as np
import pandas as pd
from sklearn.svm import SVC
from sklearn.pipeline import make_pipeline
from emclassify import (
    FeatureExtractor, ResizeImages, load, make_liposomes, per_class_scores, save,
)
data = make_liposomes(600, image_size=28, weights=[0.6, 0.3, 0.1], random_state=0)
paths = list(Path("images").glob("*.png"))
ResizeImages((32, 32)).fit(paths).transform(paths)
FeatureExtractor(mask="otsu").fit([np.zeros((8, 8)), np.zeros((9, 9))]).transform(paths)
FeatureExtractor().fit(pd.Series(["a.png"]))
save(make_pipeline(FeatureExtractor(), SVC()), Path("model.emc"))
load("model.emc").predict(data.images)
per_class_scores([0, 1], [1, 1]).to_csv("scores.csv")
""",
    "scikit-learn": """
import numpy as np
from imblearn.pipeline import Pipeline
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import (
    GridSearchCV, GroupKFold, StratifiedKFold, cross_validate, train_test_split,
)
from emclassify import (
    ImageSMOTE, LipNetClassifier, RejectClassifierCV, audit_split,
    benchmark_classifiers, make_liposomes, per_class_scorers, svm_baseline,
    transfer_matrix,
)
data = make_liposomes(600, image_size=28, random_state=0)
net = LipNetClassifier(depth=4, random_state=np.random.RandomState(0))
search = GridSearchCV(
    svm_baseline(),
    {"svc__C": [1.0, 10.0]},
    cv=GroupKFold(3),
    scoring=per_class_scorers([0, 1, 2]),
    refit=False,
)
search.fit(data.images, data.target, groups=data.groups)
found = GridSearchCV(net, {"depth": [3, 4]}, cv=3).fit(data.images, data.target)
found.best_estimator_.predict(data.images)
both = Pipeline([("more", ImageSMOTE(random_state=0)), ("net", net)])
both.fit(data.images, data.target).predict_proba(data.images)
scores = cross_validate(
    both,
    data.images,
    data.target,
    groups=data.groups,
    cv=GroupKFold(3),
    scoring=per_class_scorers([0, 1, 2]),
)
scores["test_F1_macro"].mean()
X, X_test, y, y_test = train_test_split(data.images, data.target, random_state=0)
print(net.fit(X, y).score(X_test, y_test), net.predict_proba(X_test).shape)
reject = RejectClassifierCV(net, max_error=0.05, cv=GroupKFold(4)).fit(X, y, groups=y)
reject.accepts(X_test).mean()
result = benchmark_classifiers(
    [("net", net), ("search", found), ("calibrated", CalibratedClassifierCV(net))],
    X,
    y,
    cv=StratifiedKFold(5),
    scoring={"kappa": "matthews_corrcoef"},
)
result.compare().to_csv("compare.csv")
result.plot().figure_.savefig("benchmark.png")
folds = list(GroupKFold(3).split(X, y, y))
audit_split(X, groups=y, cv=folds).plot()
transfer_matrix(net, {"thin": (X, y), "thick": data}, cv=3).matrix("F1_macro").round()
""",
}
# A line of wrong code, and the word that the complaint names.
WRONG = {
    "emclassify.LipNetClassifier(max_epoch=3)": "max_epoch",
    'emclassify.LipNetClassifier(depth="four")': "four",
    'emclassify.benchmark_classifiers({}, [], [], cv="five")': "five",
    'emclassify.FeatureExtractor(mask="best")': "best",
    'emclassify.ResizeImages(output_shape="large")': "large",
    'emclassify.save("model.emc", emclassify.svm_baseline())': "model.emc",
    "emclassify.LipNetClasifier()": "LipNetClasifier",
}
# Behind a decorator of scikit-learn, which one of the checkers doesn't follow.
WRONG_BEHIND_A_DECORATOR = {"emclassify.make_liposomes(n=3)": '"n"'}


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


@pytest.mark.parametrize("room", ROOMS)
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
    aliases = [
        alias
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    # Without "as", an import in a stub is private to editors.
    assert [a.name for a in aliases if a.asname != a.name] == []
    assert sorted(room.__all__) == sorted(listed)
    assert sorted(listed) == sorted(alias.name for alias in aliases)
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
@pytest.mark.parametrize("code", RIGHT)
def test_right_code_passes(code, checker, tmp_path):
    assert _check(checker, tmp_path, RIGHT[code]) == {}


@pytest.mark.parametrize("checker", CHECKERS)
def test_wrong_code_is_caught_with_its_line(checker, tmp_path):
    wrong = WRONG | (WRONG_BEHIND_A_DECORATOR if checker == "basedpyright" else {})
    found = _check(checker, tmp_path, "import emclassify\n" + "\n".join(wrong))
    assert sorted(found) == list(range(2, len(wrong) + 2))
    for line, word in enumerate(wrong.values(), start=2):
        assert word in " ".join(found[line])


EDITOR = """
import json, sys
import jedi

def ask(text, what):
    project = jedi.Project(sys.argv[1], smart_sys_path=True)
    environment = jedi.InterpreterEnvironment()
    script = jedi.Script(text, project=project, environment=environment)
    if what == "names":
        return [completion.name for completion in script.complete()]
    return [signature.to_string() for signature in script.get_signatures()]

print(json.dumps([ask(*question) for question in json.load(sys.stdin)]))
"""


def _ask_editor(questions):
    """Return what jedi answers, in a process that no test has touched."""
    ran = subprocess.run(
        [sys.executable, "-c", EDITOR, str(PACKAGE.parent)],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout)


COMPLETED = {
    "import emclassify\nemclassify.Lip": "LipNetClassifier",
    "from emclassify import Lip": "LipNetClassifier",
    "import emclassify\nemclassify.datasets.make_lip": "make_liposomes",
    "from emclassify.metrics import per_class_scorer": "per_class_scorers",
    "from emclassify import benchmark_classifiers\n"
    "result = benchmark_classifiers({}, [], [])\nresult.to_h": "to_html",
    "import emclassify\nresult = emclassify.transfer_matrix(1, {})\nresult.plo": "plot",
    "from emclassify import FeatureExtractor\n"
    "FeatureExtractor().fit([]).get_feature_n": "get_feature_names_out",
    # Behind a decorator that checks parameters.
    "import emclassify\nemclassify.svm_baseline().named_st": "named_steps",
}
SIGNATURES = {
    "emclassify.svm_baseline": "svm_baseline(kernel: ",
    "emclassify.benchmark_classifiers": "benchmark_classifiers(estimators: ",
    "emclassify.FeatureExtractor": "FeatureExtractor(families: ",
    "emclassify.FeatureExtractor().fit": "(X: ImagesLike, ",
}


def _check_names(completed):
    answers = _ask_editor([(code, "names") for code in completed])
    for name, answer in zip(completed.values(), answers, strict=True):
        assert name in answer


def _check_signatures(signatures):
    questions = [
        (f"import emclassify\n{called}(", "signature") for called in signatures
    ]
    answers = _ask_editor(questions)
    for shown, (answer,) in zip(signatures.values(), answers, strict=True):
        assert shown in answer


def test_an_editor_completes_names():
    _check_names(COMPLETED)


def test_an_editor_shows_signatures():
    _check_signatures(SIGNATURES)


@pytest.mark.slow  # the editor reads much of torch first
def test_an_editor_knows_networks():
    code = "import emclassify\nemclassify.LipNetClassifier().fit([], []).predict_p"
    _check_names({code: "predict_proba"})
    _check_signatures(
        {"emclassify.LipNetClassifier": "LipNetClassifier(depth: int=4, "}
    )


def test_stubs_and_the_marker_are_in_the_wheel(monkeypatch):
    monkeypatch.chdir(PACKAGE.parent)
    distribution = Distribution()
    distribution.parse_config_files(["setup.cfg"])
    build = distribution.get_command_obj("build_py")
    build.ensure_finalized()
    packed = {
        Path(source, name) for _, source, _, names in build.data_files for name in names
    }
    wanted = {stub.relative_to(PACKAGE.parent) for stub in STUBS}
    assert packed >= wanted | {Path("emclassify/py.typed")}
