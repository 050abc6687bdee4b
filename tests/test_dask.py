"""The Dask backend of joblib: what it spreads, and a worker that dies."""

import os
import signal
import threading
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager
from uuid import uuid4

import joblib
import numpy as np
import pytest
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_validate,
)
from skorch.callbacks import Callback

from emclassify import (
    FeatureExtractor,
    LipNetClassifier,
    benchmark_classifiers,
    make_liposomes,
    svm_baseline,
)
from emclassify.model_selection import dask_backend

distributed = pytest.importorskip(
    "distributed", reason='Dask is not installed: pip install "emclassify[dask]"'
)
FOLDS = StratifiedKFold(5)


@contextmanager
def two_workers():
    """A cluster of two processes with one thread each."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2, timeout=60)
        yield client


@pytest.fixture(scope="module")
def client():
    """A cluster that loses nobody."""
    with two_workers() as client:
        yield client


@pytest.fixture
def mortal():
    """A cluster to kill workers of: it may stay short of one."""
    with two_workers() as client:
        yield client


@pytest.fixture
def dask(client):
    """Make Dask the backend of all that runs here."""
    with joblib.parallel_config(backend=dask_backend()):
        yield client


@pytest.fixture(scope="module")
def data():
    """Squares in noise: 300 images, so that a fold's indices are scattered too."""
    rng = np.random.default_rng(0)
    y = np.tile(["none", "square"], 150)
    X = rng.normal(size=(300, 12, 12))
    X[y == "square", 3:9, 3:9] += 0.7
    return X, y


class Note(Callback):
    """Leaves a file with the worker's number behind each training."""

    def __init__(self, folder):
        self.folder = folder

    def on_train_end(self, net, **kwargs):
        unfinished = self.folder / f"{uuid4().hex}.part"
        unfinished.write_text(str(os.getpid()))
        unfinished.rename(unfinished.with_suffix(".done"))


class KillHolders(threading.Thread):
    """Kills the workers that hold an array, once there are any."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client = client
        self.pids = client.run(os.getpid)
        self.killed = []

    def run(self):
        for _ in range(3000):
            held = self.client.has_what()
            holders = [
                worker
                for worker, keys in held.items()
                if any(str(key).startswith("ndarray-") for key in keys)
            ]
            if holders:
                self.killed = [self.pids[worker] for worker in holders]
                for pid in self.killed:
                    os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.01)


class KillOne(threading.Thread):
    """Kills the first worker that has trained, as soon as it has."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder = folder
        self.killed, self.trained = None, None

    def run(self):
        for _ in range(30_000):
            done = list(self.folder.glob("*.done"))
            if done:
                self.trained, self.killed = len(done), int(done[0].read_text())
                os.kill(self.killed, signal.SIGKILL)
                return
            time.sleep(0.01)


def lipnet(**parameters):
    return LipNetClassifier(
        depth=2,
        max_epochs=1,
        batch_size=32,
        n_threads=1,
        random_state=0,
        **parameters,
    )


def benchmark(data, model):
    models = {"LipNet-2": model, "SVM": svm_baseline(features=["histogram"])}
    return benchmark_classifiers(
        models, *data, cv=FOLDS, n_bootstrap=50, random_state=0
    )


def search(data, model):
    return GridSearchCV(model, {"lr": [0.001, 0.01]}, cv=FOLDS).fit(*data)


def assert_same_benchmark(one, other):
    for name in one.names:
        np.testing.assert_array_equal(
            one.class_scores(name)[0], other.class_scores(name)[0]
        )
    assert one.summary().equals(other.summary())


def assert_same_search(one, other, X):
    for key in one.cv_results_:
        if key.endswith("test_score"):
            np.testing.assert_array_equal(one.cv_results_[key], other.cv_results_[key])
    assert one.best_params_ == other.best_params_
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


@pytest.fixture(scope="module")
def serial(data):
    return {
        "benchmark": benchmark(data, lipnet()),
        "network": search(data, lipnet()),
    }


def test_benchmark_equals_a_serial_run(data, serial, dask):
    assert_same_benchmark(benchmark(data, lipnet()), serial["benchmark"])


def test_grid_search_of_a_network_equals_a_serial_run(data, serial, dask):
    assert_same_search(search(data, lipnet()), serial["network"], data[0])


def test_grid_search_of_the_svm_equals_a_serial_run(data, client):
    model = GridSearchCV(
        svm_baseline(features=["histogram"]), {"svc__C": [0.1, 10]}, cv=FOLDS
    )
    serial = model.fit(*data).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend=dask_backend()):
        spread = model.fit(*data).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(spread, serial)


def test_the_folds_run_on_both_workers(data, dask, tmp_path):
    pids = set(dask.run(os.getpid).values())
    scores = cross_validate(lipnet(callbacks=[Note(tmp_path)]), *data, cv=FOLDS)
    assert np.isfinite(scores["test_score"]).all()
    used = [int(file.read_text()) for file in tmp_path.glob("*.done")]
    assert len(used) == 5
    assert set(used) == pids


def test_features_within_a_fold_are_spread_too(data, client):
    # A fold of 2,400 images of 12 x 12 pixels is two chunks: its worker shares them.
    X, y = np.tile(data[0], (16, 1, 1)), np.tile(data[1], 16)
    model = svm_baseline("linear", features=["histogram"])
    groups = np.repeat(np.arange(16), 300)

    def scores():
        return cross_validate(model, X, y, groups=groups, cv=GroupKFold(2))

    serial, features = scores(), FeatureExtractor(["histogram"]).fit_transform(X)
    with joblib.parallel_config(backend=dask_backend()):
        spread = scores()
        again = FeatureExtractor(["histogram"]).fit_transform(X)
    np.testing.assert_array_equal(spread["test_score"], serial["test_score"])
    np.testing.assert_array_equal(again, features)


def test_simulated_images_do_not_depend_on_the_backend(dask):
    spread = make_liposomes(60, image_size=32, random_state=0)
    with joblib.parallel_config(backend="threading"):
        here = make_liposomes(60, image_size=32, random_state=0)
    np.testing.assert_array_equal(spread.images, here.images)


@pytest.mark.parametrize(
    "task", [pytest.param("benchmark", marks=pytest.mark.slow), "search"]
)
def test_no_fold_is_lost_with_a_worker(data, serial, mortal, tmp_path, task):
    killer = KillOne(tmp_path)
    killer.start()
    model = lipnet(callbacks=[Note(tmp_path)])
    with joblib.parallel_config(backend=dask_backend()):
        if task == "benchmark":
            assert_same_benchmark(benchmark(data, model), serial["benchmark"])
        else:
            assert_same_search(search(data, model), serial["network"], data[0])
    killer.join(60)
    assert killer.trained < 5
    finished_by = {int(file.read_text()) for file in tmp_path.glob("*.done")}
    assert finished_by - {killer.killed, os.getpid()}
    assert killer.killed not in mortal.run(os.getpid).values()


def slow_sum(array, number):
    time.sleep(0.3)
    return float(array.sum()) + number


@pytest.fixture
def sum_twelve_times(mortal):
    """Return a function that sums an array in tasks while its holders are killed."""

    def run(backend):
        killer = KillHolders(mortal)
        killer.start()
        array = np.ones(10_000)
        with joblib.parallel_config(backend=backend):
            sums = joblib.Parallel()(
                joblib.delayed(slow_sum)(array, number) for number in range(12)
            )
        killer.join(60)
        assert killer.killed
        return sums

    return run


def test_data_outlive_their_worker(sum_twelve_times):
    expected = [10_000.0 + number for number in range(12)]
    assert sum_twelve_times(dask_backend()) == expected


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_joblibs_own_backend_loses_data(sum_twelve_times):
    # The fault that dask_backend mends. If this fails, joblib has mended it: then
    # dask_backend has no use any more. Slow, as joblib can also wait for ever here.
    with pytest.raises((CancelledError, pytest.fail.Exception)):
        sum_twelve_times("dask")


def test_dask_backend_leaves_the_process_alone(client):
    before = dict(joblib.parallel.BACKENDS)
    dask_backend()
    assert before == joblib.parallel.BACKENDS


def test_without_a_client_it_says_what_to_do(monkeypatch):
    def nobody():
        raise ValueError("no global client found")

    monkeypatch.setattr("joblib._dask.get_client", nobody)
    with pytest.raises(ValueError, match="first create a Dask Client"):
        dask_backend()
