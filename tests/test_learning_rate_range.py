"""The learning-rate range test: curves known by hand, and a simple problem."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from emclassify import CNNClassifier
from emclassify.inspection import LearningRateRangeDisplay
from emclassify.preprocessing import CenterCrop


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def linear(image_shape, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(np.prod(image_shape), n_classes))


def make_images(n=80):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, 4, 4))
    X[:, :2] += y[:, None, None]
    return X, y


NET = CNNClassifier(
    linear,
    batch_size=20,
    optimizer="sgd",
    augmentation=None,
    precision="float32",
    random_state=0,
)


def test_the_loss_falls_then_rises():
    X, y = make_images()
    display = LearningRateRangeDisplay.from_estimator(
        NET, X, y, min_lr=1e-4, max_lr=1000, n_batches=150
    )
    smooth = display.smoothed_losses
    lowest = smooth.argmin()
    assert 20 < lowest < len(smooth) - 1
    assert smooth[lowest] < 0.85 * smooth[0]
    assert smooth[-1] > 1.5 * smooth[lowest]
    assert_allclose(display.suggestion, display.lrs[lowest] / 10)
    assert_allclose(display.lrs[:3], 1e-4 * 1e7 ** (np.arange(3) / 149))
    # Divergence ends it early.
    assert len(display.losses) < 150
    assert smooth[-1] > 4 * smooth[lowest]
    assert display.ax_.get_xscale() == "log"
    assert f"{display.suggestion:.2g}" in display.ax_.get_title()
    assert display.figure_ is display.ax_.figure


def test_rates_are_those_that_the_optimizer_has():
    # Gradient descent on one batch, by hand: the losses of a linear model.
    X, y = make_images(20)
    plain = clone(NET).set_params(optimizer=torch.optim.SGD, weight_decay=0.0)
    display = LearningRateRangeDisplay.from_estimator(
        plain, X, y, min_lr=0.01, max_lr=0.1, n_batches=5
    )
    rates = iter(np.geomspace(0.01, 0.1, 5))
    by_hand = clone(plain).set_params(
        lr=1.0, max_epochs=5, lr_schedule=lambda batch: 0.01 * 10 ** (batch / 4)
    )
    by_hand.fit(X, y)
    assert_allclose(display.losses, by_hand.history_[:, "train_loss"], rtol=1e-6)
    assert_allclose(display.lrs, list(rates))


def test_nothing_of_the_callers_is_changed():
    X, y = make_images()
    X.setflags(write=False)
    estimator = clone(NET).set_params(early_stopping=True, warm_start=True).fit(X, y)
    weights = estimator.net_.module_.state_dict()
    weights = {name: value.clone() for name, value in weights.items()}
    params, history = dict(estimator.get_params()), len(estimator.history_)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (
        LearningRateRangeDisplay.from_estimator(estimator, X, y, n_batches=10)
        for _ in range(2)
    )
    assert_array_equal(first.losses, second.losses)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert estimator.get_params() == params
    assert len(estimator.history_) == history
    for name, value in estimator.net_.module_.state_dict().items():
        assert torch.equal(value, weights[name])


def test_a_pipeline_and_several_labels():
    X, y = make_images(30)
    _, ax = plt.subplots()
    display = LearningRateRangeDisplay.from_estimator(
        make_pipeline(CenterCrop(2), NET), X, np.c_[y, 1 - y], n_batches=7, ax=ax
    )
    # Two batches an epoch: 20 images, then 10.
    assert display.losses.shape == display.lrs.shape == (7,)
    assert display.ax_ is ax


def test_suggestions_by_hand():
    lrs = np.geomspace(1e-4, 1, 5)
    display = LearningRateRangeDisplay(lrs, [1, 0.9, 0.5, 0.6, 2], smoothing=0.01)
    assert_allclose(display.smoothed_losses, display.losses)
    assert display.suggestion == pytest.approx(1e-3)
    still_falling = LearningRateRangeDisplay(
        lrs, [1, 0.9, 0.5, 0.2, 0.1], smoothing=0.01
    )
    assert still_falling.suggestion is None
    assert "does not rise" in still_falling.plot().ax_.get_title()
    never_falls = LearningRateRangeDisplay(lrs, [1, 1, 2, 3, 4], smoothing=0.01)
    assert never_falls.suggestion is None
    assert "does not fall" in never_falls.plot().ax_.get_title()
    # A single batch is spread to both sides alike: the curve doesn't lag.
    spread = LearningRateRangeDisplay(np.arange(1, 42), np.eye(41)[20]).smoothed_losses
    assert_allclose(spread, spread[::-1])
    assert spread.argmax() == 20
    assert spread.sum() == pytest.approx(1)


def test_a_loss_that_is_not_finite_ends_it():
    class Exploding(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(16, 2)
            self.calls = 0

        def forward(self, images):
            self.calls += self.training
            return self.layer(images.flatten(1)) / (self.calls < 8)

    X, y = make_images()
    exploding = clone(NET).set_params(net=lambda image_shape, n_classes: Exploding())
    display = LearningRateRangeDisplay.from_estimator(exploding, X, y, n_batches=50)
    assert 2 <= len(display.losses) < 8
    assert np.isfinite(display.losses).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_lr": 0.1, "max_lr": 0.1}, "min_lr must be below max_lr"),
        ({"min_lr": 0}, "'min_lr' parameter"),
        ({"n_batches": 1}, "'n_batches' parameter"),
        ({"smoothing": 0.0}, "'smoothing' parameter"),
    ],
)
def test_refused(settings, message):
    X, y = make_images(20)
    with pytest.raises(ValueError, match=message):
        LearningRateRangeDisplay.from_estimator(NET, X, y, **settings)


def test_other_estimators_are_refused():
    X, y = make_images(20)
    with pytest.raises(TypeError, match="must be a network classifier of emclassify"):
        LearningRateRangeDisplay.from_estimator(LogisticRegression(), X, y)
