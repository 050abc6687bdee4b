"""skorch's scoring callbacks, and the scores of `net_`, work on our networks."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, make_scorer, roc_auc_score
from skorch.callbacks import BatchScoring, EpochScoring

from emclassify import FullyConvolutionalClassifier, LipNetClassifier


def make_images(n=60, size=8):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, size, size)), np.arange(n) % 3
    X[y == 1] += 1
    X[y == 2, :4] -= 2
    return X, y


def make_network(**params):
    settings = {"max_epochs": 2, "batch_size": 16, "lr": 0.01, "random_state": 0}
    return LipNetClassifier(**{**settings, **params})


class LabelsSeen(EpochScoring):
    """Keeps what the score was computed from."""

    def __init__(self, **params):
        super().__init__(self.keep, name="seen", **params)

    def keep(self, net, X, y):
        self.y_, self.predicted_ = y, net.predict(X)
        return accuracy_score(y, self.predicted_)


@pytest.mark.parametrize("caching", [True, False])
@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "neg_log_loss", None])
@pytest.mark.parametrize("Scoring", [EpochScoring, BatchScoring])
def test_scores_are_recorded(Scoring, scoring, caching):
    X, y = make_images()
    labels = np.array(["a", "b", "c"])[y]
    params = {"use_caching": caching, "lower_is_better": False}
    if scoring == "neg_log_loss":
        # Some batches lack a class.
        scoring = make_scorer(proba_of_first, response_method="predict_proba")
    callbacks = [
        ("on_train", Scoring(scoring, on_train=True, name="train", **params)),
        ("on_valid", Scoring(scoring, name="valid", **params)),
    ]
    network = make_network(callbacks=callbacks, early_stopping=True)
    network.set_params(validation_fraction=0.3).fit(X, labels)
    for name in ("train", "valid"):
        scores = network.history_[:, name]
        assert np.isfinite(scores).all()
        assert 0 <= min(scores) <= max(scores) <= 1


def proba_of_first(y, proba):
    assert np.allclose(proba.sum(1), 1)
    return proba[:, 0].mean()


@pytest.mark.parametrize("caching", [True, False])
def test_validation_score_is_that_of_the_validation_labels(caching):
    X, y = make_images()
    seen = LabelsSeen(use_caching=caching)
    weight = np.where(y == 0, 3.0, 1.0)
    network = make_network(callbacks=[seen], early_stopping=True, n_iter_no_change=99)
    network.fit(X, y, sample_weight=weight)
    assert seen.y_.shape == seen.predicted_.shape
    assert seen.y_.dtype.kind == "i"
    assert set(seen.y_) <= {0, 1, 2}


@pytest.mark.parametrize("sizes", [(8,), (8, 9)])
def test_scores_without_cache_are_those_of_the_classifier(sizes):
    images = [image for size in sizes for image in make_images(size=size)[0]]
    y = np.concatenate([make_images()[1] for _ in sizes])
    order = np.random.default_rng(1).permutation(len(y))
    images, y = [images[i] for i in order], y[order]
    if len(sizes) == 1:
        images = np.stack(images)
    scoring = EpochScoring("accuracy", on_train=True, use_caching=False, name="end")
    network = FullyConvolutionalClassifier(
        max_epochs=3,
        batch_size=16,
        augmentation=None,
        callbacks=[scoring],
        random_state=0,
    ).fit(images, y)
    assert network.history_[-1, "end"] == network.score(images, y)


@pytest.mark.parametrize("caching", [True, False])
def test_several_labels_an_image(caching):
    X, y = make_images()
    Y = np.stack([y == 1, y != 2, y == 0], axis=1).astype(int)
    seen = LabelsSeen(on_train=True, use_caching=caching)
    macro = make_scorer(f1_score, average="macro", zero_division=0)
    area = make_scorer(roc_auc_score, response_method="predict_proba")
    callbacks = [
        seen,
        ("macro", EpochScoring(macro, on_train=True, use_caching=caching, name="f1")),
        ("area", EpochScoring(area, on_train=True, use_caching=caching, name="area")),
    ]
    network = make_network(callbacks=callbacks, max_epochs=5).fit(X, Y)
    assert seen.y_.shape == seen.predicted_.shape == (60, 3)
    assert set(np.unique(seen.predicted_)) <= {0, 1}
    assert network.history_[-1, "f1"] == f1_score(
        seen.y_, seen.predicted_, average="macro", zero_division=0
    )
    assert 0 <= network.history_[-1, "area"] <= 1


def test_scores_and_predictions_of_net():
    X, y = make_images()
    network = make_network(max_epochs=5).fit(X, np.array(["a", "b", "c"])[y])
    assert network.net_.score(X, y) == network.score(X, np.array(["a", "b", "c"])[y])
    assert network.net_.score(X[..., None], y) == network.net_.score(X, y)
    proba = network.net_.predict_proba(X)
    np.testing.assert_allclose(proba, network.predict_proba(X), atol=1e-6)
    with pytest.raises(ValueError, match=r"must be class indices.*found 3"):
        network.net_.score(X, y + 1)
    several = make_network().fit(X, np.eye(3, dtype=int)[y])
    np.testing.assert_array_equal(several.net_.predict(X), several.predict(X))
    with pytest.raises(ValueError, match=r"must be class indices.*found 2"):
        several.net_.score(X, 2 * np.eye(3, dtype=int)[y])


def test_other_callbacks_see_batches_without_weights():
    batches = []

    class Watch(EpochScoring):
        def on_batch_begin(self, net, batch, training, **kwargs):
            batches.append(batch)

    X, y = make_images()
    watch = Watch("accuracy", on_train=True)
    # On a GPU batches have multiples of eight.
    make_network(callbacks=[watch], max_epochs=1, device="cpu").fit(X, y)
    inputs, target = batches[0]
    assert set(inputs) == {"images"}
    assert target.shape == (15,)
