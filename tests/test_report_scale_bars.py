"""Pictures of the report have scale bars where pixel sizes are known."""

import re

import numpy as np
import pytest
import tifffile
from browser import page_problems, show_at, start_browser
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from emclassify.display._scale_bar import PixelWidths, length_in_words
from emclassify.model_selection import benchmark_classifiers

BAR = re.compile(r'<div class="bar" style="width: ([\d.]+)%">([^<]+)</div>')


def flatten(images):
    return np.zeros((len(images), 1))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 255, (24, 20, 40), dtype=np.uint8)


@pytest.fixture(scope="module")
def result(images):
    # Says "a" of all, so that each "b" is a mistake with a picture.
    model = make_pipeline(
        FunctionTransformer(flatten), DummyClassifier(strategy="constant", constant="a")
    )
    y = np.array(["a", "b"] * 12)
    return benchmark_classifiers({"one": model}, images, y, cv=2, n_bootstrap=20)


def bars(result, path, **settings):
    text = result.to_html(path, max_kinds=1, **settings).read_text(encoding="utf-8")
    return BAR.findall(text)


def test_bars_have_the_right_length(result, tmp_path):
    # 40 px of 2 nm are 80 nm: 20 nm are 10 of 40 px, a quarter of the square.
    found = bars(result, tmp_path / "r.html", pixel_size=2.0, n_examples=3)
    assert found == [("25", "20 nm")] * 3
    pairs = np.tile([9.0, 2.0], (24, 1))
    assert bars(result, tmp_path / "p.html", pixel_size=pairs)[0] == ("25", "20 nm")
    some = np.where(np.arange(24) < 2, 2.0, np.nan)
    # Sample 1 is the one mistake among the first two.
    assert bars(result, tmp_path / "s.html", pixel_size=some) == [("25", "20 nm")]
    assert bars(result, tmp_path / "n.html") == []


def test_tall_pictures_are_as_wide_as_they_are(images, result, tmp_path):
    # 20 of 40 px wide: 5 nm of 20 nm, an eighth of the square.
    turned = images.transpose(0, 2, 1)
    found = bars(result, tmp_path / "t.html", images=turned, pixel_size=1.0)
    assert found[0] == ("12.5", "5 nm")


def test_files_state_their_pixel_size(images, result, tmp_path):
    files = []
    for i, image in enumerate(images):
        files.append(str(tmp_path / f"image{i}.tif"))
        nm = 1e-3 if i == 3 else 2.0
        metadata = {"axes": "YX"}
        for axis in "XY":
            metadata |= {f"PhysicalSize{axis}": nm, f"PhysicalSize{axis}Unit": "nm"}
        if i == 3:  # 1 of its unit, which nobody has measured
            metadata = {k: "µm" if v == "nm" else v for k, v in metadata.items()}
            metadata = {k: 1.0 if v == 1e-3 else v for k, v in metadata.items()}
        tifffile.imwrite(files[-1], image, ome=True, metadata=metadata)
    found = bars(result, tmp_path / "r.html", images=files, n_examples=24)
    # Of 12 mistakes, one is of the file that is in doubt.
    assert found == [("25", "20 nm")] * 11
    assert PixelWidths(None, [tmp_path / "missing.tif"], 1)[0] is None


@pytest.mark.parametrize("wrong", [0.0, -1.0, [1.0] * 23, [np.inf] * 24, "two"])
def test_sizes_that_no_pixel_has(result, tmp_path, wrong):
    with pytest.raises(ValueError, match="pixel_size must be"):
        result.to_html(tmp_path / "r.html", pixel_size=wrong)


@pytest.mark.parametrize(
    ("length", "words"), [(0.5, "0.5 nm"), (200, "200 nm"), (2000, "2 µm")]
)
def test_lengths_in_words(length, words):
    assert length_in_words(length) == words


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (375, True)])
def test_bars_in_a_browser(result, tmp_path, width, dark):
    page = result.to_html(tmp_path / "r.html", pixel_size=2.0)
    browser = start_browser(tmp_path, dark=dark)
    try:
        show_at(browser, page, width)
        shares = browser.execute_script(
            "return [...document.querySelectorAll('.bar')].map(b => b.offsetWidth /"
            " b.parentElement.querySelector('img').offsetWidth)"
        )
        assert shares == pytest.approx([0.25] * 6, abs=0.02)
        assert page_problems(browser) == []
    finally:
        browser.quit()
