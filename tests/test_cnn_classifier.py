"""CNNClassifier beyond what scikit-learn checks."""

import io
import pickle

import joblib
import numpy as np
import pytest
import skorch.callbacks
import torch
from image_checks import make_images
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict
from torch import nn

from emclassify.classifiers import CNNClassifier, LipNetClassifier


class Tiny(nn.Sequential):
    """A network small enough for tests, with everything that is random."""

    def __init__(self, image_shape, n_classes):
        height, width, channels = image_shape
        super().__init__(
            nn.Conv2d(channels, 4, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(4 * height * width, n_classes),
        )


def tiny(**params):
    return CNNClassifier(
        Tiny, **{"max_epochs": 3, "batch_size": 8, "random_state": 0, **params}
    )


def forty_images():
    X, y = (
        np.concatenate([make_images(4, 4, seed=s)[i] for s in (0, 1)]) for i in (0, 1)
    )
    return X[4:-4], y[4:-4]


class Watch(skorch.callbacks.Callback):
    """Remembers the validation set."""

    def on_epoch_begin(self, net, dataset_valid=None, **kwargs):
        self.valid = dataset_valid


@pytest.fixture(scope="module")
def digits():
    data = load_digits(n_class=4)
    return data.images[:300], np.array(["nil", "one", "two", "three"])[
        data.target[:300]
    ]


def test_learns_with_string_labels(digits):
    X, y = digits
    clf = LipNetClassifier(
        max_epochs=4, batch_size=32, augmentation=None, random_state=0
    )
    clf.fit(X[:200], y[:200])
    assert clf.classes_.tolist() == ["nil", "one", "three", "two"]
    assert (clf.predict(X[200:]) == y[200:]).mean() > 0.9
    proba = clf.predict_proba(X[200:])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba.shape == (100, 4)


def test_same_seed_same_network_at_any_n_jobs(digits):
    X, y = digits
    clf = LipNetClassifier(
        max_epochs=2, early_stopping=True, n_threads=1, random_state=0
    )
    one, two = (
        cross_val_predict(clf, X, y, cv=3, n_jobs=n_jobs, method="predict_proba")
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)
    other = clone(clf).set_params(random_state=1)
    assert (
        cross_val_predict(other, X, y, cv=3, n_jobs=1, method="predict_proba") != one
    ).any()


def test_joblib_copy_agrees(digits):
    X, y = digits
    clf = LipNetClassifier(max_epochs=1, random_state=0, verbose=1).fit(X, y)
    buffer = io.BytesIO()
    joblib.dump(clf, buffer)
    buffer.seek(0)
    copy = joblib.load(buffer)
    np.testing.assert_array_equal(copy.predict_proba(X), clf.predict_proba(X))


def test_order_of_rows_does_not_matter(digits):
    X, y = digits
    order = np.random.default_rng(0).permutation(len(X))
    first = tiny().fit(X, y).predict_proba(X)
    second = tiny().fit(X[order], y[order]).predict_proba(X)
    np.testing.assert_array_equal(first, second)


def test_early_stopping_restores_the_best_weights(digits):
    X, y = digits
    watch = Watch()
    clf = tiny(
        callbacks=[watch],
        max_epochs=60,
        lr=0.05,
        lr_schedule=None,
        early_stopping=True,
        n_iter_no_change=4,
    ).fit(X, y)
    losses = np.array([row["valid_loss"] for row in clf.history_])
    assert len(losses) < 60
    assert len(losses) == losses.argmin() + 1 + 4
    # What the restored network says of the validation set is the best loss seen.
    dataset = watch.valid
    logits = clf.net_.forward(dataset, training=False)
    target, weight = dataset.target, dataset.weight
    loss = nn.functional.cross_entropy(
        logits, target, reduction="none", label_smoothing=0.1
    )
    assert (loss * weight).mean().item() == pytest.approx(losses.min(), abs=1e-5)


def test_early_stopping_keeps_groups_apart():
    X, y = make_images(6, 6)
    groups = np.repeat(np.arange(8), 3)
    X = X + 1000 * groups[:, None, None]
    watch = Watch()
    clf = tiny(early_stopping=True, validation_fraction=0.25, callbacks=[watch])
    clf.fit(X, y, groups=groups)
    dataset = watch.valid
    held = dataset.stacks[0][dataset.rows].double().mean((1, 2, 3)) // 1000
    for group in held.unique().tolist():
        assert (held == group).sum() == 3
    assert set(dataset.target.tolist()) == {0, 1}


def test_early_stopping_keeps_copies_together():
    # As a random over-sampler before the network makes them.
    X, y = make_images(6, 6)
    index = np.concatenate([np.arange(24), np.repeat([20, 21, 22, 23], 6)])
    watch = Watch()
    clf = tiny(early_stopping=True, validation_fraction=0.3, callbacks=[watch])
    clf.fit(X[index], y[index])
    dataset = watch.valid
    held = dataset.stacks[0][dataset.rows].flatten(1).cpu().numpy()
    for image in np.unique(held, axis=0):
        copies = (X[index].reshape(len(index), -1) == image).all(axis=1).sum()
        assert (held == image).all(axis=1).sum() == copies


def test_class_weight_moves_the_decision():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 4, 4)), np.repeat([0, 1], [180, 20])
    X[y == 1] += 0.5
    share = {
        key: (tiny(max_epochs=10, class_weight=weight).fit(X, y).predict(X) == 1).mean()
        for key, weight in {
            "none": None,
            "balanced": "balanced",
            "dict": {0: 1, 1: 9},
        }.items()
    }
    assert share["none"] < 0.1 < share["balanced"]
    assert share["dict"] == pytest.approx(share["balanced"], abs=0.05)


def test_weight_two_is_the_sample_twice_and_zero_is_gone(digits):
    X, y = digits
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    for params in ({}, {"early_stopping": False, "class_weight": "balanced"}):
        weighted = tiny(**params).fit(X, y, sample_weight=weight)
        repeated = tiny(**params).fit(X.repeat(weight, axis=0), y.repeat(weight))
        np.testing.assert_array_equal(
            weighted.predict_proba(X), repeated.predict_proba(X)
        )


@pytest.mark.parametrize("grouped", [False, True])
def test_weight_zero_is_gone_from_the_validation_split(grouped):
    X, y = forty_images()
    weight = np.tile([0, 0, 0, 1], 10)
    there = weight > 0
    groups = np.arange(len(X)) // 2 if grouped else None
    for seed in range(3):
        clf = tiny(early_stopping=True, random_state=seed)
        clf.fit(X, y, sample_weight=weight, groups=groups)
        expected = clf.predict_proba(X)
        clf.fit(X[there], y[there], groups=groups[there] if grouped else None)
        np.testing.assert_array_equal(clf.predict_proba(X), expected)


@pytest.mark.parametrize("several", [False, True], ids=["labels", "indicator"])
def test_a_dict_need_not_name_all_classes(several):
    X, _ = forty_images()
    y = np.array(["a"] * 20 + ["b"] * 19 + ["c"])
    weight = {"c": 3.0}
    if several:
        y, weight = (y[:, None] == ["a", "b", "c"]).astype(int), {2: 3.0}
    clf = tiny(class_weight=weight, early_stopping=not several, max_epochs=1).fit(X, y)
    before = clf.predict_proba(X)
    clf.partial_fit(X[:8], y[:8])
    assert np.abs(clf.predict_proba(X) - before).max() > 0
    with pytest.raises(ValueError, match="not in class_weight"):
        clf.set_params(class_weight={"z": 3.0}).fit(X, y)


def test_fractional_weights_scale_the_loss():
    X, y = make_images(4, 4)
    X = np.concatenate([X, X])
    flipped = np.concatenate([y, 1 - y])
    weight = np.repeat([1, 0.1], len(y))
    clf = tiny(max_epochs=20).fit(X, flipped, sample_weight=weight)
    assert (clf.predict(X[: len(y)]) == y).mean() > 0.9


def test_warm_start_goes_on(digits):
    X, y = digits
    clf = tiny(warm_start=True).fit(X, y)
    net = clf.net_
    clf.fit(X, y)
    assert clf.net_ is net
    assert len(clf.history_) == 6
    # The second run had a whole cycle of its own.
    assert clf.net_.optimizer_.param_groups[0]["lr"] < 1e-4
    assert clf.history_[-1]["train_loss"] < clf.history_[2]["train_loss"]
    assert len(tiny().fit(X, y).fit(X, y).history_) == 3


def test_partial_fit_learns(digits):
    X, y = digits
    clf = tiny(lr=0.01)
    for _ in range(10):
        for start in range(0, 300, 100):
            part = slice(start, start + 100)
            clf.partial_fit(X[part], y[part], classes=np.unique(y))
    assert clf.score(X, y) > 0.9
    assert len(clf.history_) == 30
    with pytest.raises(ValueError, match="not the same as in the first call"):
        clf.partial_fit(X, y, classes=["nil", "one"])
    with pytest.raises(ValueError, match=r"not among classes_.*\['ten'\]"):
        clf.partial_fit(X[:1], ["ten"])


@pytest.mark.parametrize(
    ("params", "given"),
    [({"class_weight": {0: 0.05, 1: 0.5}}, {}), ({}, {"sample_weight": [0.05] * 8})],
    ids=["class_weight", "sample_weight"],
)
def test_weights_of_one_partial_fit_count_against_those_of_others(params, given):
    X, y = make_images(4, 4)
    clf = tiny(
        optimizer=torch.optim.SGD,
        augmentation=None,
        weight_decay=0.0,
        precision="float32",
        device="cpu",
    )
    clf.partial_fit(X, y, classes=[0, 1])
    X, y = X[y == 0][:8], y[y == 0][:8]
    start, plain, weighted = (
        clf.net_.module_.net[-1].bias.detach().clone(),
        *(
            pickle.loads(pickle.dumps(clf)).set_params(**p).partial_fit(X, y, **g)
            for p, g in (({}, {}), (params, given))
        ),
    )
    step, smaller = (
        (c.net_.module_.net[-1].bias - start).detach().numpy()
        for c in (plain, weighted)
    )
    assert np.abs(step).min() > 1e-4
    np.testing.assert_allclose(smaller, 0.05 * step, rtol=1e-2)


def test_partial_fit_refuses_what_it_cannot_know(digits):
    X, y = digits
    for weight in ("balanced", "complement"):
        with pytest.raises(ValueError, match=f'class_weight="{weight}" is not supp'):
            tiny(class_weight=weight).partial_fit(X, y, classes=np.unique(y))


def test_partial_fit_leaves_the_length_of_the_last_fit(digits):
    X, y = digits
    clf = tiny(max_epochs=2).fit(X, y).set_params(max_epochs=300)
    assert clf.partial_fit(X, y).max_epochs_ == 2
    first = tiny(max_epochs=300).partial_fit(X, y, classes=np.unique(y))
    assert not hasattr(first, "max_epochs_")


def test_augmentation_and_dropout_are_off_in_predict(digits):
    X, y = digits
    clf = LipNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), clf.predict_proba(X))


def test_augmentation_is_called_in_training_only(digits):
    X, y = digits
    seen = []

    def spy(batch):
        seen.append(len(batch))
        return batch

    clf = tiny(augmentation=[spy], max_epochs=2).fit(X, y)
    assert sum(seen) == 2 * len(X)
    clf.predict(X)
    assert sum(seen) == 2 * len(X)


def test_partial_fit_after_fit_trains_at_full_rate(digits):
    X, y = digits
    clf = tiny(lr=0.01).fit(X, y)
    assert clf.net_.optimizer_.param_groups[0]["lr"] < 1e-4
    clf.partial_fit(X, y)
    group = clf.net_.optimizer_.param_groups[0]
    assert group["lr"] == 0.01
    assert group["betas"] == (0.9, 0.999)


def test_fitted_estimator_keeps_no_training_data(digits):
    X, y = digits
    big = np.repeat(np.repeat(X, 4, axis=1), 4, axis=2)
    size = {
        stop: len(pickle.dumps(tiny(early_stopping=stop).fit(big, y)))
        for stop in (False, True)
    }
    assert abs(size[True] - size[False]) < 10_000


def test_interrupt_is_not_taken_for_the_end(digits):
    def interrupt(batch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiny(augmentation=[interrupt]).fit(*digits)


def test_callback_may_end_training(digits):
    class Enough(skorch.callbacks.Callback):
        def on_epoch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    clf = tiny(callbacks=[Enough()]).fit(*digits)
    assert len(clf.history_) == 1


def test_callbacks_get_every_epoch(digits):
    class Count(skorch.callbacks.Callback):
        epochs = 0

        def on_epoch_end(self, net, **kwargs):
            Count.epochs += 1

    tiny(callbacks=[("count", Count())]).fit(*digits)
    assert Count.epochs == 3


def test_progress_bar_says_what_it_does(digits, capsys):
    tiny(verbose=1, device="cpu").fit(*digits)
    bar = capsys.readouterr().err
    assert "CNNClassifier (cpu, 1 thread(s))" in bar
    assert "3/3" in bar
    assert "train_loss" in bar
    tiny().fit(*digits)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd", torch.optim.RMSprop])
@pytest.mark.parametrize("lr_schedule", ["one_cycle", "cosine", None])
def test_optimizers_and_schedules(digits, optimizer, lr_schedule):
    X, y = digits
    clf = tiny(optimizer=optimizer, lr_schedule=lr_schedule, lr=0.01, max_epochs=2)
    clf.fit(X, y)
    assert clf.history_[-1]["train_loss"] < clf.history_[0]["train_loss"]
    last = clf.net_.optimizer_.param_groups[0]["lr"]
    assert last == 0.01 if lr_schedule is None else last < 0.001


def test_bfloat16_agrees(digits):
    X, y = digits
    full = tiny(max_epochs=5, precision="float32").fit(X, y)
    half = tiny(max_epochs=5, precision="bfloat16").fit(X, y)
    assert half.predict_proba(X).dtype == np.float64
    assert (half.predict(X) == full.predict(X)).mean() > 0.9


def test_image_normalization_ignores_brightness(digits):
    X, y = digits
    clf = tiny(normalization="image").fit(X, y)
    np.testing.assert_allclose(
        clf.predict_proba(3 * X + 500), clf.predict_proba(X), atol=1e-4
    )


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"max_epochs": 0}, "max_epochs"),
        ({"batch_size": -1}, "batch_size"),
        ({"lr": 0}, "lr"),
        ({"lr": -1.0}, "lr"),
        ({"optimizer": "newton"}, "optimizer"),
        ({"lr_schedule": "linear"}, "lr_schedule"),
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"class_weight": "heavy"}, "class_weight"),
        ({"augmentation": "wild"}, "augmentation"),
        ({"augmentation": [3]}, "augmentation"),
        ({"normalization": None}, "normalization"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"n_iter_no_change": 0}, "n_iter_no_change"),
        ({"precision": "float8"}, "precision"),
        ({"device": "abacus"}, "device"),
        ({"n_threads": 0}, "n_threads"),
        ({"random_state": "x"}, "random_state"),
        ({"image_shape": (3, 3)}, "image_shape"),
    ],
)
def test_bad_parameters_are_named(params, word):
    X = np.zeros((4, 8))
    with pytest.raises(ValueError, match=word):
        tiny(**params).fit(X, [0, 1, 0, 1])


def test_bad_data_is_named():
    X, y = make_images(4, 4)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        tiny().fit(X, y[:-1])
    with pytest.raises(ValueError, match="y holds one class only, 'full'"):
        tiny().fit(X, np.full(len(X), "full"))
    with pytest.raises(ValueError, match="groups has 2 entries for 24 samples"):
        tiny().fit(X, y, groups=[1, 2])
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        tiny().fit(X, y, sample_weight=-np.ones(len(X)))
    with pytest.raises(ValueError, match="early_stopping"):
        tiny(early_stopping=True).fit(X, y, groups=np.zeros(len(X)))


def test_net_of_the_wrong_kind_is_named(digits):
    for bad in (lambda s, n: "no module", lambda s, n: Tiny(s, n + 1)):
        with pytest.raises(ValueError, match="net"):
            CNNClassifier(bad, max_epochs=1).fit(*digits)


def test_training_that_goes_astray_is_an_error():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 8, 8)), np.arange(40) % 2
    clf = LipNetClassifier(
        max_epochs=3, optimizer="sgd", lr=1e30, lr_schedule=None, random_state=0
    )
    with pytest.raises(ValueError, match=r"training loss is nan after epoch.*Lower lr"):
        clf.fit(X, y)
