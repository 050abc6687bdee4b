"""CSV tables as text, and rows that don't fit their header."""

import gzip

import pandas as pd
import pytest

from emclassify._text_table import read_text_table

# Without the time in it: bytes of a parameter are in the test's name.
PACKED = gzip.compress(b"file,label\na,x\n", mtime=0)


def table(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(text.encode())
    return tmp_path / "t.csv"


def test_cells_are_text(tmp_path):
    read = read_text_table(table(tmp_path, "file,label\n01,NA\n1e3,\n"))
    assert read.to_numpy().tolist() == [["01", "NA"], ["1e3", ""]]


@pytest.mark.parametrize("mark_empty", [False, True])
@pytest.mark.parametrize("end", [",", ",,"])
def test_empty_cells_at_the_end_of_rows_shift_nothing(tmp_path, mark_empty, end):
    path = table(tmp_path, f"file,label\n01,x{end}\n02,y{end}\n")
    read = read_text_table(path, mark_empty=mark_empty)
    expected = pd.DataFrame({"file": ["01", "02"], "label": ["x", "y"]}, dtype=str)
    pd.testing.assert_frame_equal(read, expected)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("a,x,1\nb,y,2\n", "line 2 has 3 cells and the header 2: 'a,x,1'"),
        ("a,x,\nb,y,2\n", "line 3 has 3 cells and the header 2: 'b,y,2'"),
        ("a,x,1,2\n", "line 2 has 4 cells and the header 2: 'a,x,1,2'"),
        ("a,x\nb,y,2\n", "line 3 has 3 cells and the header 2: 'b,y,2'"),
        ("a,x\nb\nc,y\n", "line 3 has 1 cell and the header 2: 'b'. Give each row"),
        ('"a\n1",x\n\n \nb\n', "line 6 has 1 cell and the header 2: 'b'"),
    ],
)
@pytest.mark.parametrize("mark_empty", [False, True])
def test_rows_that_do_not_fit_the_header_are_refused(tmp_path, mark_empty, rows, words):
    path = table(tmp_path, "\ufefffile,label\n" + rows)
    with pytest.raises(ValueError, match=rf"t\.csv cannot be read .+: {words}"):
        read_text_table(path, mark_empty=mark_empty)


def test_empty_cells_and_lines_are_no_missing_ones(tmp_path):
    text = '\ufefffile,label\r\n"a,1",\r\n\r\n  \r\n,x,,\r\nb,"y\n""z"\r\n'
    path = table(tmp_path, text)
    expected = [["a,1", ""], ["", "x"], ["b", 'y\n"z']]
    assert read_text_table(path).to_numpy().tolist() == expected
    assert read_text_table(path).columns.tolist() == ["file", "label"]
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_text_table(packed).to_numpy().tolist() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "No columns to parse from file"),
        ("file,label,label\na,x,y\n", "it has more than one column 'label'"),
        ("file;label;nm\na;x;0,5\n", "its header has semicolons and no comma: 'file;"),
        ("file\tlabel\na\tx\n", "its header has tabs and no comma"),
        ('file,label\n"a,x\n', "EOF inside string"),
        ("file,label\n" + "a" * 200_000 + ",x\n", "line 2: field larger than"),
    ],
)
def test_what_is_no_table(tmp_path, text, words):
    with pytest.raises(ValueError, match=rf"t\.csv cannot be read .+: {words}"):
        read_text_table(table(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv.zip", b"PK\x03\x04file", "it is a zip archive or a workbook: save it"),
        ("t.csv.zst", b"\x28\xb5\x2f\xfdfile", "it is packed with Zstandard: save it"),
        ("t.csv", PACKED, "it is packed with gzip: save"),
        ("t.csv", "file,label\n".encode("utf-16"), "it is UTF-16: save it as CSV in"),
        ("t.csv", b"file,label\na,x\nb,gr\xf6\xdfer\n", "line 3 is not in UTF-8: save"),
        ("t.csv.gz", b"file,label\na,x\n", r"it can't be unpacked as \.gz, which its"),
        ("t.csv.gz", PACKED[:9], r"it can't be unpacked as \.gz"),
        ("t.csv.bz2", b"file,label\na,x\n", r"it can't be unpacked as \.bz2"),
        ("t.csv.xz", b"file,label\na,x\n", r"it can't be unpacked as \.xz"),
    ],
)
def test_what_is_no_text_is_refused_by_name(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} cannot be read as .+: {words}"):
        read_text_table(tmp_path / name)


def test_columns_without_a_name_may_be_several(tmp_path):
    read = read_text_table(table(tmp_path, "file,,label,\na,,x,\n"))
    assert read["file"].tolist() == ["a"]
    assert read["label"].tolist() == ["x"]
