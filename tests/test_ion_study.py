"""The study of off-sample images runs on simulated data and on a folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone, is_classifier

from emclassify import make_ion_images
from studies.ions import _study as ion_study
from studies.ions._study import (
    AVERAGED,
    TORN,
    main,
    make_models,
    parse,
    read_gold_standard,
)

TINY = ["--folds", "2", "--members", "1", "--epochs", "1"]


@pytest.fixture(scope="module")
def gold_standard(tmp_path_factory):
    """A folder of the gold standard's layout."""
    folder = tmp_path_factory.mktemp("GS")
    data = make_ion_images(48, n_groups=4, image_size=(12, 20), random_state=0)
    rows = zip(data.groups, data.target, data.images, strict=True)
    for i, (group, target, image) in enumerate(rows):
        path = folder / f"dataset {group}" / target / f"ion{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


def quick_models(args):
    """Return the models that are quick at any size."""
    models = make_models(args)
    return {name: models[name] for name in [AVERAGED, *TORN]}


@pytest.mark.parametrize("simulated", [True, False])
def test_it_runs(simulated, gold_standard, tmp_path, monkeypatch):
    monkeypatch.setattr(ion_study, "make_models", quick_models)
    monkeypatch.setattr(ion_study, "NET_SIZE", (14, 14))
    source = ["--samples", "40", "--datasets", "4"]
    if not simulated:
        source = ["--data", str(gold_standard)]
    main(["--out", str(tmp_path), *TINY, *source])
    page = (tmp_path / "summary.md").read_text("utf-8")
    assert ("All images are simulated" in page) == simulated
    assert str(tmp_path) not in page
    assert str(gold_standard) not in page
    assert ("--data GS" in page) != simulated
    n_images = 40 if simulated else 48
    assert f"{n_images} {'simulated ' * simulated}ion images" in page
    folds = pd.read_csv(tmp_path / "folds.csv")
    assert len(folds) == 2 * (1 + len(TORN))
    datasets = pd.read_csv(tmp_path / "datasets.csv")
    assert datasets["images"].sum() == n_images
    assert datasets[AVERAGED].is_monotonic_increasing
    torn = pd.read_csv(tmp_path / "leak-folds.csv")
    assert set(torn["estimator"]) == set(TORN)


def test_gold_standard(gold_standard):
    data = read_gold_standard(gold_standard)
    simulated = make_ion_images(48, n_groups=4, image_size=(12, 20), random_state=0)
    assert data.images.dtype == object
    assert sorted(data.target) == sorted(simulated.target)
    assert set(data.groups) == {f"dataset {k}" for k in range(4)}
    order = [int(Path(name).stem.removeprefix("ion")) for name in data.filenames]
    for image, i in zip(data.images, order, strict=True):
        np.testing.assert_array_equal(image, simulated.images[i])


def test_a_folder_of_another_layout(tmp_path):
    with pytest.raises(SystemExit, match=r"dataset/on\|off/ion\.png"):
        read_gold_standard(tmp_path)


def test_models_are_those_of_the_source():
    models = make_models(parse(["--out", "x"]))
    assert all(is_classifier(clone(model)) for model in models.values())
    averaged = models[AVERAGED][-1]
    assert averaged.n_members == 5
    assert sum(name.startswith("mask, ") for name in models) == 4
