"""Options of the command line that would have no effect are refused, or told."""

import numpy as np
import pandas as pd
import pytest
import tifffile
from image_files import write_classes
from PIL import Image

import emclassify
from emclassify import svm_baseline
from emclassify.cli import main
from emclassify.persistence import save


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Images in folders of classes, tables of them, and a model without a card."""
    monkeypatch.chdir(tmp_path)
    names = write_classes(tmp_path / "images")
    table = pd.DataFrame({"file": names, "label": [n.split("/")[0] for n in names]})
    table["grid"] = [f"g{i // 4}" for i in range(len(names))]
    table.to_csv("labels.csv", index=False)
    said = table.assign(probability_bright=0.25, probability_dim=0.75)
    said.to_csv("said.csv", index=False)
    X = np.random.default_rng(1).integers(0, 100, (20, 12, 12))
    X[1::2] += 100
    save(svm_baseline(probability=True).fit(X, np.tile([*"ab"], 10)), "m.emc")
    return tmp_path


TRAIN = ["train", "images", "--quiet", "--out", "it.emc"]
BENCHMARK = ["benchmark", "images", "--quiet", "--models", "svm,svm-linear"]
LABEL = ["label", "images", "--quiet"]
PREDICT = ["predict", "m.emc", "images", "--out", "t.csv"]
REVIEW = ["review", "said.csv", "images", "--quiet"]
UNLABELLED = ["review", "m.emc", "images", "--unlabelled", "--quiet"]
PARTICLES = ["particles", "images/dim", "--quiet", "--star", "p.csv", "--box", "4"]


@pytest.mark.parametrize(
    ("argv", "option", "words"),
    [
        # As they stand by default, too.
        ([*TRAIN, "--model", "svm"], "--epochs auto", "on svm: it is for networks"),
        ([*TRAIN, "--model", "svm-backbone"], "--epochs 5", "on svm-backbone: it is"),
        (
            [*TRAIN, "--model", "svm"],
            "--image-size 32",
            "on svm: it is for networks th",
        ),
        (
            [*TRAIN, "--model", "ensemble:fully-convolutional"],
            "--image-size 8",
            "on ensemble:fully-convolutional: it is for networks that take one size",
        ),
        ([*TRAIN, "--model", "svm", "--cv", "2"], "--time-limit 5", "on svm: it is fo"),
        (TRAIN, "--no-group-pages", "is of files of several images: give --page all"),
        (
            [*TRAIN, "--labels", "labels.csv", "--group-column", "grid"],
            "--no-group-pages --page all",
            "has no effect: groups are those of the column grid. Leave it or --group-c",
        ),
        (TRAIN, "--file-column file", "file is a column of a table: give --labels"),
        (TRAIN, "--jobs 1", "needs folds: give --cv too."),
        (BENCHMARK, "--epochs 3", "has no effect on svm, svm-linear: it is for netwo"),
        (BENCHMARK, "--image-size 8", "has no effect on svm, svm-linear: it is for n"),
        (BENCHMARK, "--time-limit 4", "has no effect on svm, svm-linear: it is for n"),
        (BENCHMARK, "--samples 1500", "is of simulated images; those of images are"),
        (["benchmark", "--quiet"], "--on-error raise", "needs a FOLDER; without one"),
        (LABEL, "--epochs 3", "has no effect on svm: it is for networks that are tra"),
        (LABEL, "--image-size 8", "has no effect on svm: it is for networks that"),
        (LABEL, "--port 0", "is of a server: give --serve too."),
        (PREDICT, "--interval 1", "is of a watch: give --watch too."),
        (PREDICT, "--pixel-size 2", "has no effect: the card of m.emc has no pixel s"),
        (REVIEW, "--cv 5", "is of folds, and said.csv is a table of what a model has"),
        (REVIEW, "--seed 0", "is of folds, and said.csv is a table of what a model h"),
        (REVIEW, "--jobs 1", "is of folds, and said.csv is a table of what a model h"),
        (UNLABELLED, "--cv 5", "is of folds, and there are no labels to judge out of"),
        (UNLABELLED, "--labels labels.csv", "--unlabelled has no effect with --"),
        (
            [*PARTICLES, "--model", "m.emc", "--out", "o.csv"],
            "--label-column label",
            "has no effect with --model, which says the labels.",
        ),
        (
            [*PARTICLES, "--out", "o"],
            "--micrograph-column name",
            "has no column 'name' (--micrograph-column); it has x, y, label.",
        ),
    ],
)
def test_what_has_no_effect_is_refused(place, capsys, argv, option, words):
    pd.DataFrame({"x": [6], "y": [6], "label": "a"}).to_csv("p.csv", index=False)
    before = sorted(place.rglob("*"))
    assert main([*argv, *option.split()]) == 2
    said = capsys.readouterr().err
    assert said.startswith("emclassify: ")
    assert said.count("\n") == 1
    assert option.split()[0] in said
    assert words in said
    assert sorted(place.rglob("*")) == before


def test_a_column_of_csv_is_of_no_other_table(place, capsys):
    mask = np.zeros((12, 12), np.uint8)
    mask[3:6, 3:6] = 1
    tifffile.imwrite("00.tif", mask)
    argv = [*PARTICLES[:3], "--star", "00.tif", "--micrograph-column", "name"]
    assert main([*argv, "--out", "o"]) == 2
    said = capsys.readouterr().err
    assert (
        "--micrograph-column name is a column of CSV tables, and particles is" in said
    )
    assert "label masks" in said


def test_an_svm_reads_the_size_where_images_differ_in_it(place):
    Image.new("L", (20, 20)).save("images/dim/large.png")
    argv = ["--model", "svm", "--image-size", "9"]
    assert main([*TRAIN, *argv]) == 0
    assert emclassify.load("it.emc")[0].output_shape == (9, 9)


def test_what_concerns_some_models_only_is_told(place, capsys):
    argv = ["benchmark", "images", "--models", "svm,fully-convolutional,lipnet4"]
    argv += ["--epochs", "1", "--image-size", "8", "--cv", "2", "--jobs", "1"]
    assert main(argv) == 0
    said = capsys.readouterr().err
    assert "emclassify: --epochs doesn't concern svm.\n" in said
    assert (
        "emclassify: --image-size doesn't concern svm, fully-convolutional.\n" in said
    )


def test_a_seed_may_be_given_to_all_models(place, capsys):
    argv = ["train", "images", "--out", "it.emc", "--model", "svm", "--seed", "3"]
    assert main(argv) == 0
    said = capsys.readouterr().err
    assert "emclassify: --seed doesn't concern svm.\n" in said
    assert main([*argv, "--cv", "2", "--jobs", "1"]) == 0
    assert "concern" not in capsys.readouterr().err


def test_particles_without_a_label_are_given_one(place):
    image = np.random.default_rng(0).integers(0, 200, (40, 40)).astype(np.uint8)
    Image.fromarray(image).save("grid.png")
    table = pd.DataFrame({"micrograph": "grid.png", "x": [10, 20], "y": [10, 20]})
    table.assign(label=["a", ""]).to_csv("p.csv", index=False)
    argv = ["particles", "grid.png", "--star", "p.csv", "--box", "12", "--quiet"]
    assert main([*argv, "--model", "m.emc", "--out", "o.csv"]) == 0
    assert len(pd.read_csv("o.csv")["emclassifyLabel"].dropna()) == 2
