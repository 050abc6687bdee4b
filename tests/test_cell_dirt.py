"""The study of dirty labels and images refuses what cannot be, and writes its page."""

from types import SimpleNamespace

import pandas as pd
import pytest

pytest.importorskip("cleanlab")

from studies.cells import dirt


def test_no_page_is_written_without_being_asked_for(capsys):
    with pytest.raises(SystemExit):
        dirt.main([])
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--samples", "3"], "--samples must be at least 200"),
        (["--seeds", "-1"], "--seeds must be from 0"),
        (["--jobs", "0"], "--jobs must not be 0"),
    ],
)
def test_refused_arguments(wrong, message, tmp_path, capsys):
    with pytest.raises(SystemExit):
        dirt.main(["--out", str(tmp_path / "page.md"), *wrong])
    assert message in capsys.readouterr().err


def test_page():
    table = pd.DataFrame(
        0.5, index=["SVM"], columns=["clean", "dirty", *dirt.FILTERS]
    ).assign(clean=0.75)
    args = SimpleNamespace(samples=2400, seeds=[0])
    page = dirt.report([table], [table], args, "2026-11-28", 12.0)
    assert "`python -m studies.cells.dirt --samples 2400 --seeds 0`" in page
    assert ", 2026-11-28, 12 s. emclassify 0." in page
    assert "the best a filter can do" not in page
