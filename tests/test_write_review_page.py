"""The page on which labels are set right, as a person uses it."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from browser import start_browser
from PIL import Image

import emclassify.review
from emclassify import find_duplicates
from emclassify.review import apply_corrections, write_review_page

CLASSES = ["<script>boom()</script>", "cat", 'q"uo,te']
N = 60


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (N, 24, 24), dtype=np.uint8)


@pytest.fixture(scope="module")
def labels():
    return np.resize(CLASSES, N)


@pytest.fixture(scope="module")
def proba():
    # The model doubts image 7 most, then 3.
    proba = np.full((N, 3), 0.1)
    proba[np.arange(N), np.arange(N) % 3] = 0.8
    proba[7] = [0.9, 0.05, 0.05]
    proba[3] = [0.2, 0.7, 0.1]
    return proba


def data_of(page):
    """Return what the page holds."""
    text = page.read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


# Without a browser


def test_orders_are_by_doubt(images, labels, proba, tmp_path):
    members = np.stack([proba] * 3)
    members[1, 11] = members[1, 11, ::-1]
    score = np.zeros(N)
    score[5] = 1
    page = write_review_page(
        images,
        proba,
        labels,
        path=tmp_path / "r.html",
        member_proba=members,
        outlier_score=score,
        order=[9, 8],
    )
    orders = data_of(page)["orders"]
    assert orders["probability of the label"][:2] == [7, 3]
    assert orders["margin"][:2] == [7, 3]
    assert orders["disagreement of members"][0] == 11
    assert orders["outliers"][0] == 5
    assert orders["suggested"] == [9, 8]
    assert orders["as given"] == list(range(N))


def test_copies_with_other_labels_come_first(images, labels, tmp_path):
    X = images.copy()
    X[10], X[20] = X[0], X[2]  # labels of 0 and 10 differ, of 2 and 20 do not
    pairs = find_duplicates(X)
    page = write_review_page(
        X, target=labels, path=tmp_path / "r.html", duplicates=pairs
    )
    data = data_of(page)
    assert data["orders"]["duplicates"] == [0, 10, 2, 20]
    assert data["duplicates"][10] == "nearly the same as 0 with another label"
    assert data["duplicates"][2] == "nearly the same as 20"


def test_labels_cannot_end_the_data(images, labels, tmp_path):
    page = write_review_page(images, target=labels, path=tmp_path / "r.html")
    assert "boom" in json.dumps(data_of(page))
    assert "<script>boom" not in page.read_text(encoding="utf-8")


def test_every_file_of_the_script_is_in_the_page_once(images, tmp_path):
    page = write_review_page(images, path=tmp_path / "r.html", classes=["a", "b"])
    text = page.read_text(encoding="utf-8")
    files = sorted(Path(emclassify.review.__file__).parent.glob("templates/*.js"))
    assert len(files) == 9
    for file in files:
        assert text.count(file.read_text(encoding="utf-8").strip()) == 1, file.name


def test_a_folder_has_larger_pictures(tmp_path):
    X = np.random.default_rng(0).integers(0, 255, (3, 700, 350), dtype=np.uint8)
    page = write_review_page(X, path=tmp_path / "review", classes=["a", "b"])
    assert page == tmp_path / "review" / "index.html"
    with Image.open(tmp_path / "review" / "pictures" / "000002.jpg") as picture:
        assert picture.size == (256, 512)
    with Image.open(tmp_path / "review" / "sheet-000.jpg") as sheet:
        assert sheet.size == (32 * 64, 64)
    assert data_of(page)["sizes"] == [[700, 350]] * 3


def test_pixel_sizes_may_be_unknown(images, tmp_path):
    page = write_review_page(
        images[:2], path=tmp_path / "r.html", classes=["a"], pixel_size=[np.nan, 2]
    )
    assert data_of(page)["pixel_size"] == [None, 2.0]


def test_pixel_sizes_are_those_of_columns_and_files(images, tmp_path):
    pairs = [(1, 2), (3, 4)]
    page = write_review_page(
        images[:2], path=tmp_path / "r.html", classes=["a"], pixel_size=pairs
    )
    assert data_of(page)["pixel_size"] == [2.0, 4.0]
    files = [tmp_path / "sized.tif", tmp_path / "bare.tif", tmp_path / "no.tif"]
    size = {"axes": "YX", "PhysicalSizeX": 5.0, "PhysicalSizeXUnit": "nm"}
    size |= {"PhysicalSizeY": 5.0, "PhysicalSizeYUnit": "nm"}
    grey = np.zeros((8, 8), np.uint8)
    tifffile.imwrite(files[0], grey, ome=True, metadata=size)
    tifffile.imwrite(files[1], grey)
    page = write_review_page(files, path=tmp_path / "f.html", classes=["a"])
    data = data_of(page)
    assert data["pixel_size"] == [5.0, None, None]
    assert data["unread"][:2] == ["", ""]
    assert data["unread"][2]


def test_images_that_cannot_be_read_are_counted(images, tmp_path):
    paths = []
    for i in range(4):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(images[i]).save(paths[-1])
    paths[2].write_bytes(b"no image")
    page = write_review_page(paths, path=tmp_path / "r.html", classes=["a", "b"])
    data = data_of(page)
    assert data["n_unread"] == 1
    assert [bool(reason) for reason in data["unread"]] == [False, False, True, False]
    assert data["names"] == [str(path) for path in paths]


def test_the_data_set_is_told_by_its_images(images, labels, tmp_path):
    def dataset(X, **options):
        page = write_review_page(X, path=tmp_path / "r.html", **options)
        return data_of(page)["dataset"]

    one = dataset(images, target=labels)
    assert dataset(images, target=labels[::-1]) == one
    other = images.copy()
    other[3] += 40
    assert dataset(other, target=labels) != one
    assert dataset(images[:-1], target=labels[:-1]) != one


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": ["a"] * 3}, "target has 3 entries for 60 images"),
        ({"target": np.eye(60)}, r"target has shape \(60, 60\)"),
        ({"proba": np.ones((3, 2))}, r"proba has shape \(3, 2\)"),
        (
            {"proba": np.full((60, 2), np.nan), "classes": "ab"},
            "not finite for image 0",
        ),
        ({"proba": np.ones((60, 2))}, "proba has 2 columns and target 0 classes"),
        ({}, "give classes"),
        ({"classes": ["a", "a"]}, "different names"),
        ({"classes": [str(k) for k in range(32)]}, "keys for 31 classes"),
        ({"target": ["a"] * 60, "classes": ["b"]}, "'a', which is not among"),
        ({"classes": ["a"], "names": ["x"] * 60}, "'x' comes twice"),
        ({"classes": ["a"], "groups": [1, 2]}, "groups has 2 entries for 60"),
        ({"classes": ["a"], "groups": [1.0] * 59 + [np.nan]}, "missing for sample 59"),
        ({"classes": ["a"], "outlier_score": [np.nan] * 60}, "outlier_score is nan"),
        (
            {"classes": ["a"], "pixel_size": [1.0]},
            r"the 60 images; got the shape \(1,\)",
        ),
        ({"classes": ["a"], "pixel_size": [0.0] * 60}, "pixel_size must be above 0"),
        ({"classes": ["a"], "pixel_size": [np.inf] * 60}, "must be above 0"),
        ({"classes": ["a"], "order": [0, 0]}, "different numbers from 0 to 59"),
        ({"classes": ["a"], "member_proba": np.ones((2, 3, 1))}, "member_proba has"),
        ({"classes": ["a"], "duplicates": pd.DataFrame({"first": []})}, "second"),
    ],
)
def test_bad_input_is_named(images, tmp_path, options, message):
    options = {"classes": None, **options}
    if isinstance(options["classes"], str):
        options["classes"] = list(options["classes"])
    with pytest.raises(ValueError, match=message):
        write_review_page(images, path=tmp_path / "r.html", **options)
    assert not (tmp_path / "r.html").exists()


def test_no_images_and_no_folder(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        write_review_page(np.zeros((0, 4, 4)), path=tmp_path / "r.html", classes=["a"])
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        write_review_page(
            np.zeros((1, 4, 4)), path=tmp_path / "no" / "r.html", classes=["a"]
        )


# In a browser


@pytest.fixture
def open_page(tmp_path):
    browsers = []

    def start(page, **options):
        browser = start_browser(tmp_path, **options)
        browsers.append(browser)
        browser.get(page.as_uri())
        return browser

    yield start
    try:
        for browser in browsers:
            assert_quiet(browser)
    finally:
        for browser in browsers:
            browser.quit()


def assert_quiet(browser):
    """No script has failed, and nothing was asked of anywhere but the page's place."""
    assert [
        entry for entry in browser.get_log("browser") if entry["level"] != "INFO"
    ] == []
    asked = [
        json.loads(entry["message"])["message"]
        for entry in browser.get_log("performance")
    ]
    urls = [
        message["params"]["request"]["url"]
        for message in asked
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert urls
    assert {url.split(":")[0] for url in urls} <= {"file", "blob", "data"}


def by_id(browser, name):
    return browser.find_element("id", name)


def press(browser, *keys):
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def progress(browser):
    return by_id(browser, "progress").text


@pytest.mark.browser
def test_keys_decide_and_the_csv_says_so(images, labels, proba, open_page, tmp_path):
    page = write_review_page(images, proba, labels, path=tmp_path / "r.html")
    browser = open_page(page)
    # By doubt: 7 (cat), 3 (script), then the rest in order.
    press(browser, "1", " ", "x", "2")
    assert progress(browser) == "4 of 60 decided: 1 changed, 1 excluded"
    press(browser, "u")
    assert progress(browser) == "3 of 60 decided: 1 changed, 1 excluded"
    press(browser, "3", "\ue007")  # Enter: the large view
    assert by_id(browser, "large").get_attribute("open")
    by_id(browser, "note").send_keys('a, "b"')
    by_id(browser, "close").click()
    by_id(browser, "save").click()
    saved = tmp_path / "corrections.csv"
    end = time.monotonic() + 10
    while time.monotonic() < end and not (saved.exists() and saved.stat().st_size):
        time.sleep(0.05)
    table = pd.read_csv(saved, dtype=str, keep_default_na=False)
    assert table["index"].tolist() == ["7", "3", "0", "1", "2"]
    assert table["old_label"].tolist() == [labels[i] for i in (7, 3, 0, 1, 2)]
    assert table["new_label"][:2].tolist() == [CLASSES[0], CLASSES[0]]
    assert table["new_label"][3] == CLASSES[2]
    assert table["excluded"].tolist() == ["false", "false", "true", "false", "false"]
    assert table["note"][4] == 'a, "b"'
    found = apply_corrections(labels, saved)
    assert found.table["label"][7] == CLASSES[0]
    assert found.table["label"][1] == CLASSES[2]
    assert found.table["excluded"].tolist() == [i == 0 for i in range(N)]
    assert len(found.conflicts) == 0


@pytest.mark.browser
def test_work_survives_a_reload(images, labels, proba, open_page, tmp_path):
    page = write_review_page(images, proba, labels, path=tmp_path / "review")
    browser = open_page(page)
    press(browser, "1", "2", "x")
    before = progress(browser)
    assert before.startswith("3 of 60 decided")
    browser.refresh()
    assert progress(browser) == before
    press(browser, "u", "u", "u")
    assert progress(browser).startswith("0 of 60 decided")


@pytest.mark.browser
def test_filters(images, labels, proba, open_page, tmp_path):
    rejected = np.arange(N) < 5
    page = write_review_page(
        images,
        proba,
        labels,
        path=tmp_path / "r.html",
        groups=np.arange(N) // 20,
        rejected=rejected,
    )
    browser = open_page(page)

    def shown(name, value):
        script = (
            "const s = document.getElementById(arguments[0]); s.value = arguments[1];"
            "s.dispatchEvent(new Event('change', {bubbles: true}));"
            "return document.getElementById('shown').textContent"
        )
        text = browser.execute_script(script, name, value)
        browser.execute_script(script, name, "")
        return text

    assert shown("by-label", "1") == "20 of 60 shown"
    assert shown("by-group", "2") == "20 of 60 shown"
    assert shown("by-rejected", "1") == "5 of 60 shown"
    assert shown("by-predicted", "0") == "20 of 60 shown"  # 7 more, 3 fewer
    by_id(browser, "list").click()
    press(browser, "x")
    assert shown("by-state", "excluded") == "1 of 60 shown"
    assert shown("by-state", "open") == "59 of 60 shown"


@pytest.mark.browser
def test_a_cluster_is_labelled_with_one_key(images, open_page, tmp_path):
    page = write_review_page(
        images,
        path=tmp_path / "r.html",
        classes=["a", "b"],
        clusters=np.repeat([0, 1], [40, 20]),
    )
    browser = open_page(page)
    press(browser, "2")
    browser.switch_to.active_element.send_keys("\ue008" + "1")  # Shift
    assert progress(browser) == "40 of 60 decided: 40 changed, 0 excluded"
    heads = [e.text for e in browser.find_elements("css selector", ".cluster")]
    assert "Cluster 0\n40 images, 0 not decided" in heads
    assert not by_id(browser, "by-predicted").is_displayed()  # no model has said
    kept = browser.execute_script("return JSON.stringify(localStorage)")
    decided = json.loads(next(iter(json.loads(kept).values())))["decided"]
    assert {decided[str(i)]["c"] for i in range(1, 40)} == {0}
    assert decided["0"]["c"] == 1
    press(browser, "u")
    assert progress(browser).startswith("1 of 60 decided")


@pytest.mark.browser
def test_corrections_of_another_data_set_are_refused(
    images, labels, open_page, tmp_path
):
    page = write_review_page(images, target=labels, path=tmp_path / "r.html")
    browser = open_page(page)
    row = {
        "index": "1",
        "old_label": "cat",
        "new_label": CLASSES[2],
        "excluded": "false",
        "note": "",
        "time": "2026-01-01T00:00:00Z",
    }
    for dataset, words in (
        ("other", "of another data set"),
        (data_of(page)["dataset"], "1 decisions loaded"),
    ):
        path = tmp_path / f"{dataset}.csv"
        pd.DataFrame([row | {"dataset": dataset}]).to_csv(path, index=False)
        by_id(browser, "load").send_keys(str(path))
        end = time.monotonic() + 5
        while words not in by_id(browser, "message").text and time.monotonic() < end:
            time.sleep(0.05)
        assert words in by_id(browser, "message").text
    assert progress(browser) == "1 of 60 decided: 1 changed, 0 excluded"


@pytest.mark.browser
def test_readable_by_screen_readers_on_small_and_dark_screens(
    images, labels, proba, open_page, tmp_path
):
    page = write_review_page(images, proba, labels, path=tmp_path / "r.html")
    for width, dark in ((1280, False), (500, True)):
        browser = open_page(page, width=width, dark=dark)
        listbox = by_id(browser, "list")
        current = by_id(browser, listbox.get_attribute("aria-activedescendant"))
        assert current.get_attribute("role") == "option"
        assert current.get_attribute("aria-label").startswith("7, label cat, predicted")
        assert current.get_attribute("aria-setsize") == "60"
        nameless = browser.execute_script(
            "return [...document.querySelectorAll('button, select, input')].filter("
            "e => !(e.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)"
        )
        assert nameless == []
        # Filters are never squeezed away.
        assert by_id(browser, "filters").size["height"] > 40
        assert by_id(browser, "by-predicted").is_displayed()
        wide = browser.execute_script(
            "return document.documentElement.scrollWidth - innerWidth"
        )
        assert wide <= 0
        ground = browser.execute_script(
            "return getComputedStyle(document.body).backgroundColor"
        )
        assert ground == ("rgb(18, 23, 28)" if dark else "rgb(255, 255, 255)")


@pytest.mark.browser
@pytest.mark.slow
def test_ten_thousand_images_open_in_three_seconds(open_page, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (10_000, 64, 64), dtype=np.uint8)
    proba = rng.dirichlet([1, 1, 1], len(X))
    y = np.resize(["a", "b", "c"], len(X))
    blank = write_review_page(
        X[:1], proba[:1], y[:1], path=tmp_path / "b.html", classes=["a", "b", "c"]
    )
    for path in ("r.html", "review"):
        page = write_review_page(X, proba, y, path=tmp_path / path)
        browser = open_page(blank)
        start = time.monotonic()
        browser.get(page.as_uri())
        assert "10000" in progress(browser)
        assert browser.find_elements("css selector", ".tile")
        seconds = time.monotonic() - start
        assert seconds < 3, path
        # A jump to the end draws what is there, and no more than a few screens of it.
        press(browser, "\ue010")
        time.sleep(0.3)
        tiles = browser.find_elements("css selector", ".tile")
        assert 0 < len(tiles) < 1000
