"""Wrong input of the command line: what one reads names options and files."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emclassify.cli import main

# Words of Python and of libraries, which nobody has typed who reads them.
PYTHON = re.compile(
    r"\by\b|\bNone\b|n_splits|n_samples|\b[a-z]+_[a-z]+=|labels is|np\."
    r"|1 files|1 images|1 epochs|C error|Traceback|corrections\["
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of images with tables of labels, each wrong in one way."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = []
    for folder in ("flat", "two/dim", "two/bright", "one/only"):
        (tmp_path / folder).mkdir(parents=True)
    for i in range(12):
        label = ["dim", "bright"][i % 2]
        image = rng.integers(0, 100, (12, 12)) + 100 * (i % 2)
        image = Image.fromarray(image.astype(np.uint8))
        for folder in ("flat", f"two/{label}", "one/only"):
            image.save(tmp_path / folder / f"{i:02d}.png")
        rows.append({"file": f"{i:02d}.png", "label": label, "grid": f"g{i // 4}"})
    table = pd.DataFrame(rows)
    tables = {
        "ok": table,
        "one": table.assign(label="dim"),
        "twice": pd.concat([table, table.iloc[:1]]),
        "rare": table.assign(label=["rare", *table["label"][1:]]),
        "own": table.assign(label=table["file"]),
        "group": table.assign(grid="g"),
        "torn": table.assign(grid=table["label"]),
        "none": table.iloc[:0],
    }
    for name, frame in tables.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "junk.csv").write_bytes(b"a\nb\n1,2,3\n")
    (tmp_path / "short.csv").write_text("file,label,grid\n00.png,dim,g\n01.png,dim\n")
    (tmp_path / "empty").mkdir()
    return tmp_path


def said(argv, capsys):
    """Return the one line that a command with a wrong input ends with."""
    try:
        status = main(argv)
    except SystemExit as stop:
        status = stop.code
    lines = capsys.readouterr().err.strip().splitlines()
    assert status == 2, lines
    assert not PYTHON.search(lines[-1]), lines[-1]
    assert len([line for line in lines if line.startswith("emclassify")]) == 1, lines
    return lines[-1]


SVM = ["--model", "svm", "--quiet", "--out", "m.emc"]
GRID = ["--group-column", "grid", "--cv", "2"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["one"], "one holds one class only, 'only': a model needs two."),
        (["flat"], "or give --labels labels.csv, a table"),
        (["flat", "--labels", "one.csv"], "one.csv has one label only, 'dim'"),
        (["flat", "--labels", "twice.csv"], "twice.csv lists 1 file more than once"),
        (["flat", "--labels", "none.csv"], "none.csv lists no images: it has no rows"),
        (["flat", "--labels", "junk.csv"], "junk.csv cannot be read as a CSV table"),
        (
            ["flat", "--labels", "short.csv"],
            "short.csv cannot be read as a CSV table: l",
        ),
        (["flat", "--labels", "rare.csv", "--cv", "2"], "Class 'rare' has one image"),
        (["flat", "--labels", "own.csv", "--cv", "2"], "Is --label-column the column"),
        (["flat", "--labels", "ok.csv", "--cv", "9"], "--cv 9 is more folds than any"),
        (["flat", "--labels", "group.csv", *GRID], "groups in the column grid: 1."),
        (["flat", "--labels", "torn.csv", *GRID], "'bright' lies in one of the groups"),
        (["two", "--group-column", "grid"], "--group-column grid is a column of a tab"),
        (["two", "--file-column", "name"], "--file-column name is a column of a table"),
        (["two", "--seed", "-1"], "--seed: '-1' is no whole number from 0 to"),
        (
            ["flat", "--labels", "ok.csv", "--out", "ok.csv"],
            "--out ok.csv is a file th",
        ),
    ],
)
def test_train(place, capsys, argv, words):
    assert words in said(["train", *SVM, *argv], capsys)
    assert not (place / "m.emc").exists()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["benchmark", "one", "--models", "svm", "--quiet"], "'only': a model needs"),
        (["benchmark", "--page", "1"], "--page needs a FOLDER"),
        (["benchmark", "--no-group-pages"], "--no-group-pages needs a FOLDER"),
        (["benchmark", "two", "--samples", "9"], "--samples is of simulated images"),
        (["benchmark", "--weights", "1,2"], "--weights takes 3 numbers"),
        (["benchmark", "--weights", "0,0,0"], "--weights: '0,0,0': shares are finite"),
        (["benchmark", "--models", ","], "--models: ',' names no model"),
        (["benchmark", "--samples", "1", "--quiet"], "--samples 1 gives images of one"),
        (["predict", "m.emc", "two", "--out", "m.emc"], "--out m.emc is a file that"),
        (["predict", "m.emc", "nowhere", "--out", "t.csv"], "y: nowhere is not a fold"),
        (["predict", "m.emc", "two", "--rescale", "--out", "t.csv"], "card of m.emc"),
        (["review", "junk.csv", "flat", "--quiet"], "junk.csv cannot be read as a CSV"),
        (
            ["review", "short.csv", "flat", "--quiet"],
            "line 3 has 2 cells and the header 3: '01.png,dim'. Give each row as many",
        ),
        (["review", "m.emc", "empty"], "empty holds no images"),
        (
            ["review", "m.emc", "flat", "--labels", "twice.csv"],
            "twice.csv lists 1 file more than once, first '00.png' in rows 1 and 13",
        ),
        (
            ["review", "m.emc", "flat", "--labels", "group.csv", "--quiet", *GRID],
            "All images that have a label are of one group, 'g'",
        ),
        (["label", "flat", "--quiet"], "There is no class to choose from: give --clas"),
        (["label", "flat", "--classes", "a", "--quiet"], "There is one class to choo"),
        (
            ["label", "flat", "--classes", "a,b", "--port", "99999999"],
            "--port: '99999999' is no whole number from 0 to 65535",
        ),
        (["particles", "nowhere", "--star", "ok.csv", "--out", "o"], "y: nowhere: no"),
        (["particles", "flat", "--star", "ok.csv", "--out", "two"], "--out two is not"),
        (["particles", "flat", "--star", "ok.csv", "--out", "ok.csv"], "ok.csv is a f"),
        (
            ["particles", "flat", "--star", "x", "--model", "m.emc", "--out", "o"],
            "--out o: with --model, a .star or .csv file.",
        ),
    ],
)
def test_other_commands(place, capsys, argv, words):
    if argv[0] == "benchmark":
        # Without it, the command says first which model is not on this machine.
        argv = [*argv, "--quiet"]
    if "m.emc" in argv:
        assert main(["train", "two", *SVM]) == 0
        before = (place / "m.emc").read_bytes()
        capsys.readouterr()
    assert words in said(argv, capsys)
    if "m.emc" in argv:
        assert (place / "m.emc").read_bytes() == before


def test_corrections_are_named(place, capsys):
    argv = ["label", "flat", "--classes", "a,b", "--number", "2", "--quiet"]
    assert main(argv) == 0
    capsys.readouterr()
    assert "ok.csv lacks the column" in said([*argv, "--corrections", "ok.csv"], capsys)
    assert "junk.csv cannot be" in said([*argv, "--corrections", "junk.csv"], capsys)


def test_parameters_of_a_model_are_given_by_set(place, capsys):
    argv = ["train", "two", "--quiet", "--image-size", "8", "--out", "m.emc"]
    message = said([*argv, "--set", "lipnet4.device=foo"], capsys)
    assert "--set lipnet4.device=foo is no device" in message
    message = said([*argv, "--set", "lipnet4.lr=1e30", "--epochs", "5"], capsys)
    assert "Lower --set MODEL.lr (it is " in message
    assert "--set MODEL.precision=float32" in message


@pytest.mark.filterwarnings("default:Fold")
def test_a_rare_class_may_be_let_be(place, capsys):
    argv = ["--labels", "rare.csv", "--cv", "2", "--on-missing-class", "warn"]
    argv += ["--jobs", "1"]
    assert main(["train", "flat", *SVM, *argv]) == 0
    assert "populated class in y" not in capsys.readouterr().err
