"""What comes in, through the doors that are functions; estimators: test_common.py."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from emclassify import benchmark_classifiers, pool_predictions
from emclassify._incoming import plain_images, plain_labels
from emclassify.features import BasicImageFeatures
from emclassify.model_selection import (
    ClassThresholdClassifierCV,
    MultilabelStratifiedGroupKFold,
    audit_split,
    check_folds,
    find_duplicates,
    transfer_matrix,
)
from emclassify.readers._stored_images import take_rows

N = 24


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.arange(N) % 2
    X = rng.normal(size=(N, 16, 16)) + 3 * y[:, None, None]
    X[20] = np.rot90(X[3])
    return X, y


MODEL = make_pipeline(BasicImageFeatures(), GaussianNB())
SHUFFLED = KFold(3, shuffle=True, random_state=0)


def stored(X, folder):
    """Return the images as an h5py dataset and a zarr array."""
    h5py, zarr = pytest.importorskip("h5py"), pytest.importorskip("zarr")
    file = h5py.File(folder / "images.h5", "a")
    data = file["X"] if "X" in file else file.create_dataset("X", data=X)
    return data, zarr.create_array({}, data=X)


def unsorted_folds():
    order = np.random.default_rng(1).permutation(N)
    return [
        (np.r_[order[8:], order[9:12]], order[:8]),  # some samples twice
        (order[:16], order[16:]),
        (np.r_[order[:8], order[16:]], order[8:16]),
    ]


@pytest.mark.filterwarnings("ignore:.*test images have copies:UserWarning")
@pytest.mark.parametrize("which", [0, 1], ids=["h5py", "zarr"])
def test_stored_arrays_in_benchmarks_with_unsorted_folds(data, tmp_path, which):
    X, y = data
    Z = stored(X, tmp_path)[which]
    settings = {"cv": unsorted_folds(), "n_bootstrap": 10, "random_state": 0}
    expected = benchmark_classifiers({"m": MODEL}, X, y, **settings)
    found = benchmark_classifiers({"m": MODEL}, Z, y, **settings)
    assert found.out_of_fold("m").equals(expected.out_of_fold("m"))
    assert found.audit.pairs.equals(expected.audit.pairs)
    assert found.to_html(tmp_path / "report.html").exists()


@pytest.mark.parametrize("which", [0, 1], ids=["h5py", "zarr"])
@pytest.mark.parametrize("groups", [None, np.arange(N) // 2])
def test_stored_arrays_in_audit_split(data, tmp_path, which, groups):
    X, y = data
    Z = stored(X, tmp_path)[which]
    for labels in (None, y):
        found = audit_split(Z, y=labels, groups=groups, cv=3)
        expected = audit_split(X, y=labels, groups=groups, cv=3)
        assert found.pairs.equals(expected.pairs)
        assert found.folds.equals(expected.folds)
    assert find_duplicates(Z).equals(find_duplicates(X))


@pytest.mark.parametrize("which", [0, 1], ids=["h5py", "zarr"])
def test_stored_arrays_in_thresholds_and_transfer(data, tmp_path, which):
    X, y = data
    Z = stored(X, tmp_path)[which]
    tuned = [
        ClassThresholdClassifierCV(MODEL, cv=SHUFFLED).fit(images, y)
        for images in (X, Z)
    ]
    np.testing.assert_array_equal(tuned[0].thresholds_, tuned[1].thresholds_)
    tables = [
        transfer_matrix(MODEL, {"a": (images, y), "b": (X, y)}, cv=SHUFFLED).matrix()
        for images in (X, Z)
    ]
    assert tables[0].equals(tables[1])


def test_rows_in_any_order(data, tmp_path):
    X, _ = data
    for Z in stored(X, tmp_path):
        for rows in ([5, 2, 2, 9], [3, 4, 5], [7], np.arange(N) % 3 == 0):
            rows = np.asarray(rows)
            np.testing.assert_array_equal(take_rows(Z, rows), X[rows])
        assert take_rows(Z, np.array([], dtype=int)).shape == (0, 16, 16)


CONTAINERS = {
    "tensor": torch.tensor,
    "requires_grad": lambda X: torch.tensor(X, requires_grad=True),
    "list of tensors": lambda X: list(torch.tensor(X)),
    "masked": lambda X: np.ma.masked_array(X, mask=False),
    "column": lambda X: pd.Series(list(X), index=np.arange(len(X)) + 4),
    "backwards axis": lambda X: X[..., None][..., ::-1],
}


@pytest.mark.filterwarnings("ignore:.*test images have copies:UserWarning")
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_containers_in_functions(data, container):
    X, y = data
    Z = container(X)
    settings = {"cv": SHUFFLED, "n_bootstrap": 10, "random_state": 0}
    expected = benchmark_classifiers({"m": MODEL}, X, y, **settings)
    found = benchmark_classifiers({"m": MODEL}, Z, y, **settings)
    assert found.out_of_fold("m").equals(expected.out_of_fold("m"))
    assert found.audit.pairs.equals(expected.audit.pairs)
    assert audit_split(Z, y=y, cv=3).pairs.equals(audit_split(X, y=y, cv=3).pairs)
    matrices = [
        transfer_matrix(MODEL, {"a": (images, y)}, cv=3).matrix() for images in (X, Z)
    ]
    assert matrices[0].equals(matrices[1])


DOORS = {
    "benchmark": lambda X, y: benchmark_classifiers({"m": MODEL}, X, y, cv=3),
    "audit": lambda X, y: audit_split(X, y=y, cv=3),
    "transfer": lambda X, y: transfer_matrix(MODEL, {"a": (X, y)}, cv=3),
    "threshold": lambda X, y: ClassThresholdClassifierCV(MODEL, cv=3).fit(X, y),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_what_is_refused_by_name(data, door):
    X, y = data
    masked = np.ma.masked_array(X, mask=np.arange(X.size).reshape(X.shape) == 5)
    for strange, message in (
        ((image for image in X), "X is a generator"),
        (iter(X), "X is a iterator|X is a generator|X is an? .*iterator"),
        ({"images": X}, "X is a dict of 'images'"),
        (masked, "X is a masked array, 1 of its 6144"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            door(strange, y)
    words = np.array(["a", "b"], dtype=object)[y]
    for blank in (None, np.nan, pd.NA):
        words[7] = blank
        for labels in (words, words.tolist(), pd.Series(words, dtype="string")):
            with pytest.raises(ValueError, match="y has no label for sample 7"):
                door(X, labels)


def test_labels_of_functions_that_take_no_images():
    words = np.array(["a", "b"] * 6, dtype=object)
    words[7] = None
    with pytest.raises(ValueError, match="no label for sample 7"):
        check_folds(words, KFold(3).split(words))
    indicator = pd.DataFrame({"a": [1, 0] * 6, "b": [0, 1] * 6}, dtype="Int64")
    folds = list(MultilabelStratifiedGroupKFold(3).split(indicator, indicator))
    assert len(check_folds(indicator, folds)) == 3
    indicator.iloc[4, 1] = pd.NA
    with pytest.raises(ValueError, match=r"sample 4 \(1 of 12 samples\): a cell is"):
        list(MultilabelStratifiedGroupKFold(3).split(indicator, indicator))


def test_pooled_predictions():
    proba = np.array([[0.9, 0.1], [0.5, 0.5], [0.25, 0.75]])
    expected = pool_predictions(proba, [0, 0, 2])
    for given in (
        torch.tensor(proba, requires_grad=True),
        torch.tensor(proba).bfloat16(),
        np.ma.masked_array(proba, mask=False),
    ):
        found = pool_predictions(given, torch.tensor([0, 0, 2]))
        np.testing.assert_allclose(found, expected, atol=0.01)
    with pytest.raises(ValueError, match="proba is a masked array, 1 of its 6"):
        pool_predictions(np.ma.masked_greater(proba, 0.8), [0, 0, 2])
    with pytest.raises((TypeError, ValueError), match="proba"):
        pool_predictions((row for row in proba), [0, 0, 2])


class ReadsPaths(ClassifierMixin, BaseEstimator):
    """Knows the names it was fitted on."""

    def fit(self, X, y):
        assert all(isinstance(path, str) for path in X)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.array([int(str(path)[-1]) for path in X])


def test_columns_of_paths():
    table = pd.DataFrame({"path": [f"image{i % 2}" for i in range(12)]})
    table["label"] = pd.array(np.arange(12) % 2, dtype="Int64")
    for dtype in (object, "string", "category"):
        paths = table["path"].astype(dtype)
        result = benchmark_classifiers(
            {"m": ReadsPaths()},
            paths,
            table["label"],
            cv=3,
            audit=False,
            n_bootstrap=10,
        )
        assert result.overview()["accuracy"].tolist() == [1]
        paths.iloc[5] = None
        with pytest.raises(ValueError, match=r"X has no path at place 5"):
            benchmark_classifiers({"m": ReadsPaths()}, paths, table["label"], cv=3)


def test_plain_things_stay_as_they_are():
    rows = np.zeros((3, 4))
    frame = pd.DataFrame(rows)
    for X in (rows, frame, rows.tolist(), ["a.tif", "b.tif"], None, 3.0):
        assert plain_images(X) is X
    with pytest.raises(TypeError, match="X is the path of one file; pass a list"):
        plain_images("a.tif")
    with pytest.raises(TypeError, match="X is a TensorDataset of torch"):
        plain_images(torch.utils.data.TensorDataset(torch.zeros(3, 2)))
    with pytest.raises(TypeError, match="X is a tensor that is no plain array"):
        plain_images(torch.zeros(3, 2).to_sparse())


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (pd.Series([True, False]).astype("category"), [True, False]),
        (pd.Series([3, 1], dtype="category"), [3, 1]),
        (pd.array(["a", "b"], dtype="string"), ["a", "b"]),
        (pd.array([1.5, 2.0], dtype="Float64"), [1.5, 2.0]),
        (torch.tensor([1, 0]), [1, 0]),
        (np.ma.masked_array([1, 0], mask=False), [1, 0]),
        (["", " "], ["", " "]),
        (pd.DataFrame({"a": [True, False], "b": [1, 0]}), [[True, 1], [False, 0]]),
    ],
)
def test_plain_labels(y, expected):
    found = plain_labels(y)
    assert type(found) is np.ndarray
    assert found.tolist() == expected


def test_array_api_dispatch():
    # Its own process: SciPy reads the variable when it is imported.
    code = """
import numpy as np, sklearn, torch
from emclassify import LipNetClassifier, svm_baseline
X = torch.tensor(np.random.default_rng(0).normal(size=(24, 12, 12)), requires_grad=True)
y = torch.arange(24) % 2
net = LipNetClassifier(max_epochs=1, random_state=0)
# The labels of SVC are scikit-learn's matter.
for model, labels in ((net, y), (svm_baseline(), y.numpy())):
    expected = model.fit(X.detach().numpy(), y.numpy()).predict(X.detach().numpy())
    with sklearn.config_context(array_api_dispatch=True):
        found = model.fit(X, labels).predict(X)
    assert (np.asarray(found) == expected).all()
"""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=True,
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        timeout=300,
    )
