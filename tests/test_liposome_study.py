"""The study script runs, resumes, and says what it is."""

import json
import os
import platform

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone, is_classifier

from studies.liposomes import _study as liposome_study
from studies.liposomes._parts import PARTS
from studies.liposomes._study import data_of, main, make_setting, parse
from studies.liposomes._summary import length_curves, length_table

TINY = ["--samples", "60", "--epochs", "1", "--folds", "2", "--batch-size", "16"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of two parts at a tiny size."""
    out = tmp_path_factory.mktemp("study")
    main(["--out", str(out), *TINY, "--only", "inputs", "cnn-vs-svm"])
    return out


def test_tables(folder):
    table = pd.read_csv(folder / "inputs.csv")
    assert set(table["estimator"]) == {
        "with surroundings",
        "with surroundings, network masked",
        "cropped",
        "cropped, network masked",
        "cropped and masked",
    }
    classes = ["multilamellar", "uncertain", "unilamellar"]
    assert set(classes) < set(table["class"])
    for figure in ("TPR", "TNR", "PPV", "NPV", "F1"):
        assert table[figure].between(0, 1).all()
    assert (table.groupby("estimator")["support"].max() == 60).all()

    folds = pd.read_csv(folder / "inputs-folds.csv")
    assert len(folds) == 5 * 2
    both = table[table["class"] == "uncertain"]
    tpr, tnr = both["TPR"], both["TNR"]
    expected = np.where(tpr + tnr > 0, 2 * tpr * tnr / (tpr + tnr).clip(1e-9), 0)
    np.testing.assert_allclose(both["F1TNR"], expected)
    matrices = pd.read_csv(folder / "cnn-vs-svm-encapsulation-confusion.csv")
    assert matrices.drop(columns=["estimator", "true"]).to_numpy().sum() == 6 * 60


def test_curves_over_the_length_of_training():
    names = [
        f"{way}, {epochs} epochs, seed {seed}"
        for epochs in (2, 16)
        for way in ("none", "affine")
        for seed in (0, 1)
    ]
    scores = [0.2, 0.4, 0.1, 0.1, 0.8, 0.9, 0.5, 0.7]
    curves = length_curves(pd.DataFrame({"estimator": names, "F1_macro": scores}))
    assert curves.iloc[-1].tolist() == ["affine", 16, 1, 0.7]
    table = length_table(curves).set_index("epochs")
    # Standard deviations of two: their difference over the root of two.
    assert table["none"].to_dict() == {"2": "0.300 ± 0.141", "16": "0.850 ± 0.071"}
    assert table["affine"].to_dict() == {"2": "0.100 ± 0.000", "16": "0.600 ± 0.141"}


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_summary(folder, suffix):
    summary = (folder / f"summary.{suffix}").read_text("utf-8")
    assert "All images are simulated" in summary
    assert "LipNet-4 better than an SVM on features, for lamellarity?" in summary
    assert "python -m studies.liposomes --only inputs cnn-vs-svm" in summary
    assert "2 folds by micrograph, 1 epochs in batches of 16, seed 0" in summary
    # Thirty images in batches of 16 are two updates.
    assert "1 training of LipNet-4 a fold (2 updates)" in summary
    assert "Which LipNet is best" not in summary  # not run
    assert "NPV of full is low" in summary
    assert "FN unilamellar" in summary
    assert summary.count("LipNet-4, oversampling, affine") > 10
    assert summary.count("by prediction (columns)") == 2
    assert str(folder) not in summary


def test_record(folder):
    record = json.loads((folder / "inputs.json").read_text("utf-8"))
    assert record["seed"] == 0
    assert sum(record["counts"].values()) == record["n_images"] == 60
    assert platform.node() not in record["machine"].split()
    if torch.cuda.is_available():
        assert record["machine"].startswith(torch.cuda.get_device_name())
    else:
        assert record["machine"].endswith(f"({os.cpu_count()} cores), no GPU")
    assert {"emclassify", "torch", "scikit-learn"} < set(record["versions"])


def test_done_parts_are_not_run_again(folder, monkeypatch, capsys):
    def never(*args, **kwargs):
        raise AssertionError

    monkeypatch.setattr(liposome_study, "compare", never)
    main(["--out", str(folder), *TINY, "--only", "inputs"])
    assert "1 of 1 parts are done already" in capsys.readouterr().out


def test_an_interrupted_part_is_run_again(folder, tmp_path, monkeypatch):
    for name in ("inputs.json", "inputs-folds.csv", "inputs-confusion.csv"):
        (tmp_path / name).write_text((folder / name).read_text("utf-8"), "utf-8")
    asked = []

    def run_part(part, *args, **kwargs):
        asked.append(part.name)
        return {"verdict": "None.", "seconds": 0.0}

    monkeypatch.setattr(liposome_study, "run_part", run_part)
    main(["--out", str(tmp_path), *TINY, "--only", "inputs"])
    assert asked == ["inputs"]
    # Its table is still not there, so the summary has nothing of it.
    assert "cropped" not in (tmp_path / "summary.md").read_text("utf-8")


def test_results_of_other_settings_are_not_mixed(folder):
    with pytest.raises(SystemExit, match=r"other settings \(seed\)"):
        main(["--out", str(folder), *TINY, "--seed", "1", "--only", "inputs"])


def test_results_of_another_version_are_not_taken(folder, tmp_path):
    record = json.loads((folder / "inputs.json").read_text("utf-8"))
    record["versions"]["emclassify"] = "0.0.1"
    (tmp_path / "inputs.json").write_text(json.dumps(record), "utf-8")
    (tmp_path / "inputs.csv").write_text("", "utf-8")
    with pytest.raises(SystemExit, match=r"inputs of emclassify 0\.0\.1; this is"):
        main(["--out", str(tmp_path), *TINY, "--only", "inputs"])


def test_kept_images_are_those_of_the_setting(tmp_path):
    (part,) = (part for part in PARTS if part.name == "lipnets-lamellarity")
    size = ["--out", "x", "--samples", "90"]
    found = [
        data_of(part, make_setting(parse([*size, *more])), tmp_path)
        for more in ([], ["--folds", "8"], ["--full", "--samples", "900"], [])
    ]
    assert [len(set(groups)) for _, _, groups in found] == [12, 32, 45, 12]
    shares = [(y == "uncertain").sum() for _, y, _ in found]
    assert shares == [9, 9, 5, 9]
    np.testing.assert_array_equal(found[0][0], found[3][0])
    assert len(list((tmp_path / "data").iterdir())) == 3


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_models_of_each_part(part):
    models = part.models(make_setting(parse(["--out", "x", "--full"])))
    assert len(models) >= 2
    for model in models.values():
        assert is_classifier(clone(model.estimator))
    told = {
        (model.input, repr(model.estimator.get_params())) for model in models.values()
    }
    assert len(told) == len(models)


def test_full_is_the_size_of_the_thesis():
    setting = make_setting(parse(["--out", "x", "--full"]))
    assert setting.n_lamellarity == 12368 + 1717 + 84
    assert setting.n_encapsulation == 24255 + 161 + 502
    assert setting.n_folds == 5
    assert setting.lamellarity_weights is setting.encapsulation_weights is None


def test_batches_are_those_asked_for():
    (part,) = (part for part in PARTS if part.name == "augmentation")
    for asked, size in (([], 128), (["--batch-size", "32"], 32)):
        models = part.models(make_setting(parse(["--out", "x", *asked])))
        assert {m.estimator.get_params()["batch_size"] for m in models.values()} == {
            size
        }


@pytest.mark.parametrize(
    "wrong",
    [
        ["--samples", "3"],
        ["--only", "coffee"],
        ["--seed", "-1"],
        ["--batch-size", "0"],
    ],
)
def test_refused_arguments(wrong, capsys):
    with pytest.raises(SystemExit):
        main(["--out", "x", *wrong])
    assert wrong[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--folds", "91"], "at most 60, the number of images of lamellarity's rarest"),
        (["--samples", "30", "--folds", "4"], "--folds must be at most 3, "),
        (["--full", "--samples", "600"], "at most 3, the number of images of lamel"),
    ],
)
def test_no_more_folds_than_images_of_a_class(wrong, message, capsys):
    with pytest.raises(SystemExit):
        main(["--out", "x", *wrong])
    assert message in capsys.readouterr().err
    # Of the parts that are asked for.
    few = ["--out", "x", "--samples", "30", "--folds", "4"]
    setting = make_setting(parse([*few, "--only", "imbalance"]))
    assert setting.rarest("encapsulation") == 4


@pytest.mark.slow
def test_every_part_runs(tmp_path):
    main(["--out", str(tmp_path), *TINY])
    for part in PARTS:
        assert (tmp_path / f"{part.name}.csv").exists()
