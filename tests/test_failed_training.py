"""A training that fails leaves the network as it was."""

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback

from emclassify import LipNetClassifier

RNG = np.random.default_rng(0)
Y = np.arange(60) % 2
X = RNG.normal(size=(60, 8, 8)) + Y[:, None, None]
SETTINGS = {
    "max_epochs": 3,
    "batch_size": 16,
    "random_state": 0,
    "precision": "float32",
}
# A rate so high that the loss is no longer finite.
TOO_HIGH = {"lr": 1e30, "lr_schedule": None, "optimizer": "sgd"}
SOUND = {"lr": 0.003}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_rate_that_is_too_high_leaves_what_was_there(method, warm_start):
    clf = LipNetClassifier(**SETTINGS, warm_start=warm_start, lr_schedule=None)
    clf.set_params(optimizer="sgd", **SOUND).fit(X, Y)
    before = clf.predict_proba(X)
    curve, converged = clf.learning_curve_, clf.converged_
    clf.set_params(**TOO_HIGH)
    with pytest.raises(ValueError, match=r"Lower lr \(it is 1e\+30\)"):
        getattr(clf, method)(X, Y)
    np.testing.assert_array_equal(clf.predict_proba(X), before)
    assert clf.converged_ == converged
    for name, values in curve.items():
        np.testing.assert_array_equal(clf.learning_curve_[name], values)
    # And it can be trained at a lower rate.
    getattr(clf.set_params(**SOUND), method)(X, Y)
    assert np.isfinite(clf.predict_proba(X)).all()


def test_a_first_fit_that_fails_is_none():
    clf = LipNetClassifier(**SETTINGS, **TOO_HIGH, warm_start=True)
    with pytest.raises(ValueError, match="no longer finite"):
        clf.fit(X, Y)
    with pytest.raises(NotFittedError):
        clf.predict(X)
    assert not hasattr(clf, "converged_")


class Epoch(dict):
    def __deepcopy__(self, memo):
        raise AssertionError


def test_a_short_step_after_many_does_not_copy_their_history():
    clf = LipNetClassifier(**SETTINGS).partial_fit(X, Y, classes=[0, 1])
    clf.net_.history[0] = Epoch(clf.net_.history[0])
    assert len(clf.partial_fit(X, Y).history_) == 2
    clf.set_params(**TOO_HIGH)
    with pytest.raises(ValueError, match="no longer finite"):
        clf.partial_fit(X, Y)
    assert len(clf.history_) == 2


class Interrupts(Callback):
    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 5:
            self.stop()

    def stop(self):
        interrupt()


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_a_user_interrupts_has_no_verdict():
    clf = LipNetClassifier(**SETTINGS, warm_start=True).fit(X, Y)
    with pytest.raises(KeyboardInterrupt):
        clf.set_params(callbacks=[Interrupts()]).fit(X, Y)
    assert len(clf.history_) == 5
    assert not hasattr(clf, "converged_")
    assert torch.isfinite(torch.from_numpy(clf.predict_proba(X))).all()
