"""The code blocks of README and guide that are no doctests run as they stand.

Commands run as they stand but for size: short trainings, two folds, one process.
"""

import json
import re
import shlex
import warnings
from functools import partial
from pathlib import Path

import h5py
import mrcfile
import numpy as np
import pandas as pd
import pytest
import starfile
from nerve_cord_stand_in import write_stack
from PIL import Image

import emclassify
from emclassify import (
    LipNetClassifier,
    SeedEnsembleClassifier,
    benchmark_classifiers,
    make_liposomes,
    svm_baseline,
)
from emclassify.cli import main
from emclassify.datasets.neurons import _nerve_cord

GUIDE = Path(__file__).parents[1] / "docs" / "user_guide"
README = GUIDE.parents[1] / "README.md"
# By page and number of the block on it: why it is not run here.
NOT_RUN = {
    ("new_dataset", 0): "downloads a data set",
    ("parallel", 0): "one process of several: tests/test_accelerate.py",
    ("parallel", 1): "patches the whole process: tests/test_intelex.py",
}
# Commands of other programs, and those that end only when they are stopped.
OTHER = re.compile(
    r"python -m (pip|venv) |\. \.venv|emclassify --version|torchrun |"
    r".* --(watch|serve)\b|make "
)
SMALL = {
    "benchmark": "--epochs 1 --image-size 16 --cv 2 --jobs 1 --quiet --time-limit none",
    "train": "--epochs 1 --image-size 16 --quiet",
    "review": "--cv 2 --jobs 1 --quiet",
    "label": "--cv 2 --jobs 1 --quiet --number 12 --unlabelled",
    "particles": "--quiet",
}


def blocks(text, language):
    """Return the code of the blocks of a page."""
    found = re.findall(
        rf"^\.\. code-block:: {language}\n\n((?:[ ]{{3,}}.*\n|\n)+)", text, re.MULTILINE
    )
    return [re.sub(r"^ {3,4}(?=\S)|^ {3}", "", block, flags=re.M) for block in found]


def pages(language):
    """Return the pages that have blocks, by name."""
    return {
        page.stem: blocks(page.read_text("utf-8"), language)
        for page in sorted([*GUIDE.glob("*.rst"), *GUIDE.parent.glob("*.rst")])
        if f".. code-block:: {language}" in page.read_text("utf-8")
    }


PYTHON, BASH = pages("python"), pages("bash")
README_COMMANDS = "\n".join(
    re.findall(r"^    emclassify .*$", README.read_text("utf-8"), re.MULTILINE)
)


@pytest.fixture(scope="module")
def data():
    return make_liposomes(48, image_size=24, weights=[1, 1, 1], random_state=0)


@pytest.fixture
def place(tmp_path, monkeypatch, data):
    """A folder with all that the blocks name, as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    rows = []
    for i, label in enumerate(data.target):
        path = Path("liposomes", label, f"{i:02d}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        grey = np.clip(data.images[i] * 40 + 120, 0, 255).astype(np.uint8)
        Image.fromarray(grey).save(path)
        rows.append([f"{label}/{i:02d}.png", label, f"m{i % 8}"])
    table = pd.DataFrame(rows, columns=["file", "label", "micrograph"])
    table.to_csv("labels.csv", index=False)
    Path("new_images").mkdir()
    for path in list(Path("liposomes", "unilamellar").iterdir())[:3]:
        (Path("new_images") / path.name).write_bytes(path.read_bytes())
    return tmp_path


def write_micrographs(image_size):
    """Write micrographs, tables of particles on them and label masks."""
    rng = np.random.default_rng(0)
    for folder in ("Micrographs", "masks"):
        Path(folder).mkdir()
    rows = []
    for k in range(4):
        micrograph = rng.normal(size=(900, 900)).astype(np.float32)
        mask = np.zeros(micrograph.shape, np.uint8)
        for j in range(6):
            y, x = 180 + 260 * (j // 3), 180 + 260 * (j % 3)
            micrograph[y - 60 : y + 60, x - 60 : x + 60] += 1 + 2 * (j % 2)
            mask[y - 60 : y + 60, x - 60 : x + 60] = j + 1
            rows.append([f"m{k}.mrc", float(x), float(y), 1 + j % 2])
        with mrcfile.new(f"Micrographs/m{k}.mrc") as file:
            file.set_data(micrograph)
            file.voxel_size = 2.0
        Image.fromarray(mask).save(f"masks/m{k}.png")
    names = ["rlnMicrographName", "rlnCoordinateX", "rlnCoordinateY", "rlnClassNumber"]
    particles = pd.DataFrame(rows, columns=names)
    for name in ("particles.star", "classified.star", "picked.star"):
        starfile.write(particles, name)


def one_epoch(**settings):
    """Return LipNet with an epoch instead of what the page says."""
    return LipNetClassifier(**settings | {"max_epochs": 1})


def start(page, data, monkeypatch):
    """Return the names that the blocks of a page go on from."""
    is_off = data.target != "unilamellar"
    if page in ("data", "formats"):
        stack = data.images.astype(np.float32)
        with h5py.File("run7.cxi", "w") as file:
            file["entry_1/data_1/data"] = stack
        with mrcfile.new("particles.mrcs") as file:
            file.set_data(stack)
            file.set_image_stack()
        model = svm_baseline(probability=True, features=["histogram"])
        return {
            "classifier": svm_baseline().fit(stack, data.target),
            "model": model,
            "ParticleCropper": emclassify.ParticleCropper,
        }
    if page == "benchmark":
        return {
            "models": {"SVM": svm_baseline(families=["histogram"])},
            "X": data.images,
            "y": np.where(is_off, "off", "on"),
            "dataset": data.groups,
            "benchmark_classifiers": benchmark_classifiers,
        }
    if page == "keeping_models":
        emclassify.save(svm_baseline().fit(data.images, data.target), "mine.emc")
        return {"emclassify": emclassify, "my_network": blocks, "MyTransformer": Path}
    if page == "nerve_cord":
        # A simulated stack instead of the download; the rest as it stands.
        files = write_stack(Path("stand-in"), n_sections=1, size=1024, n_cells=150)
        monkeypatch.setattr(_nerve_cord, "FILES", files)
        monkeypatch.setattr(_nerve_cord, "URL", Path("stand-in").absolute().as_uri())
        monkeypatch.setenv("SCIKIT_LEARN_DATA", str(Path("data_home").absolute()))
        monkeypatch.setitem(vars(emclassify), "LipNetClassifier", one_epoch)
        quick = partial(svm_baseline, families=["histogram"])
        monkeypatch.setitem(vars(emclassify), "svm_baseline", quick)
    if page == "new_dataset":
        net = LipNetClassifier(max_epochs=1, batch_size=16)
        result = benchmark_classifiers(
            {"CNN": SeedEnsembleClassifier(net, n_members=2, random_state=0)},
            data.images,
            np.where(is_off, "off", "on"),
            cv=2,
            return_estimators=True,
        )
        return {
            "pd": pd,
            "result": result,
            "X": data.images,
            "y": np.where(is_off, "off", "on"),
            "ensemble_gain": emclassify.model_selection.ensemble_gain,
        }
    return {}


@pytest.mark.parametrize("page", PYTHON)
@pytest.mark.filterwarnings("default:.*still learning", "default:.*may be too few")
def test_python_of_the_guide_runs(page, place, data, monkeypatch):
    names = start(page, data, monkeypatch)
    if page == "formats":
        write_micrographs(200)
    for number, block in enumerate(PYTHON[page]):
        if (page, number) not in NOT_RUN:
            exec(compile(block, f"{page}, block {number}", "exec"), names)


def test_what_is_not_run_is_there():
    for page, number in NOT_RUN:
        assert number < len(PYTHON[page])


def commands(text):
    """Return the command lines of a block, comments and redirections left out."""
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words[: words.index(">")] if ">" in words else words


def run(words):
    """Run a command as it stands but for size."""
    if OTHER.match(" ".join(words)):
        return
    assert words[0] == "emclassify"
    argv = [str(Path(w).expanduser()) if w.startswith("~") else w for w in words[1:]]
    if argv[0] == "label" and "--corrections" in argv:
        write_corrections(Path(argv[argv.index("--corrections") + 1]))
    if argv[0] == "benchmark" and (len(argv) == 1 or argv[1].startswith("-")):
        argv += ["--samples", "60", "--weights", "0.4,0.3,0.3"]
    small = shlex.split(SMALL.get(argv[0], ""))
    if argv[0] == "train" and "svm" in argv:
        small = ["--quiet"]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main([*argv, *small]) == 0, words


def write_corrections(path):
    """Write what the page of the first round would save."""
    text = next(Path("labelling").glob("*/*.html")).read_text("utf-8")
    begin = text.index('id="data">') + len('id="data">')
    told = json.loads(text[begin : text.index("</script>", begin)])
    names = [told["names"][i] for i in told["orders"]["suggested"]]
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(
        {
            "file": names,
            "old_label": "",
            "new_label": [name.split("/")[0] for name in names],
            "excluded": "false",
            "note": "",
            "time": "2026-01-01T00:00:00Z",
            "dataset": told["dataset"],
        }
    ).to_csv(path, index=False)


@pytest.mark.parametrize("page", BASH)
def test_commands_of_the_guide_run(page, place):
    if any("particles" in block for block in BASH[page]):
        write_micrographs(200)
    for block in BASH[page]:
        for words in commands(block):
            run(words)


def test_commands_of_the_readme_run(place):
    text = README_COMMANDS.replace("FOLDER", "liposomes")
    lines = list(commands(text.replace("NEW_IMAGES", "new_images")))
    assert {words[1] for words in lines} >= {"benchmark", "train", "card", "predict"}
    for words in lines:
        run(words)
