"""``emclassify review``, and the page of a benchmark."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from emclassify import benchmark_classifiers, review_benchmark, svm_baseline
from emclassify.cli import main
from emclassify.persistence import save


def data_of(page):
    """Return what the page holds."""
    text = page.read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


@pytest.fixture
def folder(tmp_path):
    """Dim and bright images in folders of classes; one lies in the wrong folder."""
    rng = np.random.default_rng(0)
    for i in range(24):
        image = rng.integers(0, 100, (12, 12)) + 100 * (i % 2)
        label = "dim" if i % 2 == 0 or i == 9 else "bright"
        (tmp_path / "images" / label).mkdir(parents=True, exist_ok=True)
        path = tmp_path / "images" / label / f"{i:02d}.png"
        Image.fromarray(image.astype(np.uint8)).save(path)
    return tmp_path / "images"


def flat(images):
    return np.asarray(images).reshape(len(images), -1) / 255.0


@pytest.fixture
def model(tmp_path):
    """A model that has learnt from images of its own."""
    X = np.random.default_rng(1).integers(0, 100, (20, 12, 12))
    X[1::2] += 100
    svm = svm_baseline(probability=True, families="thesis")
    path = tmp_path / "model.emc"
    save(svm.fit(X, np.tile(["dim", "bright"], 10)), path)
    return path


def review(*argv):
    return main(["review", *map(str, argv), "--quiet"])


def test_a_page_may_be_written_again(folder, model, tmp_path, capsys, monkeypatch):
    out = tmp_path / "page"

    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("emclassify.review._write_review_page.render", interrupt)
        assert review(model, folder, "--out", out, "--cv", 2) == 130
    assert "interrupted, nothing was written." in capsys.readouterr().err
    assert not out.exists()
    for _ in range(2):
        assert review(model, folder, "--out", out, "--cv", 2) == 0
        assert len(data_of(out / "index.html")["names"]) == 24
        (out / "corrections.csv").write_text("mine")
    assert (out / "corrections.csv").read_text() == "mine"
    assert review(model, folder, "--out", folder) == 2
    assert "is a folder" in capsys.readouterr().err
    assert review(model, folder, "--out", out / "corrections.csv") == 2
    assert "give a name that ends in .html" in capsys.readouterr().err


def test_a_wrong_folder_comes_first(folder, model, tmp_path, capsys):
    out = tmp_path / "review.html"
    assert review(model, folder, "--out", out, "--cv", 3, "--pixel-size", 2) == 0
    assert f"24 images. Open in a browser: {out}" in capsys.readouterr().out
    data = data_of(out)
    first = data["orders"]["probability of the label"][0]
    assert data["names"][first] == "dim/09.png"
    assert data["classes"] == ["bright", "dim"]
    assert data["pixel_size"] == [2.0] * 24
    # Out of fold: the model that was kept has been asked about nothing.
    assert data["classes"][data["predicted"][first]] == "bright"


def test_without_labels_the_model_judges(folder, model, tmp_path):
    from emclassify.persistence import load

    out = tmp_path / "review.html"
    (folder / "dim" / "broken.png").write_bytes(b"no image")
    assert review(model, folder, "--unlabelled", "--out", out) == 0
    data = data_of(out)
    assert set(data["target"]) == {-1}
    assert data["n_unread"] == 1
    broken = data["names"].index("dim/broken.png")
    assert data["proba"][broken] == [0.5, 0.5]
    name = "bright/01.png"
    image = np.asarray(Image.open(folder / name))[np.newaxis]
    expected = load(model).predict_proba(image)[0]
    np.testing.assert_allclose(
        data["proba"][data["names"].index(name)], expected, atol=1e-4
    )


def test_files_say_how_wide_their_pixels_are(tmp_path, model):
    rng = np.random.default_rng(0)
    for i in range(4):
        (tmp_path / "tiff").mkdir(exist_ok=True)
        tifffile.imwrite(
            tmp_path / "tiff" / f"{i}.tif",
            rng.integers(0, 200, (12, 12), dtype=np.uint8),
            imagej=True,
            resolution=(1 / (0.002 + 0.001 * i),) * 2,
            metadata={"unit": "um"},
        )
    out = tmp_path / "review.html"
    assert review(model, tmp_path / "tiff", "--unlabelled", "--out", out) == 0
    assert data_of(out)["pixel_size"] == pytest.approx([2, 3, 4, 5], rel=1e-3)


def test_a_file_of_several_images_says_so_on_the_page(folder, tmp_path, model, capsys):
    stack = np.random.default_rng(0).integers(0, 100, (3, 12, 12), dtype=np.uint8)
    tifffile.imwrite(folder / "dim" / "stack.tif", stack, photometric="minisblack")
    out = tmp_path / "review.html"
    argv = (model, folder, "--unlabelled", "--out", out)
    assert review(*argv) == 0
    data = data_of(out)
    assert "3 images" in data["unread"][data["names"].index("dim/stack.tif")]
    assert review(*argv, "--page", 0) == 0
    assert data_of(out)["n_unread"] == 0
    assert review(*argv, "--page", "all") == 2
    assert "each must give one image" in capsys.readouterr().err


def test_a_table_of_labels_may_have_gaps(folder, model, tmp_path, capsys):
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    table = pd.DataFrame({"name": files, "kind": [f.split("/")[0] for f in files]})
    table.loc[3, "kind"] = ""
    table["grid"] = [f"g{k % 6}" for k in range(24)]
    table.to_csv(tmp_path / "labels.csv", index=False)
    out = tmp_path / "page"
    argv = ("--labels", tmp_path / "labels.csv", "--file-column", "name")
    argv += ("--label-column", "kind", "--group-column", "grid", "--cv", 2)
    assert review(model, folder, *argv, "--out", out) == 0, capsys.readouterr().err
    data = data_of(out / "index.html")
    assert data["target"][3] == -1
    assert min(data["target"][:3] + data["target"][4:]) == 0
    assert data["group"] == table["grid"].tolist()
    np.testing.assert_allclose(np.sum(data["proba"], axis=1), 1, atol=1e-3)


def test_a_table_of_probabilities(folder, tmp_path):
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    p = np.linspace(0, 1, 23)
    table = pd.DataFrame(
        {"file": files[:23], "probability_bright": p, "probability_dim": 1 - p}
    )
    table.to_csv(tmp_path / "p.csv", index=False)
    out = tmp_path / "review.html"
    assert review(tmp_path / "p.csv", folder, "--out", out) == 0
    data = data_of(out)
    at = data["names"].index(files[22])
    assert data["proba"][at] == [1, 0]
    assert data["proba"][data["names"].index(files[23])] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"file": ["a"], "probability_dim": [1]}, "two or more columns"),
        ({"probability_a": [1], "probability_b": [0]}, "must have a column file"),
        ({"file": ["a"], "probability_a": [2], "probability_b": [0]}, "from 0 to 1"),
        ({"file": ["a"], "probability_a": [1], "probability_b": [0]}, "has no row"),
        (
            {"file": ["a"] * 2, "probability_a": [1, 1], "probability_b": [0, 0]},
            "more than one row for 'a'",
        ),
    ],
)
def test_a_table_that_is_none(folder, tmp_path, capsys, columns, message):
    pd.DataFrame(columns).to_csv(tmp_path / "p.csv", index=False)
    assert review(tmp_path / "p.csv", folder, "--out", tmp_path / "r.html") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_bad_input_is_told(folder, model, tmp_path, capsys):
    out = ("--out", tmp_path / "r.html")
    assert review(tmp_path / "none.emc", folder, *out) == 2
    assert "There is no file" in capsys.readouterr().err
    assert review(model, tmp_path / "none", *out) == 2
    assert "is no folder" in capsys.readouterr().err
    Image.new("L", (12, 12)).save(folder / "loose.png")
    assert review(model, folder, *out) == 2
    assert "1 image beside folders" in capsys.readouterr().err
    assert review(model, folder, "--labels", tmp_path / "none.csv", *out) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_class_of_one_image_cannot_be_judged(folder, model, tmp_path, capsys):
    (folder / "rare").mkdir()
    Image.new("L", (12, 12)).save(folder / "rare" / "one.png")
    assert review(model, folder, "--out", tmp_path / "r.html") == 2
    assert "Class 'rare' has one image" in capsys.readouterr().err


# From a benchmark


@pytest.fixture
def images():
    X = np.random.default_rng(0).integers(0, 100, (40, 8, 8)).astype(np.uint8)
    X[1::2] += 100
    return X


def benchmark(model, images, labels, **options):
    flatten = FunctionTransformer(flat)
    return benchmark_classifiers(
        {"model": make_pipeline(flatten, model)}, images, labels, audit=False, **options
    )


def test_a_benchmark_writes_the_page(images, tmp_path):
    labels = np.tile(["dim", "bright"], 20)
    labels[6] = "bright"
    groups = np.arange(40) // 4
    result = benchmark(LogisticRegression(), images, labels, groups=groups)
    page = review_benchmark(result, "model", path=tmp_path / "r.html", title="Look")
    assert page == tmp_path / "r.html"
    data = data_of(page)
    assert data["orders"]["probability of the label"][0] == 6
    assert data["group"] == groups.tolist()
    frame = result.out_of_fold("model").set_index("sample").sort_index()
    np.testing.assert_allclose(
        data["proba"], frame[["score_bright", "score_dim"]], atol=1e-4
    )


def test_a_model_without_probabilities_is_refused(images, tmp_path):
    result = benchmark(LinearSVC(), images, np.tile(["a", "b"], 20), cv=2)
    with pytest.raises(ValueError, match="has no probabilities"):
        review_benchmark(result, "model", path=tmp_path / "r.html")
    with pytest.raises(ValueError, match="other"):
        review_benchmark(result, "other", path=tmp_path / "r.html")


def test_a_table_without_some_groups_is_refused(folder, model, tmp_path, capsys):
    files = [f"{p.parent.name}/{p.name}" for p in sorted(folder.glob("*/*.png"))]
    table = pd.DataFrame({"file": files, "label": "dim", "grid": "g"})
    table.loc[[1, 3], "grid"] = ""
    table.to_csv(tmp_path / "labels.csv", index=False)
    argv = [model, folder, "--labels", tmp_path / "labels.csv", "--group-column"]
    assert review(*argv, "grid", "--out", tmp_path / "r.html") == 2
    assert "labels.csv has no 'grid' in row 2, 4 (row 1" in capsys.readouterr().err


def test_a_packed_table_of_probabilities(folder, tmp_path):
    files = [f"{p.parent.name}/{p.name}" for p in sorted(folder.glob("*/*.png"))]
    table = pd.DataFrame({"file": files, "probability_dim": 0.4})
    table["probability_bright"] = 0.6
    table.to_csv(tmp_path / "p.csv.gz", index=False)
    page = tmp_path / "r.html"
    assert review(tmp_path / "p.csv.gz", folder, "--out", page) == 0
    assert data_of(page)["classes"] == ["dim", "bright"]


@pytest.mark.parametrize("command", ["train", "benchmark", "review"])
def test_a_table_in_the_folder_is_not_written_over(folder, model, capsys, command):
    files = [f"{p.parent.name}/{p.name}" for p in sorted(folder.glob("*/*.png"))]
    labels = folder / "labels.html"
    pd.DataFrame({"file": files, "label": "dim"}).to_csv(labels, index=False)
    before = labels.read_bytes()
    source = [model] if command == "review" else []
    argv = [command, *source, folder, "--labels", labels.name, "--out", labels]
    models = ["--model", "svm"] if command == "train" else []
    assert main([*map(str, argv), *models]) == 2
    assert "is a file that is read here" in capsys.readouterr().err
    assert labels.read_bytes() == before


@pytest.mark.parametrize("command", ["train", "benchmark", "predict"])
def test_an_image_is_not_written_over(folder, model, capsys, command):
    image = next(folder.glob("*/*.png"))
    before = image.read_bytes()
    source = [model] if command == "predict" else []
    assert main([command, *map(str, [*source, folder, "--out", image])]) == 2
    assert "is an image, which would be lost" in capsys.readouterr().err
    assert image.read_bytes() == before
