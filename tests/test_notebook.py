"""A notebook from start to end, and what it shows."""

import base64
import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.utils import Bunch

from emclassify import load_image_folder, make_ion_images, make_liposomes
from emclassify._data_set import DataSet

CELLS = [
    "%matplotlib inline\n"
    "from emclassify import LipNetClassifier, benchmark_classifiers, make_liposomes\n"
    "from emclassify import svm_baseline\n"
    "data = make_liposomes(60, image_size=16, weights=[1, 1, 1], random_state=0)\n"
    "data",
    "models = {'LipNet-4': LipNetClassifier(max_epochs=2, random_state=0),\n"
    "          'SVM': svm_baseline()}\n"
    "result = benchmark_classifiers(models, data.images, data.target,\n"
    "    groups=data.groups, cv=2, random_state=0, verbose=1)\n"
    "result",
    "result.plot();",
    "result.audit",
    "models['SVM'].fit(data.images, data.target)",
]


def pictures(html):
    """Return the images of a page, as arrays."""
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) for text in found
    ]


def test_a_data_set_is_shown_by_class():
    data = make_liposomes(60, image_size=28, weights=[3, 2, 1], random_state=0)
    assert isinstance(data, Bunch)
    assert len(repr(data)) < 300
    assert "60 images of 28×28, 3 classes (multilamellar 20, uncertain 10" in repr(data)
    html = data._repr_html_()
    assert len(html) < 100_000
    shown = pictures(html)
    assert len(shown) == 3 * 8
    assert all(picture.shape == (28, 28) and picture.std() > 5 for picture in shown)
    for name, count in (("multilamellar", 20), ("uncertain", 10), ("unilamellar", 30)):
        assert f'<th scope="row">{name}</th><td>{count}</td>' in html


def test_images_of_different_sizes_and_names_from_outside(tmp_path):
    data = make_ion_images(random_state=0)
    assert "images of different sizes" in repr(data)
    assert pictures(data._repr_html_())
    for i, name in enumerate(["<b>", "b&c"] * 2):
        (tmp_path / name).mkdir(exist_ok=True)
        grey = np.full((4 + i, 4), 60 * i, np.uint8)
        Image.fromarray(grey).save(tmp_path / name / f"{i}.png")
    html = load_image_folder(tmp_path)._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_without_labels():
    data = DataSet(images=np.zeros((3, 5, 4)), target=None)
    assert repr(data) == "<DataSet: 3 images of 5×4; it has images, target>"
    assert len(pictures(data._repr_html_())) == 3


RUN = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(notebook, kernel_name="this", timeout=200).execute()
nbformat.write(notebook, sys.argv[1])
"""


@pytest.mark.slow
def test_a_notebook_runs_and_shows_tables_and_pictures(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    path = tmp_path / "it.ipynb"
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    # This Python, whatever kernels the machine has; its own process, that leaves none.
    kernel = tmp_path / "kernels" / "this"
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": command, "display_name": "this", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(told))
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path)],
        env={**os.environ, "JUPYTER_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    notebook = nbformat.read(path, 4)
    outputs = [cell["outputs"] for cell in notebook.cells]

    def shown(number, kind):
        found = [o["data"][kind] for o in outputs[number] if kind in o.get("data", {})]
        assert found, (number, outputs[number])
        return found[-1]

    assert len(pictures(shown(0, "text/html"))) == 24
    assert "SVM" in shown(1, "text/html")
    assert "macro F1" in shown(1, "text/html")
    plot = Image.open(io.BytesIO(base64.b64decode(shown(2, "image/png"))))
    assert np.asarray(plot.convert("L")).std() > 10
    assert "<table" in shown(3, "text/html")
    assert "Pipeline" in shown(4, "text/html")
    errors = [o for cell in outputs for o in cell if o["output_type"] == "error"]
    assert errors == []
