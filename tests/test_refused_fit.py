"""A refused fit changes nothing; names of columns are kept; threads take turns."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from devices import near
from joblib import Parallel, delayed
from skorch.callbacks import Callback

from emclassify import LipNetClassifier, ResNetClassifier


def images(n=24, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return rng.normal(size=(n, 8, 8)) + y[:, None, None], y


def fitted(**params):
    X, y = images()
    return LipNetClassifier(2, max_epochs=1, random_state=0, **params).fit(X, y)


@pytest.mark.parametrize(
    ("params", "given"),
    [
        ({}, {"sample_weight": np.full(24, -1.0)}),
        ({}, {"sample_weight": np.ones(23)}),
        ({"early_stopping": True}, {"groups": np.zeros(23)}),
        ({"early_stopping": True}, {"groups": np.zeros(24)}),
        ({"class_weight": {"no such": 1}}, {}),
        ({"callbacks": ["print_log"]}, {}),
        ({"device": "nowhere"}, {}),
    ],
)
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_refused_fit_leaves_the_network_as_it_was(params, given, warm_start):
    clf = fitted()
    X, _ = images()
    before, proba = dict(vars(clf)), clf.predict_proba(X)
    clf.set_params(**params, warm_start=warm_start)
    other = np.where(np.arange(24) % 2, "b", "a")
    with pytest.raises(ValueError):
        clf.fit(X if warm_start else X[:, :4], other, **given)
    for name, value in before.items():
        if name.endswith("_"):
            assert vars(clf)[name] is value
    clf.set_params(device="cpu", early_stopping=False, class_weight=None)
    clf.set_params(callbacks=None)
    np.testing.assert_array_equal(clf.predict_proba(X), proba)


@pytest.mark.parametrize("factor", [-0.5, np.nan, np.inf, None, "2"])
def test_a_class_weight_that_is_none_is_named(factor):
    # -0.5 was trained with, others had the learning rate blamed.
    X, y = images()
    clf = LipNetClassifier(2, max_epochs=1, class_weight={np.int64(1): factor})
    with pytest.raises(ValueError, match=r"class_weight has .* for class 1; give fin"):
        clf.fit(X, y)
    with pytest.raises(ValueError, match=r"class_weight has .* for class 1; give fin"):
        clf.partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize("given", ["x", ("log", "x"), ("log", Callback(), 1), 3])
def test_what_is_no_callback_is_named(given):
    X, y = images()
    clf = LipNetClassifier(2, max_epochs=1, callbacks=[("mine", Callback()), given])
    for fit in (clf.fit, partial(clf.partial_fit, classes=[0, 1])):
        with pytest.raises(ValueError, match=r"callbacks\[1\] is .* skorch callback"):
            fit(X, y)


def test_names_of_columns_are_kept_and_checked():
    X, y = images()
    frame = pd.DataFrame(X.reshape(24, -1)).add_prefix("px")
    clf = LipNetClassifier(2, max_epochs=1, image_shape=(8, 8), random_state=0)
    clf.fit(frame, y)
    assert clf.feature_names_in_.tolist() == list(frame.columns)
    clf.predict(frame)
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(frame[frame.columns[::-1]])


def fit_and_ask(seed):
    X, y = images(seed=seed)
    clf = ResNetClassifier(1, 1, max_epochs=2, random_state=seed)
    return clf.fit(X, y).predict_proba(X)


def test_seeds_hold_in_threads_and_the_callers_state_stays():
    torch.manual_seed(3)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    serial = [fit_and_ask(seed) for seed in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fit_and_ask, range(12)))
    np.testing.assert_array_equal(serial, found)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_a_forked_process_predicts():
    X, y = images(600)
    clf = LipNetClassifier(2, max_epochs=1, n_threads=2).fit(X, y)
    expected = clf.predict_proba(X)
    found = Parallel(n_jobs=2, backend="multiprocessing", timeout=60)(
        delayed(clf.predict_proba)(X) for _ in range(2)
    )
    # A forked process can't use the GPU that this one has used: it takes the CPU.
    np.testing.assert_allclose(found[0], expected, atol=near(1e-5, 5e-3))


def test_an_interrupted_fit_keeps_no_validation_images():
    class Stop:
        def __call__(self, batch):
            if batch > 3:
                raise KeyboardInterrupt
            return 1.0

    X, y = images(60)
    clf = LipNetClassifier(
        2, max_epochs=9, batch_size=16, early_stopping=True, random_state=0
    )
    clf.set_params(lr_schedule=Stop(), validation_fraction=0.3)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert clf.net_.train_split is None
    assert not clf.net_.callbacks
