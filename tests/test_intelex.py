"""The SVM baseline with scikit-learn-intelex: another machine, the same answers."""

import json
import subprocess
import sys

import pytest

pytest.importorskip(
    "sklearnex",
    reason='scikit-learn-intelex is not installed: pip install "emclassify[intel]"',
)

# In a process of its own: a patch stays with the classes that others have imported.
SCRIPT = """
import json, sys

if sys.argv[1] == "patched":
    from sklearnex import patch_sklearn
    patch_sklearn(verbose=False)

import numpy as np
from emclassify import svm_baseline
from emclassify.features import Histogram

rng = np.random.default_rng(0)
y = np.repeat(["disc", "none", "ring"], [60, 30, 10])
r = np.hypot(*(np.indices((16, 16)) - 7.5))
shapes = {"disc": r < 4, "none": r < 0, "ring": (r > 3) & (r < 6)}
X = np.stack([shapes[label] * 30.0 for label in y]) + rng.normal(100, 20, (100, 16, 16))
shown = {}
for kernel in ("rbf", "linear", "poly", "sigmoid"):
    model = svm_baseline(kernel, random_state=0).fit(X[::2], y[::2])
    shown[kernel] = model.predict(X[1::2]).tolist()
    shown["class of " + kernel] = type(model["svc"]).__module__
model = svm_baseline(probability=True, features=Histogram()).fit(X[::2], y[::2])
shown["proba"] = model.predict_proba(X[1::2]).tolist()
json.dump(shown, sys.stdout)
"""


@pytest.fixture(scope="module")
def shown():
    """What the baseline predicts in either way."""
    return {
        way: json.loads(
            subprocess.run(
                [sys.executable, "-c", SCRIPT, way],
                capture_output=True,
                text=True,
                check=True,
                timeout=300,
            ).stdout
        )
        for way in ("plain", "patched")
    }


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly", "sigmoid"])
def test_predictions_stay_the_same(shown, kernel):
    assert len(set(shown["plain"][kernel])) == 3
    assert shown["patched"][kernel] == shown["plain"][kernel]


def test_the_patch_took_effect(shown):
    assert shown["plain"]["class of rbf"].startswith("sklearn.")
    assert shown["patched"]["class of rbf"].startswith("sklearnex.")


def test_probabilities_stay_the_same(shown):
    for patched, plain in zip(
        shown["patched"]["proba"], shown["plain"]["proba"], strict=True
    ):
        assert patched == pytest.approx(plain, abs=2e-3)
