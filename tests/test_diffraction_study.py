"""The diffraction study runs, resumes, and says what it is."""

import itertools
import json
import platform

import numpy as np
import pytest
from backbone_weights import save_backbone

from emclassify.baselines import DiffusionMap
from studies.diffraction import _study as diffraction_study
from studies.diffraction._parts import (
    N_CLUSTERS,
    N_DRAWS,
    PARTS,
    TEST,
    TRAIN,
    Setting,
    diffusion_map_of_rings,
    few_labels,
    labelled_by_few,
    share,
    simulate,
)
from studies.diffraction._study import main

TINY = ["--train", "60", "--test", "20", "--epochs", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of one part at a tiny size."""
    out = tmp_path_factory.mktemp("study")
    main(["--out", str(out), *TINY, "--only", "shapes"])
    return out


def test_record(folder):
    record = json.loads((folder / "shapes.json").read_text("utf-8"))
    assert record["setting"]["n_train"] == 60
    assert [row["tested on"] for row in record["rows"]] == [
        "icosahedron",
        "soccer ball",
        "torus",
    ] * 4
    assert platform.node() not in record["machine"].split()
    assert {"emclassify", "torch", "scikit-learn"} < set(record["versions"])


def test_summary(folder):
    summary = (folder / "summary.md").read_text("utf-8")
    assert "All patterns are simulated" in summary
    assert "60 training patterns, 20 test patterns of each shape" in summary
    assert "python -m studies.diffraction --train 60 --test 20" in summary
    assert "How deep" not in summary  # not run
    assert str(folder) not in summary


def test_done_parts_are_not_run_again(folder, monkeypatch, capsys):
    monkeypatch.setattr(diffraction_study, "run_part", None)
    main(["--out", str(folder), *TINY, "--only", "shapes"])
    assert "shapes is done already" in capsys.readouterr().out


def test_results_of_other_settings_are_not_mixed(folder):
    with pytest.raises(SystemExit, match="run with other settings"):
        main(["--out", str(folder), *TINY, "--seed", "1", "--only", "shapes"])


def test_results_of_another_version_are_not_taken(folder, tmp_path):
    record = json.loads((folder / "shapes.json").read_text("utf-8"))
    record["versions"]["emclassify"] = "0.0.1"
    (tmp_path / "shapes.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(SystemExit, match=r"shapes of emclassify 0\.0\.1; this is"):
        main(["--out", str(tmp_path), *TINY, "--only", "shapes"])


def test_sets_share_no_pattern():
    setting = Setting(20, 20, 1, 0)
    (train, _), (test, _) = (simulate(setting, which) for which in (TRAIN, TEST))
    assert not (train[:, np.newaxis] == test).all(axis=(2, 3)).any()


def test_few_labels():
    single = np.arange(100) % 2 == 0
    few = few_labels(single, seed=0)
    assert [(few == value).sum() for value in (-1, 0, 1)] == [90, 5, 5]
    assert (single[few == 1]).all()
    assert not single[few == 0].any()


def test_one_map_a_domain_says_what_a_fit_for_each_draw_does(monkeypatch):
    setting = Setting(60, 20, 1, 0)
    X, single = simulate(setting, TRAIN, domain="experiment-like")
    X_test, single_test = simulate(setting, TEST, domain="experiment-like")
    expected = []
    for n_clusters in N_CLUSTERS:
        right = []
        for seed in range(N_DRAWS):
            model = diffusion_map_of_rings(n_clusters)
            kept = model.fit(X, few_labels(single, seed)).predict(X_test) == 1
            right.append(100 * np.mean(kept == single_test))
        low, high = min(right), max(right)
        expected.append(f"{np.mean(right):.1f} [{low:.1f} to {high:.1f}]")
    fits, fit = [], DiffusionMap.fit
    monkeypatch.setattr(
        DiffusionMap, "fit", lambda *given: fits.append(1) or fit(*given)
    )
    rows = labelled_by_few(setting, "experiment-like")
    assert [row["accuracy (%)"] for row in rows] == expected
    assert len(set(expected)) > 1
    assert len(fits) == 1


def test_interval_of_no_mistakes_is_exact():
    # 1 - 0.025^(1/500), as by hand.
    assert share(np.zeros(500)) == "0.0 [0.0, 0.7]"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--train", "3"],
        ["--only", "coffee"],
        ["--seed", "-1"],
        ["--weights", "imagenet"],  # of VGG16 no package has them
    ],
)
def test_refused_arguments(wrong, capsys):
    with pytest.raises(SystemExit):
        main(["--out", "x", *wrong])
    assert wrong[0] in capsys.readouterr().err


def test_photographs_need_weights(capsys):
    with pytest.raises(SystemExit):
        main(["--out", "x", *TINY, "--only", "photographs"])
    assert "photographs needs --weights" in capsys.readouterr().err


def test_photographs(tmp_path):
    """A network of features, four pairs of domains, the source's figure of VGG16."""
    _, weights = save_backbone(tmp_path)
    told = ["--out", str(tmp_path), *TINY, "--only", "photographs"]
    told += ["--backbone", "test_resnet", "--weights"]
    main([*told, str(weights)])
    record = json.loads((tmp_path / "photographs.json").read_text("utf-8"))
    assert record["command"].endswith("--backbone test_resnet --weights FILE")
    rows = record["rows"]
    assert [(row["trained on"], row["tested on"]) for row in rows] == list(
        itertools.product(["ideal", "experiment-like"], repeat=2)
    )
    assert [row["source, VGG16 (%)"] for row in rows] == ["98.6", "", "", ""]
    with pytest.raises(SystemExit, match=r"other settings \(weights\)"):
        main([*told, str(save_backbone(tmp_path, suffix=".pth")[1])])


@pytest.mark.slow
def test_every_part_runs(tmp_path):
    _, weights = save_backbone(tmp_path)
    network = ["--backbone", "test_resnet", "--weights", str(weights)]
    main(["--out", str(tmp_path), *TINY, *network])
    for part in PARTS:
        assert (tmp_path / f"{part.name}.json").exists()


def test_full_is_the_size_of_the_source():
    args = diffraction_study.parse(["--out", "x", "--full", "--device", "cpu"])
    assert args.train + args.test == 50000
    assert args.epochs == 20
    assert diffraction_study.parse(["--out", "x", "--full", "--test", "99"]).test == 99
