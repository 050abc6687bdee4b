"""CSV tables as text, and rows that don't fit their header."""

import pandas as pd
import pytest

from emclassify._text_table import read_text_table


def table(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
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
        ("a,x,1\nb,y,2\n", "row 1 has 3 cells, and the header 2"),
        ("a,x,\nb,y,2\n", "row 2 has 3 cells, and the header 2"),
        ("a,x,1,2\n", "row 1 has 4 cells, and the header 2"),
        ("a,x\nb,y,2\n", "Expected 2 fields in line 3, saw 3"),
    ],
)
def test_more_cells_than_the_header_are_refused(tmp_path, rows, words):
    with pytest.raises(ValueError, match=rf"t\.csv cannot be read .+: {words}"):
        read_text_table(table(tmp_path, "file,label\n" + rows))
