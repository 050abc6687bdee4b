"""A benchmark that was stopped goes on; and it looks for copies."""

import importlib
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from emclassify import benchmark_classifiers


class CountingNB(GaussianNB):
    """Counts its fits, and fails after a number of them."""

    fits = 0
    most = np.inf

    def fit(self, X, y):
        type(self).fits += 1
        if self.fits > self.most:
            raise KeyboardInterrupt
        return super().fit(X, y)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    return rng.normal(size=(80, 4)) + y[:, None], y


@pytest.fixture(autouse=True)
def count(monkeypatch):
    monkeypatch.setattr(CountingNB, "fits", 0)
    monkeypatch.setattr(CountingNB, "most", np.inf)


def run(X, y, folder, **settings):
    models = {"NB": CountingNB(), "majority": DummyClassifier()}
    settings = {"cv": 4, "random_state": 0, "cache_dir": folder, **settings}
    return benchmark_classifiers(models, X, y, **settings)


def test_goes_on_with_the_folds_that_are_missing(data, tmp_path, monkeypatch):
    X, y = data
    monkeypatch.setattr(CountingNB, "most", 2)
    with pytest.raises(KeyboardInterrupt):
        run(X, y, tmp_path)
    monkeypatch.setattr(CountingNB, "most", np.inf)
    CountingNB.fits = 0
    result = run(X, y, tmp_path, scoring="roc_auc")
    assert CountingNB.fits == 4  # other scores: none of the folds before serves
    CountingNB.fits = 0
    again = run(X, y, tmp_path)
    assert CountingNB.fits == 2
    columns = ["fold", "accuracy", "F1_macro"]
    plain = run(X, y, None)
    assert plain.to_frame()[columns].equals(again.to_frame()[columns])
    assert_array_equal(
        result.to_frame()["F1_macro"].to_numpy(), again.to_frame()["F1_macro"]
    )
    CountingNB.fits = 0
    kept = run(X, y, tmp_path)
    assert CountingNB.fits == 0
    assert kept.to_frame().equals(again.to_frame())  # times of fits too
    assert str(kept) == str(again)


@pytest.mark.parametrize("change", ["X", "y", "params", "folds"])
def test_what_has_changed_is_run_again(data, tmp_path, change):
    X, y = data
    run(X, y, tmp_path)
    CountingNB.fits = 0
    models = {"NB": CountingNB()}
    cv = 4
    if change == "X":
        X = X + 1e-9
    elif change == "y":
        y = np.where(np.arange(80) == 3, 1, y)
    elif change == "params":
        models = {"NB": CountingNB(var_smoothing=1e-3)}
    else:
        cv = 5
    settings = {"cv": cv, "random_state": 0, "cache_dir": tmp_path}
    benchmark_classifiers(models, X, y, **settings)
    assert CountingNB.fits == cv


def test_errors_by_name(data, tmp_path):
    X, y = data
    with pytest.raises(ValueError, match="return_estimators: cache_dir keeps no"):
        run(X, y, tmp_path, return_estimators=True)
    models = {"odd": make_pipeline(FunctionTransformer(lambda X: X), GaussianNB())}
    with pytest.raises(ValueError, match="cache_dir can't tell Pipeline"):
        benchmark_classifiers(models, X, y, cache_dir=tmp_path)
    run(X, y, tmp_path)
    file = next(tmp_path.glob("*.npz"))
    file.write_bytes(b"not a zip")
    with pytest.raises(ValueError, match=f"{file.name}, which is damaged"):
        run(X, y, tmp_path)


# --- what stands behind names ---------------------------------------------------------

MODULE = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB

FITS = []


def score(estimator, X, y):
    return 0.5


def grow(X):
    return np.asarray(X) * 1.0


class Own(GaussianNB):
    def fit(self, X, y):
        FITS.append(len(X))
        return super().fit(X, y)


class Reader(ClassifierMixin, BaseEstimator):
    def __init__(self, weights=None):
        self.weights = weights

    def fit(self, X, y):
        FITS.append(len(X))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that writes a module of one's own and imports it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(tmp_path)

    def make(old="", new=""):
        (tmp_path / "own_model.py").write_text(MODULE.replace(old, new), "utf-8")
        sys.modules.pop("own_model", None)
        importlib.invalidate_caches()
        return importlib.import_module("own_model")

    yield make
    sys.modules.pop("own_model", None)


@pytest.mark.parametrize(
    ("old", "new"),
    [("return 0.5", "return 0.6"), ("* 1.0", "* 2.0"), ("FITS.append", "FITS.extend")],
    ids=["scorer", "step", "class"],
)
def test_edited_source_is_run_again(data, tmp_path, module, old, new):
    X, y = data

    def run_own(own):
        own.Own.fit.__globals__["FITS"].clear()
        model = make_pipeline(FunctionTransformer(own.grow), own.Own())
        settings = {"cv": 4, "random_state": 0, "cache_dir": tmp_path / "kept"}
        settings |= {"scoring": own.score, "n_bootstrap": 10, "audit": False}
        return benchmark_classifiers({"own": model}, X, y, **settings), len(own.FITS)

    assert run_own(module())[1] == 4
    assert run_own(module())[1] == 0
    assert run_own(module("class Own", "# a remark\nclass Own"))[1] == 0
    if new == "FITS.extend":
        new = "FITS.append(1) or FITS.append"
    result, n_fits = run_own(module(old, new))
    assert n_fits >= 4
    if "0.6" in new:
        assert (result.to_frame()["score"] == 0.6).all()


@pytest.mark.parametrize("what", ["image", "weights"])
def test_rewritten_files_are_run_again(tmp_path, module, what):
    paths = [tmp_path / f"{i}.bin" for i in range(12)]
    weights = tmp_path / "weights.bin"
    for path in [*paths, weights]:
        path.write_bytes(b"first")
    y = np.arange(12) % 2
    own = module()

    def run_own():
        own.FITS.clear()
        benchmark_classifiers(
            {"own": own.Reader(weights=str(weights))},
            [str(path) for path in paths],
            y,
            cv=3,
            random_state=0,
            cache_dir=tmp_path / "kept",
            n_bootstrap=10,
            audit=False,
        )
        return len(own.FITS)

    assert run_own() == 3
    assert run_own() == 0
    (paths[5] if what == "image" else weights).write_bytes(b"later")
    assert run_own() == 3
    assert run_own() == 0


# --- copies ---------------------------------------------------------------------------


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 16, 16))
    X[31] = np.rot90(X[2])
    return X, np.arange(40) % 2


def flat(model):
    return make_pipeline(FunctionTransformer(_in_rows), model)


def _in_rows(images):
    return images.reshape(-1, 256)


def test_copies_are_a_warning_and_in_the_report(images, tmp_path):
    X, y = images
    models = {"NB": flat(GaussianNB())}
    with pytest.warns(UserWarning, match="In 2 of 4 folds, test images have copies"):
        result = benchmark_classifiers(models, X, y, cv=4, random_state=0)
    assert result.audit.pairs[["first", "second"]].to_numpy().tolist() == [[2, 31]]
    html = result.to_html(tmp_path / "report.html").read_text("utf-8")
    assert "Copies of images are on both sides of folds" in html
    assert "sample 2 and sample 31: equal, rotated by 270°" in html
    assert html.count('<figure class="pair">') == 1


def test_no_copies_no_warning_and_rows_are_not_looked_at(images, tmp_path):
    X, y = images
    models = {"NB": flat(GaussianNB())}
    X = np.delete(X, 31, axis=0)
    result = benchmark_classifiers(models, X, y[:39], cv=4, random_state=0)
    assert result.audit.clean
    html = result.to_html(tmp_path / "report.html").read_text("utf-8")
    assert "No pairs of images that show the same." in html
    assert "both sides of folds" not in html
    rows = benchmark_classifiers(
        {"NB": GaussianNB()}, X.reshape(39, -1), y[:39], cv=4, random_state=0
    )
    assert rows.audit is None
    off = benchmark_classifiers(models, images[0], y, cv=4, random_state=0, audit=False)
    assert off.audit is None
