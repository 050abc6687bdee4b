"""Names with accents, which macOS may spell as letters and accents apart."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from emclassify import load_image_folder
from emclassify._spelling import as_stored
from emclassify.readers import load_particles
from emclassify.review import apply_corrections
from emclassify.review._folder_images import read_folder
from emclassify.review._folder_page import read_probabilities


def apart(text):
    return unicodedata.normalize("NFD", text)


def together(text):
    return unicodedata.normalize("NFC", text)


@pytest.fixture(params=[apart, together], ids=["decomposed", "composed"])
def spelled(request, tmp_path):
    """How the disk spells names; skipped where it spells all in one way."""
    (tmp_path / "probe ö").mkdir()
    if (tmp_path / apart("probe ö")).exists():
        pytest.skip("this file system knows one spelling")
    return request.param


def write(path, grey=0, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, grey, dtype=np.uint8)).save(path)


@pytest.mark.parametrize("listed", [apart, together])
def test_tables_find_files_in_the_other_spelling(spelled, listed, tmp_path):
    folder = tmp_path / spelled("Gitter å")
    rows = []
    for number, label in enumerate(["voll", "leer", "voll"]):
        write(folder / spelled(f"Bläschen {number}.png"), grey=number)
        rows.append((listed(f"Gitter å/Bläschen {number}.png"), label))
    table = pd.DataFrame(rows, columns=["file", "label"])
    data = load_image_folder(tmp_path, labels=table)
    assert data.images[:, 0, 0].tolist() == [0, 1, 2]
    assert data.filenames.tolist() == table["file"].tolist()


def test_tables_may_part_folders_as_windows_does(tmp_path):
    for number in range(2):
        write(tmp_path / "grid 1" / "å" / f"ö{number}.png", grey=number)
    names = ["grid 1\\å\\ö0.png", apart(".\\grid 1\\å\\ö1.png")]
    table = pd.DataFrame({"file": names, "label": ["a", "b"]})
    data = load_image_folder(tmp_path, labels=table)
    assert data.images[:, 0, 0].tolist() == [0, 1]
    gone = pd.DataFrame({"file": ["grid 2\\ö0.png"], "label": ["a"]})
    with pytest.raises(FileNotFoundError, match=r"grid 2\\ö0.png .*no such file"):
        load_image_folder(tmp_path, labels=gone)


def test_a_file_twice_in_two_spellings_is_one_file(spelled, tmp_path):
    write(tmp_path / spelled("ö.png"))
    table = pd.DataFrame({"file": [apart("ö.png"), together("ö.png")], "label": "a"})
    with pytest.raises(ValueError, match="1 file more than once"):
        load_image_folder(tmp_path, labels=table)


def test_two_files_that_differ_in_their_spelling_only(spelled, tmp_path):
    names = [apart("ö.png"), together("ö.png")]
    for grey, name in enumerate(names):
        write(tmp_path / name, grey)
    table = pd.DataFrame({"file": names, "label": ["a", "b"]})
    data = load_image_folder(tmp_path, labels=table)
    assert data.images[:, 0, 0].tolist() == [0, 1]


def test_what_is_not_there_stays_as_it_is(spelled, tmp_path):
    missing = [tmp_path / "å" / "ö.png", tmp_path / "plain.png", tmp_path / "ö\0.png"]
    assert as_stored(missing) == missing
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_image_folder(
            tmp_path, labels=pd.DataFrame({"file": ["ö.png"], "label": "a"})
        )


def test_classes_and_groups_are_one_in_both_spellings(spelled, tmp_path):
    for number, name in enumerate([apart("Zellkörper"), together("Zellkörper"), "b"]):
        write(tmp_path / "classes" / name / f"{number}.png")
    data = load_image_folder(tmp_path / "classes")
    assert data.target_names == ["Zellkörper", "b"]
    assert data.target.tolist().count(together("Zellkörper")) == 2

    table = pd.DataFrame(
        {
            "file": data.filenames,
            "label": [apart("ö"), together("ö"), "b"],
            "grid": [together("ü"), "1", apart("ü")],
        }
    )
    data = load_image_folder(tmp_path / "classes", labels=table, group_column="grid")
    assert data.target.tolist() == ["ö", "ö", "b"]
    assert data.groups.tolist() == ["ü", "1", "ü"]


def test_particles_find_their_micrograph(spelled, tmp_path):
    micrograph = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    other = together if spelled is apart else apart
    (tmp_path / "m").mkdir()
    Image.fromarray(micrograph).save(tmp_path / "m" / spelled("Gitter ä.png"))
    Image.fromarray(micrograph[::-1].copy()).save(tmp_path / "m" / "b.png")
    table = pd.DataFrame(
        {"x": [20, 40], "y": [20, 40], "micrograph": [other("Gitter ä.png"), "b.png"]}
    )
    table.to_csv(tmp_path / "picks.csv", index=False)
    data = load_particles(tmp_path / "m", tmp_path / "picks.csv", box_size=16)
    assert len(data.images) == 2


def test_reviews_find_files_and_labels(spelled, tmp_path):
    other = together if spelled is apart else apart
    rows = []
    for number in range(4):
        write(tmp_path / "images" / spelled(f"ö{number}.png"), grey=number)
        rows.append((other(f"ö{number}.png"), (apart("ü"), "b")[number % 2]))
    table = pd.DataFrame(rows, columns=["file", "label"])
    table.to_csv(tmp_path / "labels.csv", index=False)
    folder = read_folder(
        tmp_path / "images",
        labels=tmp_path / "labels.csv",
        file_column="file",
        label_column="label",
        group_column=None,
    )
    assert folder.readable.all()
    assert list(folder.labels) == [together("ü"), "b", together("ü"), "b"]
    # A page has the composed label, the table the other.
    corrections = pd.DataFrame(
        {
            "file": [rows[0][0]],
            "old_label": [together("ü")],
            "new_label": ["b"],
            "excluded": [False],
        }
    )
    table = apply_corrections(tmp_path / "labels.csv", corrections).table
    assert table["label"].tolist() == ["b", "b", together("ü"), "b"]


def test_probabilities_find_files_and_name_none_twice(tmp_path):
    table = pd.DataFrame({"file": [apart("ö.png"), "b.png"]})
    table = table.assign(probability_a=[0.9, 0.2], probability_b=[0.1, 0.8])
    table.to_csv(tmp_path / "p.csv", index=False)
    proba, _ = read_probabilities(tmp_path / "p.csv", ["b.png", together("ö.png")])
    assert proba.tolist() == [[0.2, 0.8], [0.9, 0.1]]
    table.assign(file=[apart("ö.png"), together("ö.png")]).to_csv(tmp_path / "p.csv")
    with pytest.raises(ValueError, match="more than one row for"):
        read_probabilities(tmp_path / "p.csv", [together("ö.png")])
