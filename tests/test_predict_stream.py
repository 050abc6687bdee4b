"""predict_stream: one prediction for each image, in their order, a batch at a time."""

import itertools

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from emclassify import (
    FeatureExtractor,
    FullyConvolutionalClassifier,
    ResizeImages,
    ResNetClassifier,
    SeedEnsembleClassifier,
    predict_stream,
    svm_baseline,
)
from emclassify.prediction._predict_stream import score_names

RNG = np.random.default_rng(0)
X = RNG.integers(0, 100, (30, 8, 8)).astype(np.uint8)
X[15:] += 100
Y = np.repeat(["dim", "bright"], 15)


def small_cnn():
    return ResNetClassifier(n=0, m=0, max_epochs=2, random_state=0)


MODELS = {
    "network": small_cnn(),
    "in a pipeline": make_pipeline(ResizeImages((6, 6)), small_cnn()),
    "ensemble": SeedEnsembleClassifier(small_cnn(), n_members=2, random_state=0),
    "svm": svm_baseline(features=["histogram"]),
    "three classes": svm_baseline(features=["histogram"]),
    "calibrated": svm_baseline(features=["histogram"], probability=True),
    "threshold": FixedThresholdClassifier(
        make_pipeline(FeatureExtractor(["histogram"]), LogisticRegression()),
        threshold=0.9,
        pos_label="dim",
    ),
    "threshold on a network": FixedThresholdClassifier(
        small_cnn(), threshold=0.4, pos_label="dim"
    ),
    "scores only": make_pipeline(FeatureExtractor(["moments"]), RidgeClassifier()),
}


@pytest.mark.parametrize("name", MODELS)
def test_same_as_predict(name):
    y = np.repeat([3, 1, 2], 10) if name == "three classes" else Y
    model = MODELS[name].fit(X, y)
    found = list(predict_stream(model, iter(X), batch_size=7))
    assert [p.label for p in found] == model.predict(X).tolist()
    assert {p.error for p in found} == {None}
    scores = np.stack([p.scores for p in found])
    assert scores.shape == (30, len(score_names(model)))
    if hasattr(model, "predict_proba"):
        expected = model.predict_proba(X)
    else:
        expected = model.decision_function(X).reshape(30, -1)
    # Rounding depends on the length of a batch.
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_names_of_scores():
    assert score_names(MODELS["network"].fit(X, Y)) == [
        "probability_bright",
        "probability_dim",
    ]
    svm = svm_baseline(features=["histogram"])
    assert score_names(svm.fit(X, Y)) == ["score_dim"]
    assert score_names(svm.fit(X, np.repeat([3, 1, 2], 10))) == [
        "score_1",
        "score_2",
        "score_3",
    ]


def test_scores_of_pairs_of_classes_are_none_of_classes():
    model = svm_baseline(features=["histogram"])
    model.set_params(svc__decision_function_shape="ovo")
    model.fit(X, np.repeat([3, 1, 2], 10))
    (found,) = predict_stream(model, X[:1])
    assert found.label == 3
    assert found.scores.shape == (0,)
    assert score_names(model) == []


def test_a_label_without_scores():
    class Plain(type(svm_baseline())):
        def __getattribute__(self, name):
            if name in ("decision_function", "predict_proba"):
                raise AttributeError(name)
            return super().__getattribute__(name)

    model = Plain(svm_baseline(features=["histogram"]).steps).fit(X, Y)
    (found,) = predict_stream(model, X[:1])
    assert found.label == "dim"
    assert found.scores.shape == (0,)
    assert score_names(model) == []


class Camera:
    """Counts how many images were taken."""

    def __init__(self, images):
        self.images = images
        self.taken = 0

    def __iter__(self):
        for image in self.images:
            self.taken += image is not None
            yield image


def test_no_more_than_a_batch_is_held():
    model = MODELS["svm"].fit(X, Y)
    camera = Camera(itertools.cycle(X))
    stream = predict_stream(model, camera, batch_size=5)
    for n_predicted in range(1, 41):
        next(stream)
        # Five in a batch, and never one that could wait.
        assert camera.taken == -(-n_predicted // 5) * 5


def test_large_images_come_in_smaller_batches(monkeypatch):
    from emclassify.prediction import _predict_stream

    monkeypatch.setattr(_predict_stream, "_BYTES_PER_BATCH", 3 * 64)
    camera = Camera(X)
    next(predict_stream(MODELS["svm"].fit(X, Y), camera))
    assert camera.taken == 3


def test_none_means_now():
    camera = Camera([X[0], X[1], None, None, X[2], None, X[3]])
    stream = predict_stream(MODELS["svm"].fit(X, Y), camera)
    taken = [camera.taken for _ in stream]
    assert taken == [2, 2, 3, 4]


def test_images_of_different_sizes_and_types():
    cnn = FullyConvolutionalClassifier(widths=(2,), max_epochs=1, random_state=0)
    cnn.fit(X, Y)
    images = [X[0], X[1, :5], X[2].astype(float), X[3], X[4]]
    labels = [p.label for p in predict_stream(cnn, images)]
    assert labels == [cnn.predict(image[np.newaxis])[0] for image in images]


def test_a_refused_image():
    cnn = MODELS["network"].fit(X, Y)
    nan = np.full((8, 8), np.nan)
    images = [X[0].astype(float), nan, X[1].astype(float), X[2, :5], X[3]]
    found = list(predict_stream(cnn, images, on_error="skip"))
    assert [p.error is None for p in found] == [True, False, True, False, True]
    assert [p.label is None for p in found] == [False, True, False, True, False]
    assert "NaN" in found[1].error
    assert "shape (5, 8, 1)" in found[3].error
    stream = predict_stream(cnn, images)
    assert next(stream).error is None
    with pytest.raises(ValueError, match=r"Image 1 of the stream: .*NaN"):
        next(stream)


def test_number_of_a_refused_image_counts_earlier_batches():
    cnn = MODELS["network"].fit(X, Y)
    with pytest.raises(ValueError, match="Image 9 of the stream"):
        list(predict_stream(cnn, [*X[:9], X[0, :5]], batch_size=4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"on_error": "ignore"}, "on_error"),
        ({"estimator": "svm"}, "estimator"),
    ],
)
def test_bad_parameters_at_once(options, message):
    options = {"estimator": svm_baseline().fit(X, Y), "images": X, **options}
    with pytest.raises(ValueError, match=message):
        predict_stream(**options)


def test_not_fitted_or_no_classifier():
    with pytest.raises(NotFittedError):
        predict_stream(svm_baseline(), X)
    clusters = make_pipeline(FeatureExtractor(["length"]), KMeans(1)).fit(X)
    with pytest.raises(ValueError, match="must be a classifier; got a Pipeline"):
        predict_stream(clusters, X)


Y_SEVERAL = np.stack([Y == "dim", np.arange(30) % 2], axis=1).astype(int)


@pytest.mark.parametrize(
    "model",
    [small_cnn(), OneVsRestClassifier(small_cnn())],
    ids=lambda model: type(model).__name__,
)
def test_several_labels_an_image(model):
    model.fit(X, Y_SEVERAL)
    found = list(predict_stream(model, X, batch_size=30))
    np.testing.assert_array_equal([p.label for p in found], model.predict(X))
    np.testing.assert_array_equal([p.scores for p in found], model.predict_proba(X))


def test_two_labels_have_two_scores():
    model = make_pipeline(
        FeatureExtractor(["histogram"]), OneVsRestClassifier(RidgeClassifier())
    )
    model.fit(X, Y_SEVERAL)
    assert score_names(model) == ["score_0", "score_1"]
    (found,) = predict_stream(model, X[:1])
    np.testing.assert_allclose(found.scores, model.decision_function(X[:1])[0])


def test_labels_of_a_chain_are_numbered():
    model = make_pipeline(
        FeatureExtractor(["histogram"]), ClassifierChain(GaussianNB())
    )
    model.fit(X, Y_SEVERAL)
    assert score_names(model) == ["probability_0", "probability_1"]


# As many images as labels, too: the arrays of the labels look like rows then.
@pytest.mark.parametrize("n", [1, 2, 30])
def test_scores_of_each_label_by_themselves(n):
    model = make_pipeline(FeatureExtractor(["histogram"]), KNeighborsClassifier())
    model.fit(X, Y_SEVERAL)
    with pytest.raises(TypeError, match="take OneVsRestClassifier"):
        list(predict_stream(model, X[:n]))
