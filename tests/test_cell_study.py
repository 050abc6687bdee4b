"""The study of cells runs, keeps the sections that it has, and says what it is."""

import re
from math import nan

import numpy as np
import pandas as pd
import pytest
import torch

from emclassify.nets import load_backbone
from studies._markdown import as_markdown, numbers_as_text
from studies.cells._sections import SECTIONS, network, pretrain
from studies.cells._study import main, parse, with_section

TINY = ["--samples", "60", "--image-size", "32", "--epochs", "1", "--folds", "2"]
TINY += ["--backbones", "test_resnet"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images made up in place of the real ones, and the page of all sections."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    np.savez(
        folder / "jurkat_cellcycle.npz",
        X=rng.integers(0, 1000, (40, 40, 40, 3)).astype(np.uint16),
        y=np.repeat(["G1", "Anaphase"], [30, 10]),
    )
    main([*TINY, "--jurkat", str(folder), "--out", str(folder / "page.md")])
    return folder


def sections_of(page):
    """Return the text of each section by its heading."""
    _, *found = page.split("\n## ")
    return dict(section.split("\n", 1) for section in found)


def rows_of(section):
    """Return the numbers of each row, by its name, of all tables of a section."""
    rows = re.findall(r"^\| ([^|]+) \| ([\d. |-]+) \|$", section, re.M)
    return {
        name: [float(value) for value in values.split("|")]
        for name, values in rows
        if "---" not in values
    }


def test_page(folder):
    page = (folder / "page.md").read_text("utf-8")
    found = sections_of(page)
    assert list(found) == [title for title, _ in SECTIONS.values()]
    assert str(folder) not in page
    assert "simulated" in page.split("## ")[0]
    for name, (title, _) in SECTIONS.items():
        assert f"python -m studies.cells --only {name} " in found[title]
        assert rows_of(found[title])


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Which backbone?", ["LipNet-4", "ResNet(2, 2)", "SVM on features"]),
        ("Which learning rate?", ["0.1", "0.01", "0.001", "0.0001"]),
        ("Softmax or sigmoid?", ["softmax", "sigmoid"]),
        ("Filtering?", ["SVM on features", "test_resnet", "test_resnet, filtered"]),
        ("Class weights?", ["one label, complement", "several labels, balanced"]),
        ("Real cells without stains", ["LipNet-4", "test_resnet, fine-tuned"]),
    ],
)
def test_tables(folder, title, names):
    page = (folder / "page.md").read_text("utf-8")
    rows = rows_of(sections_of(page)[title])
    assert set(names) <= set(rows)
    # Macro-F1, or a recall, comes first in each table.
    assert all(0 <= row[0] <= 1 for row in rows.values())
    if title == "Softmax or sigmoid?":
        assert rows["softmax"][-1] == 1


def test_a_section_takes_its_own_place():
    blocks = [pd.DataFrame({"F1": [0.5, nan]}, index=["this", "that"])]
    page = with_section("", "Filtering?", ["what was"])
    page = with_section(page, "Class weights?", ["weights\n\nmore"])
    page = with_section(page, "Filtering?", blocks)
    page = with_section(page, "Which backbone?", ["a backbone"])
    found = sections_of(page)
    assert list(found) == ["Which backbone?", "Filtering?", "Class weights?"]
    assert "what was" not in page
    assert (
        found["Filtering?"].strip()
        == as_markdown([("table", numbers_as_text(blocks[0]))]).strip()
    )
    assert found["Class weights?"].strip() == "weights\n\nmore"
    assert with_section(page, "Filtering?", blocks) == page


def test_a_failed_fit_is_called_one():
    table = pd.DataFrame({"F1": [0.25, nan]}, index=[0.1, 1.0])
    assert numbers_as_text(table).to_numpy().tolist() == [
        ["0.1", "0.250"],
        ["1.0", "failed"],
    ]


def test_random_weights_are_trained_from_the_start():
    args = parse(["--only", "backbone"])
    assert network(args).unfreeze_after == 0
    assert network(args).backbone_lr_factor == 1
    fine_tuned = network(args, weights="file.pth")
    assert fine_tuned.unfreeze_after > 0
    assert fine_tuned.backbone_lr_factor < 1


@pytest.mark.filterwarnings("ignore:test_resnet has random weights")
def test_pretrained_weights_load_for_two_channels(tmp_path):
    path = str(tmp_path / "cells.pth")
    said = pretrain(parse([*TINY, "--only", "backbone"]), path)
    assert "120 simulated" in said
    kept = torch.load(path, weights_only=True)
    loaded = load_backbone("test_resnet", 2, path).state_dict()
    # The first layer takes two channels instead of three; all others are as they were.
    first, *others = [name for name in loaded if name in kept]
    assert loaded[first].shape[1] == 2
    assert kept[first].shape[1] == 3
    assert len(others) > 10
    for name in others:
        torch.testing.assert_close(loaded[name], kept[name].cpu(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--only", "coffee"], "coffee"),
        (["--only", "jurkat"], "--jurkat FOLDER"),
        (["--weights", "file.pth"], "one network"),
        (["--samples", "3"], "--samples must be at least 60"),
        (["--image-size", "8"], "--image-size must be at least 32"),
    ],
)
def test_refused_arguments(wrong, message, capsys):
    with pytest.raises(SystemExit):
        parse(wrong)
    assert message in capsys.readouterr().err


def test_full_is_the_source():
    args = parse(["--full"])
    assert (args.samples, args.image_size) == (21806, 256)
    assert args.backbones[0] == "tf_efficientnet_b7"
    assert len(args.backbones) == 4
    assert parse(["--full", "--samples", "100"]).samples == 100
