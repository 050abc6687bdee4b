"""The study of off-sample images runs on simulated data and on a folder."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone, is_classifier

from emclassify import make_ion_images
from studies._kept_arrays import name_of
from studies.ions import _study as ion_study
from studies.ions._study import (
    AVERAGED,
    TORN,
    main,
    make_models,
    parse,
    read_gold_standard,
    simulate,
    simulation,
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
    assert "source, network, real images | 0.973 ± 0.020" in page
    assert "| pooled accuracy | pooled F1 | pooled precision | pooled recall |" in page
    averaged = re.search(rf"^\| {AVERAGED} \|.*$", page, re.M)[0]
    assert len(re.findall(r" \d\.\d+ \[\d\.\d+, \d\.\d+\]", averaged)) == 4
    datasets = pd.read_csv(tmp_path / "datasets.csv")
    assert datasets["images"].sum() == n_images
    assert datasets[AVERAGED].is_monotonic_increasing
    torn = pd.read_csv(tmp_path / "leak-folds.csv")
    assert set(torn["estimator"]) == set(TORN)


def test_gold_standard(gold_standard):
    data = read_gold_standard(gold_standard)
    simulated = make_ion_images(48, n_groups=4, image_size=(12, 20), random_state=0)
    assert data["X"].dtype == object
    assert sorted(data["y"]) == sorted(simulated.target)
    assert set(data["groups"]) == {f"dataset {k}" for k in range(4)}
    known = {image.tobytes() for image in simulated.images}
    assert {image.tobytes() for image in data["X"]} == known


def test_a_folder_of_another_layout(tmp_path):
    with pytest.raises(SystemExit, match=r"dataset/on\|off/ion\.png"):
        read_gold_standard(tmp_path)


def test_models_are_those_of_the_source():
    models = make_models(parse(["--out", "x"]))
    assert all(is_classifier(clone(model.estimator)) for model in models.values())
    averaged = models[AVERAGED].estimator
    assert averaged.n_members == 5
    assert sum(name.startswith("mask, ") for name in models) == 4


def test_full_is_the_size_of_the_source():
    args = parse(["--out", "x", "--full"])
    assert (args.samples, args.weights) == (23116, (7451, 15665))
    assert (args.datasets, args.folds, args.members) == (100, 10, 5)
    assert parse(["--out", "x", "--full", "--epochs", "2"]).epochs == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--folds", "1"], "--folds must be at least 2; got 1"),
        (["--samples", "40", "--datasets", "4"], "--datasets must be at least 10"),
        (["--samples", "0"], "--samples must be at least 40; got 0"),
        (["--samples", "50", "--datasets", "60"], "at least --datasets, which is 60"),
        (["--members", "0"], "--members must be at least 1; got 0"),
        (["--epochs", "0"], "--epochs must be at least 1; got 0"),
        (["--seed", "-1"], "--seed must be at least 0; got -1"),
        (["--seed", "4294967296"], "--seed must be at most"),
        (["--jobs", "0"], "--jobs must not be 0"),
    ],
)
def test_refused_arguments(wrong, message, capsys):
    with pytest.raises(SystemExit):
        parse(["--out", "x", *wrong])
    assert message in capsys.readouterr().err


def test_more_folds_than_datasets_of_a_folder(gold_standard, tmp_path):
    with pytest.raises(SystemExit, match=r"--folds must be at most 4.*got 10"):
        main(["--out", str(tmp_path), "--data", str(gold_standard)])


def test_it_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ion_study, "make_models", quick_models)
    monkeypatch.setattr(ion_study, "NET_SIZE", (14, 14))
    size = ["--out", str(tmp_path), *TINY, "--samples", "40", "--datasets", "4"]
    main([*size, "--models", "others"])
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "fits").iterdir()}
    assert len(kept) == 2 * (3 + 3)
    assert not (tmp_path / "summary.md").exists()
    main([*size, "--models", "networks", "--device", "cpu"])
    assert "macro F1" in capsys.readouterr().out
    assert len(list((tmp_path / "fits").iterdir())) == 2 * (6 + 2 + 1)
    main([*size, "--device", "cpu"])
    assert (tmp_path / "summary.md").exists()
    assert len(list((tmp_path / "fits").iterdir())) == 2 * (6 + 2 + 1)
    assert all(path.stat().st_mtime_ns == kept[path] for path in kept)


def test_wide_datasets_have_their_own_file(tmp_path):
    four = ["--datasets", "4"]
    plain, wide = (
        parse(["--out", str(tmp_path), *TINY, "--samples", "40", *four, *more])
        for more in ([], ["--wide"])
    )
    kept = [name_of("ions", make_ion_images, simulation(a)) for a in (plain, wide)]
    assert kept[0] != kept[1]
    images = [simulate(args)["X"] for args in (plain, wide)]
    assert sum(np.array_equal(*pair) for pair in zip(*images, strict=True)) < 40
    assert len(images[0]) == len(images[1]) == 40
