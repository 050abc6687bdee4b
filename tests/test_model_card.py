"""What a file says of its model."""

import datetime
import json
import re
from pathlib import Path

import numpy as np
import pytest
from devices import HERE
from sklearn.pipeline import make_pipeline

import emclassify
from emclassify import (
    CNNClassifier,
    FeatureExtractor,
    FullyConvolutionalClassifier,
    ResizeImages,
    SeedEnsembleClassifier,
    read_model_card,
)
from emclassify.nets import ResNet

RNG = np.random.default_rng(0)
X = RNG.integers(0, 255, (20, 6, 6)).astype(np.uint8)
Y = np.repeat([3, 7], 10)


def small_cnn(**params):
    return FullyConvolutionalClassifier(widths=(2,), random_state=0, **params)


def test_what_is_known(tmp_path):
    cnn = small_cnn(max_epochs=2, early_stopping=True, lr=0.01)
    model = make_pipeline(ResizeImages((5, 4)), cnn).fit(X, Y)
    emclassify.save(model, tmp_path / "it.emc")
    card = read_model_card(tmp_path / "it.emc")
    assert card["format"] == "emclassify model"
    assert card["format_version"] == 1
    created = datetime.datetime.fromisoformat(card["created"])
    assert abs(datetime.datetime.now(datetime.UTC) - created).total_seconds() < 60
    assert card["versions"]["emclassify"] == emclassify.__version__
    assert {"python", "numpy", "scikit-learn", "torch"} <= set(card["versions"])
    assert card["estimator"] == "Pipeline"
    assert card["classes"] == [3, 7]
    # Of what the model takes, not of what the network gets.
    assert card["image_shape"] == [6, 6, 1]
    (training,) = card["training"]
    last = cnn.history_[-1]
    assert training["epochs"] == 2
    assert training["device"] == str(HERE)
    assert training["train_loss"] == pytest.approx(last["train_loss"])
    assert training["valid_loss"] == pytest.approx(last["valid_loss"])
    assert training["seconds"] > 0
    parameters = card["parameters"]
    assert parameters["fullyconvolutionalclassifier__lr"] == 0.01
    assert parameters["resizeimages__output_shape"] == "(5, 4)"
    assert card["card"] == {}


def test_one_record_a_network(tmp_path):
    model = SeedEnsembleClassifier(small_cnn(max_epochs=1), n_members=3).fit(X, Y)
    emclassify.save(model, tmp_path / "it.emc")
    training = read_model_card(tmp_path / "it.emc")["training"]
    assert [record["network"] for record in training] == [
        f"SeedEnsembleClassifier.estimators_[{i}]" for i in range(3)
    ]


def test_without_network_and_classes(tmp_path):
    features = FeatureExtractor(["length"]).fit(X)
    emclassify.save(features, tmp_path / "it.emc")
    card = read_model_card(tmp_path / "it.emc")
    assert card["training"] == []
    assert card["classes"] is None


def test_no_addresses_of_memory(tmp_path):
    model = CNNClassifier(ResNet, max_epochs=1).fit(X, Y)
    emclassify.save(model, tmp_path / "it.emc")
    card = read_model_card(tmp_path / "it.emc")
    assert card["parameters"]["net"] == "emclassify.nets._resnet.ResNet"
    assert not re.search("0x[0-9a-f]{6}", json.dumps(card))


def test_a_broken_card(tmp_path):
    (tmp_path / "it.emc").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="can't be loaded") as caught:
        read_model_card(tmp_path / "it.emc")
    assert str(caught.value).count("it.emc") == 1


def test_what_the_user_says(tmp_path):
    given = {
        "data": Path("micrographs"),
        "groups": np.array(["grid1", "grid2"]),
        "accuracy": np.float32(0.5),
        "counts": {"full": np.int64(3)},
        "date": datetime.date(2026, 1, 2),
        "split": ("5 folds", None),
        "größe": "µm",
    }
    features = FeatureExtractor(["length"]).fit(X)
    emclassify.save(features, tmp_path / "it.emc", card=given)
    assert read_model_card(tmp_path / "it.emc")["card"] == {
        "data": "micrographs",
        "groups": ["grid1", "grid2"],
        "accuracy": 0.5,
        "counts": {"full": 3},
        "date": "2026-01-02",
        "split": ["5 folds", None],
        "größe": "µm",
    }


@pytest.mark.parametrize(
    ("card", "error", "message"),
    [
        ({"auc": float("nan")}, ValueError, "card can't be written as JSON"),
        ({"model": FeatureExtractor()}, TypeError, "it holds FeatureExtractor()"),
        ({("a", 1): 2}, TypeError, "card"),
        ("good model", TypeError, "card must be a dict"),
    ],
    ids=["nan", "object", "key", "text"],
)
def test_what_a_card_cannot_hold(card, error, message, tmp_path):
    features = FeatureExtractor(["length"]).fit(X)
    with pytest.raises(error, match=re.escape(message)):
        emclassify.save(features, tmp_path / "it.emc", card=card)
    assert not list(tmp_path.iterdir())
