"""Pixels of another size than those that a model has learnt from."""

import warnings

import numpy as np
import pandas as pd
import pytest
import tifffile
from sklearn.pipeline import make_pipeline

from emclassify import ResizeImages, predict_folder, read_model_card, svm_baseline
from emclassify.cli import main

RNG = np.random.default_rng(0)


def disc(size, radius):
    away = np.hypot(*np.indices((size, size)) - (size - 1) / 2)
    return (200 * (away <= radius)).astype(np.uint8)


def write(path, image, nm=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"axes": "YX"}
    for axis in "XY" if nm else "":
        metadata[f"PhysicalSize{axis}"] = nm
        metadata[f"PhysicalSize{axis}Unit"] = "nm"
    tifffile.imwrite(path, image, ome=True, metadata=metadata)


@pytest.fixture
def model():
    """Tells small discs of 10 nm from large ones of 20 nm, in images of 64 nm."""
    X = [disc(64, r + RNG.normal(0, 0.5)) for r in np.repeat([10, 20], 20)]
    y = np.repeat(["small", "large"], 20)
    return make_pipeline(ResizeImages((32, 32)), svm_baseline()).fit(X, y)


def labels(table):
    return pd.read_csv(table)["label"].tolist()


def test_another_size_brings_a_warning_and_is_rescaled_if_asked(model, tmp_path):
    folder, table = tmp_path / "new", tmp_path / "t.csv"
    write(folder / "a.tif", disc(64, 10), 1.005)
    write(folder / "b.tif", disc(64, 10), 2.0)
    known = {"model_pixel_size": 1.0}
    words = r"b\.tif has pixels of 2 nm; the model has learnt from 1 nm"
    with pytest.warns(UserWarning, match=words) as caught:
        predict_folder(model, folder, table, **known)
    assert len(caught) == 1
    assert labels(table) == ["small", "small"]
    # At 2 nm a pixel, a radius of 10 px is 20 nm, in a field of 128 nm.
    predict_folder(model, folder, table, rescale=True, **known)
    predict_folder(model, folder, table, pixel_size=1.0, **known)
    assert labels(table) == ["small", "small"]


def test_rescaling_is_that_of_pixel_size_scaler(tmp_path):
    from emclassify.prediction._learnt_pixel_size import LearntPixelSize
    from emclassify.readers._pixel_size import given_pixel_size

    scaler = LearntPixelSize((1.0, 1.0), None, rescale=True)
    out = scaler.apply(disc(64, 10), given_pixel_size(2.0), "x")
    assert out.shape == (128, 128)
    assert np.sqrt((out > 100).sum() / np.pi) == pytest.approx(20, rel=0.03)


def test_a_file_that_states_none(model, tmp_path):
    folder, table = tmp_path / "new", tmp_path / "t.csv"
    write(folder / "a.tif", disc(64, 10))
    write(folder / "b.tif", disc(64, 10))
    with pytest.warns(UserWarning, match=r"a\.tif .+ state no pixel size") as caught:
        predict_folder(model, folder, table, model_pixel_size=1.0)
    assert len(caught) == 1
    with pytest.raises(ValueError, match=r"a\.tif.+pixel size is not known"):
        predict_folder(model, folder, table, model_pixel_size=1.0, rescale=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rescale": True}, "needs to know what the model has learnt from"),
        ({"model_pixel_size": (1, 2), "rescale": True}, "from pixels of 1 to 2 nm"),
        ({"model_pixel_size": -1.0}, "must be above 0"),
        ({"model_pixel_size": (2, 1)}, "must be above 0, in nm, or"),
    ],
)
def test_parameters(model, tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        predict_folder(model, tmp_path, tmp_path / "t.csv", **options)


def test_the_card_keeps_it_and_the_command_line_compares(tmp_path, capsys):
    for i in range(12):
        name = ["small", "large"][i % 2]
        write(
            tmp_path / "old" / name / f"{i}.tif", disc(64, [10, 20][i % 2] + i / 9), 1.5
        )
    card = tmp_path / "m.emc"
    argv = ["train", str(tmp_path / "old"), "--model", "svm", "--quiet"]
    assert main([*argv, "--out", str(card)]) == 0
    assert read_model_card(card)["card"]["pixel_size_nm"] == [1.5, 1.5]
    write(tmp_path / "new" / "a.tif", disc(64, 10), 3.0)
    capsys.readouterr()
    argv = ["predict", card, tmp_path / "new", "--out", tmp_path / "t.csv"]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main([str(part) for part in argv]) == 0
    said = capsys.readouterr().err
    assert "a.tif has pixels of 3 nm; the model has learnt from 1.5 nm" in said
    assert "Pass --rescale to bring images to that, or --pixel-size ... if" in said
