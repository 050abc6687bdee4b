"""Importing emclassify, and every public name, changes nothing in the process."""

import json
import subprocess
import sys

IMPORT_ALL = """
import importlib, pkgutil, emclassify
for room in pkgutil.iter_modules(emclassify.__path__):
    if not room.name.startswith("_"):
        module = importlib.import_module(f"emclassify.{room.name}")
        for name in module.__all__:
            getattr(module, name)
for name in emclassify.__all__:
    getattr(emclassify, name)
"""
# What others change when they are imported is theirs: they are imported before.
LIST_OTHERS = f"""
import json, sys
before = set(sys.modules)
{IMPORT_ALL}
others = [m for m in sys.modules if m not in before and m.split(".")[0] != "emclassify"]
print(json.dumps(others))
"""
COMPARE = f"""
import importlib, json, locale, logging, os, random, signal, sys, warnings
for name in json.load(sys.stdin):
    try:
        importlib.import_module(name)
    except Exception:
        pass
import joblib, matplotlib, numpy, sklearn, torch

def state():
    return {{
        "joblib's backends": sorted((k, repr(v)) for k, v in
                                    joblib.parallel.BACKENDS.items()),
        "joblib's external backends": sorted(joblib.parallel.EXTERNAL_BACKENDS),
        "warning filters": [repr(f) for f in warnings.filters],
        "showing warnings": repr(warnings.showwarning),
        "environment": dict(os.environ),
        "matplotlib": {{k: repr(v) for k, v in dict.items(matplotlib.rcParams)}},
        "numpy's errors": numpy.geterr(),
        "numpy's random state": repr(numpy.random.get_state()[1][:5]),
        "random": hash(random.getstate()),
        "torch's seed": torch.initial_seed(),
        "torch's threads": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "torch's type": repr(torch.get_default_dtype()),
        "scikit-learn": sklearn.get_config(),
        "root logger": [logging.root.level, len(logging.root.handlers)],
        "signals": [repr(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM)],
        "path": sys.path,
        "hooks": [repr(sys.excepthook), repr(sys.displayhook)],
    }}

before = json.loads(json.dumps(state(), default=repr))
{IMPORT_ALL}
after = json.loads(json.dumps(state(), default=repr))
print(json.dumps([what for what in before if before[what] != after[what]]))
"""


def run(code, **options):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_every_public_name_changes_nothing():
    others = run(LIST_OTHERS)
    assert json.loads(run(COMPARE, input=others)) == []


def test_emclassify_alone_imports_no_torch():
    assert run("import emclassify, sys; print('torch' in sys.modules)") == "False\n"
