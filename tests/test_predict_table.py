"""predict_table: images in, one row an image out."""

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from emclassify import ResizeImages, predict_table, svm_baseline


class Brightness(ClassifierMixin, BaseEstimator):
    """Says "on" with the mean grey value as its probability."""

    def __init__(self):
        self.classes_ = np.array(["off", "on"])
        self.seen = []

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        self.seen.append(len(X))
        on = np.array([np.mean(image) for image in X])
        return np.column_stack([1 - on, on])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def greys(*values, size=3):
    return np.stack([np.full((size, size), value) for value in values])


def test_by_hand():
    table = predict_table(
        Brightness(), greys(0.9, 0.3, 0.55), names=["a", "b", "c"], abstain_below=0.6
    )
    expected = pd.DataFrame(
        {
            "name": ["a", "b", "c"],
            "label": ["on", "off", "on"],
            "probability": [0.9, 0.7, 0.55],
            "abstained": [False, False, True],
            "probability_off": [0.1, 0.7, 0.45],
            "probability_on": [0.9, 0.3, 0.55],
        }
    )
    pd.testing.assert_frame_equal(table, expected)


def test_it_never_abstains_unless_asked_and_a_bound_is_kept():
    images = greys(0.5, 0.75)
    assert not predict_table(Brightness(), images)["abstained"].any()
    table = predict_table(Brightness(), images, abstain_below=0.75)
    assert table["abstained"].tolist() == [True, False]
    assert table["name"].tolist() == [0, 1]


def test_a_few_images_at_a_time():
    model = Brightness()
    images = greys(*np.linspace(0, 1, 10))
    table = predict_table(model, images, batch_size=4)
    assert max(model.seen) == 4
    assert sum(model.seen) == 20  # labels and probabilities
    np.testing.assert_allclose(table["probability_on"], np.linspace(0, 1, 10))


def test_labels_are_what_the_model_predicts():
    X = np.arange(20.0)[:, None]
    y = np.repeat(["off", "on"], 10)
    strict = FixedThresholdClassifier(GaussianNB(), threshold=0.95, pos_label="on")
    strict.fit(X, y)
    table = predict_table(strict, X)
    np.testing.assert_array_equal(table["label"], strict.predict(X))
    doubtful = table[(table["label"] == "off") & (table["probability_on"] > 0.5)]
    assert len(doubtful)
    np.testing.assert_allclose(doubtful["probability"], doubtful["probability_off"])


@pytest.mark.parametrize("kind", ["ragged", "list", "h5py", "frame"])
def test_kinds_of_images(kind, tmp_path):
    values = [0.2, 0.6, 0.9]
    images = greys(*values)
    if kind == "ragged":
        images = np.empty(3, dtype=object)
        images[:] = [np.full((i + 2, 5), value) for i, value in enumerate(values)]
    elif kind == "list":
        images = list(images)
    elif kind == "frame":
        images = pd.DataFrame(images.reshape(3, -1)).set_index(pd.Index([7, 3, 5]))
    if kind == "h5py":
        with h5py.File(tmp_path / "images.h5", "w") as file:
            stored = file.create_dataset("images", data=images)
            table = predict_table(Brightness(), stored, batch_size=2)
    elif kind == "frame":

        class OfRows(Brightness):
            def predict_proba(self, X):
                return super().predict_proba(X.to_numpy())

        table = predict_table(OfRows(), images, batch_size=2)
    else:
        table = predict_table(Brightness(), images, batch_size=2)
    np.testing.assert_allclose(table["probability_on"], values)


def test_paths(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(100, size=(24, 8, 8), dtype=np.uint8)
    images[::2] += 100
    y = np.tile(["on", "off"], 12)
    model = make_pipeline(ResizeImages((8, 8)), svm_baseline(probability=True))
    model.fit(images, y)
    paths = [tmp_path / f"{i}.png" for i in range(24)]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    table = predict_table(model, paths, names=[path.name for path in paths])
    pd.testing.assert_frame_equal(
        table.drop(columns="name"), predict_table(model, images).drop(columns="name")
    )


def test_what_is_refused():
    images = greys(0.1, 0.9)
    with pytest.raises(ValueError, match=r"names has shape \(3,\) for 2 images"):
        predict_table(Brightness(), images, names=["a", "b", "c"])
    with pytest.raises(ValueError, match="images holds no images"):
        predict_table(Brightness(), images[:0])
    with pytest.raises(ValueError, match="LinearSVC has no predict_proba"):
        predict_table(LinearSVC(), images)
    with pytest.raises(ValueError, match="'abstain_below'"):
        predict_table(Brightness(), images, abstain_below=1.5)


def test_several_labels_an_image_are_refused():
    class Both(Brightness):
        def predict(self, X):
            return np.ones((len(X), 2), dtype=int)

    with pytest.raises(ValueError, match=r"Both predicts several labels .* \(3, 2\)"):
        predict_table(Both(), greys(0.1, 0.5, 0.9), batch_size=2)


def test_progress(capsys):
    predict_table(Brightness(), greys(0.1, 0.9), verbose=1)
    assert "Predicting: 100%" in capsys.readouterr().err
