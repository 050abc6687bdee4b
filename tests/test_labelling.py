"""The rounds of labelling: suggestions, corrections, models, all in files."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from emclassify.cli import main
from emclassify.review import suggest_to_label
from emclassify.review._folder_images import read_folder
from emclassify.review._folder_page import judge
from emclassify.review._labelling import DECISIONS, Labelling, read_decisions
from emclassify.review._temperature import fit_temperature, softened

N = 36


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Dim, middling and bright images without labels, in turn."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for i in range(N):
        image = rng.integers(0, 60, (12, 12)) + 80 * (i % 3)
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{i:02d}.png")
    return folder


CLASSES = ["dim", "middling", "bright"]


def truth(name):
    return CLASSES[int(name[:2]) % 3]


def flat(images):
    return np.asarray(images).reshape(len(images), -1) / 255.0


def start(folder, out, **options):
    images = read_folder(folder)

    def make_model(images):
        return make_pipeline(FunctionTransformer(flat), LogisticRegression(C=100))

    out.mkdir(exist_ok=True)
    return Labelling(out, images, CLASSES, make_model, n=12, **options)


def data_of(page):
    text = page.read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def corrections(page, path, *, exclude=(), wrong=()):
    """Save what a person decides on a page: all that is suggested."""
    data = data_of(page)
    names = [data["names"][i] for i in data["orders"]["suggested"]]
    rows = [
        {
            "file": name,
            "old_label": "",
            "new_label": "dim" if name in wrong else truth(name),
            "excluded": str(name in exclude).lower(),
            "note": "",
            "time": "2026-01-01T00:00:00Z",
            "dataset": data["dataset"],
        }
        for name in names
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return names


def test_rounds_lead_from_no_labels_to_a_model(folder, tmp_path):
    loop = start(folder, tmp_path / "rounds")
    first = loop.next_round()
    assert first["n_labels"] == 0
    assert "macro_f1" not in first
    page = data_of(loop.page())
    assert len(page["orders"]["suggested"]) == 12
    assert 6 < len(set(page["cluster"])) <= 12
    names = corrections(loop.page(), tmp_path / "c.csv", exclude=["05.png"])
    loop.add([tmp_path / "c.csv"])
    # Another process goes on where this one stopped; what a third left half is gone.
    (tmp_path / "rounds" / ".round-002.part").mkdir()
    loop = start(folder, tmp_path / "rounds")
    excluded = int("05.png" in names)
    second = loop.next_round()
    assert second["n_labels"] == 12 - excluded
    assert second["macro_f1"] > 0.8
    assert not (tmp_path / "rounds" / ".round-002.part").exists()
    page = data_of(loop.page())
    suggested = {page["names"][i] for i in page["orders"]["suggested"]}
    assert suggested.isdisjoint(names)
    known = [i for i, t in enumerate(page["target"]) if t >= 0]
    assert {page["names"][i] for i in known} == set(names) - {"05.png"}
    for i in known:
        assert page["classes"][page["target"][i]] == truth(page["names"][i])
    curve = pd.read_csv(tmp_path / "rounds" / "learning_curve.csv")
    assert curve["n_labels"].tolist() == [0, 12 - excluded]
    with Image.open(tmp_path / "rounds" / "learning_curve.png") as picture:
        assert picture.size == (900, 600)
    kept = pd.read_csv(tmp_path / "rounds" / "labels.csv")
    assert kept["label"].tolist() == [truth(name) for name in kept["file"]]
    assert set(kept["file"]) == set(names) - {"05.png"}


def test_what_is_excluded_is_not_suggested_again(folder, tmp_path):
    loop = start(folder, tmp_path / "rounds")
    loop.next_round()
    data = data_of(loop.page())
    first = data["names"][data["orders"]["suggested"][0]]
    corrections(loop.page(), tmp_path / "c.csv", exclude=[first])
    loop.add([tmp_path / "c.csv"])
    loop.next_round()
    data = data_of(loop.page())
    assert first not in {data["names"][i] for i in data["orders"]["suggested"]}
    table = loop.labels().table.set_index("file")
    assert table.loc[first, "excluded"]
    assert table["excluded"].sum() == 1


def test_two_people_who_disagree_are_listed(folder, tmp_path):
    loop = start(folder, tmp_path / "rounds")
    loop.next_round()
    (tmp_path / "ben").mkdir()
    names = corrections(loop.page(), tmp_path / "anna.csv")
    odd = next(name for name in names if truth(name) == "bright")
    corrections(loop.page(), tmp_path / "ben" / "anna.csv", wrong=[odd])
    loop.add([tmp_path / "anna.csv", tmp_path / "ben" / "anna.csv"])
    assert loop.n_decisions() == 24
    known = loop.next_round()
    assert known["n_conflicts"] == 1
    assert known["n_labels"] == 11
    here = loop.rounds()[-1]
    conflicts = pd.read_csv(here / "conflicts.csv")
    assert conflicts["file"].tolist() == [odd]
    agreement = pd.read_csv(here / "agreement.csv")
    assert agreement["agreement"].tolist() == pytest.approx([11 / 12])
    assert 0.7 < agreement["kappa"][0] < 1


def test_corrections_of_another_data_set_are_refused(folder, tmp_path):
    loop = start(folder, tmp_path / "rounds")
    loop.next_round()
    corrections(loop.page(), tmp_path / "c.csv")
    text = (tmp_path / "c.csv").read_text()
    dataset = data_of(loop.page())["dataset"]
    (tmp_path / "other.csv").write_text(text.replace(dataset, "0123456789abcdef"))
    with pytest.raises(ValueError, match="another data set"):
        loop.add([tmp_path / "c.csv", tmp_path / "other.csv"])
    assert loop.n_decisions() == 0


def test_corrections_of_pages_before_and_after_an_image_more(folder, tmp_path):
    images = tmp_path / "images"
    shutil.copytree(folder, images)
    loop = start(images, tmp_path / "rounds")
    loop.next_round()
    corrections(loop.page(), tmp_path / "ann.csv")
    corrections(loop.page(), tmp_path / "ben.csv")
    loop.add([tmp_path / "ann.csv"])
    shutil.copy(images / "00.png", images / f"{N}.png")
    loop = start(images, tmp_path / "rounds")
    loop.next_round()
    corrections(loop.page(), tmp_path / "ann.csv")
    loop.add([tmp_path / "ben.csv", tmp_path / "ann.csv"])
    assert len(loop.labels().agreement) == 1
    assert loop.next_round()["n_labels"] == 24


def test_what_is_kept_is_what_was_checked(folder, tmp_path, monkeypatch):
    loop = start(folder, tmp_path / "rounds")
    loop.next_round()
    path = tmp_path / "ann.csv"
    corrections(loop.page(), path)
    whole, read = path.read_bytes(), Path.read_bytes

    def read_once(self):
        content = read(self)
        if self == path:
            path.unlink()
        return content

    path.write_bytes(whole.replace(b"new_label", b"label"))
    monkeypatch.setattr(Path, "read_bytes", read_once)
    with pytest.raises(ValueError, match=r"ann\.csv lacks the column 'new_label'"):
        loop.add([path])
    assert loop.n_decisions() == 0
    path.write_bytes(whole)
    loop.add([path])
    assert (loop.rounds()[0] / "corrections" / "ann.csv").read_bytes() == whole
    assert loop.n_decisions() == whole.count(b"\n") - 1


def test_rounds_of_another_folder_are_refused(folder, tmp_path):
    out = tmp_path / "rounds"
    start(folder, out).next_round()
    other = tmp_path / "other"
    other.mkdir()
    for path in sorted(folder.iterdir()):
        (other / f"x{path.name}").write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match=r"'00\.png', and this one has 'x00\.png'"):
        start(other, out)
    # One that has grown is the same folder.
    (other / "00.png").write_bytes((folder / "00.png").read_bytes())
    assert start(other, out).rounds()


def test_groups_stay_together_and_rare_classes_wait(folder, tmp_path):
    table = pd.DataFrame({"file": [f"{i:02d}.png" for i in range(N)]})
    table["label"] = [truth(name) for name in table["file"]]
    table.loc[3:, "label"] = table["label"][3:].replace("bright", "")
    table["grid"] = np.arange(N) // 6
    table.to_csv(tmp_path / "labels.csv", index=False)
    loop = start(folder, tmp_path / "rounds")
    loop.folder = read_folder(
        folder, labels=tmp_path / "labels.csv", group_column="grid"
    )
    known = loop.next_round()
    assert known["n_of_class"] == {"dim": 12, "middling": 12, "bright": 1}
    assert known["left_out"] == ["bright"]
    assert known["n_classes"] == 2
    data = data_of(loop.page())
    assert np.all(np.array(data["proba"])[:, 2] == 0)
    assert data["group"][-1] == "5"


def test_decisions_that_were_cut_off_or_undone_do_not_count(tmp_path):
    path = tmp_path / DECISIONS
    lines = [
        {"file": "a", "new_label": "x", "undone": False},
        {"file": "b", "new_label": "x", "undone": False},
        {"file": "b", "new_label": "x", "undone": True},
        {"file": "a", "new_label": "y", "undone": False},
    ]
    path.write_text("".join(json.dumps(x) + "\n" for x in lines) + '{"file": "c')
    assert read_decisions(path) == [{"file": "a", "new_label": "y"}]
    assert read_decisions(tmp_path / "none") == []


def test_decision_values_become_probabilities(folder, tmp_path):
    rng = np.random.default_rng(0)
    values = 6 * rng.normal(size=(4000, 3))
    target = np.array([rng.choice(3, p=p) for p in softened(values, 2.0)])
    assert fit_temperature(values, target) == pytest.approx(2, rel=0.1)
    # A class that a fold has not learnt is impossible, and does no harm.
    values[:5, 0] = np.nan
    assert softened(values, 2.0)[:5, 0].tolist() == [0] * 5
    assert np.isfinite(fit_temperature(values, target))
    images = read_folder(folder)
    known = [truth(n) if int(n[:2]) < 30 else None for n in images.files]
    images.labels = np.array(known, dtype=object)
    model = make_pipeline(FunctionTransformer(flat), SVC())
    found = judge(model, images, n_folds=3)
    np.testing.assert_allclose(found.proba.sum(axis=1), 1)
    said = np.array(found.classes)[found.proba.argmax(axis=1)]
    assert np.mean(said == [truth(n) for n in images.files]) > 0.9


class Learner(DummyClassifier):
    """It remembers its groups."""

    def fit(self, X, y, groups=None):
        self.groups_ = groups
        return super().fit(X, y)


def test_a_model_of_all_labels_learns_its_groups(folder):
    images = read_folder(folder)
    images.labels = np.array([truth(name) for name in images.files], dtype=object)
    images.groups = np.arange(N) // 6
    found = judge(make_pipeline(FunctionTransformer(flat), Learner()), images)
    np.testing.assert_array_equal(found.model[-1].groups_, images.groups)


def test_a_temperature_of_other_folds_is_taken_off(folder):
    images = read_folder(folder)
    images.labels = np.array([truth(name) for name in images.files], dtype=object)
    images.labels[18:] = None  # six a class: folds learn from fewer than five
    svm = SVC()
    calibrated = CalibratedClassifierCV(svm, method="temperature", cv=5)
    found = [
        judge(make_pipeline(FunctionTransformer(flat), last), images)
        for last in (svm, calibrated)
    ]
    np.testing.assert_array_equal(found[0].proba, found[1].proba)


def test_known_duplicates_are_not_searched_for(monkeypatch):
    import emclassify.model_selection

    monkeypatch.setattr(emclassify.model_selection, "find_duplicates", None)
    X = np.random.default_rng(0).normal(size=(6, 8, 8))
    pairs = pd.DataFrame({"first": [0, 0, 0, 0], "second": [1, 2, 3, 4]})
    table = suggest_to_label(
        X, 2, embedding=flat(X), duplicates=pairs, labelled=[0], random_state=0
    )
    assert 5 in table["sample"].tolist()


def test_the_command_goes_from_round_to_round(folder, tmp_path, capsys):
    out = tmp_path / "rounds"
    argv = ["label", str(folder), "--out", str(out), "--quiet", "--jobs", "1"]
    argv += ["--number", "12", "--cv", "2"]
    assert main(argv) == 2
    assert "--classes a,b" in capsys.readouterr().err
    assert not out.exists()
    assert main([*argv, "--classes", "dim,middling,bright"]) == 0
    assert "Round 1: 0 labels" in capsys.readouterr().out
    assert main(argv) == 0
    assert "Round 1 waits for labels" in capsys.readouterr().out
    names = corrections(out / "round-001" / "index.html", tmp_path / "c.csv")
    assert main([*argv, "--corrections", str(tmp_path / "c.csv")]) == 0
    said = capsys.readouterr().out
    shown = [truth(name) for name in names]
    counts = ", ".join(f"{label} {shown.count(label)}" for label in CLASSES)
    assert min(shown.count(label) for label in CLASSES) >= 2
    assert f"Round 2: 12 labels ({counts})" in said
    assert "Macro F1 out of fold" in said
    assert f"Learning curve: {out / 'learning_curve.png'}" in said
    assert (out / "round-002" / "model.emc").is_file()


def test_the_command_says_what_is_wrong(folder, tmp_path, capsys):
    def label(*argv):
        return main(["label", str(folder), *map(str, argv), "--quiet"])

    inside = folder / "rounds"
    assert label("--classes", "a,b", "--out", inside) == 2
    assert "lies in" in capsys.readouterr().err
    assert not inside.exists()
    out = tmp_path / "rounds"
    assert label("--classes", "a,b", "--out", out, "--corrections", "c.csv") == 2
    assert "has no round yet" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        label("--classes", "a,a")


def test_what_is_refused_leaves_no_class_behind(folder, tmp_path, capsys):
    def label(where, *argv):
        return main(["label", str(where), *map(str, argv), "--out", str(out)])

    out, other = tmp_path / "rounds", tmp_path / "other"
    many = ",".join(f"c{i}" for i in range(32))
    assert label(folder, "--classes", many, "--quiet") == 2
    assert "has keys for 31 classes; there are 32" in capsys.readouterr().err
    assert label(folder, "--classes", "dim,bright", "--quiet") == 0
    other.mkdir()
    shutil.copy(folder / "00.png", other / "else.png")
    assert label(other, "--classes", "a,b", "--quiet") == 2
    assert "holds rounds of another folder" in capsys.readouterr().err
    assert json.loads((out / "classes.json").read_text()) == ["dim", "bright"]


def test_a_label_that_is_no_class_is_not_taken(folder, tmp_path):
    labelling = start(folder, tmp_path / "rounds")
    labelling.next_round()
    saved = tmp_path / "saved.csv"
    row = {"file": "00.png", "old_label": "", "new_label": "dimm", "excluded": "false"}
    pd.DataFrame([row]).to_csv(saved, index=False)
    with pytest.raises(ValueError, match=r"saved\.csv has the label 'dimm', which is"):
        labelling.add([saved])
    assert not labelling.n_decisions()
    pd.DataFrame([row | {"excluded": "true"}]).to_csv(saved, index=False)
    labelling.add([saved])
    assert labelling.n_decisions() == 1


def test_packed_corrections_are_kept_unpacked(folder, tmp_path):
    labelling = start(folder, tmp_path / "rounds")
    labelling.next_round()
    row = {"file": "00.png", "old_label": "", "new_label": "dim", "excluded": "false"}
    pd.DataFrame([row]).to_csv(tmp_path / "saved.csv.gz", index=False)
    labelling.add([tmp_path / "saved.csv.gz"])
    assert labelling.labels().table["label"].tolist()[:2] == ["dim", ""]
