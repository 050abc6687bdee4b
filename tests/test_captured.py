"""A step that is captured and replayed is the step; on the CPU by a stand-in."""

import random

import numpy as np
import pytest
import torch
from recorded_steps import RecordedSteps
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from emclassify import (
    BackboneClassifier,
    CNNClassifier,
    FullyConvolutionalClassifier,
    LipNetClassifier,
    SeedEnsembleClassifier,
)
from emclassify.nets import LipNet4
from emclassify.training import (
    ImageBatches,
    ImageDataset,
    RandomAffine,
    RandomHorizontalFlip,
    _captured,
    _dihedral,
)
from emclassify.training._schedules import cosine, one_cycle

symmetry_by_symmetry = _dihedral._symmetry_by_symmetry

SETTINGS = {
    "max_epochs": 4,
    "batch_size": 16,
    "random_state": 0,
    "device": "cpu",
    "n_threads": 1,
    # Exact in float32, in which a captured step has it.
    "lr": 2**-8,
    "lr_schedule": None,
}


def make_images(n=70, side=12, dtype="u1"):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 100, (n, side, side)).astype(dtype)
    y = np.arange(n) % 3
    X[y == 1] += 60
    X[y == 2, : side // 2] += 60
    return X, y


@pytest.fixture(autouse=True)
def symmetries_as_on_a_gpu(monkeypatch):
    monkeypatch.setattr(_dihedral, "_symmetry_by_symmetry", _dihedral._pixel_by_pixel)


@pytest.fixture
def captured(monkeypatch):
    """Return a function that fits with captured steps."""

    def fit(estimator, *args, **kwargs):
        with monkeypatch.context() as patch:
            patch.setitem(_captured.RECORDERS, "cpu", RecordedSteps)
            patch.setattr(_captured, "_LEAST_STEPS", 1)
            patch.setattr(RecordedSteps, "log", [])
            fitted = getattr(estimator, kwargs.pop("method", "fit"))(*args, **kwargs)
            fit.log = RecordedSteps.log
        return fitted

    return fit


def assert_same(a, b, tolerance=0.0):
    for (name, p), q in zip(
        a.net_.module_.state_dict().items(),
        b.net_.module_.state_dict().values(),
        strict=True,
    ):
        torch.testing.assert_close(
            p, q, rtol=tolerance, atol=tolerance, msg=lambda m, name=name: f"{name} {m}"
        )
    for one, two in zip(a.history_, b.history_, strict=True):
        one, two = ({**epoch, "dur": 0} for epoch in (one, two))
        assert one.keys() == two.keys()
        assert [set(batch) for batch in one["batches"]] == [
            set(batch) for batch in two["batches"]
        ]
        for name in ("train_loss", "valid_loss", "train_accuracy"):
            if name in one:
                assert one[name] == pytest.approx(two[name], rel=tolerance + 1e-6)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"augmentation": None},
        {"augmentation": "affine"},
        {"augmentation": "affine_spline"},
        {"augmentation": [RandomAffine(10), RandomHorizontalFlip()]},
        {"early_stopping": True, "validation_fraction": 0.3},
        {"class_weight": "balanced", "loss": "focal"},
        {"label_smoothing": 0.0, "normalization": "image"},
        {"optimizer": "adam"},
        {"optimizer": "sgd", "weight_decay": 0.0},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_weights_and_history_are_those_of_the_plain_step(captured, changed):
    X, y = make_images()
    plain = LipNetClassifier(**{**SETTINGS, **changed}).fit(X, y)
    replayed = captured(LipNetClassifier(**{**SETTINGS, **changed}), X, y)
    assert replayed.net_.captured == "step captured"
    assert plain.net_.captured == ""
    assert_same(plain, replayed)


@pytest.mark.parametrize("lr_schedule", ["one_cycle", "cosine", lambda i: 0.9**i])
def test_rates_go_with_the_schedule(captured, lr_schedule):
    X, y = make_images()
    # Adam would make something of the rounding of rates to float32, where a bias has
    # no gradient.
    settings = {**SETTINGS, "lr_schedule": lr_schedule, "optimizer": "sgd"}
    plain = LipNetClassifier(**settings).fit(X, y)
    replayed = captured(LipNetClassifier(**settings), X, y)
    assert_same(plain, replayed, 1e-4)
    rates = [
        [batch["event_lr"] for epoch in clf.history_ for batch in epoch["batches"]]
        for clf in (plain, replayed)
    ]
    assert rates[0] == rates[1]


class DrawsAtTheEnd(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            torch.rand(1)


def test_an_epoch_dealt_ahead_is_dealt_anew_if_a_callback_draws(captured):
    X, y = make_images()
    settings = {**SETTINGS, "callbacks": [DrawsAtTheEnd()]}
    plain = LipNetClassifier(**settings).fit(X, y)
    replayed = captured(LipNetClassifier(**settings), X, y)
    assert replayed.net_.captured == "step captured"
    assert_same(plain, replayed)
    undisturbed = LipNetClassifier(**SETTINGS).fit(X, y)
    before, after = undisturbed.history_[1:3], plain.history_[1:3]
    assert before[0]["train_loss"] == after[0]["train_loss"]
    assert before[1]["train_loss"] != after[1]["train_loss"]


def test_each_length_of_batch_is_recorded_once(captured):
    X, y = make_images(70)
    captured(LipNetClassifier(**SETTINGS), X, y)  # five batches, of 14
    assert captured.log.count("record 1") == 1
    # One replay is compared with the step before training begins.
    assert captured.log.count("replay") == 1 + 4 * 5
    captured(LipNetClassifier(**SETTINGS), X[:68], y[:68])  # of 14 and 13
    assert captured.log.count("record 1") == 2
    assert captured.log.count("replay") == 1 + 4 * 5


def test_sample_weights_several_labels_16_bits_and_features(captured):
    X, y = make_images(dtype="u2")
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    labels = np.stack([y == 0, y > 0], 1).astype(int)
    for target in (y, labels):
        plain = LipNetClassifier(**SETTINGS).fit(X, target, sample_weight=weight)
        replayed = captured(
            LipNetClassifier(**SETTINGS), X, target, sample_weight=weight
        )
        assert replayed.net_.captured == "step captured"
        assert_same(plain, replayed)


def test_images_of_two_sizes(captured):
    X, y = make_images()
    X = [image[:10, :11] if i % 3 else image for i, image in enumerate(X)]
    settings = {k: v for k, v in SETTINGS.items() if k != "net"}
    plain = FullyConvolutionalClassifier(**settings).fit(X, y)
    replayed = captured(FullyConvolutionalClassifier(**settings), X, y)
    assert replayed.net_.captured == "step captured"
    assert_same(plain, replayed)


def test_warm_start_and_partial_fit_go_on(captured):
    X, y = make_images()
    plain = LipNetClassifier(**SETTINGS, warm_start=True).fit(X, y).fit(X, y)
    replayed = LipNetClassifier(**SETTINGS, warm_start=True)
    captured(captured(replayed, X, y), X, y)
    assert_same(plain, replayed)
    plain.partial_fit(X, y)
    captured(replayed, X, y, method="partial_fit")
    assert_same(plain, replayed)


def test_a_checkpoint_is_taken_up(captured, tmp_path):
    X, y = make_images()
    settings = {**SETTINGS, "lr_schedule": "cosine"}
    whole = captured(LipNetClassifier(**settings), X, y)

    class Killed(Exception):
        pass

    killed = LipNetClassifier(**settings, checkpoint_dir=tmp_path)
    from emclassify.training import EpochCheckpoint

    write = EpochCheckpoint.on_epoch_end

    def stop(self, net, **kwargs):
        write(self, net, **kwargs)
        if self.epochs_ == 2:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpochCheckpoint, "on_epoch_end", stop)
        with pytest.raises(Killed):
            captured(killed, X, y)
    again = captured(LipNetClassifier(**settings, checkpoint_dir=tmp_path), X, y)
    assert_same(whole, again)


def test_a_backbone_that_thaws_is_recorded_again(captured, tmp_path):
    timm = pytest.importorskip("timm")
    X, y = make_images(40, 32)
    torch.manual_seed(0)
    path = tmp_path / "weights.pth"
    torch.save(timm.create_model("test_resnet").state_dict(), path)
    settings = {**SETTINGS, "unfreeze_after": 2, "image_size": None}
    settings |= {"backbone": "test_resnet", "weights": path, "lr_schedule": "cosine"}
    plain = BackboneClassifier(**settings).fit(X, y)
    replayed = captured(BackboneClassifier(**settings), X, y)
    assert captured.log.count("record 1") == 2 * len({13, 14})
    assert_same(plain, replayed, 1e-4)


def test_members_of_an_ensemble_are_those_trained_alone(captured):
    X, y = make_images()
    settings = {**SETTINGS, "early_stopping": True, "validation_fraction": 0.3}
    settings |= {"n_iter_no_change": 1, "max_epochs": 8}
    del settings["random_state"]
    ensemble = SeedEnsembleClassifier(
        LipNetClassifier(**settings), n_members=3, random_state=1
    )
    plain = [member for member in ensemble.fit(X, y).estimators_]
    together = captured(ensemble, X, y)
    assert captured.log.count("record 3") >= 1
    lengths = [len(member.history_) for member in together.estimators_]
    assert len(set(lengths)) > 1  # one stopped while others went on
    for one, other in zip(plain, together.estimators_, strict=True):
        assert_same(one, other)
        assert one.converged_ == other.converged_


def test_members_side_by_side_warn_once_as_one_after_the_other(captured):
    X, y = make_images()
    lipnet = LipNetClassifier(**{**SETTINGS, "max_epochs": 1})
    ensemble = SeedEnsembleClassifier(lipnet, n_members=3, random_state=1)
    with pytest.warns(ConvergenceWarning, match="3 of its 3 members") as plain:
        ensemble.fit(X, y)
    with pytest.warns(ConvergenceWarning) as together:
        captured(ensemble, X, y)
    assert "record 3" in captured.log
    (plain,), (together,) = plain, together
    assert str(plain.message) == str(together.message)
    assert ensemble.converged_ is False


class SeesBatches(Callback):
    def on_batch_end(self, net, **kwargs):
        pass


class DrawsInPython(LipNet4):
    def forward(self, images):
        return super().forward(images) * random.random()


class Branches(LipNet4):
    def forward(self, images):
        return super().forward(images) * (1 if images.mean() > 0 else 2)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"callbacks": [SeesBatches()]}, "SeesBatches wants to see each batch"),
        ({"augmentation": lambda images: images + 1}, "the augmentation is not one"),
        ({"optimizer": torch.optim.RMSprop}, "RMSprop, is not a fused one"),
        ({"net": DrawsInPython}, "a replayed step is not the step"),
        ({"net": Branches}, "of RuntimeError: operation not permitted"),
    ],
    ids=["callback", "augmentation", "optimizer", "random", "branch"],
)
def test_what_cannot_be_captured_is_trained_plainly(captured, changed, reason):
    X, y = make_images()
    random.seed(0)
    plain = CNNClassifier(**{**SETTINGS, **changed}).fit(X, y)
    random.seed(0)
    replayed = captured(CNNClassifier(**{**SETTINGS, **changed}), X, y)
    assert replayed.net_.captured.startswith("not captured, because ")
    assert reason in replayed.net_.captured
    if changed.get("net") is not DrawsInPython:
        assert_same(plain, replayed)


def test_short_trainings_are_not_worth_it(captured, monkeypatch):
    X, y = make_images()
    with monkeypatch.context() as patch:
        patch.setitem(_captured.RECORDERS, "cpu", RecordedSteps)
        clf = LipNetClassifier(**SETTINGS).fit(X, y)
    assert clf.net_.captured == "not captured, because it takes 20 steps only"


def test_the_title_says_whether(captured, capsys):
    X, y = make_images()
    captured(LipNetClassifier(**SETTINGS, verbose=1), X, y)
    assert (
        "LipNetClassifier (cpu, 1 thread(s)), step captured" in capsys.readouterr().err
    )


def test_an_interrupt_ends_training_and_leaves_a_net_that_predicts(captured):
    X, y = make_images()

    class Interrupts(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    class UserInterrupts(RecordedSteps):
        def record(self, steps, states):
            raise KeyboardInterrupt

    ended = captured(LipNetClassifier(**SETTINGS, callbacks=[Interrupts()]), X, y)
    assert len(ended.history_) == 2  # by a callback: as skorch has it
    ended.predict(X)
    clf = LipNetClassifier(**SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordedSteps, "record", UserInterrupts.record)
        with pytest.raises(KeyboardInterrupt):
            captured(clf, X, y)
    clf.predict(X)


@pytest.mark.parametrize(
    ("n", "batch_size", "lengths"),
    [
        (14169, 128, [128] * 110 + [89]),
        (70, 16, [14] * 5),  # 16 would leave 6
        (72, 16, [16] * 4 + [8]),
        (20, 10, [10, 10]),  # less than a multiple of eight goes unchanged
        (7, 8, [7]),
    ],
)
def test_a_gpu_has_batches_of_multiples_of_eight(n, batch_size, lengths):
    dataset = ImageDataset(np.zeros((n, 1, 1, 1)))
    batches = ImageBatches(dataset, batch_size, shuffle=True, multiple=8)
    dealt = batches.deal()
    assert [len(index) for index in dealt] == lengths
    assert sorted(torch.cat(dealt).tolist()) == list(range(n))
    assert batches.kinds() == {(0, length) for length in lengths}
    assert len(batches) == len(lengths)


@pytest.mark.parametrize("shape", [(5, 5), (4, 6), (1, 7)])
def test_symmetries_are_the_same_either_way(shape):
    images = torch.arange(16.0 * 2 * shape[0] * shape[1]).view(16, 2, *shape)
    element = torch.arange(16) % 8
    expected = symmetry_by_symmetry(images, element)
    assert torch.equal(_dihedral._pixel_by_pixel(images, element), expected)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 111])
def test_schedules_are_torchs(n):
    def rates(scheduler, **kwargs):
        weight = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([weight], lr=1.0)
        schedule = scheduler(optimizer, **kwargs)
        for i in range(n):
            yield optimizer.param_groups[0]["lr"]
            optimizer.step()
            if i < n - 1:
                schedule.step()

    scheduler = torch.optim.lr_scheduler
    expected = rates(
        scheduler.OneCycleLR, max_lr=1.0, total_steps=n, cycle_momentum=False
    )
    assert [one_cycle(i, n) for i in range(n)] == pytest.approx(list(expected))
    expected = rates(scheduler.CosineAnnealingLR, T_max=n)
    assert [cosine(i, n) for i in range(n)] == pytest.approx(list(expected))


@pytest.mark.parametrize("seed", range(4))
def test_a_size_with_few_images_is_warmed_up_with_its_own(captured, seed):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(8, 8) if i < 50 else (6, 7)) for i in range(60)]
    y = np.arange(60) % 2
    settings = {**SETTINGS, "widths": (4,), "max_epochs": 2, "random_state": seed}
    plain = FullyConvolutionalClassifier(**settings).fit(X, y)
    replayed = captured(FullyConvolutionalClassifier(**settings), X, y)
    assert replayed.net_.captured == "step captured"
    assert_same(plain, replayed)


class Tightens(Callback):
    """Changes what a graph has taken for constant."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2:
            for group in net.optimizer_.param_groups:
                group["weight_decay"] = 50.0
        if len(net.history) == 3:
            for layer in net.module_.modules():
                if isinstance(layer, torch.nn.Dropout | torch.nn.Dropout2d):
                    layer.p = 0.9


def test_what_a_callback_changes_between_epochs_counts(captured):
    X, y = make_images()
    settings = {**SETTINGS, "callbacks": [Tightens()], "dropout_dense": 0.5}
    plain = LipNetClassifier(**settings).fit(X, y)
    replayed = captured(LipNetClassifier(**settings), X, y)
    assert replayed.net_.captured == "step captured"
    assert captured.log.count("record 1") == 3
    assert_same(plain, replayed)


def test_a_schedule_is_not_asked_beyond_the_end(captured):
    X, y = make_images()  # five batches an epoch
    factors = np.linspace(1, 0.5, 4 * 5 + 1)
    settings = {**SETTINGS, "lr_schedule": lambda i: float(factors[i])}
    settings["optimizer"] = "sgd"
    plain = LipNetClassifier(**settings).fit(X, y)
    replayed = captured(LipNetClassifier(**settings), X, y)
    assert replayed.net_.captured == "step captured"
    assert_same(plain, replayed, 1e-4)
