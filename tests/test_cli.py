"""The command line."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emclassify.cli import main

FOLDS = ["--cv", "2", "--jobs", "1", "--quiet"]
QUICK = ["--epochs", "1", "--image-size", "8", *FOLDS]


@pytest.fixture
def folder(tmp_path):
    """Two classes of images, with a table that has groups."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(24):
        label = ["dim", "bright"][i % 2]
        image = rng.integers(0, 100, (12, 12)) + 100 * (i % 2)
        name = f"{i:02d}.png"
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / name)
        rows.append({"name": name, "kind": label, "grid": f"grid{i // 4}"})
    pd.DataFrame(rows).to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def columns(folder):
    return [
        *(str(folder), "--labels", str(folder / "labels.csv")),
        *("--file-column", "name", "--label-column", "kind", "--group-column", "grid"),
    ]


def test_folder_with_table(folder, capsys):
    out = folder / "report.html"
    assert main(["benchmark", *columns(folder), *QUICK, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    for word in ("lipnet4", "svm", "dim", "bright", "F1", str(out)):
        assert word in printed
    report = out.read_text(encoding="utf-8")
    assert "--group-column grid" in report
    assert "6 groups" in report


def test_simulated_says_so(tmp_path, capsys):
    out = tmp_path / "report.html"
    argv = ["benchmark", *FOLDS, "--samples", "60", "--weights", "0.5,0.3,0.2"]
    assert main([*argv, "--models", "svm,svm-linear", "--out", str(out)]) == 0
    assert "multilamellar" in capsys.readouterr().out
    assert "imulated" in out.read_text(encoding="utf-8")


def test_same_as_the_python_api(folder, capsys):
    from sklearn.model_selection import StratifiedGroupKFold

    from emclassify import benchmark_classifiers, load_image_folder, svm_baseline

    argv = ["benchmark", *columns(folder), *FOLDS, "--models", "svm"]
    main([*argv, "--out", str(folder / "r.html")])
    printed = capsys.readouterr().out
    data = load_image_folder(
        folder,
        labels=folder / "labels.csv",
        file_column="name",
        label_column="kind",
        group_column="grid",
    )
    result = benchmark_classifiers(
        {"svm": svm_baseline()},
        data.images,
        data.target,
        groups=data.groups,
        cv=StratifiedGroupKFold(2, shuffle=True, random_state=0),
        random_state=0,
    )
    # All but the seconds, which differ from run to run.
    assert " ".join(result.verdict().split()) in " ".join(printed.split())
    tables = [str(text).split("Classes: pooled")[1] for text in (result, printed)]
    assert tables[1].startswith(tables[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--group-column", "nowhere"], "nowhere"),
        (["--labels", "missing.csv"], "missing.csv"),
        (["--out", "no/such/folder/report.html"], "no/such/folder"),
    ],
)
def test_bad_input_ends_with_one_line_and_status_2(folder, capsys, change, message):
    assert main(["benchmark", *columns(folder), *QUICK, *change]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.startswith("emclassify: ")
    assert "Traceback" not in err


def test_labels_without_folder_is_refused(capsys):
    assert main(["benchmark", "--labels", "x.csv"]) == 2
    assert "--labels needs a FOLDER" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["--models", "lipnet5"],
        ["--models", "svm,svm"],
        ["--cv", "1"],
        ["--epochs", "0"],
        ["--image-size", "-3"],
        ["--weights", "a,b"],
    ],
)
def test_bad_options_are_named(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["benchmark", *argv])
    assert stop.value.code == 2
    assert argv[0] in capsys.readouterr().err


def test_help_does_not_import_torch():
    code = (
        "import sys; from emclassify.cli import main\n"
        "try: main(['benchmark', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"--group-column" in done.stdout


def test_default_models(monkeypatch):
    from emclassify import nets
    from emclassify.cli._models import default_models

    monkeypatch.setattr(nets, "has_pretrained", lambda name: False)
    assert default_models() == ["svm", "lipnet4", "lipnet8"]
    monkeypatch.setattr(nets, "has_pretrained", lambda name: True)
    assert default_models() == ["svm", "lipnet4", "lipnet8", "backbone"]


@pytest.mark.parametrize("is_there", [False, True])
def test_what_is_left_out_is_said(is_there, monkeypatch, tmp_path, capsys):
    from emclassify import nets

    monkeypatch.setattr(nets, "has_pretrained", lambda name: is_there)
    folder = tmp_path / "one" / "class"
    folder.mkdir(parents=True)
    Image.new("L", (4, 4)).save(folder / "a.png")
    out = str(tmp_path / "m.emc")
    for argv, remedy in (
        (["benchmark"], "--models svm,lipnet4,lipnet8,backbone downloads it"),
        (["train", "--model", "auto"], "--model backbone downloads it"),
    ):
        command, *options = argv
        for quiet in ([], ["--quiet"]):
            argv = [command, str(folder.parent), "--out", out, *options, *quiet]
            assert main(argv) == 2
            said = capsys.readouterr().err
            assert (remedy in said) == (not is_there and not quiet)
            assert said.count("[pretrained]") == (not is_there and not quiet)


@pytest.mark.filterwarnings("default:The networks would take")
@pytest.mark.filterwarnings("default:The networks can't keep the limit")
@pytest.mark.filterwarnings("default:.*still learning")
def test_limit_of_time(folder, capsys):
    argv = ["benchmark", *columns(folder), *QUICK, "--models", "lipnet4"]
    argv += ["--epochs", "200", "--time-limit", "0.000001"]
    assert main([*argv, "--out", str(folder / "r.html")]) == 0
    captured = capsys.readouterr()
    assert "would take about " in captured.err
    assert "they get fewer epochs: lipnet4, 1 of 200." in captured.err
    assert "can't keep the limit" in captured.err
    assert "Raise --epochs" in captured.err
    assert "there were fewer epochs: lipnet4," in " ".join(captured.out.split())
    with pytest.raises(SystemExit):
        main(["benchmark", "--time-limit", "never"])
    assert "--time-limit" in capsys.readouterr().err


def test_tune(folder, capsys):
    argv = ["benchmark", *columns(folder), *FOLDS, "--models", "svm-linear", "--tune"]
    assert main([*argv, "--out", str(folder / "r.html")]) == 0
    assert "svm-linear reaches a macro F1" in capsys.readouterr().out
    assert "GridSearchCV" in (folder / "r.html").read_text("utf-8")
