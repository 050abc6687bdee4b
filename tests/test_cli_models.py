"""The commands that make, use and show models in files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from image_files import write_classes
from PIL import Image

import emclassify
from emclassify import load_image_folder, predict_folder, svm_baseline
from emclassify.cli import main

# A child of a background job has SIGINT ignored, unless it sets the handler.
CHILD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from emclassify.cli import main
exit(main())
"""
QUICK = ["--epochs", "1", "--image-size", "8", "--quiet"]
ONE = ["--jobs", "1"]


@pytest.fixture
def folder(tmp_path):
    """Two classes of images in folders, and a table with groups."""
    folder = tmp_path / "images"
    rows = [
        [name, name.partition("/")[0], f"grid{i // 4}"]
        for i, name in enumerate(write_classes(folder))
    ]
    table = pd.DataFrame(rows, columns=["file", "label", "grid"])
    table.to_csv(tmp_path / "labels.csv", index=False)
    return folder


@pytest.fixture
def model(folder, tmp_path):
    path = tmp_path / "svm.emc"
    assert main(["train", str(folder), "--model", "svm", "--out", str(path)]) == 0
    return path


def train(folder, path, *options):
    quick = ["--quiet"] if "svm" in options else QUICK
    return main(["train", str(folder), *quick, "--out", str(path), *options])


def predict(model, folder, table, *options):
    return main(["predict", str(model), str(folder), "--out", str(table), *options])


def test_train_does_what_the_api_does(folder, tmp_path, capsys):
    path = tmp_path / "lipnet.emc"
    assert train(folder, path, "--model", "lipnet4", "--seed", "3") == 0
    assert f"Model: {path} (" in capsys.readouterr().out
    data = load_image_folder(folder)
    model = emclassify.load(path)
    again = model[-1]
    assert (again.depth, again.max_epochs, again.random_state) == (4, 1, 3)
    expected = model.predict_proba(data.images)
    model.fit(data.images, data.target)
    np.testing.assert_array_equal(model.predict_proba(data.images), expected)


def with_groups(tmp_path):
    """Return the options that name the groups, and the data set that they give."""
    labels = tmp_path / "labels.csv"
    data = load_image_folder(tmp_path / "images", labels=labels, group_column="grid")
    return ["--labels", str(labels), "--group-column", "grid"], data


def test_early_stopping_keeps_groups_together(folder, tmp_path):
    options, data = with_groups(tmp_path)
    path = tmp_path / "it.emc"
    stopping = ["--set", "lipnet4.early_stopping=true"]
    assert train(folder, path, *options, *stopping) == 0
    model = emclassify.load(path)
    said = model.predict_proba(data.images)
    model.fit(data.images, data.target, lipnetclassifier__groups=data.groups)
    np.testing.assert_array_equal(model.predict_proba(data.images), said)
    model.fit(data.images, data.target)
    assert not np.array_equal(model.predict_proba(data.images), said)


def test_an_svm_is_calibrated_on_folds_that_keep_groups_together(folder, tmp_path):
    options, data = with_groups(tmp_path)
    path = tmp_path / "it.emc"
    assert train(folder, path, "--model", "svm", *options) == 0
    folds = emclassify.load(path)["svc"].cv
    assert len(folds) == 5
    for a, b in folds:
        assert not set(data.groups[a]) & set(data.groups[b])


@pytest.mark.filterwarnings("default:The SVM gives no prob")
def test_an_svm_without_such_folds_says_so(folder, tmp_path, capsys):
    table = pd.read_csv(tmp_path / "labels.csv").assign(grid="one")
    table.loc[table["label"] == "dim", "grid"] = "two"
    table.to_csv(tmp_path / "labels.csv", index=False)
    options, _ = with_groups(tmp_path)
    assert train(folder, tmp_path / "it.emc", "--model", "svm", *options) == 0
    assert "The SVM gives no probabilities" in capsys.readouterr().err
    assert not hasattr(emclassify.load(tmp_path / "it.emc"), "predict_proba")


@pytest.mark.filterwarnings("default:The networks would take")
@pytest.mark.filterwarnings("default:The networks can't keep the limit")
@pytest.mark.filterwarnings("default:.*still learning")
def test_the_limit_is_for_the_folds(folder, tmp_path, capsys):
    path = tmp_path / "it.emc"
    limit = ["--epochs", "200", "--cv", "2", "--time-limit", "0.000001", *ONE]
    assert train(folder, path, *limit) == 0
    assert "The figures are of trainings of 1 epochs" in capsys.readouterr().out
    assert len(emclassify.load(path)[-1].history_) == 200
    card = emclassify.read_model_card(path)["card"]
    assert card["shorter_trainings"].endswith("the model was to have 200.")


@pytest.mark.parametrize(
    "option",
    [["--time-limit", "5"], ["--on-missing-class", "warn"], ["--jobs", "99"]],
)
def test_options_of_folds_need_folds(option, folder, tmp_path, capsys):
    assert train(folder, tmp_path / "it.emc", *option) == 2
    said = capsys.readouterr().err
    assert said == f"emclassify: {option[0]} needs folds: give --cv too.\n"


def test_card_without_figures(folder, tmp_path, capsys):
    train(folder, tmp_path / "it.emc")
    capsys.readouterr()
    assert main(["card", str(tmp_path / "it.emc")]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card == emclassify.read_model_card(tmp_path / "it.emc")
    assert card["classes"] == ["bright", "dim"]
    given = card["card"]
    assert str(folder) in given["data"]
    assert given["n_images"] == 24
    assert given["n_of_class"] == {"bright": 12, "dim": 12}
    assert given["n_groups"] is None
    assert given["figures"] is None
    assert "--epochs 1" in given["command"]


def test_card_with_figures(folder, tmp_path, capsys):
    labels = ["--labels", str(tmp_path / "labels.csv"), "--group-column", "grid"]
    path = tmp_path / "it.emc"
    assert train(folder, path, "--model", "svm", "--cv", "2", *ONE, *labels) == 0
    # Figures with their intervals in one cell, as `benchmark` prints them.
    printed = capsys.readouterr().out
    assert "macro" in printed
    assert "TPR_low" not in printed
    card = emclassify.read_model_card(path)["card"]
    assert card["n_groups"] == 6
    assert card["splits"]["folds"] == 2
    assert card["splits"]["groups_kept_together"] is True
    assert card["splits"]["n_train_and_test"] == [[12, 12], [12, 12]]
    assert set(card["figures"]) == {"bright", "dim", "macro", "weighted", "micro"}
    assert card["figures"]["dim"]["TPR"] == 1.0
    # Trained on all images, whatever the folds were.
    data = load_image_folder(folder)
    whole = svm_baseline().fit(data.images, data.target)
    np.testing.assert_allclose(
        emclassify.load(path)["svc"].calibrated_classifiers_[0].estimator.dual_coef_,
        whole["svc"].dual_coef_,
        rtol=1e-9,
    )


def test_predict_does_what_the_api_does(model, folder, tmp_path, capsys):
    assert predict(model, folder, tmp_path / "cli.csv") == 0
    assert f"24 rows: {tmp_path / 'cli.csv'}" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "cli.csv")
    predict_folder(
        emclassify.load(model),
        folder,
        tmp_path / "api.csv",
        model_name=table["model"][0],
    )
    assert (tmp_path / "api.csv").read_bytes() == (tmp_path / "cli.csv").read_bytes()
    assert (table["label"] == table["file"].str.split("/").str[0]).all()


def test_predict_names_a_corrupt_file_and_goes_on(model, folder, tmp_path, capsys):
    (folder / "dim" / "bad.png").write_bytes(b"no image")
    table = tmp_path / "t.csv"
    assert predict(model, folder, table) == 2
    err = capsys.readouterr().err
    assert err.startswith("emclassify: ")
    assert "bad.png can't be predicted" in err
    assert err.count("\n") == 1
    assert not table.exists()
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert predict(model, folder, table, "--on-error", "skip") == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("emclassify: dim/bad.png was left out: ")
    assert captured.err.count("\n") == 1
    assert "24 rows" in captured.out


def test_predict_another_dataset(model, folder, tmp_path):
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    with h5py.File(stacks / "a.h5", "w") as file:
        file["frames"] = load_image_folder(folder).images
    options = ["--dataset", "frames", "--axes", "nyx"]
    assert predict(model, stacks, tmp_path / "t.csv", *options) == 0
    assert pd.read_csv(tmp_path / "t.csv")["index"].tolist() == list(range(24))


@pytest.mark.skipif(os.name == "nt", reason="no signals to others there")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_watch_is_stopped_and_goes_on(model, folder, tmp_path, stop):
    table, incoming = tmp_path / "t.csv", tmp_path / "incoming"
    incoming.mkdir()
    command = [
        *(sys.executable, "-c", CHILD),
        *("predict", str(model), str(incoming), "--out", str(table)),
        *("--watch", "--interval", "0.05"),
    ]
    for n in (3, 6):
        files = sorted((folder / "dim").iterdir())[n - 3 : n]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for path in files:
            shutil.copy(path, incoming / path.name)
        deadline = time.monotonic() + 60
        while not table.exists() or table.read_bytes().count(b"\n") < n + 1:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(stop)
        assert process.communicate(timeout=60) == (f"3 rows: {table}\n", "")
        assert process.returncode == 0
    assert sorted(pd.read_csv(table)["file"]) == sorted(
        path.name for path in incoming.iterdir()
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["train", "{0}", "--out", "no/such/it.emc"], "there is no folder"),
        (["train", "{0}/nowhere", "--out", "{0}/it.emc"], "no such folder"),
        (["predict", "{0}/no.emc", "{0}", "--out", "{0}/t.csv"], "no.emc"),
        (["predict", "{0}/../labels.csv", "{0}", "--out", "t.csv"], "no zip archive"),
        (["predict", "{1}", "{0}/nowhere", "--out", "{0}/t.csv"], "is not a folder"),
        (["predict", "{1}", "{0}", "--out", "no/such/t.csv"], "there is no folder"),
        (["card", "{0}/no.emc"], "no.emc: no such file or directory."),
        (["card", "{0}"], ": is a directory."),
        (["train", "{0}", "--out", "{0}"], " is a folder; give a file in it."),
        (["predict", "{1}", "{0}", "--out", "{0}"], " is a folder; give a file"),
    ],
)
def test_bad_input_ends_with_one_line_and_status_2(
    folder, model, capsys, argv, message
):
    capsys.readouterr()
    assert main([part.format(folder, model) for part in argv]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.startswith("emclassify: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "option"),
    [
        (["train", "x", "--out", "y", "--model", "lipnet5"], "--model"),
        (["train", "x", "--out", "y", "--cv", "1"], "--cv"),
        (["train", "x"], "--out"),
        (["predict", "m", "x", "--out", "y", "--interval", "0"], "--interval"),
        (["predict", "m", "x", "--out", "y", "--interval", "soon"], "--interval"),
        (["predict", "m", "x", "--out", "y", "--batch-size", "0"], "--batch-size"),
    ],
)
def test_bad_options_are_named(argv, option, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert option in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "predict", "card"])
def test_help_does_not_import_torch(command):
    code = (
        "import sys; from emclassify.cli import main\n"
        f"try: main(['{command}', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert done.returncode == 0
    # Where it ran as python -c, the program's name is still ours.
    assert f"usage: emclassify {command}".encode() in done.stdout


def test_advice_is_in_options_of_the_command(model, folder, tmp_path, capsys):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["frames"] = load_image_folder(folder).images
    assert predict(model, tmp_path, tmp_path / "t.csv") == 2
    said = capsys.readouterr().err
    assert "say so with --axes nyx" in said
    assert "With --on-error skip" in said
    assert "axes=" not in said
    series = np.zeros((3, 4, 5), np.uint8)
    tifffile.imwrite(folder / "dim" / "s.tif", series, photometric="minisblack")
    assert train(folder, tmp_path / "m.emc") == 2
    said = capsys.readouterr().err
    assert "say which one with --page 0 to 2" in said
    assert train(folder, tmp_path / "m.emc", "--page", "3") == 2
    assert "--page 3 is not in it" in capsys.readouterr().err


def test_colours_are_made_grey(folder, tmp_path, capsys):
    path = folder / "dim" / "00.png"
    with Image.open(path) as grey:
        grey.convert("RGB").save(path)
    assert train(folder, tmp_path / "m.emc") == 2
    assert "Pass --as-gray to make all of them grey" in capsys.readouterr().err
    assert train(folder, tmp_path / "m.emc", "--as-gray", "--pixel-size", "0.5") == 0


def test_auto_takes_the_best_and_says_why(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "emclassify.cli._train.default_models", lambda: ["lipnet4", "svm"]
    )
    path = tmp_path / "it.emc"
    assert train(folder, path, "--model", "auto", "--cv", "3", *ONE) == 0
    printed = capsys.readouterr().out
    assert "\nTaken: svm, the highest macro F1." in printed  # one epoch is too few
    unwrapped = " ".join(printed.split())
    assert "lipnet4 was still learning in 3 of 3 folds" in unwrapped
    card = emclassify.read_model_card(path)["card"]
    assert card["chosen"].startswith("svm: svm is ")
    assert card["splits"]["folds"] == 3
    data = load_image_folder(folder)
    assert emclassify.load(path).score(data.images, data.target) == 1.0


@pytest.mark.parametrize("name", ["lipnet8", "ensemble"])
def test_every_model_is_trained(name, folder, tmp_path):
    path = tmp_path / "it.emc"
    assert train(folder, path, "--model", name, "--class-weight", "none") == 0
    network = emclassify.load(path)[-1]
    network = getattr(network, "estimator", network)
    assert network.depth == (8 if name == "lipnet8" else 4)
    assert (network.max_epochs, network.class_weight) == (1, None)
