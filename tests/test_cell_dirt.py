"""The study of dirty labels and images refuses what cannot be, and writes its page."""

from functools import wraps
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

pytest.importorskip("cleanlab")

from emclassify import make_cell_images
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
    made = {"machine": "a computer", "versions": {"emclassify": "0.1"}}
    records = [
        {**made, "started": f"2026-11-{day}", "seconds": 6.0} for day in (29, 28)
    ]
    page = dirt.report([table], [table], args, records)
    assert "`python -m studies.cells.dirt --samples 2400 --seeds 0`" in page
    assert "on a computer, 2026-11-28, 12 s. emclassify 0." in page
    assert "the best a filter can do" not in page


class Means(TransformerMixin, BaseEstimator):
    """Features that are quick."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.hstack([X.mean(axis=(1, 2)), X.std(axis=(1, 2))])


def never(*args, **kwargs):
    raise AssertionError


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    @wraps(make_cell_images)
    def make_small(n_samples, **params):
        return make_cell_images(n_samples, image_size=32, **params)

    trained, score = [], dirt.score

    def stopped(data, side, seed):
        trained.append(side)
        if side == "both" and trained.count("both") == 1:
            raise KeyboardInterrupt
        return score(data, side, seed)

    def detect(images, data, seed):
        trained.append("detectors")
        assert len(images) == len(data["X dirty"]) == 200
        return pd.DataFrame({"dropped": [0.03], "recall": [1 / 3]}, index=["distance"])

    monkeypatch.setattr(dirt, "make_cell_images", make_small)
    monkeypatch.setattr(dirt, "FeatureExtractor", Means)
    monkeypatch.setattr(dirt, "label_issues", lambda X, y, plate: np.arange(len(y)) < 9)
    monkeypatch.setattr(dirt, "detect", detect)
    monkeypatch.setattr(dirt, "score", stopped)
    dirt.dirty_images.cache_clear()
    command = ["--out", str(tmp_path / "page.md"), "--samples", "200", "--seeds", "3"]
    with pytest.raises(KeyboardInterrupt):
        dirt.main(command)
    assert not (tmp_path / "page.md").exists()
    # What was done is taken, images and features too.
    monkeypatch.setattr(dirt, "make_cell_images", wraps(make_small)(never))
    dirt.main(command)
    assert trained == ["detectors", *dirt.SIDES[:5], "both", "all that is dirty"]
    page = (tmp_path / "page.md").read_text("utf-8")
    assert "| distance | 0.03 | 0.33 |" in page
    assert "| SVM | 0." in page
    # Nothing is trained any more, and the page is the same to its seconds.
    monkeypatch.setattr(dirt, "score", never)
    (tmp_path / "page.md").unlink()
    dirt.main(command)
    assert (tmp_path / "page.md").read_text("utf-8") == page
    with pytest.raises(SystemExit, match=r"other settings \(samples\)"):
        dirt.main([*command, "--samples", "210"])
