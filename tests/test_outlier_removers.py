"""Removers of outliers; tests/sampler_checks.py has what holds for all samplers."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_validate
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emclassify import (
    EmbeddingOutlierRemover,
    IntensityOutlierRemover,
    LipNetClassifier,
    ResizeImages,
    make_cell_images,
)
from emclassify.inspection import network_embedding

REMOVERS = [
    IntensityOutlierRemover(n_std=2),
    EmbeddingOutlierRemover(contamination=0.1),
]


class AsRows(TransformerMixin, BaseEstimator):
    """An embedding: the pixels as they are."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.reshape(X, (len(X), -1))


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what it is trained on and asked about."""

    def fit(self, X, y):
        self.X_ = X
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        self.asked_ = X
        return np.full(len(X), self.classes_[0])


def removed(remover, X, y):
    remover.fit_resample(X, y)
    return np.setdiff1d(np.arange(len(X)), remover.sample_indices_).tolist()


def even_images(means, shape=(4, 4)):
    return np.asarray(means, float)[:, None, None] + np.zeros(shape)


def noise(n=60, shape=(6, 6), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, *shape)), np.arange(n) % 2


# Intensity


def test_intensity_scores_by_hand():
    means = [10, 11, 12, 13, 50, 100, 100, 100, 100, 100]
    y = ["a"] * 5 + ["b"] * 5
    remover = IntensityOutlierRemover(n_std=1.5)
    assert removed(remover, even_images(means), y) == [4]
    own = np.array(means[:5])
    expected = np.abs(own - own.mean()) / own.std(ddof=1)
    np.testing.assert_allclose(remover.outlier_scores_[:5], expected)
    np.testing.assert_array_equal(remover.outlier_scores_[5:], 0)


def test_robust_scores_by_hand():
    means = [10, 11, 12, 13, 50, 1, 1, 1, 1, 2]
    remover = IntensityOutlierRemover(robust=True)
    # Median 12, deviations 2, 1, 0, 1, 38, their median 1; the other class has none.
    assert removed(remover, even_images(means), [0] * 5 + [1] * 5) == [4, 9]
    expected = np.array([2, 1, 0, 1, 38]) / 1.4826
    np.testing.assert_allclose(remover.outlier_scores_[:5], expected)
    assert remover.outlier_scores_[9] == np.inf


def test_many_outliers_hide_themselves_unless_robust():
    rng = np.random.default_rng(0)
    means = np.concatenate([rng.normal(50, 2, 85), np.full(15, 200.0)])
    y = np.append(np.zeros(100), np.ones(5))
    X = even_images(np.append(means, [1, 2, 3, 4, 5]))
    assert removed(IntensityOutlierRemover(), X, y) == []
    found = removed(IntensityOutlierRemover(robust=True), X, y)
    assert set(range(85, 100)) <= set(found)


def test_each_class_has_a_mean_of_its_own():
    rng = np.random.default_rng(0)
    means = np.concatenate([rng.normal(50, 1, 30), rng.normal(100, 1, 30)])
    y = np.repeat(["dark", "bright"], 30)
    y[0] = "bright"
    assert 0 in removed(IntensityOutlierRemover(), even_images(means), y)


@pytest.mark.parametrize(("mask", "expected"), [("auto", []), (None, [3])])
def test_mask_is_left_out(mask, expected):
    X = np.random.default_rng(0).normal(50, 1, (24, 6, 6, 2))
    X[..., 1] = 0
    X[3, ..., 1] = 100
    remover = IntensityOutlierRemover(mask=mask)
    assert removed(remover, X, [0, 1] * 12) == expected


def test_mask_is_left_out_of_many_channels_if_asked():
    X = np.random.default_rng(0).normal(50, 1, (24, 6, 6, 3))
    X[3, ..., 2] = 200
    assert removed(IntensityOutlierRemover(), X, [0, 1] * 12) == [3]
    assert removed(IntensityOutlierRemover(mask="last"), X, [0, 1] * 12) == []


def test_images_of_different_sizes():
    X = [np.full((3 + i % 4, 5), 10.0 + i % 3) for i in range(24)]
    X[5] = X[5] + 90
    X_new, _ = IntensityOutlierRemover().fit_resample(X, [0, 1] * 12)
    assert isinstance(X_new, list)
    assert len(X_new) == 23


# Embedding


@pytest.mark.parametrize("method", ["distance", "lof", "isolation_forest"])
def test_embedding_scores_against_scikit_learn(method):
    X, y = noise()
    remover = EmbeddingOutlierRemover(
        AsRows(), method=method, n_neighbors=7, random_state=0
    )
    remover.fit_resample(X, y)
    rows = X.reshape(60, -1)
    np.testing.assert_array_equal(remover.embedded_, rows)
    centred = rows - np.stack([rows[y == c].mean(axis=0) for c in y])
    pooled = LedoitWolf(assume_centered=True).fit(centred)
    for label in (0, 1):
        own = rows[y == label]
        expected = {
            "distance": lambda label=label: np.sqrt(
                pooled.mahalanobis(centred[y == label])
            ),
            "lof": lambda own=own: (
                -LocalOutlierFactor(n_neighbors=7).fit(own).negative_outlier_factor_
            ),
            "isolation_forest": lambda own=own: (
                -IsolationForest(random_state=0).fit(own).score_samples(own)
            ),
        }[method]()
        np.testing.assert_allclose(remover.outlier_scores_[y == label], expected)


@pytest.mark.parametrize("method", ["distance", "lof", "isolation_forest"])
def test_the_far_one_goes(method):
    X, y = noise()
    X[11] += 4
    remover = EmbeddingOutlierRemover(
        AsRows(), method=method, contamination=0.04, random_state=0
    )
    assert 11 in removed(remover, X, y)


@settings(max_examples=12, deadline=None)
@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=4),
    share=st.floats(0.01, 0.5),
    method=st.sampled_from(["distance", "lof"]),
)
def test_the_strangest_of_all_go(counts, share, method):
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.random.default_rng(0).normal(size=(len(y), 3))
    remover = EmbeddingOutlierRemover(AsRows(), method=method, contamination=share)
    remover.fit_resample(X, y)
    gone = np.setdiff1d(np.arange(len(y)), remover.sample_indices_)
    scores = remover.outlier_scores_
    most = int(share * len(y) + 1e-9)
    # Ties at the threshold stay.
    assert len(gone) <= most
    assert scores[gone].min(initial=np.inf) > scores[remover.sample_indices_].max()
    tied = (scores == scores[remover.sample_indices_].max()).sum()
    assert len(gone) + tied > most


@pytest.mark.parametrize(("share", "n_gone"), [(0.29, 29), (0.289, 28), (0.07, 7)])
def test_a_share_is_not_rounded_down_in_binary_numbers(share, n_gone):
    # 0.29 * 100 is 28.999...
    X = np.random.default_rng(0).normal(size=(100, 3))
    remover = EmbeddingOutlierRemover(AsRows(), contamination=share)
    remover.fit_resample(X, np.arange(100) % 2)
    assert len(remover.sample_indices_) == 100 - n_gone


def test_default_embedding_finds_saturated_and_empty_images():
    data = make_cell_images(
        120, image_size=48, multilabel=False, dirt=0.05, random_state=0
    )
    X_new, y_new = EmbeddingOutlierRemover(contamination=0.1).fit_resample(
        data.images, data.target
    )
    remover = EmbeddingOutlierRemover(contamination=0.1)
    gone = removed(remover, data.images, data.target)
    dirty = np.flatnonzero(data.frame["dirt"] != "none")
    assert len(set(dirty) & set(gone)) >= 5
    assert len(X_new) == len(y_new) == 120 - len(gone)


@pytest.fixture(scope="module")
def network():
    X, y = noise(24, (8, 8))
    return LipNetClassifier(depth=2, max_epochs=1, random_state=0), X, y


def test_images_are_embedded_once():
    X, y = noise()
    images_seen = []

    class Counting(AsRows):
        def transform(self, X):
            images_seen.append(len(X))
            return super().transform(X)

    embedding = make_pipeline(Counting(), StandardScaler())
    remover = EmbeddingOutlierRemover(embedding)
    remover.fit_resample(X, y)
    assert images_seen == [len(X)]
    np.testing.assert_allclose(remover.embedded_, remover.embedding_.transform(X))

    frozen = FrozenEstimator(Counting().fit(X))
    remover = EmbeddingOutlierRemover(frozen)
    remover.fit_resample(X, y)
    np.testing.assert_array_equal(remover.embedded_, X.reshape(len(X), -1))


def test_embedding_of_a_network_is_what_enters_its_last_layer(network):
    model, X, y = network
    remover = EmbeddingOutlierRemover(model, contamination=0.1)
    remover.fit_resample(X, y)
    own = clone(model).fit(X, y)
    entering = network_embedding(own, X)
    np.testing.assert_allclose(remover.embedded_, entering)
    # The last layer by hand gives the network's own answer.
    last = [m for m in own.net_.module_.net.modules() if hasattr(m, "in_features")][-1]
    weight, bias = (p.detach().cpu().numpy() for p in (last.weight, last.bias))
    logits = entering @ weight.T + bias
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        odds / odds.sum(axis=1, keepdims=True), own.predict_proba(X), atol=1e-5
    )
    assert not hasattr(model, "net_")


def test_embedding_of_a_fitted_network_is_left_as_it_is(network):
    model, X, y = network
    model = make_pipeline(ResizeImages((6, 6)), clone(model)).fit(X, 1 - y)
    before = model.predict_proba(X)
    remover = EmbeddingOutlierRemover(FrozenEstimator(model), contamination=0.1)
    clone(remover).fit_resample(X, y)
    remover.fit_resample(X, y)
    np.testing.assert_array_equal(remover.embedded_, network_embedding(model, X))
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_embedding_gets_images_in_the_form_they_came(network):
    X, y = noise()
    flat = EmbeddingOutlierRemover(PCA(2, random_state=0)).fit_resample(
        X.reshape(60, 36), y
    )[0]
    assert flat.shape[1] == 36
    _, X, y = network
    cut = EmbeddingOutlierRemover(
        FrozenEstimator(clone(network[0]).fit(X, y)), image_shape=(8, 8)
    )
    whole = clone(cut).set_params(image_shape=None)
    np.testing.assert_array_equal(
        cut.fit_resample(X.reshape(24, 64), y)[0].reshape(-1, 8, 8),
        whole.fit_resample(X, y)[0],
    )


def test_unfit_embeddings_are_named():
    X, y = noise()

    class Nan(AsRows):
        def transform(self, X):
            return np.full((len(X), 2), np.nan)

    with pytest.raises(ValueError, match="embedding must give finite numbers"):
        EmbeddingOutlierRemover(Nan()).fit_resample(X, y)
    with pytest.raises(TypeError, match="embedding must have a transform"):
        EmbeddingOutlierRemover(LogisticRegression()).fit_resample(X.reshape(60, -1), y)
    with pytest.raises(ValueError, match="'embedding' parameter"):
        EmbeddingOutlierRemover("network").fit_resample(X, y)


# Both


@pytest.mark.parametrize("remover", REMOVERS, ids=lambda r: type(r).__name__)
def test_only_training_data_is_cleaned(remover):
    X, y = noise()
    X[::7] += 30
    pipeline = make_sampling_pipeline(clone(remover), Recorder())
    folds = list(KFold(3).split(X))
    fits = cross_validate(pipeline, X, y, cv=folds, return_estimator=True)["estimator"]
    for (train, test), fit in zip(folds, fits, strict=True):
        kept = train[fit[0].sample_indices_]
        assert len(kept) < len(train)
        np.testing.assert_array_equal(fit[1].X_, X[kept])
        np.testing.assert_array_equal(fit[1].asked_, X[test])


@pytest.mark.parametrize("remover", REMOVERS, ids=lambda r: type(r).__name__)
def test_no_class_to_clean(remover):
    X, y = noise()
    X_new, _ = clone(remover).set_params(sampling_strategy=[]).fit_resample(X, y)
    np.testing.assert_array_equal(X_new, X)


@pytest.mark.parametrize("remover", REMOVERS, ids=lambda r: type(r).__name__)
def test_rows_of_one_label_are_as_classes(remover):
    X, y = noise()
    X[::7] += 30
    classes = clone(remover)
    classes.fit_resample(X, y)
    matrix = np.eye(2, dtype=int)[y]
    labels = clone(remover).set_params(multilabel=True)
    _, matrix_new = labels.fit_resample(X, matrix)
    np.testing.assert_allclose(labels.outlier_scores_, classes.outlier_scores_)
    np.testing.assert_array_equal(labels.sample_indices_, classes.sample_indices_)
    np.testing.assert_array_equal(matrix_new, matrix[labels.sample_indices_])


def test_several_labels_by_hand():
    # Image 0 is bright for the first label, but not for the second.
    means = [90, *[10, 11, 12, 13] * 5, *[88, 90, 92, 94] * 5, 200]
    labels = np.zeros((42, 2), int)
    labels[:21, 0] = labels[21:41, 1] = labels[0, 1] = labels[41] = 1
    remover = IntensityOutlierRemover(multilabel=True)
    assert removed(remover, even_images(means), labels) == [41]
    # With the first label alone it goes.
    labels[0, 1] = 0
    assert removed(remover, even_images(means[:-1]), labels[:-1]) == [0]


def test_classes_of_an_earlier_call_are_forgotten():
    X, y = np.random.default_rng(0).random((12, 4, 4)), np.arange(12) % 2
    remover = IntensityOutlierRemover()
    remover.fit_resample(X, y)
    assert list(remover.sampling_strategy_) == [0, 1]
    remover.set_params(multilabel=True).fit_resample(X, np.eye(2, dtype=int)[y])
    assert not hasattr(remover, "sampling_strategy_")


def test_images_without_a_label_are_compared_with_each_other():
    means = [10.0, 11, 12] * 10 + [200]
    labels = np.zeros((31, 2), int)
    labels[:15, 0] = 1
    remover = IntensityOutlierRemover(multilabel=True)
    assert removed(remover, even_images(means), labels) == [30]


@pytest.mark.parametrize("remover", REMOVERS, ids=lambda r: type(r).__name__)
def test_several_labels_are_refused_unless_asked_for(remover):
    X, y = noise()
    matrix = np.ones((60, 3), int)
    matrix[::2, 0] = 0
    with pytest.raises(ValueError, match="Multilabel"):
        clone(remover).fit_resample(X, matrix)
    several = clone(remover).set_params(multilabel=True)
    with pytest.raises(ValueError, match="indicator matrix"):
        several.fit_resample(X, y)
    with pytest.raises(ValueError, match="sampling_strategy"):
        several.set_params(sampling_strategy=[1]).fit_resample(X, matrix)
