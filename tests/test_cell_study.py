"""The study of cells runs, keeps the sections that it has, and says what it is."""

import re
import warnings
from math import nan

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from emclassify import CNNClassifier, make_cell_images
from emclassify.nets import load_backbone
from studies._markdown import numbers_as_text
from studies._record import write_record
from studies._weights import LITE
from studies.cells import _models as models, _study as cell_study
from studies.cells._beside import beside_source
from studies.cells._intervals import figures, share
from studies.cells._models import by_plate, network, simulate
from studies.cells._outputs import ClippedOutputs, PlainStart
from studies.cells._sections import LEARNING_RATES, SECTIONS, pretrain
from studies.cells._study import PUBLISHED_BACKBONES, main, parse, write_summary

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
    main([*TINY, "--jurkat", str(folder), "--out", str(folder)])
    return folder


def sections_of(page):
    """Return the text of each section by its heading."""
    _, *found = page.split("\n## ")
    return dict(section.split("\n", 1) for section in found)


def rows_of(section):
    """Return the numbers of each row, by its name, of all tables of a section."""
    rows = re.findall(r"^\| ([^|]+) \| ([][\d., |-]+) \|$", section, re.M)
    return {
        name: [float(v.split("[")[0]) for v in values.split("|") if v.strip()]
        for name, values in rows
        if "---" not in values
    }


def test_page(folder):
    page = (folder / "summary.md").read_text("utf-8")
    found = sections_of(page)
    # Needs weights that are not random.
    shown = {name: title for name, (title, _) in SECTIONS.items()}
    assert shown.pop("pretrained") not in found
    assert list(found) == list(shown.values())
    assert str(folder) not in page
    assert "simulated" in page.split("## ")[0]
    for name, title in shown.items():
        assert f"python -m studies.cells --only {name} " in found[title]
        assert rows_of(found[title])


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Which backbone?", ["LipNet-4", "ResNet(2, 2)", "SVM on features"]),
        ("Which learning rate?", ["0.1", "0.01", "0.001", "0.0001"]),
        ("Softmax or sigmoid?", ["softmax", "sigmoid"]),
        ("ReLU or tanh in place of sigmoid?", ["ReLU", "tanh", "sigmoid"]),
        (
            "Filtering?",
            [
                "SVM on features, trained on clean",
                "test_resnet, filtered, trained on dirty",
            ],
        ),
        ("Class weights?", ["no weights", "complement", "balanced"]),
        ("Which labels are taken for which?", ["nucleoli", "micro", "10 negative"]),
        ("Real cells without stains", ["LipNet-4", "test_resnet, fine-tuned"]),
    ],
)
def test_tables(folder, title, names):
    page = (folder / "summary.md").read_text("utf-8")
    rows = rows_of(sections_of(page)[title])
    assert set(names) <= set(rows)
    # Macro-F1, or a recall, comes first in each table.
    assert all(0 <= row[0] <= 1 for row in rows.values())
    if title == "Softmax or sigmoid?":
        assert rows["softmax"][-1] == 1


def test_figures_have_intervals(folder):
    found = sections_of((folder / "summary.md").read_text("utf-8"))
    assert len(found) == len(SECTIONS) - 1
    for section in found.values():
        cells = re.findall(r"\| ([\d.]+) \[([\d.]+), ([\d.]+)\] ", section)
        assert cells
        for value, low, high in cells:
            assert 0 <= float(low) <= float(value) <= float(high) <= 1
    rates = found["Which learning rate?"]
    for lr in LEARNING_RATES:
        assert re.search(rf"^\| {lr} \| [\d.]+ \[", rates, re.M)
    weights = re.search(r"^\| balanced \|.*$", found["Class weights?"], re.M)[0]
    assert weights.count("[") >= 4


def test_intervals_can_be_made_again_from_the_counts_kept(folder):
    counts = pd.read_csv(folder / "class-weight-counts.csv")
    assert set(counts["row"]) == {"no weights", "complement", "balanced"}
    of_row = counts[counts["row"] == "balanced"]
    assert of_row.groupby("plate")["images"].first().sum() == 60
    tp, fp, fn = of_row[["TP", "FP", "FN"]].sum()
    page = sections_of((folder / "summary.md").read_text("utf-8"))["Class weights?"]
    micro = round(2 * tp / (2 * tp + fp + fn), 3)
    assert micro in rows_of(page)["balanced"]


def test_intervals_by_hand():
    true = np.zeros((20, 2), dtype=int)
    true[:, 0] = 1
    plates = np.arange(20) // 5
    by_image, by_plate_ = (
        figures(true, true[:, ::-1], groups, "micro")["micro recall"]
        for groups in (np.arange(20), plates)
    )
    # No hit among twenty, and among four: 1 - 0.025^(1/n).
    assert by_image == pytest.approx((0, 0, 0.1684), abs=1e-4)
    assert by_plate_ == pytest.approx((0, 0, 0.6024), abs=1e-4)
    assert share(np.zeros(20), plates) == pytest.approx((0, 0, 0.6024), abs=1e-4)


def test_confusion_is_kept_for_its_picture(folder):
    table = pd.read_csv(folder / "cell_confusion.csv")
    matrix = table[table["kind"] == "cooccurrence"].pivot(
        index="true", columns="predicted", values="images"
    )
    assert matrix.shape == (10, 10)
    mistakes = table[table["kind"] == "mistakes"]
    assert len(mistakes) == 11 * 11
    # What is found is the diagonal of both.
    hits = mistakes[mistakes["true"] == mistakes["predicted"]].set_index("true")
    for name in matrix.index:
        assert matrix.loc[name, name] == hits.loc[name, "images"]


def test_full_size_is_the_source_s():
    args = parse(["--out", "x", "--full"])
    assert (args.samples, args.locations, args.image_size) == (21806, 19, 256)
    assert args.backbones == PUBLISHED_BACKBONES
    assert "pretrained" not in args.only


def test_clipped_outputs_have_the_loss_of_keras_and_no_gradient_outside():
    layer = torch.nn.Identity()
    target = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    for activation, said in (
        ("ReLU", [0.25, 0.5, 0.0, 1.0]),
        ("tanh", np.tanh([0.25, 0.5, 0.0, 2.0])),
    ):
        logits = torch.tensor([[0.25, 0.5, -3.0, 2.0]], requires_grad=True)
        out = ClippedOutputs(layer, activation)(logits)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            out, target, reduction="none"
        )
        p = np.clip(said, 1e-7, 1 - 1e-7)
        expected = -np.log([p[0], 1 - p[1], p[2], 1 - p[3]])
        np.testing.assert_allclose(loss.detach()[0], expected, rtol=0.02)
        loss.sum().backward()
        moved = (logits.grad[0] != 0).tolist()
        # A negative output stays where it is, and for ReLU one above 1 too.
        assert moved == [True, True, False, activation == "tanh"]


@pytest.mark.parametrize("activation", ["ReLU", "tanh", "sigmoid"])
def test_clipped_outputs_are_finite_in_half_precision(activation):
    logits = torch.tensor([[-40.0, 0.0, 1.0, 40.0]], dtype=torch.bfloat16)
    said = ClippedOutputs(torch.nn.Identity(), activation)(logits)
    assert said.dtype == torch.float32
    assert said.isfinite().all()


def test_without_log_odds_a_sigmoid_starts_from_the_network_itself():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (40, 16, 16)).astype(np.uint8)
    y = (rng.random((40, 3)) < [0.5, 0.1, 0.9]).astype(int)
    model = CNNClassifier(
        max_epochs=1, device="cpu", callbacks=[PlainStart()], random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert model.net_.module_.log_odds is None
    assert model.predict_proba(X).shape == (40, 3)


@pytest.mark.parametrize("name", [*PUBLISHED_BACKBONES, *LITE])
def test_backbones_of_the_source_are_timm_s(name):
    timm = pytest.importorskip("timm")
    assert timm.is_model(name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* has random weights")
@pytest.mark.parametrize("name", PUBLISHED_BACKBONES)
def test_backbones_of_the_source_train(name):
    # InceptionResNetV2 takes nothing smaller than 75 px.
    size = ["--image-size", "96", "--locations", "19"]
    args = parse(["--out", "x", *TINY, *size, "--only", "backbone"])
    data = simulate(args, multilabel=False)
    model = network(args, name, batch_size=8, device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(data.images[:16], data.target[:16])
    assert np.isfinite(model.history_[-1, "train_loss"])
    # From random weights all layers train.
    assert all(p.requires_grad for p in model.net_.module_.net.parameters())


def test_sections_are_in_the_order_of_the_study(tmp_path):
    for name in ("class-weight", "backbone", "filtering"):
        write_record(tmp_path, name, {"text": f"of {name}\n\nmore"})
    write_summary(tmp_path)
    found = sections_of((tmp_path / "summary.md").read_text("utf-8"))
    assert list(found) == ["Which backbone?", "Filtering?", "Class weights?"]
    assert found["Filtering?"].strip() == "of filtering\n\nmore"


def test_done_sections_are_not_run_again(folder, monkeypatch, capsys):
    page = (folder / "summary.md").read_text("utf-8")
    monkeypatch.setattr(cell_study, "run_section", None)
    command = [*TINY, "--jurkat", str(folder), "--out", str(folder)]
    main(command)
    assert capsys.readouterr().out.count("is done already") == len(SECTIONS) - 1
    assert (folder / "summary.md").read_text("utf-8") == page
    with pytest.raises(SystemExit, match=r"other settings \(seed\)"):
        main([*command, "--seed", "1"])


def test_sections_share_what_is_simulated(monkeypatch):
    made = []

    def make(**params):
        made.append(params)
        return make_cell_images(**params)

    monkeypatch.setattr(models, "make_cell_images", make)
    args = parse(["--out", "x", *TINY, "--seed", "7", "--jobs", "2"])
    one, again = (simulate(args, multilabel=True) for _ in range(2))
    simulate(args, multilabel=False)
    assert one is again
    assert len(made) == 2
    assert made[0]["n_jobs"] == 2
    alone = make_cell_images(60, image_size=32, weights=[1] * 10, random_state=7)
    np.testing.assert_array_equal(one.images, alone.images)


def test_no_page_is_written_without_being_asked_for(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "--out" in capsys.readouterr().err


def test_a_failed_fit_is_called_one():
    table = pd.DataFrame({"F1": [0.25, nan]}, index=[0.1, 1.0])
    assert numbers_as_text(table).to_numpy().tolist() == [
        ["0.1", "0.250"],
        ["1.0", "failed"],
    ]
    spans = pd.DataFrame({"F1": [(0.5, 0.25, 0.75), (nan, nan, nan), (0.0, nan, nan)]})
    assert numbers_as_text(spans, 2)["F1"].tolist() == [
        "0.50 [0.25, 0.75]",
        "failed",
        "0.00",
    ]


def test_the_source_s_figures_stand_beside_ours():
    ours = pd.DataFrame(
        {"micro-F1": [0.5, nan], "s": [2.0, nan]}, index=["0.1", "0.01"]
    )
    theirs = pd.DataFrame({"micro-F1": [0.71]}, index=["0.01"])
    assert beside_source(ours, theirs).splitlines() == [
        "|  | micro-F1 | source | s |",
        "| --- | --- | --- | --- |",
        "| 0.1 | 0.500 |  | 2.000 |",
        "| 0.01 | failed | 0.71 | failed |",
    ]
    assert beside_source(ours, theirs.rename("source, {}".format)).splitlines() == [
        "|  | micro-F1 | s |",
        "| --- | --- | --- |",
        "| 0.1 | 0.500 | 2.000 |",
        "| 0.01 | failed | failed |",
        "| source, 0.01 | 0.71 |  |",
    ]


@pytest.mark.filterwarnings("ignore:test_resnet has random weights")
def test_pretrained_weights_load_for_two_channels(tmp_path):
    path = str(tmp_path / "cells.pth")
    said = pretrain(parse(["--out", "x", *TINY, "--only", "backbone"]), path)
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
        (["--only", "jurkat"], "--jurkat CELLS"),
        (["--weights", "file.pth"], "one network"),
        (["--weights", "imagenet"], "not test_resnet"),
        (["--only", "pretrained"], "weights that are not random"),
        (["--samples", "3"], "--samples must be at least 60"),
        (["--epochs", "0"], "--epochs must be at least 1"),
        (["--seed", "-1"], "--seed must be at least 0"),
        (["--image-size", "8"], "--image-size must be at least 32"),
        (
            ["--only", "backbone", "--samples", "60", "--folds", "11"],
            "--folds must be at most 10, the number of plates; got 11",
        ),
        (
            ["--only", "filtering", "--samples", "60", "--folds", "7"],
            "--folds must be at most 6, the number of images of the rarest location",
        ),
        (["--folds", "31"], "at most 30, the number of plates; got 31"),
    ],
)
def test_refused_arguments(wrong, message, capsys):
    with pytest.raises(SystemExit):
        parse(["--out", "x", *wrong])
    assert message in capsys.readouterr().err


def test_as_many_folds_as_there_are_plates():
    sixty = ["--out", "x", "--samples", "60", "--folds", "10"]
    args = parse([*sixty, "--only", "backbone"])
    data = make_cell_images(60, image_size=32, random_state=0)
    folds = by_plate(args, multilabel=True)
    assert folds.get_n_splits() == 10 == len(set(data.groups))
    assert len(list(folds.split(data.images, data.target, data.groups))) == 10
    # Real cells have no plates.
    assert parse(["--out", "x", "--only", "jurkat", "--jurkat", "x", "--folds", "31"])


def test_full_is_the_source():
    args = parse(["--out", "x", "--full"])
    assert (args.samples, args.image_size) == (21806, 256)
    assert args.backbones[0] == "tf_efficientnet_b7"
    assert len(args.backbones) == 4
    assert parse(["--out", "x", "--full", "--samples", "100"]).samples == 100
