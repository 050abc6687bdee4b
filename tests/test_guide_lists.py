"""Lists in the guide hold what the code has: formats, takers of images of any size."""

import inspect
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_common import ANY_SIZE, ESTIMATORS
from test_docs import INNER_ROOMS, OBJECTS, RESULTS

from emclassify import load_image_folder, open_image_stack
from emclassify.readers import read_image
from emclassify.readers._formats import SUFFIXES

GUIDE = Path(__file__).parents[1] / "docs" / "user_guide"


def text_between(page, start, end):
    """Return a part of a page of the guide."""
    text = (GUIDE / page).read_text("utf-8")
    return text[text.index(start) : text.index(end, text.index(start))]


def test_the_guide_names_all_that_is_public():
    # Named tuples come from functions, as results do.
    returned = RESULTS | {"OperatingPoint", "Prediction"}
    pages = " ".join(page.read_text("utf-8") for page in GUIDE.iterdir())
    words = set(re.findall(r"\w+", pages))
    public = {
        name
        for room, name, _ in (entry.values for entry in OBJECTS)
        if room not in INNER_ROOMS
    }
    assert public - returned - words == set()


def test_the_table_of_formats_has_all_endings():
    table = text_between("formats.rst", "   * - Format", "RosettaSciIO is under")
    rows = re.findall(r"^   \* - .*\n     - (\..*)$", table, re.MULTILINE)
    assert {ending for row in rows for ending in row.split(", ")} == set(SUFFIXES)


def test_other_pictures_are_read_where_they_are_named(tmp_path):
    told = text_between("formats.rst", "GIF, WebP", "RosettaSciIO is under")
    image = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(12, 16))
    names = {"GIF": "gif", "WebP": "webp", "JPEG 2000": "jp2", "PGM": "pgm"}
    for name, ending in (names | {"PPM": "ppm"}).items():
        assert name in told
        image.save(tmp_path / f"a.{ending}")
        assert read_image(tmp_path / f"a.{ending}").shape[:2] == (12, 16)
    table = pd.DataFrame({"file": ["a.gif", "a.pgm"], "label": ["x", "y"]})
    assert load_image_folder(tmp_path, labels=table).images.shape == (2, 12, 16)
    (tmp_path / "x" / "y").mkdir(parents=True)
    image.save(tmp_path / "x" / "y" / "b.gif")
    with pytest.raises(ValueError, match=r"holds no images.*1 \.gif"):
        load_image_folder(tmp_path / "x")


def test_who_reads_stored_images_by_the_batch():
    told = text_between("images.rst", "\nNetworks, features, ", "by the batch or chunk")
    named = set(re.findall(r"`~emclassify\.\w+\.(\w+)`", told))
    read = {type(e) for e in ESTIMATORS if getattr(e, "_reads_stored", False)}
    # Those of two rooms are named together.
    rooms = ("emclassify.classifiers.", "emclassify.features.")
    assert named == {c.__name__ for c in read if not c.__module__.startswith(rooms)}
    words = inspect.getdoc(open_image_stack).partition("the others read it whole")[0]
    assert all(f"`{name}`" in words for name in named)


def test_who_takes_images_of_different_sizes():
    start = "Images of different sizes\n----"
    told = text_between("images.rst", start, "\nMasks\n")
    named = set(re.findall(r"`~emclassify\.\w+\.(\w+)`", told))
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(12 + i, 14)) for i in range(12)]
    y, groups = np.tile(["off", "on"], 6), np.arange(12) // 6
    assert {cls.__name__ for cls in ANY_SIZE} <= named
    for estimator in ESTIMATORS:
        if type(estimator).__name__ not in named or type(estimator) in ANY_SIZE:
            continue
        named.remove(type(estimator).__name__)
        if hasattr(estimator, "fit_resample"):
            assert len(estimator.fit_resample(X, y)[0]) >= 10
        else:
            X = [rng.normal(size=(12 + 2 * group, 14)) for group in groups]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert len(estimator.fit(X, y, groups=groups).predict(X, groups=groups))
    assert named == {cls.__name__ for cls in ANY_SIZE}
