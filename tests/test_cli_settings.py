"""Models of the command line by name, their parameters, and what all commands share."""

import argparse
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from image_files import write_classes
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import KFold

import emclassify
from emclassify.cli import _main, main
from emclassify.cli._models import MODELS, check_name
from emclassify.cli._set_parameters import Setting
from emclassify.model_selection import benchmark_classifiers

QUICK = ["--epochs", "1", "--image-size", "16"]
# Models that take images of any size, and those that have no epochs.
ANY_SIZE = {"fully-convolutional", "backbone:resnet10t"}
NO_EPOCHS = {"svm", "svm-linear"}


@pytest.fixture
def folder(tmp_path):
    """Two classes of images of 12 px in folders."""
    folder = tmp_path / "images"
    write_classes(folder)
    return folder


def train(folder, path, *options):
    quick = [] if NO_EPOCHS.intersection(options) else QUICK
    quick = quick[:2] if ANY_SIZE.intersection(options) else quick
    return main(["train", str(folder), *quick, "--out", str(path), *options])


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"emclassify {emclassify.__version__}\n"


@pytest.mark.parametrize(
    ("given", "parameter", "value"),
    [
        ("lipnet4.lr=1e-4", "lr", 1e-4),
        ("lipnet4.max_epochs=2", "max_epochs", 2),
        ("lipnet4.augmentation=none", "augmentation", None),
        ("lipnet4.lr_schedule=one_cycle", "lr_schedule", "one_cycle"),
        ("lipnet4.early_stopping=True", "early_stopping", True),
    ],
)
def test_a_network_has_the_parameters_of_set(folder, tmp_path, given, parameter, value):
    path = tmp_path / "it.emc"
    assert train(folder, path, "--quiet", "--set", given) == 0
    network = emclassify.load(path)[-1]
    assert getattr(network, parameter) == value
    assert network.verbose == 0


def test_an_svm_has_them_too(folder, tmp_path):
    path = tmp_path / "it.emc"
    sets = ["--set", "svm.C=7", "--set", "svm.features__families=['histogram']"]
    assert train(folder, path, "--quiet", "--model", "svm", *sets) == 0
    model = emclassify.load(path)
    assert model["svc"].estimator.C == 7
    assert model["features"].families == ["histogram"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("lipnet4.epochs=3", "--set lipnet4.epochs: there is no such parameter, but"),
        ("lipnet4.max_epochs=-3", "--set lipnet4.max_epochs: The 'max_epochs'"),
        ("svm.C=3", "--set svm.C: that model is not used here; there are lipnet4."),
    ],
)
def test_what_a_model_does_not_take_is_refused_before_reading(
    given, message, tmp_path, capsys
):
    # The folder isn't there: it hasn't been looked at.
    assert train(tmp_path / "nowhere", tmp_path / "it.emc", "--set", given) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [
        ["--set", "lipnet4"],
        ["--set", "max_epochs=3"],
        ["--set", "lipnet5.max_epochs=3"],
        ["--model", "svm:x"],
        ["--model", "backbone:"],
        ["--model", "ensemble:svm"],
        ["--jobs", "0"],
    ],
)
def test_bad_options_are_named(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "x", "--out", "y", *argv])
    assert stop.value.code == 2
    assert argv[0] in capsys.readouterr().err


def test_names_of_backbones_may_hold_dots():
    from emclassify.cli._settings import setting

    given = setting("backbone:resnet18.a1_in1k.unfreeze_after=2")
    assert given.model == "backbone:resnet18.a1_in1k"
    assert (given.parameter, given.value) == ("unfreeze_after", 2)
    assert check_name("ensemble:backbone:resnet18.a1_in1k")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("resnet", "ResNetClassifier"),
        ("offsample", "OffSampleNetClassifier"),
        ("fusion", "FusionClassifier"),
        ("fully-convolutional", "FullyConvolutionalClassifier"),
        ("ensemble:resnet", "SeedEnsembleClassifier"),
    ],
)
def test_every_network_is_trained(name, kind, folder, tmp_path):
    path = tmp_path / "it.emc"
    few = ["--set", "ensemble:resnet.n_members=2"] if ":" in name else []
    assert train(folder, path, "--quiet", "--model", name, *few) == 0
    model = emclassify.load(path)
    assert type(model[-1] if hasattr(model, "steps") else model).__name__ == kind
    table = tmp_path / "t.csv"
    assert main(["predict", str(path), str(folder), "--out", str(table)]) == 0
    assert len(pd.read_csv(table)) == 24


@pytest.mark.filterwarnings("default:resnet10t has random weights")
def test_backbones_by_name(folder, tmp_path):
    pytest.importorskip("timm")
    options = ["--model", "backbone:resnet10t", "--set", "backbone:resnet10t.lr=0.01"]
    path = tmp_path / "it.emc"
    weights = ["--set", "backbone:resnet10t.weights=random"]
    assert train(folder, path, "--quiet", *options, *weights) == 0
    model = emclassify.load(path)
    assert (model.backbone, model.lr) == ("resnet10t", 0.01)


def test_all_models_are_in_the_guide():
    from pathlib import Path

    guide = Path(__file__).parents[1] / "docs" / "user_guide" / "command_line.rst"
    text = guide.read_text("utf-8")
    assert [name for name in MODELS if f"``{name}``" not in text] == []


@pytest.mark.parametrize("model", ["svm", "svm-linear", "lipnet4"])
def test_predictions_are_probabilities_at_any_size(model, folder, tmp_path):
    path = tmp_path / "it.emc"
    assert train(folder, path, "--quiet", "--model", model) == 0
    others = tmp_path / "others"
    others.mkdir()
    for side in (9, 20):
        Image.fromarray(np.zeros((side, side), np.uint8)).save(others / f"{side}.png")
    table = tmp_path / "t.csv"
    assert main(["predict", str(path), str(others), "--out", str(table)]) == 0
    found = pd.read_csv(table)
    columns = ["probability_bright", "probability_dim"]
    assert list(found.columns) == ["file", "index", "label", *columns, "model"]
    np.testing.assert_allclose(found[columns].sum(axis=1), 1)
    likeliest = found[columns].idxmax(axis=1).str.removeprefix("probability_")
    assert (likeliest == found["label"]).all()


def test_calibration_does_not_change_what_an_svm_says():
    from emclassify import make_liposomes, svm_baseline
    from emclassify.cli._models import with_probabilities

    data = make_liposomes(120, image_size=24, weights=[3, 2, 1], random_state=0)
    new = make_liposomes(120, image_size=24, weights=[3, 2, 1], random_state=1)
    plain = svm_baseline().fit(data.images, data.target)
    model = with_probabilities(svm_baseline(), data.target)
    model.fit(data.images, data.target)
    # The classes of a tie of votes are told apart by how clear these were.
    assert np.mean(model.predict(new.images) != plain.predict(new.images)) <= 0.01
    rare = ["a", "b", "b", "b"]
    assert not hasattr(with_probabilities(svm_baseline(), rare), "predict_proba")


def test_training_shows_its_epochs_and_last_loss(folder, tmp_path, capsys):
    assert train(folder, tmp_path / "it.emc") == 0
    captured = capsys.readouterr()
    assert "Trained for 1 epoch: loss " in captured.out
    assert "epoch" in captured.err
    assert train(folder, tmp_path / "it.emc", "--quiet") == 0
    captured = capsys.readouterr()
    assert "Trained" not in captured.out
    assert captured.err == ""


def test_messages_of_libraries_speak_of_options(tmp_path, capsys):
    argv = ["benchmark", "--samples", "30", "--weights", "0.5,0.47,0.03", "--quiet"]
    argv += ["--models", "svm", "--cv", "3", "--out", str(tmp_path / "r.html")]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(argv) == 2
    said = capsys.readouterr().err
    assert "Class 'uncertain' has one image only" in said
    assert "or give --on-missing-class warn" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path='images': no such folder.", "images: no such folder."),
        ("a.csv has no column 'x' (file_column).", "(--file-column)."),
        ("as many folds as asked for (n_splits).", "(--cv)."),
        ("test images have copies. See `audit` of the result, and its plot().", "ies."),
        ("there is no /a/cv=3/max_epochs=7.", "there is no /a/cv=3/max_epochs=7."),
        ("cv=3/x.png and cv=3.png fail.", "cv=3/x.png and cv=3.png fail."),
        ("Lower cv=0.5 or max_epochs=80.", "Lower --cv 0.5 or --epochs=80."),
    ],
)
def test_words_of_python_are_put_as_options(text, said):
    args = argparse.Namespace(folder="images", file_column="x", cv=5)
    args = argparse.Namespace(**vars(args), epochs=1, set=[])
    assert _main._in_options(text, args).endswith(said)
    assert "_column" not in _main._in_options(text, args)


@pytest.mark.parametrize(
    ("models", "given", "said"),
    [
        (["svm", "lipnet4"], [], "Raise --epochs."),
        (["svm", "lipnet4"], ["lipnet4"], "Raise --set lipnet4.max_epochs."),
        (
            ["lipnet4", "resnet"],
            ["lipnet4"],
            "Raise --epochs or --set lipnet4.max_epochs.",
        ),
    ],
)
def test_more_epochs_by_what_has_the_last_word(models, given, said):
    settings = [Setting(model, "max_epochs", 3) for model in given]
    args = argparse.Namespace(models=models, epochs="auto", set=settings)
    assert _main._in_options("Raise max_epochs.", args) == said
    if len(models) == 2 and "svm" in models:
        args = argparse.Namespace(model="lipnet4", epochs="auto", set=settings)
        assert _main._in_options("Raise max_epochs.", args) == said


def test_a_warning_of_copies_speaks_of_no_python():
    images = np.random.default_rng(0).integers(0, 255, (12, 16, 16), dtype=np.uint8)
    images = np.concatenate([images, images])
    with pytest.warns(UserWarning, match="Scores are too good") as found:
        benchmark_classifiers(
            {"majority": DummyClassifier()},
            images,
            np.resize([0, 1], 24),
            cv=KFold(2),
            n_bootstrap=20,
        )
    (text,) = {str(w.message) for w in found if "too good" in str(w.message)}
    assert "`audit`" in text
    said = _main._in_options(text, argparse.Namespace())
    assert said.endswith("as much as models remember these images.")


def test_what_can_not_be_written_is_refused_before(folder, tmp_path, monkeypatch):
    from emclassify.cli._options import check_out

    path = tmp_path / "m.emc"
    path.touch()
    check_out(str(path))
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda place, mode: str(place) == str(path))
        with pytest.raises(PermissionError, match="may not be written"):
            check_out(str(path))
    with pytest.raises(FileExistsError, match="is no regular file"):
        check_out(os.devnull)


def test_exit_status_is_in_the_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert _main.EXIT_STATUS in capsys.readouterr().out


def _raise(error):
    def run(args):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("no good"), 2, "emclassify: no good\n"),
        (OSError("no file"), 2, "emclassify: no file\n"),
        (ImportError("no module"), 2, "emclassify: no module\n"),
        (KeyboardInterrupt(), 130, "\nemclassify: interrupted, nothing was written.\n"),
    ],
)
def test_exit_status(error, status, said, monkeypatch, capsys):
    monkeypatch.setattr("emclassify.cli._card._print_card", _raise(error))
    assert main(["card", "x"]) == status
    assert capsys.readouterr().err == said


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("emclassify.cli._card._print_card", _raise(TypeError("ours")))
    with pytest.raises(TypeError, match="ours"):
        main(["card", "x"])


@pytest.mark.skipif(os.name == "nt", reason="pipes differ there")
def test_a_reader_that_goes_away_is_no_error():
    code = (
        "import sys\nfrom emclassify.cli import main\n"
        "sys.stdin.read()\nsys.exit(main(['completion', 'bash']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    process.stdin.close()
    assert process.wait(timeout=120) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.skipif(os.name == "nt", reason="bash")
def test_completion_in_bash(tmp_path, capsys):
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    ask = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_shtab_emclassify emclassify "${@: -1}" "${@: -2:1}"; echo "${COMPREPLY[@]}"'
    )

    def complete(*words):
        done = subprocess.run(
            ["bash", "-c", ask, "bash", str(script), "emclassify", *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.split()

    assert complete("tr") == ["train"]
    assert complete("train", "--image") == ["--image-size"]
    assert set(complete("train", "--model", "lipnet")) == {"lipnet4", "lipnet8"}
    assert complete("train", "--model", "au") == ["auto"]
    assert set(complete("benchmark", "--models", "lipnet")) == {"lipnet4", "lipnet8"}
    assert complete("benchmark", "--models", "au") == []


def test_tables_fit_the_terminal(monkeypatch, capsys):
    from emclassify import benchmark_classifiers, make_liposomes, svm_baseline

    data = make_liposomes(60, image_size=16, weights=[1, 1, 1], random_state=0)
    result = benchmark_classifiers(
        {"a support vector machine": svm_baseline("linear", families=["histogram"])},
        data.images,
        data.target,
        cv=2,
    )
    wide = str(result)
    assert max(map(len, wide.splitlines())) > 100
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    narrow = str(result)
    assert max(len(line.rstrip()) for line in narrow.splitlines()) <= 80
    for word in ("PPV", "NPV", "F1", "multilamellar"):
        assert word in narrow
