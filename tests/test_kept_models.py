"""Models that earlier versions have written: they load and say what they said."""

import json
from pathlib import Path

import numpy as np
import pytest
from models.write_models import images, logits, networks

import emclassify

FOLDER = Path(__file__).parent / "models"
FILES = sorted(FOLDER.glob("*.emc"))


def test_there_are_some():
    assert len(FILES) >= 5
    assert max(path.stat().st_size for path in FILES) < 60_000


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_loads_and_says_what_it_said(path):
    card = emclassify.read_model_card(path)
    model = emclassify.load(path)
    assert card["estimator"] == type(model).__name__
    assert card["classes"] == model.classes_.tolist() == ["empty", "full"]
    said = np.array(card["card"]["scores"])
    scores = getattr(model, card["card"]["method"])(images())
    np.testing.assert_allclose(scores, said, rtol=0, atol=2e-6)
    # And it can be trained again.
    model.fit(images(), ["full", "empty"] * 4)


LAYERS = json.loads((FOLDER / "layers.json").read_text())


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_the_names_and_shapes_that_files_have(name):
    # A network whose layers were renamed would load no earlier file.
    layers = networks()[name].state_dict()
    shapes = {key: list(weight.shape) for key, weight in layers.items()}
    assert shapes == LAYERS[name]["shapes"]


@pytest.mark.parametrize("name", LAYERS)
def test_networks_compute_what_they_computed(name):
    assert np.isfinite(LAYERS[name]["logits"]).all()
    np.testing.assert_allclose(
        logits(networks()[name]), LAYERS[name]["logits"], rtol=1e-3, atol=1e-4
    )
