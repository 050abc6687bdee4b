"""Models that earlier versions have written: they load and say what they said."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from models.write_models import images, logits, networks
from packaging.version import Version
from sklearn.exceptions import InconsistentVersionWarning
from test_model_file import unzipped, with_tree

import emclassify

sklearn_version = Version(version("scikit-learn"))
torch_version = version("torch").partition("+")[0]
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
    written = card["versions"]["scikit-learn"]
    if path.name.startswith("svm") and Version(written) > sklearn_version:
        pytest.skip(
            f"scikit-learn {sklearn_version} does not know the parameters of the newer "
            "one that wrote the SVM: it predicts, and is not trained again"
        )
    # And it can be trained again.
    model.fit(images(), ["full", "empty"] * 4)


def test_a_parameter_that_came_later_has_its_default(tmp_path):
    members = unzipped(FOLDER / "fully_convolutional.v1.emc")
    tree = json.loads(members["estimator.json"])
    del tree["state"]["label_smoothing"]
    model = emclassify.load(with_tree(tmp_path / "it", members, tree))
    assert model.label_smoothing == 0.1
    model.fit(images(), ["full", "empty"] * 4)


def test_another_version_of_scikit_learn(tmp_path):
    members = unzipped(FOLDER / "svm.v1.emc")
    text = members["estimator.json"].decode()
    tree = json.loads(
        re.sub(r'"_sklearn_version":\s*"[^"]*"', '"_sklearn_version":"1.0"', text)
    )
    path = with_tree(tmp_path / "it", members, tree)
    # Warnings are errors here: it stays what it is.
    with pytest.raises(InconsistentVersionWarning, match=r"version 1\.0"):
        emclassify.load(path)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_what_cannot_be_loaded_says_which_versions_wrote_it(tmp_path):
    members = unzipped(FOLDER / "svm.v1.emc")
    tree = json.loads(
        members["estimator.json"].decode().replace("StandardScaler", "FutureScaler")
    )
    card = json.loads(members["card.json"])
    card["versions"] |= {"scikit-learn": "9.9.1", "torch": f"{torch_version}+cu130"}
    members["card.json"] = json.dumps(card).encode()
    path = with_tree(tmp_path / "it", members, tree)
    here = rf"scikit-learn 9\.9\.1 \(here {re.escape(version('scikit-learn'))}\)"
    with pytest.raises(ValueError, match=rf"FutureScaler.*written with.*{here}") as e:
        emclassify.load(path)
    assert "torch" not in str(e.value)
    # A card without them is refused as before.
    del card["versions"]
    members["card.json"] = json.dumps(card).encode()
    path = with_tree(tmp_path / "it", members, tree)
    with pytest.raises(ValueError, match="FutureScaler") as e:
        emclassify.load(path)
    assert "written with" not in str(e.value)


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
