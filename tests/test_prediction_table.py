"""A table that grows by whole rows."""

import csv
import os

import pytest

from emclassify.prediction._prediction_table import PredictionTable

ROWS = [
    ("run 1/a.png", 0, "full", [0.1, 0.9]),
    ('b,"quoted".tif', 0, "emp,ty", [1 / 3, 2 / 3]),
    ("größe.cxi", 0, "full", [1.0, 0.0]),
    ("größe.cxi", 1, "full", [1e-300, 1.0]),
]
NAMES = ["probability_emp,ty", "probability_full"]


def open_table(path, names=NAMES, model_name="m1"):
    return PredictionTable(path, names, model_name)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "table.csv"
    table = open_table(path)
    table.append(ROWS[:2])
    table.append(ROWS[2:])
    table.close()
    return path


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_rows_as_they_came(path):
    header, *rows = read(path)
    assert header == ["file", "index", "label", *NAMES, "model"]
    assert [row[:3] for row in rows] == [
        [file, str(index), label] for file, index, label, _ in ROWS
    ]
    # To the last bit.
    assert [[float(x) for x in row[3:5]] for row in rows] == [r[3] for r in ROWS]
    assert {row[5] for row in rows} == {"m1"}


def test_opened_again(path):
    table = open_table(path)
    assert table.done == {
        "run 1/a.png": {0},
        'b,"quoted".tif': {0},
        "größe.cxi": {0, 1},
    }
    table.append([("größe.cxi", 2, "full", [0.5, 0.5])])
    table.close()
    assert len(read(path)) == 6


def test_cut_anywhere(path):
    # Killed while writing: what is whole stays, the rest is written again.
    whole = path.read_bytes()
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        table = open_table(path)
        n_rows = sum(map(len, table.done.values()))
        table.append(ROWS[n_rows:])
        table.close()
        assert path.read_bytes() == whole


def test_names_that_are_no_utf8(tmp_path):
    name = os.fsdecode(b"\xff.png")
    path = tmp_path / "table.csv"
    table = open_table(path)
    table.append([(name, 0, "full", [0.0, 1.0])])
    table.close()
    table = open_table(path)
    assert table.done == {name: {0}}
    table.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"names": ["score_full"]},
            "table.csv has the columns file, index, label, pro",
        ),
        ({"model_name": "m2"}, "line 2, is of the model m1; this is m2"),
    ],
)
def test_of_another_model(path, options, message):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        open_table(path, **options)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"name,price\nx,3\n", "has the columns name, price"),
        (lambda data: data + b"c.png,zero,full,0,1,m1\n", "line 6, is no row"),
        (lambda data: data + b"c.png,0\n", "line 6, is no row"),
        (lambda data: data + b"\n", "line 6, is no row"),
        (lambda data: data + b"\0" * 9 + b"\n", "line 6, is no row"),
        (lambda data: b"x" * 200_000 + b"\n", "has the columns xxx"),
    ],
)
def test_another_table_is_left_alone(path, change, message):
    path.write_bytes(change(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        open_table(path)
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="no locks there")
def test_two_writers(path):
    table = open_table(path)
    with pytest.raises(ValueError, match="being written by another process"):
        open_table(path)
    table.close()
    open_table(path).close()


def test_line_breaks(tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(ValueError, match="line break"):
        open_table(path, names=["probability_a\nb"])
    table = open_table(path)
    with pytest.raises(ValueError, match="line break"):
        table.append([("a.png", 0, "a\rb", [0.0, 1.0])])
    table.close()
    assert len(read(path)) == 1


def test_on_the_disk_when_append_returns(tmp_path, monkeypatch):
    table = open_table(tmp_path / "table.csv")
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    table.append(ROWS[:1])
    assert len(synced) == 1
    assert len(read(tmp_path / "table.csv")) == 2
    table.close()
