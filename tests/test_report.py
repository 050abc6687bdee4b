import base64
import io
import json
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from browser import page_problems, show_at, start_browser
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from emclassify._thumbnails import to_8_bit
from emclassify.display import (
    BenchmarkDisplay,
    ConfusionMatricesDisplay,
    write_report,
)
from emclassify.display._mistakes import find_mistakes
from emclassify.display._parameters import chosen_parameters
from emclassify.display._report_curves import class_curves
from emclassify.display._report_tables import _shade, class_rows
from emclassify.metrics._figures import FIGURES
from emclassify.model_selection import benchmark_classifiers

CLASSES = ["full & whole", "<script>alert(1)</script>", "unsure"]
VOID = {"meta", "img", "br", "hr", "link", "input"}


def flatten(images):
    return np.asarray(images).reshape(len(images), -1)


def flat(model):
    return make_pipeline(FunctionTransformer(flatten), model)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def result():
    digits = load_digits(n_class=3)
    rng = np.random.RandomState(0)
    X = digits.images[:180] + rng.normal(scale=6, size=(180, 8, 8))
    return benchmark_classifiers(
        {
            "<b>Bayes</b>": flat(GaussianNB(var_smoothing=1e-3)),
            "SVM": flat(SVC(C=0.02, class_weight="balanced")),
        },
        X.astype(np.float32),
        digits.target[:180],
        target_names=CLASSES,
        groups=np.repeat([f"grid<{i}>" for i in range(18)], 10),
        cv=GroupKFold(3),
        n_bootstrap=200,
        random_state=0,
    )


class Page(HTMLParser):
    """Collects tags, attributes and text; fails on tags that don't close."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.ids, self.labels = [], {}
        self.feed(html)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        for name, value in attrs:
            if name == "aria-label":
                self.labels.setdefault(tag, []).append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)


@pytest.fixture(scope="module")
def path(result, tmp_path_factory):
    return result.to_html(
        tmp_path_factory.mktemp("report") / "report.html",
        title="Vesicles & <others>",
        description="Simulated.\n\nSecond <paragraph>.",
        command="emclassify benchmark --out <x>",
        names=[f"folder/img_{i:03d}.tif" for i in range(180)],
    )


@pytest.fixture(scope="module")
def page(path):
    return Page(path.read_text(encoding="utf-8"))


def test_report_says_what_was_found(result, page):
    for words in (
        "Vesicles & <others>",
        "Second <paragraph>.",
        "emclassify benchmark --out <x>",
        result.verdict(),
        *CLASSES,
        *result.names,
        "GroupKFold(n_splits=3",
        "180 samples of shape 8 × 8 (float32) in 18 groups.",
        "No group is on both the training and the test side",
        "svc__C 0.02",
        "svc__class_weight 'balanced'",
        "gaussiannb__var_smoothing 0.001",
        "scikit-learn",
        "random_state 0",
        result.settings["started"][:10],
        "Few groups:",
        "grid<0>",
    ):
        assert words in page.text


def test_report_holds_the_figures(result, page):
    for name in result.names:
        for count in result.confusion_matrix(name).to_numpy().ravel():
            assert f" {count} " in page.text
        for row in result.summary().loc[name].loc[CLASSES].itertuples():
            assert f"{row.TPR:.2f} {row.TPR_low:.2f}–{row.TPR_high:.2f}" in page.text
    comparison = result.compare().iloc[0]
    assert f"{abs(comparison.difference):.3f}" in page.text


def test_a_score_of_a_model_is_one_number(result, page):
    means = result.to_frame().groupby("estimator")["F1_macro"].mean()
    table = result.means(["F1_macro"])
    display = result.plot()
    for i, name in enumerate(result.names):
        mean, sd, low, high = table.loc[name]
        assert mean == pytest.approx(means[name])
        assert f"{mean:.3f}" in result.verdict()
        assert f"{mean:.3f} ± {sd:.3f} {low:.3f}–{high:.3f}" in page.text
        assert f"{mean:.2f} {low:.2f}–{high:.2f}" in page.text  # among the figures
        assert f"{name} {mean:.3f}, {low:.3f} to {high:.3f}" in page.labels["svg"][0]
        assert display.ax_.texts[i].get_text() == f"{mean:.3f}"


def test_words_are_explained_where_they_stand_and_at_the_end(page):
    terms = [(a, v) for t, a, v in page.attributes if v and v.startswith("#term-")]
    assert len(terms) > 20
    assert {value[1:] for _, value in terms} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    titles = [
        value for tag, name, value in page.attributes if (tag, name) == ("a", "title")
    ]
    assert len(titles) == len(terms)
    assert "of the images of a class, the share that is found" in titles


@pytest.fixture(scope="module")
def downloads(page):
    names = [v for tag, name, v in page.attributes if name == "download"]
    hrefs = [
        v for tag, name, v in page.attributes if name == "href" and v[:5] == "data:"
    ]
    coded = [href.split("base64,")[1] for href in hrefs]
    texts = [base64.b64decode(text).decode("utf-8") for text in coded]
    return dict(zip(names, texts, strict=True))


def test_tables_can_be_saved(result, downloads):
    assert {"scores.csv", "scores.json", "benchmark.json"} <= set(downloads)
    for name in downloads:
        if name.endswith(".csv"):
            table = pd.read_csv(io.StringIO(downloads[name]))
            rows = json.loads(downloads[name.replace(".csv", ".json")])
            assert len(rows) == len(table) > 0
            assert list(rows[0]) == list(table)
    scores = pd.read_csv(io.StringIO(downloads["scores.csv"]), index_col=0)
    pd.testing.assert_frame_equal(scores, result.means())
    mistakes = pd.read_csv(io.StringIO(downloads["mistakes-of-svm.csv"]))
    frame = result.out_of_fold("SVM")
    wrong = frame[frame["y_true"] != frame["y_pred"]]
    assert mistakes["sample"].tolist() == wrong["sample"].tolist()
    assert mistakes["name"][0] == f"folder/img_{mistakes['sample'][0]:03d}.tif"
    true = wrong.iloc[0]["y_true"]
    assert mistakes["score_true"][0] == pytest.approx(
        wrong.iloc[0][f"score_{CLASSES[true]}"]
    )
    everything = json.loads(downloads["benchmark.json"])
    assert everything["verdict"] == result.verdict()
    assert everything["tables"]["scores"] == json.loads(downloads["scores.json"])


def test_curves_of_classes(result, downloads):
    name = result.names[0]
    curves = class_curves(result, name)
    scores, _ = result.class_scores(name)
    _, true, _ = result.codes(name)
    for code, row in curves.table.iterrows():
        y, score = true == code, scores[:, code]
        # The share of pairs in the right order, ties half.
        pairs = score[y][:, np.newaxis] - score[~y]
        auc = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
        assert row["roc_auc"] == pytest.approx(auc)
        assert row["brier"] == pytest.approx(((score - y) ** 2).mean())
        x, share = curves.curves["calibration"][code]
        assert len(x) <= 10
        assert (np.diff(x) > 0).all()
        assert ((share >= 0) & (share <= 1)).all()
    assert "curves-of-b-bayes-b.csv" in downloads
    assert "calibration" not in class_curves(result, "SVM").curves


class Never(GaussianNB):
    """Never says class 2."""

    def predict(self, X):
        return np.minimum(super().predict(X), 1)


def test_figures_without_a_value_are_a_dash(tmp_path):
    digits = load_digits(n_class=3)
    result = benchmark_classifiers(
        {"never": flat(Never())}, digits.images, digits.target, cv=3, n_bootstrap=20
    )
    row = class_rows(result, "never")[2]
    figures = dict(zip(FIGURES, row["cells"], strict=True))
    assert (figures["PPV"]["value"], figures["PPV"]["span"]) == ("–", "")
    assert figures["TPR"]["value"] == figures["F1"]["value"] == "0.00"
    assert figures["NPV"]["value"] != "–"
    table = result.shown_figures("never")
    assert table.loc["2", ["PPV", "PPV_low", "PPV_high"]].isna().all()
    mean = result.to_frame()["F1_macro"].mean()
    assert table.loc["macro", "F1"] == pytest.approx(mean)
    # In a terminal as on the page.
    printed = {
        line.split()[0]: line.split() for line in str(result).splitlines() if line
    }
    assert printed["2"][1:3] == [
        "0.00",
        f"({table.loc['2', 'TPR_low']:.2f}–{table.loc['2', 'TPR_high']:.2f})",
    ]
    assert "–" in printed["2"]
    assert f"{mean:.2f}" in printed["macro"]
    text = result.to_html(tmp_path / "r.html").read_text(encoding="utf-8")
    assert text.count('title="undefined: no predicted samples"') == 1


def test_means_with_intervals():
    X, y = load_digits(n_class=3, return_X_y=True)
    result = benchmark_classifiers({"Bayes": GaussianNB()}, X, y, cv=4, random_state=0)
    scores = result.to_frame()["accuracy"]
    row = result.means(["accuracy"]).loc["Bayes"]
    half = stats.t.ppf(0.975, 3) * np.sqrt(scores.var() * (1 / 4 + 1 / 3))
    assert row["accuracy"] == pytest.approx(scores.mean())
    assert row["accuracy_low"] == pytest.approx(scores.mean() - half, abs=1e-3)
    assert row["accuracy_high"] == pytest.approx(min(1, scores.mean() + half), abs=1e-3)
    alone = [next(KFold(2, shuffle=True, random_state=0).split(X))]
    result = benchmark_classifiers({"Bayes": GaussianNB()}, X, y, cv=alone)
    row = result.means(["accuracy"]).loc["Bayes"]
    assert np.isnan(row["accuracy_sd"])
    assert tuple(row.drop("accuracy_sd")) == result.pooled.score("Bayes", "accuracy")


def test_report_is_self_contained_and_escaped(page):
    assert "script" not in page.tags
    assert "link" not in page.tags
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("src", "href"):
            files = ("data:text/csv;", "data:application/json;")
            assert value.startswith(("data:image/", "#", *files))
    style = " ".join(value for _, name, value in page.attributes if name == "style")
    assert "url(" not in style


def test_report_is_accessible(page):
    images = page.tags.count("img")
    alts = [
        value for tag, name, value in page.attributes if tag == "img" and name == "alt"
    ]
    assert len(alts) == images
    assert all(alts)
    scopes = [value for tag, name, value in page.attributes if name == "scope"]
    assert len(scopes) == page.tags.count("th")
    assert set(scopes) == {"row", "col"}
    assert ("html", "lang", "en") in page.attributes
    assert page.tags.count("h1") == 1
    for share in np.linspace(0, 1, 101):
        assert contrast(*_shade(share)) >= 4.5


def contrast(one, two):
    def luminance(colour):
        colour = colour.lstrip("#")
        if len(colour) == 3:
            colour = "".join(2 * c for c in colour)
        parts = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)]) / 255
        linear = np.where(
            parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4
        )
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted([luminance(one), luminance(two)])
    return (high + 0.05) / (low + 0.05)


def test_report_shows_each_kind_of_mistake(result, page):
    for name in result.names:
        counts = result.confusion_matrix(name)
        for true in CLASSES:
            for predicted in CLASSES:
                n = counts.loc[true, predicted]
                if true != predicted and n:
                    words = f"{true} taken for {predicted} {n} of "
                    assert words + str(counts.loc[true].sum()) in page.text
    kind = find_mistakes(result, result.names[0], n_examples=1)[0]
    sample = kind.examples[0].sample
    said, true = kind.examples[0].score, kind.examples[0].true_score
    assert f"no. {sample} said {said:.2f} · true {true:.2f}" in page.text
    assert f" img_{sample:03d}.tif" in page.text
    assert "Files lie below folder/ ." in page.text
    frame = result.out_of_fold(result.names[0]).set_index("sample")
    assert true == frame.loc[sample, f"score_{kind.true}"]


def test_mistakes_are_the_surest_first(result):
    name = result.names[0]
    frame = result.out_of_fold(name)
    mistakes = find_mistakes(result, name, n_examples=4)
    assert sum(m.count for m in mistakes) == (frame["y_true"] != frame["y_pred"]).sum()
    assert [m.count for m in mistakes] == sorted(
        (m.count for m in mistakes), reverse=True
    )
    for mistake in mistakes:
        rows = frame[
            (frame["y_true"] == CLASSES.index(mistake.true))
            & (frame["y_pred"] == CLASSES.index(mistake.predicted))
        ].sort_values(f"score_{mistake.predicted}", ascending=False)
        assert [e.sample for e in mistake.examples] == rows["sample"].tolist()[:4]
        assert mistake.support == (frame["y_true"] == rows["y_true"].iloc[0]).sum()


def test_number_of_pictures_is_limited(result, tmp_path):
    path = result.to_html(tmp_path / "r.html", n_examples=2, max_kinds=1)
    text = path.read_text(encoding="utf-8")
    assert text.count("data:image/png") == 2 * len(result.names)
    assert re.search(r"Not shown: \d+ rarer kinds", text)


def test_flat_rows_need_images(result, tmp_path):
    digits = load_digits(n_class=3)
    rng = np.random.RandomState(0)
    X = digits.data[:150] + rng.normal(scale=6, size=(150, 64))
    flat_result = benchmark_classifiers(
        {"tree": DecisionTreeClassifier(max_depth=2, random_state=0)},
        X,
        digits.target[:150],
        cv=3,
        n_bootstrap=20,
        scoring="roc_auc_ovr",
    )
    text = flat_result.to_html(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "no pictures" in text
    assert "data:image/png" not in text
    assert "No groups were given" in text
    assert "roc auc ovr" in text
    text = flat_result.to_html(
        tmp_path / "b.html", images=X.reshape(-1, 8, 8), metric="roc_auc_ovr"
    ).read_text(encoding="utf-8")
    assert "data:image/png" in text
    assert "tree reaches a roc auc ovr of" in text


def test_images_from_files(result, tmp_path):
    paths = []
    for i, image in enumerate(result.X):
        paths.append(tmp_path / f"particle_{i}.png")
        Image.fromarray(to_8_bit(image)).save(paths[-1])
    path = write_report(result, tmp_path / "r.html", images=paths)
    text = path.read_text(encoding="utf-8")
    assert "data:image/png" in text
    assert re.search(r"particle_\d+\.png", text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ["a"]}, "names holds 1 entries for 180 samples"),
        ({"images": np.zeros((3, 8, 8))}, "images holds 3 entries"),
        ({"n_examples": -1}, "n_examples must be 0 or more"),
        ({"max_kinds": 1.5}, "max_kinds must be 0 or more"),
        ({"metric": "f1"}, "metric='f1' is not among the scores"),
    ],
)
def test_bad_arguments(result, tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        result.to_html(tmp_path / "r.html", **settings)
    assert not (tmp_path / "r.html").exists()


def test_notebooks_show_verdict_and_scores(result):
    page = Page(result._repr_html_())
    assert result.verdict() in page.text
    for name in result.names:
        mean, sd, low, high = result.means(["F1_macro"]).loc[name]
        cell = f"{mean:.3f} ± {sd:.3f} ({low:.3f}–{high:.3f})"
        assert f"{name} {cell}" in page.text
        # No line breaks within an interval.
        unbroken = f'<span style="white-space:nowrap">({low:.3f}–{high:.3f})</span>'
        assert unbroken in result._repr_html_()
    assert not {"style", "script", "link"} & set(page.tags)


# In a browser


@pytest.mark.browser
@pytest.mark.timeout(200)
@pytest.mark.parametrize("dark", [False, True])
def test_report_in_a_browser(path, tmp_path, dark):
    browser = start_browser(tmp_path, dark=dark)
    try:
        for width in (390, 820, 1280):
            show_at(browser, path, width)
            assert page_problems(browser) == []
            ground, top, breaks = browser.execute_script(
                """scrollTo(0, 3000);
                const spans = [...document.querySelectorAll('td small')];
                return [getComputedStyle(document.body).backgroundColor,
                  document.querySelector('nav').getBoundingClientRect().top,
                  spans.filter(s => s.textContent && s.getBoundingClientRect().height
                    > 1.9 * parseFloat(getComputedStyle(s).fontSize)).length]"""
            )
            assert ground == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
            assert top == 0  # the contents stay in sight
            assert breaks == 0  # no interval in two lines
        browser.execute_script(
            "document.documentElement.style.setProperty('--soft', '#808080')"
        )
        assert page_problems(browser) != []  # it would be seen
        wide = browser.execute_script(
            "return document.querySelector('main').getBoundingClientRect().width"
        )
        assert wide > 950
        folded = browser.execute_script(
            """const box = document.querySelector('#overall details');
            const before = box.clientHeight;
            box.querySelector('summary').click();
            return box.clientHeight / before"""
        )
        assert folded < 0.2
        log = [
            entry for entry in browser.get_log("browser") if entry["level"] != "INFO"
        ]
        assert log == []
    finally:
        browser.quit()


# Settings


def test_chosen_parameters():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVC(C=3, gamma="auto")),
        {"svc__C": [1, 2]},
        cv=3,
    )
    chosen = dict(chosen_parameters(search))
    assert chosen == {
        "estimator": "Pipeline",
        "estimator__standardscaler": "StandardScaler",
        "estimator__svc": "SVC",
        "estimator__svc__C": "3",
        "estimator__svc__gamma": "'auto'",
        "param_grid": "{'svc__C': [1, 2]}",
        "cv": "3",
    }
    assert chosen_parameters(GaussianNB()) == []
    priors = dict(chosen_parameters(GaussianNB(priors=np.full(20, 0.05))))
    assert priors == {"priors": "array of shape (20,), float64"}


# Displays


def test_benchmark_display(result):
    display = result.plot()
    assert isinstance(display, BenchmarkDisplay)
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == result.names
    assert len(display.axes_) == 2
    assert isinstance(display.figure_.get_layout_engine(), ConstrainedLayoutEngine)
    folds = display.ax_.lines[0].get_xdata()
    frame = result.to_frame()
    np.testing.assert_allclose(
        folds, frame.loc[frame["estimator"] == result.names[0], "F1_macro"]
    )
    low, high = result.means().loc[result.names[0], ["F1_macro_low", "F1_macro_high"]]
    np.testing.assert_allclose(display.ax_.lines[1].get_xdata(), [low, high])


def test_benchmark_display_on_given_axes(result):
    figure, ax = plt.subplots()
    display = result.plot(metric="accuracy", ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert len(display.axes_) == 0
    assert ax.get_xlabel() == "accuracy"
    with pytest.raises(ValueError, match="is not among the scores"):
        BenchmarkDisplay.from_result(result, metric="f1")


def test_confusion_matrices_display(result):
    display = ConfusionMatricesDisplay.from_result(result)
    assert [ax.get_title() for ax in display.axes_] == result.names
    texts = [text.get_text() for text in display.axes_[0].texts]
    counts = result.confusion_matrix(result.names[0]).to_numpy()
    assert texts[0].split("\n")[0] == str(counts[0, 0])
    image = display.axes_[0].images[0].get_array()
    np.testing.assert_allclose(np.sum(image, axis=1), 1)
    with pytest.raises(ValueError, match="axes holds 1 axes for 2 models"):
        display.plot([display.axes_[0]])
    with pytest.raises(TypeError, match="y_pred must be"):
        ConfusionMatricesDisplay.from_predictions(["a"], ["a"])
